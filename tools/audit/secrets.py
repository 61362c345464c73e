"""`python -m tools.audit.secrets`: looks for secrets in the tracked files, and in every file that history ever held.

A secret that was committed once is known for ever: taking it out of the newest commit does not help. What is found is
told by its place and its kind, never by itself.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tools.audit.known_secrets import KNOWN

ROOT = Path(__file__).parents[2]
MAX_BLOB_BYTES = 4 * 1024 * 1024
MIN_ENTROPY_BITS = 3.2
"""Per character. English words have less, random hexadecimal digits nearly 4, random base64 nearly 6."""

KINDS: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY( BLOCK)?-----"),
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})"),
    "GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20}"),
    "Slack token": re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    "Slack webhook": re.compile(r"hooks\.slack\.com/services/T[A-Za-z0-9_/]{20,}"),
    "Stripe key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    "Google key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"),
    "npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "PyPI token": re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    "JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^/\s:@'\"{}<>]{1,64}:[^/\s:@'\"{}<>]{3,64}@[\w.-]+"),
}
ASSIGNED = re.compile(
    r"(?i)(?:secret|token|passw(?:or)?d|passphrase|(?:api|private|access|address|vault|device|signing)_?key|credential|\bseed)s?[\w\"'\]]{0,20}"
    r"\s{0,3}(?:=|:|=>|:=)\s{0,3}(?:bytes\.fromhex\(|b|r|f)?[\"']?([A-Za-z0-9+/_=-]{20,200})(?![A-Za-z0-9_(.\[])"
)
"""A long word that is given to something whose name says that it is secret."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that looks like a secret; `commit_or_blob` is empty for a file as it is now."""

    path: str
    line: int
    kind: str
    blob: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}" + (f" (in history, blob {self.blob[:12]})" if self.blob else "")


def main() -> int:
    """Scan; return the exit status."""
    files, blobs = list(_tracked()), list(_history())
    found = [finding for path, text in files for finding in scan(path, text)]
    now = {(finding.path, finding.kind) for finding in found}
    for path, text, blob in blobs:
        found += [one for one in scan(path, text, blob) if (one.path, one.kind) not in now]
    for finding in found:
        print(finding)
    print(f"secrets: {len(files)} files and {len(blobs)} blobs of history looked at, {len(found)} findings")
    if _git("rev-parse", "--is-shallow-repository").strip() == b"true":
        print("secrets: history is shallow here, what was before it was not looked at")
    return 1 if found else 0


def scan(path: str, text: str, blob: str = "") -> Iterator[Finding]:
    """Yield what looks like a secret in a text, save what is known to be none."""
    for number, line in enumerate(text.splitlines(), 1):
        for kind in _kinds(line):
            if not any(fnmatch(path, known.path) and kind == known.kind for known in KNOWN):
                yield Finding(path, number, kind, blob)


def _kinds(line: str) -> Iterator[str]:
    yield from (kind for kind, pattern in KINDS.items() if pattern.search(line))
    if any(_is_random(match[1]) for match in ASSIGNED.finditer(line)):
        yield "assigned secret"


def _is_random(word: str) -> bool:
    """Whether a word is no name: names have few digits, or few kinds of letters."""
    counts = Counter(word)
    entropy = -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())
    digits = sum(letter.isdigit() for letter in word)
    return entropy >= MIN_ENTROPY_BITS and digits >= 2 and any(letter.isalpha() for letter in word)  # noqa: PLR2004


def _tracked() -> Iterator[tuple[str, str]]:
    for name in _git("ls-files", "-z").decode().split("\0")[:-1]:
        path = ROOT / name
        if path.is_file():
            yield name, path.read_bytes().decode(errors="replace")


def _history() -> Iterator[tuple[str, str, str]]:
    """Yield every file's content that is reachable from the current commit, once."""
    listed = _git("rev-list", "--objects", "HEAD").decode(errors="replace").splitlines()
    names = dict(line.split(" ", 1) for line in listed if " " in line)
    sizes = _git("cat-file", "--batch-check", stdin="\n".join(names)).decode().split("\n")[:-1]
    blobs = [line.split()[0] for line in sizes if line.split()[1] == "blob" and int(line.split()[2]) <= MAX_BLOB_BYTES]
    yield from ((names[blob], content, blob) for blob, content in _contents(blobs))


def _contents(blobs: Iterable[str]) -> Iterator[tuple[str, str]]:
    held = _git("cat-file", "--batch", stdin="\n".join(blobs))
    place = 0
    while place < len(held):
        end = held.index(b"\n", place)
        blob, _, size = held[place:end].decode().split()
        place = end + 1 + int(size)
        yield blob, held[end + 1 : place].decode(errors="replace")
        place += 1


def _git(*arguments: str, stdin: str = "") -> bytes:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, input=stdin.encode() + b"\n", check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main())
