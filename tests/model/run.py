"""Runs the machine: a bounded, repeatable run by default, a long one of random draws for `make prove`."""

import os
from collections import Counter
from collections.abc import Callable
from random import SystemRandom
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import get_state_machine_test

from tests.figures import Report
from tests.model.machine import RelayMachine
from tests.model.stores import Stores

PROVE = "RELAY_TEST_PROVE"
"""The variable that asks for the long run: how many times as many examples as by default."""
SEED = "RELAY_TEST_SEED"
"""The variable that repeats a run of random draws: each prints its own."""
STEPS = 50
KINDS = 12
"""Of outcomes that a run has to meet, to be worth something: statuses of success, and codes of refusals."""


def run(
    open_stores: Callable[[Callable[[], int]], Stores], examples: int, seed_by_default: int, report: Report
) -> None:
    """Let so many draws of up to 50 steps pass, each on empty stores; report how many steps that were."""

    class Machine(RelayMachine):
        steps = 0
        outcomes: ClassVar[Counter[str]] = Counter()

    Machine.open_stores = staticmethod(open_stores)
    times = int(os.environ.get(PROVE, "0"))
    drawn = int(os.environ.get(SEED, SystemRandom().randrange(2**32) if times else seed_by_default))
    profile = settings(
        max_examples=examples * max(1, times),
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    report(SEED, str(drawn))
    try:
        seed(drawn)(get_state_machine_test(Machine, settings=profile))()
    finally:
        report("steps", Machine.steps)
        report("requests judged", Machine.outcomes.total())
        report("kinds of outcome", str(len(Machine.outcomes)))
    assert Machine.steps >= examples * STEPS / 2
    assert len(Machine.outcomes) >= KINDS, "the draws are too poor to show much"
