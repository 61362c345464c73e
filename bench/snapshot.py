"""Carry a snapshot from one device to another through the embedded relay: `python -m bench.snapshot --mib 1024`.

Each of the three is a process of its own, and tells the most memory that it ever had resident (the kernel's VmHWM:
the interpreter and all imports included), and how much of that was there before the transfer began.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.server import MeasuredRelay, peak_mib
from sync_relay_client import Options, Vault


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="bench.snapshot", description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the content")
    parser.add_argument("--asynchronous", action="store_true", help="by AsyncVault")
    arguments = parser.parse_args()
    for name, figure in measure_transfer(arguments.mib, asynchronous=arguments.asynchronous):
        print(f"{name:<52} {figure}", flush=True)


def measure_transfer(mib: int, *, asynchronous: bool = False) -> Iterator[tuple[str, str]]:
    """Carry a snapshot, and yield the figures."""
    kind = "AsyncVault" if asynchronous else "Vault"
    with tempfile.TemporaryDirectory() as name, MeasuredRelay(Path(name) / "relay", RELAY_RATE_LIMIT="off") as relay:
        sender, taker = pair(Path(name), relay.url)
        relay_before_mib = peak_mib(relay.pid)
        sent = carry("send", sender, mib, asynchronous=asynchronous)
        yield f"{mib:,} MiB sealed and uploaded by {kind}: seconds", f"{sent['seconds']:.1f}"
        taken = carry("take", taker, asynchronous=asynchronous)
        yield f"{mib:,} MiB downloaded, verified and read: seconds", f"{taken['seconds']:.1f}"
        if sent["sha256"] != taken["sha256"]:
            sys.exit("FAILED: what was taken is not what was sent")
        yield "bytes of content, the same on both sides", f"{taken['bytes']:,}"
        yield "peak memory of the sender (before it began)", _memory(sent["peak_mib"], sent["before_mib"])
        yield "peak memory of the taker (before it began)", _memory(taken["peak_mib"], taken["before_mib"])
        yield "peak memory of the relay (before they began)", _memory(peak_mib(relay.pid), relay_before_mib)


def pair(folder: Path, relay_url: str) -> tuple[Path, Path]:
    """Found a vault with two devices; return their profiles."""
    options = Options(keyring="file")
    sender, taker = folder / "sender", folder / "taker"
    request = Vault.request(taker, options=options)
    with Vault.create(sender, relay_url, recovery=False, options=options) as vault:
        invitation = vault.invite(request)
    Vault.join(taker, invitation, options=options).close()
    return sender, taker


def carry(role: str, profile: Path, mib: int = 0, *, asynchronous: bool = False) -> dict[str, Any]:
    """Send or take a snapshot in a process of its own; return its report."""
    command = [sys.executable, "-m", "bench.carrier", role, str(profile), "--mib", str(mib)]
    command += ["--asynchronous"] if asynchronous else []
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    report: dict[str, Any] = json.loads(finished.stdout)
    return report


def _memory(peak: float, before: float) -> str:
    return f"{peak:.1f} MiB ({before:.1f} MiB)"


if __name__ == "__main__":
    main()
