"""Making snapshots and going on from them: what is cut goes on, what is refused is not in the way of all the rest."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import AnswerInvalid, NotCaughtUp, RelayRefused, RelayUnreachable
from tests.client.app import applied, apply_all, found, record, sync, write
from tests.client.crash import age_spool
from tests.client.relay_in_process import RelayInProcess, honest

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def this(relay: RelayInProcess, home: Path) -> Iterator[Vault]:
    with found(relay, home / "this") as vault:
        record(vault, [b"1", b"2"])
        sync(vault)
        yield vault


def newcomer(relay: RelayInProcess, home: Path, inviter: Vault) -> Vault:
    """Return a device that was invited, and has pulled nothing yet."""
    code = inviter.invite(Vault.request(home / "new", options=relay.options()))
    return Vault.join(home / "new", code, options=relay.options())


def test_a_snapshot_says_what_it_covers(relay: RelayInProcess, this: Vault) -> None:
    made = this.snapshot(write, schema_version=7)
    assert made.covers == this.head
    blobs = relay.world.blobs._blobs
    assert made.size_bytes in {len(blob) for blob in blobs.values()}


def test_a_newcomer_gets_content_schema_and_place(relay: RelayInProcess, home: Path, this: Vault) -> None:
    with newcomer(relay, home, this) as new:
        this.sync()
        made = this.snapshot(write, schema_version=7)
        relay.prune()
        pulled = new.pull()
        assert (pulled.restored, pulled.is_news, pulled.changes) == (True, True, 0)
        with new.inbox() as inbox:
            assert inbox.restored is not None
            assert (inbox.restored.schema_version, inbox.restored.covers) == (7, made.covers)
            with inbox.restored.open() as content:
                assert content.read() == b"31\n32\n"
        assert not new.status().restored


def test_nothing_is_restored_that_is_known_already(this: Vault) -> None:
    assert this.restore() is False
    this.snapshot(write)
    assert this.restore() is False


def test_a_newcomer_may_begin_at_a_snapshot_though_the_history_is_whole(
    relay: RelayInProcess, home: Path, this: Vault
) -> None:
    with newcomer(relay, home, this) as new:
        this.sync()
        this.snapshot(write)
        record(this, [b"3"])
        sync(this)
        assert new.restore() is True
        sync(new)
        assert applied(home / "new") == [b"1", b"2", b"3"]
        assert new.verify().compared == 2, "where the snapshot ends, and the change after it"


@pytest.mark.parametrize("waiting", ["in the inbox", "restored"])
def test_a_snapshot_holds_what_the_log_says(relay: RelayInProcess, home: Path, this: Vault, waiting: str) -> None:
    with newcomer(relay, home, this) as new:
        this.sync()
        if waiting == "restored":
            this.snapshot(write)
            new.restore()
        else:
            new.pull()
        with pytest.raises(NotCaughtUp):
            new.snapshot(write)
        apply_all(new)
        assert new.snapshot(write).covers == new.head


def test_an_app_that_fails_while_writing_leaves_nothing(home: Path, this: Vault) -> None:
    def fail(file: BinaryIO, _: sqlite3.Connection) -> None:
        file.write(b"half of it")
        raise KeyError("the app's own")

    with pytest.raises(KeyError):
        this.snapshot(fail)
    assert not list((home / "this" / "spool").glob("*"))
    assert this.status().uploads == 0


def test_the_relay_s_wish_for_a_snapshot_is_passed_on_and_then_granted(relay: RelayInProcess, this: Vault) -> None:
    assert this.status().snapshot_wanted is None

    def wish(request: httpx.Request, answer: Answer) -> httpx.Response:
        response = answer(request)
        response.headers["Sync-Relay-Snapshot"] = "high"
        return response

    relay.meddle = wish
    record(this, [b"3"])
    assert this.push().snapshot_wanted == "high"
    relay.meddle = honest
    assert this.status().snapshot_wanted == "high"
    sync(this)
    this.snapshot(write)
    assert this.status().snapshot_wanted is None


# ---------------------------------------------------------------- cut, and begun again


class Cut:
    """Cuts the first transfers of a blob: an upload before it arrives, or the bytes of a download."""

    def __init__(self, method: str, times: int) -> None:
        self.method = method
        self.left = times

    def __call__(self, request: httpx.Request, answer: Answer) -> httpx.Response:
        if not request.url.path.startswith("/blobs/") or request.method != self.method or self.left == 0:
            return answer(request)
        self.left -= 1
        if self.method == "PUT":
            raise httpx.WriteError("cut")
        return httpx.Response(200, stream=httpx.ByteStream(b"".join(answer(request).stream)[:100]))  # type: ignore[arg-type]


def test_an_upload_that_was_cut_begins_again(relay: RelayInProcess, this: Vault) -> None:
    relay.meddle = cut = Cut("PUT", 3)
    this.snapshot(write)
    assert cut.left == 0


def test_a_download_that_was_broken_off_begins_again(relay: RelayInProcess, home: Path, this: Vault) -> None:
    with newcomer(relay, home, this) as new:
        this.sync()
        this.snapshot(write)
        relay.prune()

        class Broken(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield b"a part"
                raise httpx.ReadError("cut")

        cuts = iter(range(2))

        def cut(request: httpx.Request, answer: Answer) -> httpx.Response:
            if request.url.path.startswith("/blobs/") and next(cuts, None) is not None:
                return httpx.Response(200, stream=Broken())
            return answer(request)

        relay.meddle = cut
        sync(new)
        assert applied(home / "new") == [b"1", b"2"]


def test_an_expired_url_is_asked_for_anew(relay: RelayInProcess, home: Path, this: Vault) -> None:
    with newcomer(relay, home, this) as new:
        this.sync()

        def slow(request: httpx.Request, answer: Answer) -> httpx.Response:
            if request.url.path.startswith("/blobs/") and slow_ones:
                slow_ones.pop()
                relay.clock.advance(1000)
            return answer(request)

        relay.meddle = slow
        slow_ones = [1, 2]
        this.snapshot(write)
        relay.prune()
        slow_ones = [1]
        sync(new)
        assert applied(home / "new") == [b"1", b"2"]


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestTimeout"])
def test_what_s3_refuses_for_now_is_sent_again(relay: RelayInProcess, this: Vault, code: str) -> None:
    """S3 says 400 to a URL that outlived the credentials that signed it, as to a blob that is not the announced one."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No longer</Message></Error>"
    refusals = [httpx.Response(400, headers={"content-type": "application/xml"}, text=text)]

    def refuse_once(request: httpx.Request, answer: Answer) -> httpx.Response:
        return refusals.pop() if request.url.path.startswith("/blobs/") and refusals else answer(request)

    relay.meddle = refuse_once
    this.snapshot(write)
    assert not refusals
    assert this.status().uploads == 0


