"""A device's process is killed in the midst of a snapshot: the next one finishes what was sealed, and cleans up."""

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO

import httpx
import pytest

from sync_relay_client import Vault
from tests.e2e.snapshots.transfers import CONTENT, MIB, OPTIONS, send, spooled, take, write
from tools.embedded import EmbeddedRelay

ANNOUNCE, UPLOAD, COMPLETE = "POST .*/snapshots", "PUT .*/blobs/.*", "POST .*/complete"
BLOB, LETTERS = 1, 2


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyTransport(httpx.HTTPTransport):
    """Kills this process before, amid, or after the n-th request of a kind."""

    def __init__(self, kind: str, nth: int, when: str) -> None:
        super().__init__()
        self._kind = re.compile(kind)
        self._left = nth
        self._when = when

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= bool(self._kind.fullmatch(f"{request.method} {request.url.path}"))
        when = "" if self._left else self._when
        if when == "before":
            die()
        if when == "amid":
            assert isinstance(request.stream, httpx.SyncByteStream)
            request.stream = DeadlyStream(request.stream)
        response = super().handle_request(request)
        if when == "after":
            response.read()
            die()
        return response


class DeadlyStream(httpx.SyncByteStream):
    """Kills this process once a third of the blob is sent."""

    def __init__(self, inner: httpx.SyncByteStream) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for piece in self._inner:
            yield piece
            sent += len(piece)
            if sent >= MIB:
                die()


def run_to_its_death(target: Callable[..., None], *arguments: object) -> None:
    """Run in a process of its own, which has to be killed."""
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def snapshot_by(folder: Path, kind: str, nth: int, when: str) -> None:
    options = replace(OPTIONS, transport=DeadlyTransport(kind, nth, when))
    with Vault.open(folder, options=options) as vault:
        vault.snapshot(write)


@pytest.mark.parametrize("nth", [BLOB, LETTERS], ids=["blob", "letters"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", [ANNOUNCE, UPLOAD, COMPLETE])
def test_killed_at_a_request(devices: tuple[Path, Path], kind: str, when: str, nth: int) -> None:
    sender, taker = devices
    run_to_its_death(snapshot_by, sender, kind, nth, when)
    finish(sender)
    assert take(taker) == CONTENT


def test_killed_amid_an_upload(devices: tuple[Path, Path]) -> None:
    sender, taker = devices
    run_to_its_death(snapshot_by, sender, UPLOAD, BLOB, "amid")
    finish(sender)
    assert take(taker) == CONTENT


def finish(sender: Path) -> None:
    """Sync in another process than the one that was killed."""
    with Vault.open(sender, options=OPTIONS) as vault:
        assert vault.status().uploads, "it was sealed, and is not sealed again"
        vault.sync()
        assert vault.status().uploads == 0
    assert spooled(sender) == []


def die_writing(folder: Path) -> None:
    def write_half(file: BinaryIO, _: Connection) -> None:
        file.write(CONTENT[:MIB])
        file.flush()
        die()

    with Vault.open(folder, options=OPTIONS) as vault:
        vault.snapshot(write_half)


def test_killed_while_the_app_writes_its_state(devices: tuple[Path, Path]) -> None:
    """What lies there is in the clear, so it does not lie there for long."""
    sender, taker = devices
    run_to_its_death(die_writing, sender)
    assert spooled(sender) == ["content"], "the probe must see what it looks for"
    with Vault.open(sender, options=OPTIONS) as vault:
        assert spooled(sender) == []
        assert vault.status().uploads == 0
    send(sender)
    assert take(taker) == CONTENT


def test_what_is_being_written_stays_when_the_profile_is_opened_again(devices: tuple[Path, Path]) -> None:
    """Opening a profile cleans its spool; a terminal beside the app must not take what the app is sealing."""
    sender, taker = devices

    def write_beside_another(file: BinaryIO, connection: Connection) -> None:
        Vault.open(sender, options=OPTIONS).close()
        write(file, connection)

    with Vault.open(sender, options=OPTIONS) as vault:
        vault.snapshot(write_beside_another)
    assert take(taker) == CONTENT


def test_what_was_sealed_stays_once_its_process_ended(devices: tuple[Path, Path]) -> None:
    sender, _ = devices
    run_to_its_death(snapshot_by, sender, ANNOUNCE, BLOB, "before")
    for _ in range(2):
        Vault.open(sender, options=OPTIONS).close()
    assert spooled(sender) == ["letters", "upload"]


def write_newer(file: BinaryIO, _: Connection) -> None:
    file.write(b"newer")


def test_a_snapshot_takes_the_place_of_one_that_did_not_get_there(
    relay: EmbeddedRelay, devices: tuple[Path, Path]
) -> None:
    """Else a device that is offline for long piles up snapshots, and then sends them all."""
    sender, taker = devices
    run_to_its_death(snapshot_by, sender, ANNOUNCE, BLOB, "before")
    with Vault.open(sender, options=OPTIONS) as vault:
        vault.snapshot(write_newer)
        assert vault.status().uploads == 0
        blobs = [name for name in relay.holdings.blobs() if name.startswith(vault.status().vault_id)]
    assert len(blobs) == 2, "the newer one, and the letters beside it"
    assert spooled(sender) == []
    assert take(taker) == b"newer"
