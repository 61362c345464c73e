"""Two programs on one profile, each in the middle of what the other does: the moments that real races seldom hit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import NotCaughtUp, RelayRefused
from sync_relay_client.flows import rotating
from tests.client.app import applied, apply_all, change_of, found, pair, record, sync, write
from tests.client.relay_in_process import RelayInProcess, honest

Answer = Callable[[httpx.Request], httpx.Response]


class Beside:
    """Another program on the same profile, which does something at one moment of this one's request."""

    def __init__(self, relay: RelayInProcess, folder: Path) -> None:
        self._relay = relay
        self._folder = folder
        self.came = 0

    def at(self, moment: str, method: str, path: str, work: Callable[[Vault], object]) -> None:
        def meddle(request: httpx.Request, answer: Answer) -> httpx.Response:
            if request.method != method or path not in request.url.path:
                return answer(request)
            self._relay.meddle = honest
            self.came += 1
            response = answer(request) if moment == "after" else None
            with Vault.open(self._folder, options=self._relay.options()) as other:
                work(other)
            return response or answer(request)

        self._relay.meddle = meddle


@pytest.fixture
def this(relay: RelayInProcess, home: Path) -> Iterator[Vault]:
    with found(relay, home / "this") as vault:
        record(vault, [b"1"])
        sync(vault)
        yield vault


@pytest.fixture
def beside(relay: RelayInProcess, home: Path) -> Beside:
    return Beside(relay, home / "this")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("work", [Vault.pull, Vault.sync, Vault.push, sync])
def test_pulling_what_the_other_one_pulls(
    relay: RelayInProcess, home: Path, this: Vault, beside: Beside, moment: str, work: Callable[[Vault], object]
) -> None:
    with pair(this, home / "other", relay.options()) as other:
        record(other, [b"2", b"3"])
        sync(other)
    beside.at(moment, "GET", "/changesets", work)
    sync(this)
    assert beside.came
    assert applied(home / "this") == [b"1", b"2", b"3"]


