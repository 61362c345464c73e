"""One end of a measured transfer, as a process of its own: sends a snapshot, or takes the latest.

It prints one JSON object: its peak of resident memory before and after, seconds, and what the content hashes to.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from sqlite3 import Connection
from typing import Any, BinaryIO

from bench.server import peak_mib
from sync_relay_client import AsyncVault, Inbox, Options, Vault

PIECE_BYTES = 1024 * 1024


def main() -> None:
    """Parse the arguments, transfer, and report."""
    parser = argparse.ArgumentParser(prog="bench.carrier", description=__doc__)
    parser.add_argument("role", choices=["send", "take"])
    parser.add_argument("folder", type=Path, help="the profile of a device that is in a vault")
    parser.add_argument("--mib", type=int, default=0, help="how much to send")
    parser.add_argument("--asynchronous", action="store_true", help="by AsyncVault")
    arguments = parser.parse_args()
    carry = _carry_asynchronously if arguments.asynchronous else _carry
    print(json.dumps(carry(arguments.role, arguments.folder, arguments.mib)))


def _carry(role: str, folder: Path, mib: int) -> dict[str, Any]:
    with Vault.open(folder, options=Options(keyring="file")) as vault:
        report = _Report(mib)
        if role == "send":
            vault.snapshot(report.write)
        elif not vault.restore():
            sys.exit("there is no snapshot to take")
        else:
            with vault.inbox() as inbox:
                report.read(inbox)
        return report.ended()


def _carry_asynchronously(role: str, folder: Path, mib: int) -> dict[str, Any]:
    async def carry() -> dict[str, Any]:
        async with await AsyncVault.open(folder, options=Options(keyring="file")) as vault:
            report = _Report(mib)
            if role == "send":
                await vault.snapshot(report.write)
            elif not await vault.restore():
                sys.exit("there is no snapshot to take")
            else:
                async with vault.inbox() as inbox:
                    await asyncio.to_thread(report.read, inbox)
            return report.ended()

    return asyncio.run(carry())


class _Report:
    """What was carried, from now on."""

    def __init__(self, mib: int) -> None:
        self._mib = mib
        self._digest = sha256()
        self._bytes = 0
        self._before_mib = peak_mib()
        self._started = time.perf_counter()

    def write(self, file: BinaryIO, _: Connection) -> None:
        """Write the content, as an app does."""
        for piece in _pieces(self._mib):
            self._count(piece)
            file.write(piece)

    def read(self, inbox: Inbox) -> None:
        """Read the content of the snapshot that was taken, as an app does."""
        assert inbox.restored is not None
        with inbox.restored.open() as file:
            while piece := file.read(PIECE_BYTES):
                self._count(piece)

    def ended(self) -> dict[str, Any]:
        return {
            "seconds": time.perf_counter() - self._started,
            "before_mib": self._before_mib,
            "peak_mib": peak_mib(),
            "bytes": self._bytes,
            "sha256": self._digest.hexdigest(),
        }

    def _count(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._bytes += len(piece)


def _pieces(mib: int) -> Iterator[bytes]:
    """Yield content that differs from piece to piece; to draw all of it would take longer than to seal it."""
    rest = Random(2604).randbytes(PIECE_BYTES - 8)
    for number in range(mib):
        yield number.to_bytes(8) + rest


if __name__ == "__main__":
    main()
