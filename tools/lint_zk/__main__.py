"""`python -m tools.lint_zk PATH…`: print each finding, exit 1 if there is one, 2 if nothing could be audited."""

import sys
from pathlib import Path

from tools.lint_zk.audit import audit


def main(arguments: list[str]) -> int:
    """Audit files and folders; return the exit status."""
    paths = [Path(argument) for argument in arguments]
    absent = [path for path in paths if not path.exists()]
    if absent or not paths:
        print("lint_zk: name the files and folders to audit; not found:", *absent, file=sys.stderr)
        return 2
    report = audit(paths)
    print(*report.findings, sep="\n", end="\n" if report.findings else "")
    print(f"lint_zk: {report.files} files, {report.uses} uses of sealed values, {len(report.findings)} findings")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