def test_watching_tells_what_the_other_one_pulled(relay: RelayInProcess, home: Path, this: Vault) -> None:
    """It waits in the inbox of both; told once, it is not told again while it waits."""
    rounds: list[float] = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 1:
            other.push(change_of(b"2"))
            this.sync()
        if len(rounds) == 3:
            other.push(change_of(b"3"))

    with (
        pair(this, home / "other", relay.options()) as other,
        Vault.open(home / "this", options=relay.options(sleep=sleep)) as watcher,
    ):
        watching = watcher.watch()
        assert next(watching).changes == 1
        assert len(rounds) == 1
        assert next(watching).changes == 1
        assert len(rounds) == 3
        apply_all(watcher)
    assert applied(home / "this") == [b"1", b"2", b"3"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("work", [Vault.pull, Vault.push, sync])
def test_pushing_what_the_other_one_pushes(
    home: Path, this: Vault, beside: Beside, moment: str, work: Callable[[Vault], object]
) -> None:
    """Both send the same sealed changes: the relay has them once, and whoever hears of it second changes nothing."""
    record(this, [b"2", b"3"])
    beside.at(moment, "POST", "/changesets", work)
    this.push()
    sync(this)
    assert beside.came
    assert applied(home / "this") == [b"1", b"2", b"3"]
    assert (this.status().outbox, this.status().unverified) == (0, 0)


@pytest.mark.parametrize(("method", "path"), [("GET", "/latest"), ("GET", "/snapshots/"), ("GET", "/blobs/")])
def test_restoring_what_the_other_one_restores(
    relay: RelayInProcess, home: Path, this: Vault, method: str, path: str
) -> None:
    code = this.invite(Vault.request(home / "new", options=relay.options()))
    sync(this)
    this.snapshot(write)
    relay.prune()
    record(this, [b"2"])
    sync(this)
    beside = Beside(relay, home / "new")
    with Vault.join(home / "new", code, options=relay.options()) as new:
        beside.at("before", method, path, sync)
        sync(new)
        assert beside.came
        assert new.head == this.head
    assert applied(home / "new") == [b"1", b"2"]
    assert not list((home / "new" / "spool").glob("*"))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/snapshots"), ("PUT", "/blobs/"), ("POST", "/complete")])
def test_uploading_what_the_other_one_uploads(
    home: Path, this: Vault, beside: Beside, moment: str, method: str, path: str
) -> None:
    beside.at(moment, method, path, Vault.sync)
    this.snapshot(write)
    assert beside.came
    assert this.status().uploads == 0
    assert not list((home / "this" / "spool").glob("*"))


def test_revoking_what_the_other_one_revokes(relay: RelayInProcess, home: Path, this: Vault, beside: Beside) -> None:
    with pair(this, home / "third", relay.options()) as third:
        device_id = third.device_id
    beside.at("before", "POST", "/changesets", lambda other: other.revoke(device_id))
    this.revoke(device_id)
    assert this.status().revoking == 0
    assert this.head.seq == 3, "the first change, the admit, and one rekey"


def test_a_rekey_that_never_comes_through_gives_up(
    relay: RelayInProcess, home: Path, this: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "MAX_RACES", 3)
    with pair(this, home / "other", relay.options()) as other:

        def busy(request: httpx.Request, answer: Answer) -> httpx.Response:
            if "if-match" in request.headers:
                relay.meddle = honest
                other.push(change_of(b"faster"))
                relay.meddle = busy
            return answer(request)

        relay.meddle = busy
        with pytest.raises(NotCaughtUp):
            this.rotate()
    relay.meddle = honest
    this.rotate()


# ---------------------------------------------------------------- what counts as sent


def test_another_member_s_changeset_under_our_id_is_not_ours(relay: RelayInProcess, home: Path, this: Vault) -> None:
    """The relay told a colluding member the id that it saw and did not store: our change must not vanish for that."""
    with pair(this, home / "other", relay.options()) as other:
        relay.meddle = lambda request, answer: httpx.Response(500) if request.method == "POST" else answer(request)
        with pytest.raises(RelayRefused):
            this.push(change_of(b"ours"))
        relay.meddle = honest
        (taken,) = ids_of_outbox(this)
        with other.outbox() as outbox:
            outbox.add(change_of(b"theirs"), changeset_id=taken)
        other.push()
    this.pull()
    assert this.status().outbox == 1
    with pytest.raises(RelayRefused) as refused:
        this.push()
    assert refused.value.code == "changeset_conflict"


def ids_of_outbox(vault: Vault) -> list[str]:
    return [row[0] for row in vault._profile.connection.execute("SELECT id FROM sync_relay_outbox")]


def test_what_a_snapshot_covers_is_not_sent_again(relay: RelayInProcess, home: Path, this: Vault) -> None:
    """It was acknowledged, and pruned before this device saw it in the log."""
    with pair(this, home / "other", relay.options()) as other:
        this.push(change_of(b"2"))
        sync(other)
        other.snapshot(write)
        relay.prune()
        sync(this)
        assert this.status().unverified == 0
        record(this, [b"3"])
        for vault in (this, other):
            sync(vault)
    assert applied(home / "this") == applied(home / "other") == [b"1", b"2", b"3"]


def test_what_is_sealed_once_is_sent_byte_for_byte_again(relay: RelayInProcess, this: Vault) -> None:
    sent: list[bytes] = []

    def lose(request: httpx.Request, answer: Answer) -> httpx.Response:
        if request.method == "POST":
            sent.append(request.content)
            if len(sent) == 1:
                raise httpx.ReadError("lost")
        return answer(request)

    relay.meddle = lose
    this.push(change_of(b"2"))
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_a_snapshot_that_the_other_one_made_meanwhile_is_not_mistaken_for_the_sent_one(
    relay: RelayInProcess, this: Vault, beside: Beside
) -> None:
    """This program is through with its upload, and says so when the other one has sealed the next."""

    def go_on(other: Vault) -> None:
        sync(other)
        record(other, [b"2"])
        sync(other)
        relay.meddle = refuse_announcements
        with pytest.raises(RelayRefused):
            other.snapshot(write)
        relay.meddle = honest

    beside.at("after", "POST", "/complete", go_on)
    this.snapshot(write)
    sync(this)
    info = relay.world.relay.log.vault(this.status().vault_id, relay.world.relay.now_ms())
    assert info is not None
    assert max(one.covers.seq for one in info.snapshots) == 2


def refuse_announcements(request: httpx.Request, answer: Answer) -> httpx.Response:
    return httpx.Response(503) if request.url.path.endswith("/snapshots") else answer(request)
