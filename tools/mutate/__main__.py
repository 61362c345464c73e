"""`python -m tools.mutate [WORD…]`: seed each bug (whose name has all words) in a copy of the checkout, see it caught.

Most bugs have tests that must fail, those of a relay a check of the conformance kit. Prints what was caught and what
survived; exit 1 if a bug survives, 2 if tests or checks fail without one.
"""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from tools.mutate import by_conformance, by_tests
from tools.mutate.copies import Copies, NotThereOnce
from tools.mutate.mutants import MUTANTS, Mutant
from tools.mutate.relay_mutants import RelayMutant
from tools.mutate.relays import RELAY_MUTANTS

M = TypeVar("M", Mutant, RelayMutant)

THE_KIT = "the conformance kit"


def main(words: list[str]) -> int:
    """Try the bugs; return the exit status."""
    mutants, relays = _named(MUTANTS, words), _named(RELAY_MUTANTS, words)
    workers = os.cpu_count() or 1
    with Copies.made(workers) as copies, ThreadPoolExecutor(workers) as pool:
        failing = [*_failing_tests(copies, mutants, pool), *_failing_checks(copies, relays, pool)]
        if failing:
            print("fail without a bug:", *failing, sep="\n")
            return 2
        of_tests = pool.map(partial(_outcome, by_tests.tried, copies), mutants)
        of_kit = pool.map(partial(_outcome, by_conformance.tried, copies), relays)
        results = [
            *((one.name, one.tests, result) for one, result in zip(mutants, of_tests, strict=True)),
            *((one.name, THE_KIT, result) for one, result in zip(relays, of_kit, strict=True)),
        ]
    _tell(results)
    return 0 if results and all(result == "caught" for _, _, result in results) else 1


def _named(mutants: Iterable[M], words: Sequence[str]) -> list[M]:
    return [mutant for mutant in mutants if all(word in mutant.name for word in words)]


def _failing_tests(copies: Copies, mutants: Sequence[Mutant], pool: ThreadPoolExecutor) -> list[str]:
    """Return the tests that fail without a bug."""
    tests = sorted({mutant.tests for mutant in mutants})
    sound = pool.map(partial(by_tests.is_sound, copies), tests)
    return [test for test, is_sound in zip(tests, sound, strict=True) if not is_sound]


def _failing_checks(copies: Copies, mutants: Sequence[RelayMutant], pool: ThreadPoolExecutor) -> list[str]:
    """Return what checks say that do not pass without a bug."""
    once = {(mutant.check, *mutant.variables.items()): mutant for mutant in mutants}
    said = pool.map(partial(by_conformance.unsound, copies), once.values())
    return [reason for reason in said if reason is not None]


def _outcome(tried: Callable[[Copies, M], str], copies: Copies, mutant: M) -> str:
    try:
        return tried(copies, mutant)
    except NotThereOnce as error:
        return str(error)


def _tell(results: Sequence[tuple[str, str, str]]) -> None:
    for name, _, result in results:
        print(f"{result:9} {name}")
    print()
    for sight in dict.fromkeys(sight for _, sight, _ in results):
        group = [result for _, one, result in results if one == sight]
        print(f"{group.count('caught'):3} of {len(group):3} caught by {sight}")
    caught = sum(result == "caught" for _, _, result in results)
    print(f"{caught:3} of {len(results):3} seeded bugs caught")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
