"""The contract of `relay.ports.Limiter`: GCRA (§9). A backend imports it into its test module, with a `limiter`."""

from relay.ports import Limiter, Quota, Ticket
from tests.contract.at_once import at_once

__all__ = ["TestLimiter"]

NOW_US = 1_777_195_800_000_000
QUOTA = Quota(requests=4, window_seconds=2)
"""One request costs half a second."""
HALF_SECOND_US = 500_000


class TestLimiter:
    """`Limiter.take` and `Limiter.forget`."""

    def test_the_whole_quota_may_come_at_once_and_no_more(self, limiter: Limiter) -> None:
        tickets = [limiter.take(b"key", QUOTA, NOW_US) for _ in range(5)]
        assert tickets == [
            Ticket(allowed=True, remaining=3, reset_seconds=1, retry_after_seconds=0),
            Ticket(allowed=True, remaining=2, reset_seconds=1, retry_after_seconds=0),
            Ticket(allowed=True, remaining=1, reset_seconds=2, retry_after_seconds=0),
            Ticket(allowed=True, remaining=0, reset_seconds=2, retry_after_seconds=0),
            Ticket(allowed=False, remaining=0, reset_seconds=2, retry_after_seconds=1),
        ]

    def test_time_gives_requests_back_one_by_one(self, limiter: Limiter) -> None:
        for _ in range(4):
            limiter.take(b"key", QUOTA, NOW_US)
        assert limiter.take(b"key", QUOTA, NOW_US + HALF_SECOND_US - 1).allowed is False
        assert limiter.take(b"key", QUOTA, NOW_US + HALF_SECOND_US).allowed is True
        assert limiter.take(b"key", QUOTA, NOW_US + HALF_SECOND_US).allowed is False

    def test_being_refused_costs_nothing(self, limiter: Limiter) -> None:
        for _ in range(50):
            limiter.take(b"key", QUOTA, NOW_US)
        assert limiter.take(b"key", QUOTA, NOW_US + HALF_SECOND_US).allowed is True

    def test_a_rested_key_has_its_whole_quota_and_not_more(self, limiter: Limiter) -> None:
        limiter.take(b"key", QUOTA, NOW_US)
        later_us = NOW_US + 3600 * 1_000_000
        assert [limiter.take(b"key", QUOTA, later_us).allowed for _ in range(5)] == [True] * 4 + [False]

    def test_who_waits_as_long_as_told_is_let_in(self, limiter: Limiter) -> None:
        slow = Quota(requests=1, window_seconds=60)
        limiter.take(b"key", slow, NOW_US)
        retry_after = limiter.take(b"key", slow, NOW_US + 1).retry_after_seconds
        assert retry_after == 60
        assert limiter.take(b"key", slow, NOW_US + 1 + retry_after * 1_000_000).allowed is True

    def test_keys_do_not_touch_each_other(self, limiter: Limiter) -> None:
        keys = [b"a", b"b", b"a\0", b"", bytes(range(256))]
        for key in keys:
            assert [limiter.take(key, QUOTA, NOW_US).remaining for _ in range(4)] == [3, 2, 1, 0]

    def test_a_clock_set_back_locks_nobody_out(self, limiter: Limiter) -> None:
        limiter.take(b"key", QUOTA, NOW_US + 10**12)
        assert limiter.take(b"key", QUOTA, NOW_US).allowed is False
        assert limiter.take(b"key", QUOTA, NOW_US + HALF_SECOND_US).allowed is True

    def test_forgetting_leaves_those_who_owe(self, limiter: Limiter) -> None:
        for _ in range(4):
            limiter.take(b"busy", QUOTA, NOW_US)
        limiter.take(b"idle", QUOTA, NOW_US)
        limiter.forget(NOW_US + HALF_SECOND_US)
        assert limiter.take(b"busy", QUOTA, NOW_US).allowed is False
        # seen from before: only a forgotten key has its whole quota at a time when it had used some of it
        assert limiter.take(b"idle", QUOTA, NOW_US).remaining == 3

    def test_requests_at_one_instant_share_one_quota(self, limiter: Limiter) -> None:
        quota = Quota(requests=40, window_seconds=60)

        def knock() -> int:
            return sum(limiter.take(b"key", quota, NOW_US).allowed for _ in range(20))

        assert sum(at_once(*[knock] * 8)) == 40
