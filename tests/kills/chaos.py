"""Draws the moments of kills, by a seed that is told, so that a run can be drawn again."""

import os
import time
from collections.abc import Callable
from random import Random, SystemRandom

from tests.figures import Report

SEED = "RELAY_TEST_SEED"
PROVE = "RELAY_TEST_PROVE"
GUARD_SECONDS = 120


def draw(report: Report) -> Random:
    """Return what draws; another in each run, unless a seed is given."""
    seed = int(os.environ.get(SEED, SystemRandom().randrange(2**32)))
    report(SEED, str(seed))
    return Random(seed)


def times(by_default: int) -> int:
    """Return how many kills: by default, or as many times as many as the long run asks for."""
    return by_default * max(1, int(os.environ.get(PROVE, "0")))


def wait_for_moment(chaos: Random, progress: Callable[[], int], most_steps: int) -> None:
    """Return somewhere within the next steps of those whose progress it is: never while nothing is done."""
    until, give_up = progress() + chaos.randint(1, most_steps), time.monotonic() + GUARD_SECONDS
    while progress() < until:
        assert time.monotonic() < give_up, "nothing goes on"
        time.sleep(0.0005)
    time.sleep(chaos.random() * 0.01)
