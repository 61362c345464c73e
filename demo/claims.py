"""What the demo claims, checked as it goes; and the figures at its end."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(sys.executable).parent


def check(holds: bool, claim: str) -> None:  # noqa: FBT001 -- a claim, and whether it holds
    """Print a claim that holds; end the demo at one that does not."""
    if not holds:
        sys.exit(f"FAILED: {claim}")
    print(f"  ✓ {claim}", flush=True)


def check_ledger_file(file: Path, owner: str) -> None:
    """See that Beancount takes a ledger."""
    checked = subprocess.run([SCRIPTS / "bean-check", file], check=False, capture_output=True)
    check(checked.returncode == 0, f"bean-check passes the {owner}'s ledger")


def scene(title: str) -> None:
    """Print what comes now."""
    print(f"\n{title}\n", flush=True)


def show_table(figures: dict[str, str]) -> None:
    """Print the figures."""
    print()
    for name, figure in figures.items():
        print(f"  {name:<40}{figure}")
