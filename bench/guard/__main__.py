"""Hold the instructions of each kind of request against those of an earlier commit. `make bench-guard`, see ADR 0024.

The baseline's counts are taken where they are of the same Python, libraries and processor. Elsewhere, or with
`--against`, the earlier commit is measured beside this checkout, run by run in turn. What is worse is measured again
before it is believed. Ends with 1 if something is worse, with 2 if nothing could be measured.
"""

import argparse
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.guard import measures
from bench.guard.baseline import Baseline, Figure, Verdict, dependencies, figures_of, judge, middle
from bench.guard.counting import Counts, count_all
from bench.guard.proof import prove
from bench.guard.report import print_verdicts
from bench.guard.trees import CHECKOUT, NoSuchCommit, head, is_committed, tree_of

BASELINE = Path(__file__).with_name("baseline.json")
ACCEPTED_RUNS, PAIRED_RUNS = 5, 2
EXIT_WORSE, EXIT_NOT_MEASURED = 1, 2


def main() -> int:
    """Measure; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.guard", description=__doc__)
    parser.add_argument("--against", metavar="COMMIT", help="measure this commit, too, and compare")
    parser.add_argument("--accept", action="store_true", help="write this checkout's counts as the new baseline")
    parser.add_argument(
        "--prove", action="store_true", help="seed slow-downs, and see them; load the machine, and see none"
    )
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        return _cannot("valgrind is needed, which counts the instructions: install it, on Linux")
    try:
        if arguments.accept:
            return _accept()
        if arguments.prove:
            return 0 if prove(measures.all_measures()) else EXIT_WORSE
        return _compare(arguments.against)
    except NoSuchCommit as error:
        return _cannot(f"this clone has no commit {error}: name another by AGAINST=")


def _accept() -> int:
    if not is_committed():
        return _cannot("commit first: the baseline names a commit that others can measure")
    wanted = measures.all_measures()
    runs = [_count(f"run {number + 1} of {ACCEPTED_RUNS}", CHECKOUT) for number in range(ACCEPTED_RUNS)]
    Baseline(
        commit=head(),
        date=datetime.now(UTC).date().isoformat(),
        runs=ACCEPTED_RUNS,
        depends_on=dependencies(CHECKOUT, measures.digest(wanted)),
        figures=figures_of(runs),
    ).write(BASELINE)
    print_verdicts(judge(figures_of(runs), middle(runs)))
    return 0


def _compare(against: str | None) -> int:
    baseline = Baseline.read(BASELINE)
    here = dependencies(CHECKOUT, measures.digest(measures.all_measures()))
    unlike = [name for name, value in here.items() if baseline.depends_on.get(name) != value]
    if against is None and not unlike:
        print(f"Against the counts of {baseline.commit[:12]}, which are of {baseline.date}")
        verdicts = judge(baseline.figures, _count("this checkout", CHECKOUT))
        if any(each.is_worse for each in verdicts):
            verdicts = _again(baseline.figures, verdicts)
    else:
        if against is None:
            print(
                f"The baseline is not comparable: it is of another {', another '.join(unlike)}. Its commit is measured."
            )
        verdicts = _paired(against or baseline.commit)
    print_verdicts(verdicts)
    return EXIT_WORSE if any(each.is_worse for each in verdicts) else 0


def _again(before: dict[str, Figure], verdicts: list[Verdict]) -> list[Verdict]:
    """Measure a second time, and take for each the better of two."""
    second = judge(before, _count("this checkout, again", CHECKOUT))
    return [min(pair, key=lambda each: (each.is_worse, each.change)) for pair in zip(verdicts, second, strict=True)]


def _paired(commit: str) -> list[Verdict]:
    """Measure a commit and this checkout in turn, with the packages that are installed here."""
    before: list[Counts] = []
    now: list[Counts] = []
    with tree_of(commit) as tree:
        for number in range(PAIRED_RUNS):
            before.append(_count(f"{commit[:12]}, run {number + 1} of {PAIRED_RUNS}", tree))
            now.append(_count(f"this checkout, run {number + 1} of {PAIRED_RUNS}", CHECKOUT))
    return judge(figures_of([*before]), middle(now))


def _count(title: str, tree: Path) -> Counts:
    print(f"{title}: a minute or two", file=sys.stderr, flush=True)
    return count_all(tree, measures.all_measures())


def _cannot(reason: str) -> int:
    print(f"bench-guard: {reason}", file=sys.stderr)
    return EXIT_NOT_MEASURED


if __name__ == "__main__":
    sys.exit(main())
