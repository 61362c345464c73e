"""An app's own tables beside the inbox and outbox: what the app writes and what the vault notes are true together."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from sync_relay_client import Change, Inbox, Outbox, Vault
from sync_relay_client.envelope import envelope_bytes
from sync_relay_client.errors import ChangeTooLarge, SyncRelayError
from sync_relay_client.profile.queues import MAX_BODY_BYTES
from tests.client.app import applied, apply_all, change_of, found, pair, record, sync
from tests.client.relay_in_process import RelayInProcess


@pytest.fixture
def this(relay: RelayInProcess, home: Path) -> Iterator[Vault]:
    """A device that has pulled two changes and not applied them, nor any of its own."""
    with found(relay, home / "this") as vault, pair(vault, home / "other", relay.options()) as other:
        record(other, [b"1", b"2"])
        other.sync()
        vault.pull()
        yield vault


Q = TypeVar("Q", Inbox, Outbox)


def own_rows(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "state.sqlite3")
    try:
        return [row[0] for row in connection.execute("SELECT text FROM own")]
    finally:
        connection.close()


def write_own(connection: sqlite3.Connection, text: str) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS own (text TEXT UNIQUE)")
    connection.execute("INSERT INTO own VALUES (?)", (text,))


def fail_within(queue: AbstractContextManager[Q], work: Callable[[Q], object]) -> None:
    with queue as opened:
        work(opened)
        write_own(opened.connection, "half done")
        raise KeyError("the app's own")


def test_an_app_that_fails_while_applying_gets_the_changes_again(home: Path, this: Vault) -> None:
    with this.inbox() as inbox:
        write_own(inbox.connection, "before")
        assert len(inbox) == 2
    record(this, [b"3"])
    this.sync()
    with pytest.raises(KeyError):
        fail_within(this.inbox(), lambda _: None)
    assert own_rows(home / "this") == ["before"]
    with this.inbox() as inbox:
        assert [one.change.payload for one in inbox] == [b"3"]


def test_an_app_that_fails_while_recording_records_nothing(home: Path, this: Vault) -> None:
    with this.outbox() as outbox:
        write_own(outbox.connection, "before")
    with pytest.raises(KeyError):
        fail_within(this.outbox(), lambda outbox: outbox.add(change_of(b"3")))
    assert own_rows(home / "this") == ["before"]
    assert this.status().outbox == 0


def test_an_app_s_own_failing_statement_is_its_own_error(home: Path, this: Vault) -> None:
    with this.outbox() as outbox:
        write_own(outbox.connection, "once")
    with pytest.raises(sqlite3.IntegrityError), this.inbox() as inbox:
        inbox.connection.executemany("INSERT INTO own VALUES (?)", [("another",), ("once",)])
    assert own_rows(home / "this") == ["once"]
    assert this.status().inbox == 2
    with this.outbox() as outbox:
        with pytest.raises(sqlite3.IntegrityError):
            write_own(outbox.connection, "once")
        outbox.add(change_of(b"3"))
    assert this.status().outbox == 1, "an error that the app handles is its own business"


def commit(connection: sqlite3.Connection) -> None:
    connection.commit()


def commit_by_sql(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")


def commit_and_begin(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")
    connection.execute("BEGIN")


def roll_back(connection: sqlite3.Connection) -> None:
    connection.rollback()


def run_a_script(connection: sqlite3.Connection) -> None:
    connection.executescript("CREATE TABLE more (a)")


def use_it_as_a_context(connection: sqlite3.Connection) -> None:
    with connection:
        write_own(connection, "in a context of sqlite3")


ENDING = [commit, commit_by_sql, commit_and_begin, roll_back, run_a_script, use_it_as_a_context]


def test_an_interrupt_at_any_statement_is_one_and_leaves_all_as_it_was(
    home: Path, this: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite takes what its authorizer raises for a denial: Ctrl-C came out as an error of the database."""
    with this.outbox() as outbox:
        write_own(outbox.connection, "before")

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("sync_relay_client.profile.database._Guard.__call__", interrupted)
    with pytest.raises(KeyboardInterrupt), this.inbox():
        pass
    monkeypatch.undo()
    assert own_rows(home / "this") == ["before"]
    apply_all(this)
    assert applied(home / "this") == [b"1", b"2"]


