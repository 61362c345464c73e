"""Measure what requests cost as stores grow; keep the figures in bench/results/scale.json. `make bench-scale`.

Each part can be measured alone; the others' figures stay. `ten-million` is measured when it is named: it takes an hour
and 8 GB of disk. Tables and pictures are made by `python -m bench.scale.report` and `bench.scale.plots`.
"""

import argparse
import sys
from collections.abc import Callable

from bench.machine import machine
from bench.scale import growth, many_vaults, pruning, units
from bench.scale.results import Results, keep

GROWTH_BYTES, TEN_MILLION_BYTES = 1_024, 400
TEN_MILLION_SIZES = (1_000, 100_000, 1_000_000, 10_000_000)


def main() -> int:
    """Measure the parts that are named, or all but the longest."""
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    named = parser.parse_args().parts or [name for name in PARTS if name != "ten-million"]
    if unknown := set(named) - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}")
    for name in named:
        _tell(f"-------- {name}")
        try:
            keep(name, machine(), PARTS[name]())
        except growth.NoRoom as error:
            _tell(f"bench-scale: {error}")
            return 2
    return 0


def _growth() -> Results:
    return growth.grow(growth.SIZES, GROWTH_BYTES, _tell)


def _ten_million() -> Results:
    return growth.grow(TEN_MILLION_SIZES, TEN_MILLION_BYTES, _tell)


def _vaults() -> Results:
    return many_vaults.spread(_tell)


def _retention() -> Results:
    return pruning.prune(_tell)


def _dynamodb() -> Results:
    return units.count_units(_tell)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


PARTS: dict[str, Callable[[], Results]] = {
    "growth": _growth,
    "vaults": _vaults,
    "retention": _retention,
    "dynamodb": _dynamodb,
    "ten-million": _ten_million,
}

if __name__ == "__main__":
    sys.exit(main())
