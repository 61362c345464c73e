"""Measure the built functions under the Lambda runtime's emulator, and what requests cost: `make bench-lambda`.

Writes bench/results/lambda.json and lambda.md; with a whole run also the tables of docs/operations.md. Bounded in time:
no round begins after its share. Nothing else should run beside it: times are of this machine, and it may be short of
processors as it is.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.on_lambda import tables, units
from bench.on_lambda.instances import functions_served
from bench.on_lambda.runtime import runtime
from bench.on_lambda.sizes import sizes
from bench.on_lambda.starts import Starts
from bench.on_lambda.warm import Warm
from tools.emulator.emulator import is_there

RESULTS = Path(__file__).parents[1] / "results"
STARTS, CALLS = 50, 200
START_SECONDS, CALL_SECONDS = 25 * 60.0, 2 * 60.0


def main() -> str | None:
    """Parse the arguments, measure, and write; return what is missing, in one line."""
    parser = argparse.ArgumentParser(prog="bench.on_lambda", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few starts and calls; docs/operations.md stays as it is")
    parser.add_argument("--starts", type=int, help=f"of each route and each floor (default: {STARTS})")
    parser.add_argument("--calls", type=int, help=f"of each request, warm (default: {CALLS})")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write")
    parser.add_argument("--render", action="store_true", help="measure nothing: write the tables of the last run anew")
    arguments = parser.parse_args()
    if not arguments.render:
        if not is_there():
            return "the functions are not built, or there is no emulator: make emulated .sam/.made"
        starts = arguments.starts or (3 if arguments.quick else STARTS)
        calls = arguments.calls or (10 if arguments.quick else CALLS)
        run = _measure(starts, calls)
        arguments.results.mkdir(parents=True, exist_ok=True)
        (arguments.results / "lambda.json").write_text(json.dumps(run, indent=1) + "\n", "utf-8")
    run = json.loads((arguments.results / "lambda.json").read_text("utf-8"))
    (arguments.results / "lambda.md").write_text(tables.report(run), "utf-8")
    if not arguments.quick:
        tables.PAGE.write_text(tables.with_costs(tables.PAGE.read_text("utf-8"), run), "utf-8")
    print(tables.report(run))
    return None


def _measure(starts: int, calls: int) -> dict[str, Any]:
    begun = time.monotonic()
    run: dict[str, Any] = {"machine": machine() | {"runtime": runtime()}}
    with functions_served() as functions, tempfile.TemporaryDirectory() as folder:
        run["layer"] = sizes(functions.built.layer)
        _tell(begun, "cold starts")
        run["starts"] = Starts(functions, Path(folder)).measure(starts, START_SECONDS)
    with functions_served() as functions:
        _tell(begun, "warm requests")
        run |= Warm(functions).measure(calls, CALL_SECONDS)
    _tell(begun, "units and trips")
    run["units"] = units.measure()
    _tell(begun, "done")
    return run | {"seconds": round(time.monotonic() - begun)}


def _tell(begun: float, what: str) -> None:
    print(f"{time.monotonic() - begun:5.0f} s  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
