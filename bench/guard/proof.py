"""Shows that the guard sees what it is for, and nothing else: slow-downs are seeded, and the machine is loaded."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench.guard.baseline import Figure, figures_of, judge
from bench.guard.counting import count_all
from bench.guard.measures import Measure
from bench.guard.report import print_verdicts
from bench.guard.seeds import SEEDS
from tools.mutate.copies import Copies

QUIET_RUNS, LOADED_RUNS, BUSY_A_PROCESSOR = 2, 2, 2


def prove(measures: Sequence[Measure]) -> bool:
    """Print what each seed and each loaded run does to the counts; return whether all were judged rightly."""
    with Copies.made(1) as copies:
        with copies.sound() as tree:
            before = figures_of([count_all(tree, measures) for _ in range(QUIET_RUNS)])
        found = [_sees_nothing_under_load(copies, measures, before)]
        for seed in SEEDS:
            with copies.seeded(seed.path, seed.old, seed.new) as tree:
                verdicts = judge(before, count_all(tree, measures))
            print(f"\n{seed.name}:")
            print_verdicts(verdicts)
            found.append(seed.measure in {each.name for each in verdicts if each.is_worse})
            print("seen" if found[-1] else f"NOT SEEN in {seed.measure}", flush=True)
    return all(found)


def _sees_nothing_under_load(copies: Copies, measures: Sequence[Measure], before: dict[str, Figure]) -> bool:
    processes = BUSY_A_PROCESSOR * (os.cpu_count() or 1)
    is_right = True
    for number in range(LOADED_RUNS):
        with copies.sound() as tree, _busy(processes):
            verdicts = judge(before, count_all(tree, measures))
        print(f"\nunchanged, beside {processes} processes that never rest, run {number + 1}:")
        print_verdicts(verdicts)
        is_right &= not any(each.is_worse or each.is_better for each in verdicts)
    return is_right


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(processes):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(loop.kill)
        yield
