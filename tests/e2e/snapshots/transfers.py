"""Two devices of a vault, a snapshot of a few frames, and what must be left of it when it went wrong."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from sqlite3 import Connection
from typing import Any, BinaryIO, Literal

from sync_relay_client import AsyncVault, Options, Retry, Vault

MIB = 1024 * 1024
CONTENT = Random(11).randbytes(3 * MIB + 77)
ATTEMPTS = 4
OPTIONS = Options(
    keyring="file",
    retry=Retry(max_attempts=ATTEMPTS, first_pause_seconds=0),
    sleep=lambda _: None,
)

Kind = Literal["Vault", "AsyncVault"]
KINDS: tuple[Kind, ...] = ("Vault", "AsyncVault")


def write(file: BinaryIO, _: Connection) -> None:
    """Write the app's state."""
    file.write(CONTENT)


def send(folder: Path, kind: Kind = "Vault", **arguments: Any) -> None:
    """Make a snapshot of the content."""
    if kind == "Vault":
        with Vault.open(folder, options=OPTIONS) as vault:
            vault.snapshot(write, **arguments)
    else:
        asyncio.run(_run(folder, lambda vault: vault.snapshot(write, **arguments)))


def take(folder: Path, kind: Kind = "Vault", **arguments: Any) -> bytes:
    """Go on from the latest snapshot; return its content."""
    if kind == "Vault":
        with Vault.open(folder, options=OPTIONS) as vault:
            assert vault.restore(**arguments)
    else:
        assert asyncio.run(_run(folder, lambda vault: vault.restore(**arguments)))
    assert spooled(folder) == ["restored"], "and nothing beside it"
    return applied(folder)


def applied(folder: Path) -> bytes:
    """Take the content from the inbox, as an app does."""
    with Vault.open(folder, options=OPTIONS) as vault, vault.inbox() as inbox:
        assert inbox.restored is not None
        with inbox.restored.open() as file:
            return file.read()


def spooled(folder: Path) -> list[str]:
    """Return the kinds of files that lie in a device's spool."""
    return sorted(path.name.partition("-")[0] for path in (folder / "spool").glob("*-*"))


async def _run(folder: Path, do: Callable[[AsyncVault], Any]) -> Any:
    async with await AsyncVault.open(folder, options=OPTIONS) as vault:
        return await do(vault)
