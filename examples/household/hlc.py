"""A hybrid logical clock: stamps near the wall clock that never contradict what caused what.

Kulkarni, Demirbas, Madappa, Avva, Leone: "Logical Physical Clocks", OPODIS 2014. A stamp is 48 bits of milliseconds, a
counter of 16 bits and the device that drew it. So:

- an edit made in sight of another has the greater stamp, even if its device's clock is hours behind;
- no stamp is ahead of the fastest clock among the devices, as long as none draws 65,536 in a millisecond;
- two devices never draw the same one.
"""

import re
from dataclasses import dataclass

MAX_MILLIS = 2**48 - 1
MAX_COUNTER = 2**16 - 1

_FORM = re.compile(r"([0-9a-f]{12})\.([0-9a-f]{4})\.([\x21-\x7e]+)")


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """When an edit was made. As texts, stamps have the same order."""

    millis: int
    counter: int
    device_id: str

    def __str__(self) -> str:
        return f"{self.millis:012x}.{self.counter:04x}.{self.device_id}"

    @classmethod
    def parse(cls, text: str) -> "Stamp":
        """Read what `str` wrote. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("not a stamp")
        return cls(int(found[1], 16), int(found[2], 16), found[3])


def draw(latest: Stamp | None, now_millis: int, device_id: str) -> Stamp:
    """Return the stamp of an edit made now; `latest` is the greatest that this device has drawn or seen.

    The paper's two rules in one: a device that keeps the greatest stamp it sees has done all that receiving asks for.
    Raises OverflowError in the year 10889.
    """
    if latest is None or now_millis > latest.millis:
        millis, counter = now_millis, 0
    elif latest.counter < MAX_COUNTER:
        millis, counter = latest.millis, latest.counter + 1
    else:
        millis, counter = latest.millis + 1, 0
    if millis > MAX_MILLIS:
        raise OverflowError("no stamp is later")
    return Stamp(millis, counter, device_id)
