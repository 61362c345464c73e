"""What `make bench-scale` makes of what it measured: a figure that is computed wrongly misleads more than none."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bench.changesets import changeset
from bench.household import Household
from bench.percentiles import percentile
from bench.scale import households
from bench.scale.filling import fill
from bench.scale.growth import grow
from bench.scale.in_process import InProcess
from bench.scale.loops import Answers, open_loop
from bench.scale.pruning import prune_phases
from bench.scale.report import lines
from bench.scale.results import FILE, keep, read
from tests.http.served import served

PULL = b"GET /vaults/00000000-0000-4000-8000-000000000001/changesets HTTP/1.1\r\nHost: relay.example\r\n\r\n"
STALL_SECONDS, ANSWERS = 0.4, 40


def stalling(ended: asyncio.Event) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """Return a handler whose first answer takes long, and whose last ends the loop."""
    numbers = count(1)

    def handler(_: dict[str, Any], __: object) -> dict[str, Any]:
        number = next(numbers)
        if number == 1:
            time.sleep(STALL_SECONDS)
        if number == ANSWERS:
            ended.set()
        return {"statusCode": 200, "headers": {}, "body": "{}"}

    return handler


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([5.0], 0.99, 5.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), ([float(n) for n in range(1, 101)], 0.99, 99.0)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, found: float) -> None:
    assert percentile(values[::-1], 100 * share) == found


def test_a_request_counts_for_the_phase_in_which_it_was_due() -> None:
    """One that a stall held until after retention is part of what retention did."""
    answers = Answers(at_seconds=[0.5, 1.5, 9.0], took_seconds=[0.1, 0.2, 7.2])
    phases = prune_phases(answers, 1.0, 5.0, 10.0)
    assert [phases[name].get("max_ms") for name in ("before", "during", "after")] == [100.0, 7200.0, None]
    assert phases["during"]["per_second"] == 0.5


def test_in_an_open_loop_a_stall_is_seen_by_those_that_were_due_meanwhile() -> None:
    """Coordinated omission: a closed loop would show one slow answer, and hide all that would have waited."""

    async def run() -> Answers:
        ended = asyncio.Event()
        with served(stalling(ended)) as server:
            return await open_loop(server.port, lambda: PULL, 1, ended, rate=100)

    answers = asyncio.run(run())
    waits = [took for took in answers.took_seconds if took > STALL_SECONDS / 2]
    assert len(answers.took_seconds) == ANSWERS
    assert len(waits) > ANSWERS / 4


def test_parts_that_are_not_measured_again_keep_their_figures(tmp_path: Path) -> None:
    file = tmp_path / "scale.json"
    keep("growth", {"date": "1"}, {"a": 1}, file)
    keep("vaults", {"date": "2"}, {"b": 2}, file)
    keep("growth", {"date": "3"}, {"a": 4}, file)
    assert read(file) == {
        "growth": {"measured_on": {"date": "3"}, "a": 4},
        "vaults": {"measured_on": {"date": "2"}, "b": 2},
    }


@pytest.mark.parametrize("size_bytes", range(1_024, 1_032))
def test_a_changeset_has_the_size_that_was_asked_for_or_one_byte_less(size_bytes: int) -> None:
    made = changeset("-" * 43, size_bytes)
    assert len(json.dumps(made, separators=(",", ":"))) in {size_bytes - 1, size_bytes}


def test_filled_rows_are_those_that_pushes_leave() -> None:
    """Else what is measured at a million is another store than the relay's."""
    with TemporaryDirectory() as folder:
        relay, household = InProcess(Path(folder)), Household("relay.example")
        relay.answer(household.found())
        fill(relay.log, household, 3, 1024)
        relay.answer(household.push())
        page = json.loads(relay.answer(household.pull(0))["body"])
        relay.close()
    filled, pushed = page["changesets"][0], page["changesets"][3]
    assert [one["seq"] for one in page["changesets"]] == [1, 2, 3, 4]
    assert filled.keys() == pushed.keys()
    assert abs(len(json.dumps(filled)) - len(json.dumps(pushed))) <= 4


def test_the_growth_of_a_small_vault_is_measured_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.scale.growth._instructions", lambda *_: None)
    monkeypatch.setattr("bench.scale.growth.REQUESTS", 5)
    figures = grow((1, 200), 1024, lambda _: None)
    assert [point["changesets"] for point in figures["points"]] == [1, 200]
    on = dict.fromkeys(("date", "cpu", "kernel", "python", "sqlite", "load"), "")
    page = "\n".join(lines({"growth": {"measured_on": on, **figures}}))
    assert "| push of 1 KB |" in page
    assert "| pull of 100 at the start | - |" in page


def test_what_the_documentation_says_of_a_million_households_is_what_is_computed() -> None:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
    *tables, retention = "\n".join(households.lines()).split("\n\n")
    for table in tables:
        assert table in page
    for figure in re.findall(r"[\d.,]*\d", retention):
        assert figure in page


def test_the_quota_at_the_top_is_the_one_that_fewest_households_meet() -> None:
    met = [quota.households for quota in households.quotas()]
    assert met == sorted(met)
    assert sum(households.bill().values()) == pytest.approx(0.1159, abs=0.0001)


@pytest.mark.skipif(not FILE.exists(), reason="nothing was measured yet")
def test_the_committed_page_is_of_the_committed_figures() -> None:
    assert FILE.with_suffix(".md").read_text("utf-8") == "\n".join(lines(read())) + "\n"
