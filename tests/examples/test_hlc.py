"""The hybrid logical clock: what it promises, for any clocks and any order of events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.household.hlc import MAX_COUNTER, MAX_MILLIS, Stamp, draw

MILLIS = st.integers(0, 2**45)
STAMPS = st.builds(Stamp, MILLIS, st.integers(0, MAX_COUNTER), st.sampled_from(["laptop", "phone"]))
HOURS = 3_600_000


@given(st.none() | STAMPS, MILLIS)
def test_an_edit_is_later_than_all_that_its_device_saw(latest: Stamp | None, now: int) -> None:
    stamp = draw(latest, now, "tablet")
    assert latest is None or stamp > latest
    assert stamp.millis >= now


@given(st.lists(st.tuples(st.integers(0, 2), MILLIS, st.booleans()), min_size=2))
def test_stamps_never_contradict_cause_and_effect_nor_outrun_the_fastest_clock(
    events: list[tuple[int, int, bool]],
) -> None:
    seen: list[Stamp | None] = [None, None, None]
    drawn: list[Stamp] = []
    for device, now, reads_the_last in events:
        before = seen[device]
        if reads_the_last and drawn:
            before = max(drawn[-1], before or drawn[-1])
        stamp = draw(before, now, f"device {device}")
        assert before is None or stamp > before
        assert stamp.millis <= max(clock for _, clock, _ in events)
        seen[device] = stamp
        drawn.append(stamp)
    assert len(set(drawn)) == len(drawn)


@given(STAMPS, STAMPS)
def test_as_texts_stamps_have_their_order_and_come_back(one: Stamp, other: Stamp) -> None:
    assert (str(one) < str(other)) == (one < other)
    assert Stamp.parse(str(one)) == one


def test_a_clock_set_back_for_an_hour_does_not_stop_time() -> None:
    stamps = [draw(None, 10 * HOURS, "laptop")]
    for minute in range(60):
        stamps.append(draw(stamps[-1], 9 * HOURS + minute * 60_000, "laptop"))
    assert all(one < other for one, other in pairwise(stamps))
    assert stamps[-1] == Stamp(10 * HOURS, 60, "laptop"), "the counter counts while the clock is behind"
    assert draw(stamps[-1], 10 * HOURS + 1, "laptop") == Stamp(10 * HOURS + 1, 0, "laptop")


def test_a_full_counter_goes_over_into_the_next_millisecond() -> None:
    assert draw(Stamp(7, MAX_COUNTER, "phone"), 7, "laptop") == Stamp(8, 0, "laptop")
    assert draw(Stamp(7, MAX_COUNTER - 1, "phone"), 7, "laptop") == Stamp(7, MAX_COUNTER, "laptop")


def test_there_is_no_stamp_after_the_last() -> None:
    assert draw(None, MAX_MILLIS, "laptop").millis == MAX_MILLIS
    with pytest.raises(OverflowError):
        draw(Stamp(MAX_MILLIS, MAX_COUNTER, "phone"), 0, "laptop")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "19d0c2b3a4f.0000.a",
        "019d0c2b3a4f5.0000.a",
        "019d0c2b3a4f.000.a",
        "019D0C2B3A4F.0000.a",
        "019d0c2b3a4f.0000.",
    ],
)
def test_what_is_no_stamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a stamp"):
        Stamp.parse(text)
