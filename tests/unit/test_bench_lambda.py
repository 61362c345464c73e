"""What the bench on Lambda computes from its measurements: a wrong formula would mislead whoever pays the bill."""

import json
import os
import signal
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from bench.on_lambda import bills, prices, tables
from bench.on_lambda.accounting import cpu_ms, last_descendant, spread
from bench.on_lambda.floors import Needed
from bench.on_lambda.prices import MILLION, Taken
from bench.on_lambda.requests import Vault, every_route, sent
from bench.on_lambda.warm import _body_bytes, _event_bytes
from bench.percentiles import percentile
from relay.http.routes import ROUTES
from relay_protocol.limits import Limits
from tests.http.world import NOW_SECONDS

CHECKOUT = Path(__file__).parents[2]
PUSH = Taken(cpu_ms=8, init_cpu_ms=160, first_cpu_ms=240, writes=4, reads=3, trips=3, bytes_out=300)


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    """The run whose results are committed."""
    read: dict[str, Any] = json.loads((CHECKOUT / "bench" / "results" / "lambda.json").read_text())
    return read


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile(values[:50], 99) == 50
    assert percentile([7.0], 50) == 7
    assert percentile([1.0, 2.0, 3.0], 50) == 2


def test_a_spread_orders_what_it_is_given() -> None:
    told = spread([30.0, 10.0, 20.0])
    assert (told.least, told.p50, told.p99, told.count) == (10, 20, 30, 3)


def test_processor_time_is_that_of_all_threads_of_a_process() -> None:
    worked, done, took_ms = Event(), Event(), [0.0]

    def work() -> None:
        assert sum(range(3_000_000))
        took_ms[0] = time.thread_time() * 1000
        worked.set()
        done.wait()

    thread, before = Thread(target=work), cpu_ms(os.getpid())
    thread.start()
    worked.wait()
    taken_ms = cpu_ms(os.getpid()) - before
    done.set()
    thread.join()
    assert taken_ms > took_ms[0] / 2 > 0


def test_the_runtime_is_the_last_of_a_chain_of_children() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 30 & wait"], stdout=subprocess.DEVNULL) as shell:
        give_up = time.monotonic() + 10
        while (found := last_descendant(shell.pid)) == shell.pid and time.monotonic() < give_up:
            time.sleep(0.01)
        assert found != shell.pid
        os.kill(found, signal.SIGTERM)


def test_a_quarter_of_the_memory_takes_four_times_as_long_but_waits_no_longer_for_stores() -> None:
    whole, quarter = prices.WHOLE_PROCESSOR_MIB, prices.WHOLE_PROCESSOR_MIB / 4
    assert prices.processor_share(quarter) == 0.25
    assert prices.processor_share(3008) == 1
    waits_ms = 3 * prices.TRIP_MS
    assert prices.warm_ms(PUSH, whole) == waits_ms + 8
    assert prices.warm_ms(PUSH, quarter) == waits_ms + 4 * 8
    assert prices.cold_ms(PUSH, quarter) == 160 + waits_ms + 4 * 240


def test_lambda_bills_whole_milliseconds_and_init() -> None:
    taken = Taken(cpu_ms=0.2, init_cpu_ms=100, first_cpu_ms=0.2, writes=0, reads=0, trips=0, bytes_out=0)
    seconds = (1 - prices.COLD_SHARE) * 0.001 + prices.COLD_SHARE * 0.101
    billed = prices.function_bill(taken, 2048, "x86_64")
    assert billed == pytest.approx(0.20 / MILLION + seconds * 2 * 0.0000166667)


def test_a_bill_is_the_sum_of_its_parts_at_their_prices() -> None:
    """4 write and 3 read units at list price: 3.05 + 0.4575 dollars a million."""
    bill = prices.bill(PUSH, 1024)
    assert bill.store * MILLION == pytest.approx(3.5075)
    assert bill.api * MILLION == pytest.approx(3.70)
    assert bill.beside * MILLION == pytest.approx((700 * 0.09 + 500 * 0.63) / 1000)
    assert bill.total == pytest.approx(bill.store + bill.api + bill.function + bill.beside)
    assert prices.bill(PUSH, 1024, "x86_64").total > bill.total


def test_the_average_request_weighs_each_by_how_many_there_are() -> None:
    other = Taken(cpu_ms=4, init_cpu_ms=160, first_cpu_ms=240, writes=0, reads=7, trips=2, bytes_out=100)
    mean = prices.mixed([(1, PUSH), (3, other)])
    assert (mean.cpu_ms, mean.writes, mean.reads, mean.bytes_out) == (5, 1, 6, 150)


def test_more_memory_than_a_processor_needs_is_never_best() -> None:
    assert prices.best_memory(PUSH, 60) <= prices.WHOLE_PROCESSOR_MIB


def test_a_request_that_only_waits_is_best_off_with_the_least_memory() -> None:
    waiting = Taken(cpu_ms=0, init_cpu_ms=0, first_cpu_ms=0, writes=0, reads=0, trips=10, bytes_out=0)
    assert prices.best_memory(waiting, 60) == prices.SETTINGS_MIB[0]


