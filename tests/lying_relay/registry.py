"""The one list of lies: what the relay does, and what becomes of it. The threat model's table is made from it."""

from collections.abc import Callable
from dataclasses import dataclass

from sync_relay_client.errors import SyncRelayError
from tests.lying_relay.scene import Scene

Trap = Callable[[], object]
"""What the victim does to step into it."""
Lay = Callable[[Scene], Trap]
"""Lays the trap, with an insider's keys where it takes a member that colludes."""


@dataclass(frozen=True)
class Lie:
    """A lie. Either `caught` names it, or `why` says why it does no harm, or `advice` what people can do about it."""

    lay: Lay
    caught: type[SyncRelayError] | None = None
    why: str = ""
    advice: str = ""
    timeout_seconds: float | None = None
    """How patient the victim is, where it would have to wait."""
    peak_bytes: int | None = None
    """What the whole exchange may allocate at most, at both ends."""
    keeps_state: bool = True
    """Whether the profile holds exactly the same after it."""
    recovers: bool = True
    """Whether the victim goes on once the relay is honest."""

    @property
    def name(self) -> str:
        return self.lay.__name__

    @property
    def what(self) -> str:
        """The lie in a line, as its docstring says it."""
        assert self.lay.__doc__ is not None, self.name
        return self.lay.__doc__.strip().partition("\n")[0].removesuffix(".")

    @property
    def outcome(self) -> str:
        """What becomes of it in a line."""
        if self.caught is not None:
            return f"`{self.caught.__name__}`" + (f": {self.why}" if self.why else "")
        return f"harmless: {self.why}" if self.why else f"**can't be detected**; {self.advice}"


LIES: list[Lie] = []


def caught(
    error: type[SyncRelayError],
    why: str = "",
    *,
    timeout_seconds: float | None = None,
    peak_bytes: int | None = None,
    keeps_state: bool = True,
) -> Callable[[Lay], Lay]:
    """Note a lie that the client names by exactly this error."""

    def note(lay: Lay) -> Lay:
        LIES.append(
            Lie(lay, error, why, timeout_seconds=timeout_seconds, peak_bytes=peak_bytes, keeps_state=keeps_state)
        )
        return lay

    return note


def harmless(why: str, *, peak_bytes: int | None = None) -> Callable[[Lay], Lay]:
    """Note a lie that changes nothing that the client believes."""

    def note(lay: Lay) -> Lay:
        LIES.append(Lie(lay, why=why, peak_bytes=peak_bytes))
        return lay

    return note


def undetected(advice: str, *, recovers: bool = True) -> Callable[[Lay], Lay]:
    """Note a lie that no client can notice by itself, and what people can do."""

    def note(lay: Lay) -> Lay:
        LIES.append(Lie(lay, advice=advice, recovers=recovers))
        return lay

    return note


def told(name: str, what: str, lay: Lay) -> Lay:
    """Name a lie that was made by a function."""
    lay.__name__, lay.__doc__ = name, what
    return lay
