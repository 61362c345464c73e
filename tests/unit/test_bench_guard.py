"""The guard of `make bench-guard`, but for the counting itself: what it would call worse, and what it would miss."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.guard.baseline import Baseline, Figure, figures_of, judge, middle
from bench.guard.counting import Count, read_dump
from bench.guard.measures import all_measures, digest
from bench.guard.seeds import SEEDS, Seed

CHECKOUT = Path(__file__).parents[2]
PROFILE = """\
version: 1
events: Ir
fl=(1) sqlite3.c
fn=(7) sqlite3PagerCommit
0 40
cfl=(2) fdatasync.c
cfn=(9) fdatasync
calls=3 0
0 12
fn=(9)
0 12
cfn=(8) write
calls=5 0
0 1
fn=(11) sqlite3Checkpoint
cfn=(9)
calls=2 0
0 8
totals: 1234
"""
FIGURE = Figure(instructions=1000, spread=0.001, tolerance=0.01, forced_writes=1.0)


def test_calls_are_told_by_who_is_called_and_names_that_stand_once_are_known_later() -> None:
    assert read_dump(PROFILE) == (1234, 5)


def test_a_profile_that_was_cut_short_is_not_taken_for_a_small_one() -> None:
    with pytest.raises(ValueError, match="no whole profile"):
        read_dump(PROFILE.replace("totals: 1234\n", ""))


@pytest.mark.parametrize(
    ("instructions", "worse", "better"),
    [(1000, False, False), (1009, False, False), (1011, True, False), (991, False, False), (989, False, True)],
)
def test_more_than_what_is_tolerated_is_worse(instructions: int, *, worse: bool, better: bool) -> None:
    (verdict,) = judge({"push": FIGURE}, {"push": Count(instructions, 1.0)})
    assert (verdict.is_worse, verdict.is_better) == (worse, better)


def test_a_push_that_forces_two_writes_is_worse_though_it_takes_fewer_instructions() -> None:
    (verdict,) = judge({"push": FIGURE}, {"push": Count(500, 2.0)})
    assert verdict.is_worse


def test_a_measure_that_the_baseline_lacks_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        judge({"push": FIGURE}, {"pull": Count(1, 0)})


def test_what_is_tolerated_follows_from_how_far_runs_lie_apart() -> None:
    steady = figures_of([{"push": Count(each, 1.0)} for each in (1000, 1001, 999)])["push"]
    unsteady = figures_of([{"push": Count(each, 1.0)} for each in (1000, 1010, 990)])["push"]
    assert (steady.instructions, steady.spread, steady.tolerance) == (1000, 0.002, 0.01)
    assert (unsteady.spread, unsteady.tolerance) == (0.02, 0.06)


def test_one_run_out_of_the_ordinary_does_not_move_the_middle() -> None:
    assert middle([{"push": Count(each, 1.0)} for each in (1000, 9000, 1001)]) == {"push": Count(1001, 1.0)}


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    baseline = Baseline("c0ffee", "2026-11-28", 5, {"python": "3.11"}, {"push": FIGURE})
    baseline.write(tmp_path / "baseline.json")
    assert Baseline.read(tmp_path / "baseline.json") == baseline


def test_the_same_requests_are_measured_in_every_run() -> None:
    """Else counts of two runs, or of two commits, would be of different work."""
    first, second = all_measures(), all_measures()
    assert first == second
    assert digest(first) == digest(second)
    changed = [replace(first[0], measured=first[0].measured[:-1]), *first[1:]]
    assert digest(changed) != digest(first)


def test_no_request_is_sent_twice_where_that_would_do_less() -> None:
    """A changeset that is there already is not stored again."""
    sent = [request.body for measure in all_measures() for request in measure.before + measure.measured if request.body]
    assert len(set(sent)) == len(sent)


def test_a_push_is_of_1_kb() -> None:
    (push,) = (measure for measure in all_measures() if measure.name == "push of 1 KB")
    assert {len(request.body) for request in push.measured} <= set(range(1000, 1025))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_each_slow_down_that_proves_the_guard_can_still_be_seeded(seed: Seed) -> None:
    source = (CHECKOUT / seed.path).read_text("utf-8")
    assert source.count(seed.old) == 1
    compile(source.replace(seed.old, seed.new), seed.name, "exec")
    assert seed.measure.partition(": ")[2] in {measure.name for measure in all_measures()}