def test_a_blob_that_s3_refuses_for_good_is_not_sent_again(relay: RelayInProcess, this: Vault) -> None:
    def refuse(request: httpx.Request, answer: Answer) -> httpx.Response:
        if not request.url.path.startswith("/blobs/"):
            return answer(request)
        return httpx.Response(400, text="<Error><Code>BadDigest</Code></Error>")

    relay.meddle = refuse
    with pytest.raises(RelayRefused) as refused:
        this.snapshot(write)
    assert (refused.value.status, refused.value.attempts) == (400, 1)


@pytest.mark.parametrize("step", ["/snapshots", "/blobs/", "/complete"])
def test_what_could_not_be_sent_is_sent_later(relay: RelayInProcess, home: Path, this: Vault, step: str) -> None:
    def refuse(request: httpx.Request, answer: Answer) -> httpx.Response:
        if request.method != "GET" and step in request.url.path:
            raise httpx.ConnectError("no route")
        return answer(request)

    relay.meddle = refuse
    with pytest.raises(RelayUnreachable) as gave_up:
        this.snapshot(write)
    assert gave_up.value.attempts == 8
    assert len(relay.requests) < 50, "tries are not multiplied by tries within them"
    assert this.status().uploads == 2
    relay.meddle = honest
    age_spool(home / "this")
    with Vault.open(home / "this", options=relay.options()) as later, newcomer(relay, home, this) as new:
        sync(later)
        assert later.status().uploads == 0
        relay.prune()
        assert new.pull().restored
        apply_all(new)
        assert applied(home / "new") == [b"1", b"2"]


@pytest.mark.parametrize("limit", ["max_snapshot_bytes", "max_vault_bytes"])
def test_a_snapshot_that_is_refused_for_good_is_given_up(relay: RelayInProcess, this: Vault, limit: str) -> None:
    relay.world.configure(**{limit: 10})
    with pytest.raises(RelayRefused) as refused:
        this.snapshot(write)
    assert refused.value.status in {413, 507}
    assert this.status().uploads == 1, "the letters beside it"
    relay.world.configure(**{limit: 10_000_000})
    this.sync()
    assert this.status().uploads == 0


def test_a_blob_whose_file_is_gone_is_given_up(relay: RelayInProcess, home: Path, this: Vault) -> None:
    def refuse(request: httpx.Request, answer: Answer) -> httpx.Response:
        if request.url.path.endswith("/snapshots"):
            raise httpx.ConnectError("no route")
        return answer(request)

    relay.meddle = refuse
    with pytest.raises(RelayUnreachable):
        this.snapshot(write)
    relay.meddle = honest
    for path in (home / "this" / "spool").iterdir():
        path.unlink()
    sync(this)
    assert this.status().uploads == 0
    this.snapshot(write)


def test_a_snapshot_that_the_relay_does_not_keep_is_no_success(relay: RelayInProcess, this: Vault) -> None:
    def forget(request: httpx.Request, answer: Answer) -> httpx.Response:
        response = answer(request)
        if request.method == "GET" and "/snapshots/" in request.url.path:
            return httpx.Response(200, text=response.text.replace('"available"', '"pending"'))
        return response

    relay.meddle = forget
    with pytest.raises(AnswerInvalid):
        this.snapshot(write)


# ---------------------------------------------------------------- the power's loss


def test_files_are_on_the_disk_before_rows_name_them(
    relay: RelayInProcess, home: Path, this: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    named: list[bool] = []

    def look(folder: Path, vault: Vault) -> None:
        with vault._profile.view() as view:
            names = view.spooled()
        named.extend((folder / name).stat().st_ino in synced for name in names)
        named.append((folder / "spool").stat().st_ino in synced)

    with newcomer(relay, home, this) as new:
        this.sync()
        this.snapshot(write, progress=lambda *_: look(home / "this", this))
        relay.prune()
        new.pull()
        look(home / "new", new)
    assert len(named) >= 5
    assert all(named)