@pytest.mark.parametrize("end", ENDING)
@pytest.mark.parametrize("queue", ["inbox", "outbox"])
def test_an_app_that_ends_the_transaction_is_told_and_nothing_is_half_done(
    home: Path, this: Vault, end: Callable[[sqlite3.Connection], None], queue: str
) -> None:
    """`with connection:` and `executescript` commit: easily written, and found out only after a crash."""
    with this.outbox() as outbox:
        write_own(outbox.connection, "before")

    def work(opened: Inbox | Outbox) -> None:
        write_own(opened.connection, "beside it")
        if isinstance(opened, Outbox):
            opened.add(change_of(b"3"))
        end(opened.connection)

    with pytest.raises(ValueError, match="must not be ended"), getattr(this, queue)() as opened:
        work(opened)
    assert own_rows(home / "this") == ["before"]
    assert (this.status().inbox, this.status().outbox) == (2, 0)
    apply_all(this)
    assert applied(home / "this") == [b"1", b"2"]


def test_savepoints_are_the_app_s_to_use(home: Path, this: Vault) -> None:
    with this.inbox() as inbox:
        write_own(inbox.connection, "kept")
        inbox.connection.execute("SAVEPOINT one")
        write_own(inbox.connection, "given up")
        inbox.connection.execute("ROLLBACK TO one")
        inbox.connection.execute("RELEASE one")
    assert own_rows(home / "this") == ["kept"]
    assert this.status().inbox == 0


