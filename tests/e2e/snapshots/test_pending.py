"""Snapshots that were sealed and don't get there: refused for good, outdated, gone, or sent by somebody else."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO

import httpx
import pytest

from bench.snapshot import pair
from sync_relay_client import Vault
from sync_relay_client.errors import AnswerInvalid, RelayRefused, RelayUnreachable
from tests.e2e.conftest import StartRelay, change_of
from tests.e2e.snapshots.transfers import CONTENT, MIB, OPTIONS, applied, send, spooled, take, write


class Between(httpx.HTTPTransport):
    """Does something before or after the first request of a kind; `instead`, for each, gives another answer."""

    def __init__(
        self,
        kind: str,
        instead: Callable[[], httpx.Response] | None = None,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._kind = re.compile(kind)
        self._instead = instead
        self._before = before
        self._after = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._kind.fullmatch(f"{request.method} {request.url.path}"):
            return super().handle_request(request)
        if self._instead:
            return self._instead()
        before, after, self._before, self._after = self._before, self._after, None, None
        if before:
            before()
        response = super().handle_request(request)
        if after:
            after()
        return response


def unreachable() -> httpx.Response:
    raise httpx.ConnectError("the relay is gone")


# ---------------------------------------------------------------- the relay refuses


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"RELAY_MAX_SNAPSHOT_BYTES": str(MIB)}, "body_too_large"),
        ({"RELAY_MAX_VAULT_BYTES": str(MIB)}, "quota_exceeded"),
    ],
)
def test_a_snapshot_that_the_relay_will_never_take(
    start_relay: StartRelay, tmp_path: Path, variables: dict[str, str], code: str
) -> None:
    """It is said once, and does not stand in the way of every sync from then on."""
    sender, _ = pair(tmp_path, start_relay(**variables).url)
    with Vault.open(sender, options=OPTIONS) as vault:
        with pytest.raises(RelayRefused) as refused:
            vault.snapshot(write)
        assert refused.value.code == code
        vault.sync()
        assert vault.status().uploads == 0
    assert spooled(sender) == []


def test_a_snapshot_that_was_given_up_was_not_made(sender: Path) -> None:
    """Whoever hears that there is one may delete what it covers."""
    answer = httpx.Response(422, json={"code": "covers_mismatch", "status": 422})
    with (
        Vault.open(sender, options=replace(OPTIONS, transport=Between("POST .*/snapshots", lambda: answer))) as vault,
        pytest.raises(RelayRefused, match="covers_mismatch"),
    ):
        vault.snapshot(write)


def write_newer(file: BinaryIO, _: Connection) -> None:
    file.write(b"newer")


def leave_pending(sender: Path) -> None:
    """Seal a snapshot, and let the relay be gone when it is sent."""
    with Vault.open(sender, options=replace(OPTIONS, transport=Between("POST .*/snapshots", unreachable))) as vault:
        with pytest.raises(RelayUnreachable):
            vault.snapshot(write)
        assert vault.status().uploads == 2


OTHER_BYTES = {"embedded": "409 upload_incomplete", "emulated": "400 without a code"}
"""What is said to an upload of other bytes than were announced, by the relay's own store and by S3."""


def test_a_blob_that_was_damaged_in_the_spool(sender: Path, relay_kind: str) -> None:
    leave_pending(sender)
    (blob,) = (sender / "spool").glob("upload-*")
    blob.write_bytes(bytes(blob.stat().st_size))
    with Vault.open(sender, options=OPTIONS) as vault:
        with pytest.raises(RelayRefused, match=OTHER_BYTES[relay_kind]):
            vault.sync()
        vault.sync()
        assert vault.status().uploads == 0
    assert spooled(sender) == []


def test_a_blob_that_is_gone_from_the_spool(sender: Path) -> None:
    leave_pending(sender)
    for blob in (sender / "spool").glob("*-*"):
        blob.unlink()
    with Vault.open(sender, options=OPTIONS) as vault:
        vault.sync()
        assert vault.status().uploads == 0


def test_a_snapshot_of_what_a_restored_relay_no_longer_has(start_relay: StartRelay, tmp_path: Path) -> None:
    relay = start_relay()
    sender, _ = pair(tmp_path, relay.url)
    relay.stop()
    restore = relay.holdings.back_up()
    relay.start()
    with Vault.open(sender, options=OPTIONS) as vault:
        vault.push(change_of(b"after the backup"))
        vault.sync()
        with vault.inbox():
            pass
    leave_pending(sender)
    relay.stop()
    restore()
    relay.new_epoch()
    relay.start()
    with Vault.open(sender, options=OPTIONS) as vault:
        vault.accept_epoch()
        vault.sync()
        assert vault.status().uploads == 0
    assert spooled(sender) == []


# ---------------------------------------------------------------- two at once, two after another


@pytest.mark.parametrize("moment", ["before", "after"])
def test_another_process_sends_the_same_snapshot(sender: Path, taker: Path, moment: str) -> None:
    """A sync in a terminal comes upon what the app has just sealed, and is faster."""

    def other() -> None:
        with Vault.open(sender, options=OPTIONS) as vault:
            vault.sync()

    is_before = moment == "before"
    transport = Between("POST .*/snapshots", before=other if is_before else None, after=None if is_before else other)
    told: list[tuple[int, int]] = []
    with Vault.open(sender, options=replace(OPTIONS, transport=transport)) as vault:
        made = vault.snapshot(write, progress=lambda *through: told.append(through))
    assert told == [(made.size_bytes, made.size_bytes)], "a progress bar that stood still would look as if it hung"
    assert spooled(sender) == []
    assert take(taker) == CONTENT


def test_another_process_makes_a_newer_snapshot(sender: Path, taker: Path) -> None:
    """The one that gave way to it was not made, and that is said."""

    def other() -> None:
        with Vault.open(sender, options=OPTIONS) as vault:
            vault.snapshot(write_newer)

    transport = Between("POST .*/snapshots", after=other)
    with (
        Vault.open(sender, options=replace(OPTIONS, transport=transport)) as vault,
        pytest.raises(AnswerInvalid, match="another process"),
    ):
        vault.snapshot(write)
    assert spooled(sender) == []
    assert take(taker) == b"newer"


def test_content_that_was_not_applied_gives_way_to_newer(sender: Path, taker: Path) -> None:
    send(sender)
    with Vault.open(taker, options=OPTIONS) as vault:
        assert vault.restore()
    with Vault.open(sender, options=OPTIONS) as vault:
        vault.push(change_of(b"newer"))
        vault.sync()
        with vault.inbox():
            pass
        vault.snapshot(write_newer)
    with Vault.open(taker, options=OPTIONS) as vault:
        assert vault.restore()
    assert spooled(taker) == ["restored"]
    assert applied(taker) == b"newer"
    assert spooled(taker) == []
