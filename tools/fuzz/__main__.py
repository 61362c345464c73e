"""`make fuzz`: every target under the coverage-guided fuzzer, one after another; prints how many inputs each had.

`python -m tools.fuzz [--seconds N] [--keep] [TARGET…]`, by the Python of .fuzz/. The time is shared by the targets.
What it went far with is kept in .fuzz/corpus/ for the next run; `--keep` also puts the shortest of it into the
checkout. An input that breaks an invariant is printed, and the exit status is 1.
"""

import argparse
import os
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

from tests.fuzz.corpus import keep, kept
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".fuzz"
MAX_INPUT_BYTES = 4096
MAX_KEPT = 120
HANG_SECONDS = 25
MEMORY_MIB = 2048
COMMAND = (sys.executable, "-m", "tools.fuzz.guided")


@dataclass(frozen=True, slots=True)
class Run:
    """What one target's run came to."""

    inputs: int
    features: int
    findings: list[Path]
    log: str


def main() -> int:
    """Fuzz; return the exit status."""
    parser = argparse.ArgumentParser(prog="tools.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=300, help="for all targets together")
    parser.add_argument("--keep", action="store_true", help="write tests/fuzz/corpus/ anew")
    given = parser.parse_args()
    names = given.targets or list(TARGETS)
    broken, inputs = 0, 0
    for name in names:
        run = _fuzz(TARGETS[name], max(1, given.seconds // len(names)))
        print(f"{name:16} {run.inputs:9} inputs  {run.features:6} features  {len(run.findings)} findings", flush=True)
        broken += bool(run.findings)
        inputs += run.inputs
        for finding in run.findings:
            print(f"  {finding.relative_to(ROOT)}: {b64encode(finding.read_bytes()).decode()}")
            print("  " + "\n  ".join(run.log.splitlines()[-60:]))
        if given.keep:
            _keep(name)
    print(f"{'all':16} {inputs:9} inputs, {broken} of {len(names)} targets broken")
    return 1 if broken else 0


def _fuzz(target: Target, seconds: int) -> Run:
    corpus, findings = WORK / "corpus" / target.name, WORK / "findings" / target.name
    rmtree(findings, ignore_errors=True)
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for data in [*target.seeds(), *kept("corpus", target.name)]:
        (corpus / sha256(data).hexdigest()).write_bytes(data)
    words = WORK / f"{target.name}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words if len(word) <= 64), "ascii")  # noqa: PLR2004 -- libFuzzer's
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", f"-timeout={HANG_SECONDS}"]
    options += [
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-dict={words}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    log = _run(target.name, *options, str(corpus))
    return Run(
        _number(r"number_of_executed_units: +(\d+)", log), _number(r"ft: (\d+)", log), [*findings.iterdir()], log
    )


def _keep(name: str) -> None:
    """Keep the shortest of what it found to go further than the seeds: it drops by itself what others stand for."""
    found = {path.read_bytes() for path in (WORK / "corpus" / name).iterdir()} - set(TARGETS[name].seeds())
    keep("corpus", name, sorted(found, key=lambda data: (len(data), data))[:MAX_KEPT])


def _run(name: str, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [*COMMAND, name, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
    )  # fmt: skip
    return ended.stdout.decode(errors="replace")


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _number(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