USES: list[Callable[[Vault], object]] = [
    lambda vault: vault.push(),
    lambda vault: vault.pull(),
    lambda vault: vault.sync(),
    lambda vault: vault.status(),
    lambda vault: vault.inbox().__enter__(),
    lambda vault: vault.outbox().__enter__(),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("queue", ["inbox", "outbox"])
def test_using_the_vault_within_is_told_rather_than_waited_for(
    home: Path, this: Vault, use: Callable[[Vault], object], queue: str
) -> None:
    with pytest.raises(ValueError, match="leave it first"), getattr(this, queue)():
        use(this)
    sync(this)
    assert applied(home / "this") == [b"1", b"2"]


def test_the_inbox_is_handed_out_in_bounded_pieces(this: Vault) -> None:
    with this.inbox(limit=1) as inbox:
        assert [one.change.payload for one in inbox] == [b"1"]
    with this.inbox(limit=1) as inbox:
        assert [one.change.payload for one in inbox] == [b"2"]
    with this.inbox(limit=1) as inbox:
        assert len(inbox) == 0


def test_another_thread_waits_for_the_inbox_to_be_left(home: Path, this: Vault) -> None:
    done = threading.Event()

    def sync_beside() -> None:
        this.sync()
        done.set()

    with this.inbox() as inbox:
        thread = threading.Thread(target=sync_beside)
        thread.start()
        write_own(inbox.connection, "undisturbed")
        assert not done.is_set()
        assert len(inbox) == 2
    thread.join(30)
    assert done.is_set()
    assert own_rows(home / "this") == ["undisturbed"]


def test_threads_of_one_vault_lose_nothing(home: Path, this: Vault) -> None:
    failures: list[SyncRelayError] = []

    def work(number: int) -> None:
        try:
            for index in range(5):
                this.push(change_of(b"%d.%d" % (number, index)))
                sync(this)
        except SyncRelayError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    sync(this)
    pushed = [payload for payload in applied(home / "this") if b"." in payload]
    assert sorted(pushed) == sorted(b"%d.%d" % (number, index) for number in range(4) for index in range(5))
    for number in range(4):
        own = [payload for payload in pushed if payload.startswith(b"%d." % number)]
        assert own == sorted(own), "each thread's changes in its order"


# ---------------------------------------------------------------- what can't be recorded


def test_an_id_that_was_used_is_told_before_it_is_sent(this: Vault) -> None:
    """The relay would refuse another content under it, and with it all that waits behind it."""
    taken = str(uuid4())
    with this.outbox() as outbox:
        assert outbox.add(change_of(b"3"), changeset_id=taken) == taken
        with pytest.raises(ValueError, match="id"):
            outbox.add(change_of(b"4"), changeset_id=taken)
    with pytest.raises(ValueError, match="id"), this.outbox() as outbox:
        outbox.add(change_of(b"4"), changeset_id=taken)
    this.sync()
    with pytest.raises(ValueError, match="id"), this.outbox() as outbox:
        outbox.add(change_of(b"4"), changeset_id=taken)


@pytest.mark.parametrize("changeset_id", ["", "not a UUID", "90B004D2-6082-4CF8-A48B-3B07EE2B0B2C"])
def test_an_id_that_is_no_uuid(this: Vault, changeset_id: str) -> None:
    with pytest.raises(ValueError, match="UUID"), this.outbox() as outbox:
        outbox.add(change_of(b"3"), changeset_id=changeset_id)


@pytest.mark.parametrize("operation_type", ["sync-relay/admit", "sync-relay/rekey", "sync-relay/note"])
def test_the_protocol_s_own_operations_are_not_the_app_s(this: Vault, operation_type: str) -> None:
    with pytest.raises(ValueError, match="own operations"), this.outbox() as outbox:
        outbox.add(Change("-", "-", operation_type, "-", "-", b""))


def test_a_name_that_no_text_can_hold(this: Vault) -> None:
    with pytest.raises(ValueError, match="surrogates"), this.outbox() as outbox:
        outbox.add(Change("ana", "-", "upsert", "note", "\ud800", b""))
    assert this.status().outbox == 0


@pytest.mark.parametrize("schema_version", [-1, 2**31, True, "1"])
def test_a_schema_version_that_the_protocol_has_no_room_for(this: Vault, schema_version: int) -> None:
    with pytest.raises(ValueError, match="schema"), this.outbox() as outbox:
        outbox.add(change_of(b"3"), schema_version=schema_version)


def test_the_largest_change_fits_and_one_more_byte_does_not(home: Path, this: Vault) -> None:
    largest = largest_payload()
    with this.outbox() as outbox:
        with pytest.raises(ChangeTooLarge):
            outbox.add(change_of(bytes(largest + 1)))
        outbox.add(change_of(bytes(largest)))
    sync(this)
    assert [len(payload) for payload in applied(home / "this")] == [1, 1, largest]


def largest_payload() -> int:
    """Find it by trying, as no app needs to."""
    fits, does_not = 0, 5_000_000
    while does_not - fits > 1:
        middle = (fits + does_not) // 2
        if envelope_bytes(change_of(bytes(middle))) <= MAX_BODY_BYTES:
            fits = middle
        else:
            does_not = middle
    return fits


def test_a_change_that_this_relay_does_not_take_is_named(relay: RelayInProcess, this: Vault) -> None:
    relay.world.configure(max_body_bytes=2_000)
    with pytest.raises(ChangeTooLarge) as refused:
        this.push(change_of(bytes(5_000)))
    assert refused.value.limit_bytes == 2_000
    assert this.status().outbox == 1


def test_a_relay_that_takes_less_than_it_did_gets_smaller_batches(
    relay: RelayInProcess, home: Path, this: Vault
) -> None:
    """A program that runs for months has asked for the limits once."""
    this.push()
    relay.world.configure(max_body_bytes=6_000)
    assert this.push(*(change_of(bytes(1_000)) for _ in range(10))).changes == 10
    sync(this)
    assert len(applied(home / "this")) == 12


def test_a_change_that_no_push_carries_is_taken_back(relay: RelayInProcess, home: Path, this: Vault) -> None:
    """It would stand before all that is recorded after it, for ever."""
    relay.world.configure(max_body_bytes=2_000)
    with pytest.raises(ChangeTooLarge) as refused:
        this.push(change_of(bytes(5_000)), change_of(b"3"))
    assert refused.value.changeset_id is not None
    with this.outbox() as outbox:
        assert outbox.take_back(refused.value.changeset_id)
        assert not outbox.take_back(refused.value.changeset_id)
    sync(this)
    assert applied(home / "this")[-1] == b"3"


def test_what_the_relay_has_is_not_taken_back(home: Path, this: Vault) -> None:
    with this.outbox() as outbox:
        changeset_id = outbox.add(change_of(b"3"))
    this.push()
    with this.outbox() as outbox:
        assert not outbox.take_back(changeset_id)
    sync(this)
    assert applied(home / "this")[-1] == b"3"
