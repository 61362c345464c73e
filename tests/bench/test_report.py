"""Figures that are told of the wrong relay, or that overwrite more of the README than is theirs."""

from pathlib import Path
from typing import Any

import pytest

from bench.beside.figures import Figure
from bench.beside.report import BEGIN, END, chief, fill, push_floor_ms, whole


def results() -> dict[str, Any]:
    push = {
        "work": "push",
        "loop": "closed",
        "requests": 10,
        "asked": 10,
        "per_second": 1234.5,
        "p50_ms": 1.5,
        "p95_ms": 12.25,
    }
    push |= {"p99_ms": 99.0, "cpu_seconds_per_1000": 0.25, "generator_cpu_share": 0.5, "seconds": 2.0}
    large = Figure(work="push of 1 MiB", relay="theirs", cannot="too large").as_json()
    durable = {"pushes": 10, "syncs_per_push": 1.0, "synced_before_answer": 1.0}
    durable |= {"syncs_per_push_together": 0.2}
    facts = {"version": "1", "page": "all", "note": "", "cannot": {}, "disk_bytes_per_changeset": 1500}
    facts |= {
        "disk_syncs_per_second": 250,
        "resident_start_mib": 30.0,
        "resident_deep_mib": 70.6,
        "resident_end_mib": 80.4,
    }
    ours = {"name": "ours", "signatures": "Ed25519 of all", "durability": durable}
    theirs = {"name": "theirs", "signatures": "no: a token", "durability": durable | {"synced_before_answer": 0.25}}
    absent = {
        "name": "absent",
        "version": "not there",
        "signatures": "",
        "page": "",
        "note": "why",
        "cannot": {"": "not there"},
    }
    return {
        "plan": "quick",
        "machine": {
            "date": "today",
            "cpu": "a",
            "kernel": "b",
            "file system of the data": "c",
            "load": "0",
        },
        "servers": [ours | facts, theirs | facts, absent],
        "figures": [
            push | {"relay": "ours"},
            push | {"relay": "theirs", "per_second": 5.0, "asked": 20},
            push | {"relay": "ours", "work": "push, at 50%", "loop": "open", "offered_per_second": 617.2},
            push | {"relay": "ours", "work": "ingest", "bulk_seconds": 0.4, "bulk_cpu_seconds": 0.35},
            push | {"relay": "theirs", "work": "ingest", "asked": 20},
            large,
        ],
        "floor": [
            {"what": "fsync", "per_second": 200.0, "cpu_ms_each": 0.1, "is_of_a_push": False},
            {"what": "commit", "per_second": 200.0, "cpu_ms_each": 0.03, "is_of_a_push": True},
            {"what": "signature", "per_second": 200.0, "cpu_ms_each": 0.04, "is_of_a_push": True},
        ],
        "bare": [
            push | {"relay": "bare", "work": "1 KB"},
            push | {"relay": "barer", "work": "1 KB", "cpu_seconds_per_1000": 0.02},
        ],
    }


def rows(markdown: str) -> dict[str, list[str]]:
    lines = (
        line.removeprefix("| ").removesuffix(" |").split(" | ")
        for line in markdown.splitlines()
        if line.startswith("|")
    )
    return {first: rest for first, *rest in lines}


def test_each_figure_stands_in_its_relays_column() -> None:
    table = rows(chief(results()))
    assert table["push"] == ["1,234 · 99.0 · 0.25", "5.00 · 99.0 · 0.25"]
    assert table["push of 1 MiB"] == ["-", "too large"]


def test_what_is_one_whole_is_told_in_seconds_and_what_was_not_finished_is_not() -> None:
    assert rows(chief(results()))["ingest"] == ["0.40 · 0.35", "10 of 20 requests in 2.00 s"]


def test_syncs_are_told_alone_and_at_once() -> None:
    assert rows(chief(results()))["fsyncs per push: alone, 20 at once"] == ["1.00, 0.20", "1.00, 0.20"]


def test_the_load_generators_greatest_share_is_told() -> None:
    told = results()
    told["figures"][0]["generator_cpu_share"] = 0.73
    assert "took 73% of a core at most" in chief(told)


def test_a_server_that_answers_before_it_syncs_is_told_to_be_not_durable() -> None:
    assert rows(chief(results()))["a push is durable before the answer"] == ["yes", "no: 25% of pushes were synced"]
    assert rows(chief(results()))["checks signatures"] == ["Ed25519", "no"]


def test_open_loops_tell_what_was_offered_in_the_whole_table() -> None:
    assert "| ours | open | 10 | 617 | 1,234 | 2.00 | 1.50 | 12.2 | 99.0 | 0.25 | 50% |" in whole(results())
    assert "at 50%" not in chief(results())


def test_what_a_slow_server_did_not_finish_in_time_is_told() -> None:
    assert "| theirs | closed | 10 of 20 |" in whole(results())


def test_the_floor_stands_beside_them() -> None:
    table = rows(whole(results()))
    assert table["fsync"] == ["200", "-", "0.10"]
    assert table["bare, 1 KB"] == ["1,234", "99.0", "0.25"]


def test_a_peer_that_could_not_be_run_is_named_with_the_reason() -> None:
    assert "absent is not here: why." in chief(results())


def test_memory_is_told_in_the_order_of_the_run() -> None:
    assert "30, 71, 80" in chief(results())


def test_a_pushs_floor_is_what_each_push_needs_and_the_cheapest_answer() -> None:
    assert push_floor_ms(results()) == pytest.approx(0.03 + 0.04 + 0.02)
    assert "0.09 ms of CPU at least" in chief(results())


def test_the_readme_keeps_all_but_the_section(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n")
    for section in ("new", "newer"):
        fill(readme, section)
        assert readme.read_text() == f"before\n\n{BEGIN}\n\n{section}\n\n{END}\n\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_a_readme_without_its_place_is_left_alone(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(ValueError, match="no place"):
        fill(readme, "new")
    assert readme.read_text() == text