def test_a_setting_without_room_for_what_was_measured_is_never_best() -> None:
    waiting = Taken(cpu_ms=0, init_cpu_ms=0, first_cpu_ms=0, writes=0, reads=0, trips=10, bytes_out=0)
    assert prices.best_memory(waiting, 500) == 768


def test_a_floor_imports_in_init_and_with_its_first_request_what_the_function_does() -> None:
    needs = Needed(("json",), ("csv", "bz2"), (), ("dynamodb",))
    written = needs.without_clients().handler()
    loaded: dict[str, Any] = {}
    exec(written, loaded)
    assert "json" in loaded
    assert "csv" not in loaded
    assert loaded["handler"]({}, None) == {"statusCode": 200}
    assert "create_client" not in written
    assert "create_client" in needs.handler()
    assert needs.is_as(Needed(("json",), ("bz2", "csv"), (), ("dynamodb",)))
    assert not needs.is_as(needs.without_clients())


def test_each_method_of_each_route_is_measured() -> None:
    measured = {call.route for call in every_route(NOW_SECONDS, "5e1f0000-0000-4000-8000-000000000009")}
    assert measured == {f"{method} {route.resource}" for route in ROUTES.values() for method in route.methods} | {
        bills.HOURLY
    }


@pytest.mark.parametrize("changesets", [1, 3, 100])
@pytest.mark.parametrize("over", [0, 1, 2, 3])
def test_the_largest_body_is_filled_to_its_last_byte(changesets: int, over: int) -> None:
    body_bytes = Limits().max_body_bytes - over
    call = Vault(lambda: NOW_SECONDS).push_filling("largest", changesets, body_bytes)
    assert call.event["isBase64Encoded"]
    assert len(b64decode(call.event["body"])) == body_bytes == _body_bytes(call.event)
    assert _event_bytes(call.event) > body_bytes * 4 / 3


def test_a_body_goes_as_base64_as_the_gateway_sends_it() -> None:
    assert sent({"body": '"é"'}) == {"body": "IsOpIg==", "isBase64Encoded": True}
    assert sent({"body": None}) == {"body": None}
    assert _body_bytes(sent({"body": '"é"'})) == 4


def test_a_start_is_judged_without_what_its_request_takes_warm() -> None:
    """Else a request that does much would look like a slow start."""
    start = {"init_cpu_ms": {"least": 120.0}, "cpu_ms": {"least": 200.0}, "imports": "floor", "route": "GET /config"}
    made = {
        "starts": {
            "routes": {"config": start, "maintenance": start | {"route": bills.HOURLY}},
            "floors": {"floor": {"init_cpu_ms": {"least": 60.0}, "cpu_ms": {"least": 100.0}}},
        },
        "requests": {name: {"cpu_ms": {"least": 70.0}} for name in ("config", "maintenance")},
    }
    assert tables.start_ratio(made, "config") == pytest.approx(1.3)
    assert tables.start_ratio(made, "maintenance") == pytest.approx(2)


def test_the_page_shows_the_committed_run(run: dict[str, Any]) -> None:
    page = (CHECKOUT / "docs" / "operations.md").read_text()
    assert tables.with_costs(page, run) == page, "python -m bench.on_lambda --render"
    assert tables.report(run) == (CHECKOUT / "bench" / "results" / "lambda.md").read_text()


def test_a_page_without_a_place_for_the_tables_is_not_written(run: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="lacks its markers"):
        tables.with_costs("# Running a relay\n", run)


def test_the_assumptions_that_the_page_names_are_those_of_the_formula() -> None:
    page = " ".join((CHECKOUT / "docs" / "operations.md").read_text().split())
    for named in (
        f"write units {prices.WRITE_UNIT * MILLION:.4f}",
        f"read units {prices.READ_UNIT * MILLION:.4f}",
        f"API requests {prices.API_REQUEST * MILLION:.2f}",
        f"Lambda requests {prices.LAMBDA_REQUEST * MILLION:.2f}",
        f"{prices.LAMBDA_GB_SECOND['arm64'] * MILLION:.2f} (arm64)",
        f"{prices.LAMBDA_GB_SECOND['x86_64'] * MILLION:.2f} (x86_64)",
        f"S3 PUTs {prices.S3_PUT * MILLION:.2f}",
        f"out {prices.OUT_GB:.2f}, logs {prices.LOG_GB:.2f} ({prices.LOGGED_BYTES} bytes a request)",
        f"A trip to a store takes {prices.TRIP_MS:g} ms".lower(),
        f"{prices.WHOLE_PROCESSOR_MIB:,} MB",
    ):
        assert named.lower() in page.lower(), named


def test_what_fits_the_protocols_limits_fits_lambda(run: dict[str, Any]) -> None:
    """A body that the relay takes, or a page that it makes, would else end in a 413 or 502 that nobody can explain."""
    assert {one["what"].partition(",")[0] for one in run["payloads"]} == {"push", "pull"}
    for one in run["payloads"]:
        assert max(one["request_bytes"], one["response_bytes"]) < tables.LAMBDA_BYTES, one["what"]


def test_a_households_requests_are_all_measured(run: dict[str, Any]) -> None:
    assert bills.household(run).cpu_ms > 0
    assert {name for _, name in bills.HOUSEHOLD} <= run["units"].keys()
