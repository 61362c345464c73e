"""The counts that later ones are held against, what they depend on, and how much they may rise."""

import json
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median

from bench.guard.counting import Count, Counts

LEAST_TOLERANCE = 0.01
SPREADS = 3
MORE_FORCED_WRITES = 0.05
"""A push more in twenty that forces one more write is not a matter of luck: the same requests fill the same pages."""
DERIVATION = (
    f"the larger of {LEAST_TOLERANCE:.0%} and {SPREADS} times the spread, which is the difference between the largest"
    " and the smallest of all runs' counts, divided by their median; each run is of processes of its own"
)


@dataclass(frozen=True)
class Figure:
    """What is known of one measure after some runs."""

    instructions: float
    spread: float
    tolerance: float
    forced_writes: float


@dataclass(frozen=True)
class Baseline:
    """Figures by the measures' names. `depends_on` is what they would be others without."""

    commit: str
    date: str
    runs: int
    depends_on: dict[str, str]
    figures: dict[str, Figure]

    def write(self, file: Path) -> None:
        """Write it as JSON."""
        text = json.dumps({"tolerance": DERIVATION} | asdict(self), indent=2)
        file.write_text(text + "\n", "utf-8")

    @classmethod
    def read(cls, file: Path) -> "Baseline":
        """Read what `write` wrote."""
        members = json.loads(file.read_text("utf-8"))
        del members["tolerance"]
        figures = {name: Figure(**figure) for name, figure in members.pop("figures").items()}
        return cls(figures=figures, **members)


@dataclass(frozen=True)
class Verdict:
    """How a measure's count stands to what it is held against."""

    name: str
    before: Figure
    now: Count

    @property
    def change(self) -> float:
        """How much it rose, as a share of what it was."""
        return self.now.instructions / self.before.instructions - 1

    @property
    def is_worse(self) -> bool:
        """Whether it rose by more than it may."""
        more = self.now.forced_writes - self.before.forced_writes
        return self.change > self.before.tolerance or more > MORE_FORCED_WRITES

    @property
    def is_better(self) -> bool:
        """Whether the baseline is to be written anew, so that what was won is guarded, too."""
        return self.change < -self.before.tolerance


def judge(before: Mapping[str, Figure], now: Counts) -> list[Verdict]:
    """Hold counts against figures. Raises KeyError where a measure is new: the baseline is to be written anew."""
    return [Verdict(name, before[name], count) for name, count in now.items()]


def figures_of(runs: Sequence[Counts]) -> dict[str, Figure]:
    """Return the figures of some runs, and from how far they lie apart what is tolerated."""
    return {name: _figure([run[name] for run in runs]) for name in runs[0]}


def middle(runs: Sequence[Counts]) -> Counts:
    """Return the counts in the middle of some runs."""
    return {name: Count(figure.instructions, figure.forced_writes) for name, figure in figures_of(runs).items()}


def _figure(counts: Sequence[Count]) -> Figure:
    instructions = [count.instructions for count in counts]
    spread = (max(instructions) - min(instructions)) / median(instructions)
    return Figure(
        instructions=round(median(instructions)),
        spread=round(spread, 5),
        tolerance=round(max(LEAST_TOLERANCE, SPREADS * spread), 5),
        forced_writes=median(count.forced_writes for count in counts),
    )


def dependencies(checkout: Path, requests: str) -> dict[str, str]:
    """Return what counts depend on besides the tree: `requests` stands for what is measured.

    Valgrind shows a program the processor's own features, by which libraries choose their code.
    """
    return {
        "python": sys.version,
        "packages": sha256((checkout / "requirements/run.lock").read_bytes()).hexdigest()[:16],
        "sqlite": sqlite3.sqlite_version,
        "libc": " ".join(platform.libc_ver()),
        "valgrind": subprocess.run(
            ["valgrind", "--version"], check=True, capture_output=True, text=True
        ).stdout.strip(),
        "machine": platform.machine(),
        "processor": _processor(Path("/proc/cpuinfo").read_text()),
        "requests": requests,
    }


def _processor(cpuinfo: str) -> str:
    """Return the processor's features, as a digest, after its name if it has one."""
    name = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    features = re.search(r"^(?:flags|Features)\s*: (.*)$", cpuinfo, re.MULTILINE)
    digest = sha256(" ".join(sorted(features[1].split())).encode()).hexdigest()[:8] if features else "unknown"
    return f"{name[1] if name else 'unnamed'}, features {digest}"
