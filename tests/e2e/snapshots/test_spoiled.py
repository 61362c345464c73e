"""Snapshots whose bytes go wrong: no room for them, or they are others than they should be. Nothing is left."""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO

import pytest

from relay_protocol.encoding import base64url
from sync_relay_client import ContentMeasure, RelayClient, Vault, measure
from sync_relay_client.errors import (
    AnswerInvalid,
    ProfileUnavailable,
    SnapshotInvalid,
)
from sync_relay_client.flows import snapshotting
from sync_relay_client.profile import open_in_vault
from sync_relay_client.secretstream import FRAME_BYTES
from tests.e2e.snapshots.transfers import CONTENT, KINDS, MIB, OPTIONS, Kind, send, spooled, take, write
from tools.embedded import EmbeddedRelay
from tools.holdings.port import Holdings


def blob_of(holdings: Holdings, folder: Path) -> str:
    """Return the name by which the relay keeps the vault's snapshot, not the letters."""
    with Vault.open(folder, options=OPTIONS) as vault:
        vault_id = vault.status().vault_id
    sizes = {name: size for name, size in holdings.blobs().items() if name.startswith(vault_id)}
    return max(sizes, key=sizes.__getitem__)


def assert_nothing_came_of_it(taker: Path) -> None:
    assert spooled(taker) == [], "not left to be cleaned when the profile is opened again"
    with Vault.open(taker, options=OPTIONS) as vault:
        assert vault.head.seq == 0
        with vault.inbox() as inbox:
            assert inbox.restored is None


# ---------------------------------------------------------------- the disk is full


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Let the system refuse this process files that are longer, as it does where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size_bytes", [2 * MIB, len(CONTENT)], ids=["while writing", "while sealing"])
def test_no_room_for_a_snapshot(sender: Path, taker: Path, kind: Kind, size_bytes: int) -> None:
    with files_of_at_most(size_bytes), pytest.raises(ProfileUnavailable, match="disk is full"):
        send(sender, kind)
    assert spooled(sender) == []
    send(sender, kind)
    assert take(taker) == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_no_room_for_a_download(sender: Path, taker: Path, kind: Kind) -> None:
    send(sender)
    with files_of_at_most(2 * MIB), pytest.raises(ProfileUnavailable, match="disk is full"):
        take(taker, kind)
    assert_nothing_came_of_it(taker)
    assert take(taker, kind) == CONTENT


def test_no_room_for_the_content_of_a_download(sender: Path, taker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    send(sender)
    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(ProfileUnavailable, match="disk is full"):
        take(taker)
    monkeypatch.undo()
    assert_nothing_came_of_it(taker)


def no_room(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_app_s_own_failure_is_its_own(sender: Path) -> None:
    """Where its database can't be read, the app has to see that, not something about snapshots."""

    def fail(file: BinaryIO, _: Connection) -> None:
        file.write(b"half")
        raise FileNotFoundError("the app's own file")

    with Vault.open(sender, options=OPTIONS) as vault:
        with pytest.raises(FileNotFoundError, match="the app's own"):
            vault.snapshot(fail)
        assert vault.status().uploads == 0
    assert spooled(sender) == []


# ---------------------------------------------------------------- others on the same machine


def test_what_lies_in_the_spool_is_private(sender: Path, taker: Path) -> None:
    """It is the whole vault, and in part in the clear."""
    modes: dict[str, int] = {}

    def note(folder: Path) -> None:
        for path in (folder / "spool", *(folder / "spool").iterdir()):
            modes[path.name.partition("-")[0]] = path.stat().st_mode & 0o777

    def write_and_look(file: BinaryIO, connection: Connection) -> None:
        write(file, connection)
        note(sender)

    before = os.umask(0)
    try:
        with Vault.open(sender, options=OPTIONS) as vault:
            vault.snapshot(write_and_look, progress=lambda *_: note(sender))
        with Vault.open(taker, options=OPTIONS) as vault:
            vault.restore(progress=lambda *_: note(taker))
            note(taker)
    finally:
        os.umask(before)
    private = {"content", "upload", "letters", "download", "restored"}
    assert modes == dict.fromkeys(private, 0o600) | {"spool": 0o700}


# ---------------------------------------------------------------- the content changes


@pytest.mark.parametrize("change", [b"x", b""], ids=["another byte", "cut short"])
def test_content_that_changes_while_it_is_sealed(sender: Path, monkeypatch: pytest.MonkeyPatch, change: bytes) -> None:
    """An app went on writing to the file after it had said that it is done."""

    def measure_then_change(pieces: Iterator[bytes]) -> ContentMeasure:
        found = measure(pieces)
        (content,) = (sender / "spool").glob("content-*")
        with content.open("r+b") as file:
            if change:
                file.write(change)
            else:
                file.truncate(MIB)
        return found

    monkeypatch.setattr(snapshotting, "measure", measure_then_change)
    with pytest.raises(ValueError, match="not the one that was measured"):
        send(sender)
    assert spooled(sender) == []
    with Vault.open(sender, options=OPTIONS) as vault:
        assert vault.status().uploads == 0


# ---------------------------------------------------------------- the bytes are others


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda blob: changed(blob, 0),
        lambda blob: changed(blob, len(blob) - 1),
        lambda blob: blob[:-1],
        lambda _: b"",
        lambda blob: blob + b"\0",
        lambda blob: blob + blob,
    ],
    ids=["first byte", "last byte", "short", "empty", "a byte too long", "twice as long"],
)
def test_a_blob_that_is_not_the_announced_one(
    relay: EmbeddedRelay, sender: Path, taker: Path, kind: Kind, spoil: Callable[[bytes], bytes]
) -> None:
    send(sender)
    name = blob_of(relay.holdings, sender)
    blob = relay.holdings.blob(name)
    relay.holdings.put_blob(name, spoil(blob))
    with pytest.raises(AnswerInvalid):
        take(taker, kind)
    assert_nothing_came_of_it(taker)
    relay.holdings.put_blob(name, blob)
    assert take(taker, kind) == CONTENT


def upload_blob(folder: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Let a device of the vault upload, by its own code, a snapshot that it has spoiled, and announced as it is."""
    profile = open_in_vault(folder, "file")
    with profile.view() as view:
        session, device = view.session(), view.device()
        context, pieces = session.seal_snapshot([CONTENT], measure([CONTENT]), 1)
    profile.close()
    blob = spoil(b"".join(pieces))
    assert device.relay_url is not None
    with RelayClient(device.relay_url, session.device) as client:
        vault = client.vault(session.vault_id, session.epoch)
        announced = vault.announce(context, measure([blob]))
        assert announced.upload is not None
        client.upload(announced.upload, [blob], len(blob))
        vault.complete(base64url(measure([blob]).sha256))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda blob: changed(blob, 100),
        lambda blob: changed(blob, 2 * FRAME_BYTES),
        lambda blob: changed(blob, len(blob) - 1),
        lambda blob: blob[: -77 - 17 - 8],
        lambda blob: blob + b"\0",
    ],
    ids=["manifest", "in the midst", "last frame", "without its last frame", "goes on"],
)
def test_a_snapshot_that_fails_is_never_handed_to_the_app(
    sender: Path, taker: Path, kind: Kind, spoil: Callable[[bytes], bytes]
) -> None:
    """Not even what was right before: a half restored vault looks like one where the rest was deleted."""
    upload_blob(sender, spoil)
    with pytest.raises(SnapshotInvalid):
        take(taker, kind)
    assert_nothing_came_of_it(taker)
