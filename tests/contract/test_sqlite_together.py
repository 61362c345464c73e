"""Calls that share a commit share nothing else: each has its own result and its own failure, and all are durable."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from relay.adapters.sqlite.connections import DatabaseFile
from relay.adapters.sqlite.database import Database
from relay.ports import StoreUnavailable

Work = Callable[[sqlite3.Connection], int]
Call = Callable[[], str]


class Notes(Database):
    """A file with one table, which counts its commits."""

    def __init__(self, path: Path) -> None:
        super().__init__(DatabaseFile(path, "log", "wal", "OFF", 0.05))
        self.path = path
        self.commits = 0
        opened = self._connections.open

        def traced() -> sqlite3.Connection:
            connection = opened()
            connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT UNIQUE) STRICT")
            connection.set_trace_callback(self._trace)
            return connection

        self._connections.open = traced  # type: ignore[method-assign]

    def _trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def seen_by_others(self) -> list[str]:
        """What is committed, as another process sees it."""
        with sqlite3.connect(self.path) as other:
            return [text for (text,) in other.execute("SELECT text FROM notes ORDER BY rowid")]

    def note(self, text: str) -> str:
        """Write a note as a handler would: a failure is an answer, too."""
        try:
            return str(self.write(_inserting(text)))
        except StoreUnavailable as failure:
            return failure.reason
        except LookupError as defect:
            return f"defect: {defect}"

    def count(self) -> str:
        """Read how many notes there are."""
        return str(self.read(lambda db: db.execute("SELECT count(*) FROM notes").fetchone()[0]))

    def together_notes(self, *texts: str) -> list[str]:
        return self.together([partial(self.note, text) for text in texts])


def _inserting(text: str) -> Work:
    def work(db: sqlite3.Connection) -> int:
        row = db.execute("INSERT INTO notes VALUES (?)", (text,)).lastrowid
        if text == "defect":
            raise LookupError("of this work")
        if text == "full":
            raise StoreUnavailable("disk full")
        return row or 0

    return work


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    database = Notes(tmp_path / "notes.sqlite3")
    assert database.count() == "0"
    database.commits = 0
    yield database
    database.close()


def test_calls_share_one_commit(notes: Notes) -> None:
    assert notes.together_notes("a", "b", "c") == ["1", "2", "3"]
    assert notes.commits == 1
    assert notes.seen_by_others() == ["a", "b", "c"]


def test_a_call_sees_those_before_it_and_others_see_none_of_them_yet(notes: Notes) -> None:
    def look() -> str:
        return f"{notes.count()} here, {len(notes.seen_by_others())} elsewhere"

    def another_thread() -> str:
        found: list[str] = []
        thread = Thread(target=lambda: found.append(notes.count()))
        thread.start()
        thread.join()
        return found[0]

    calls: list[Call] = [partial(notes.note, "a"), look, another_thread]
    assert notes.together(calls) == ["1", "1 here, 0 elsewhere", "0"]
    assert look() == "1 here, 1 elsewhere"


def test_a_defect_of_one_call_undoes_its_own_work_alone(notes: Notes) -> None:
    assert notes.together_notes("before", "defect", "after") == ["1", "defect: of this work", "2"]
    assert notes.seen_by_others() == ["before", "after"]


def test_a_full_disk_for_one_is_not_one_for_all(notes: Notes) -> None:
    assert notes.together_notes("before", "full", "after") == ["1", "disk full", "2"]
    assert notes.seen_by_others() == ["before", "after"]


def test_a_refused_row_is_a_defect_and_no_sealed_text_is_in_it(notes: Notes) -> None:
    def twice() -> str:
        with pytest.raises(sqlite3.IntegrityError):
            notes.write(_inserting("a"))
        return "refused"

    calls: list[Call] = [partial(notes.note, "a"), twice, partial(notes.note, "b")]
    assert notes.together(calls) == ["1", "refused", "2"]
    assert notes.seen_by_others() == ["a", "b"]


def test_while_another_process_holds_the_lock_all_are_told_after_one_wait(notes: Notes) -> None:
    waits: list[None] = []
    with sqlite3.connect(notes.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        waited = notes._transact
        notes._transact = lambda work: waits.append(None) or waited(work)  # type: ignore[method-assign,func-returns-value]
        assert notes.together_notes("a", "b", "c") == ["locked", "locked", "locked"]
        assert len(waits) == 1
        other.execute("ROLLBACK")
    assert notes.together_notes("d") == ["1"]
    assert notes.seen_by_others() == ["d"]


def test_where_the_answer_to_the_commit_is_lost_each_call_finds_what_it_did(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = notes._transact
    failures = [StoreUnavailable("I/O error")]

    def answer_lost(work: Any) -> Any:
        result = whole(work)
        if failures:
            raise failures.pop()
        return result

    def push(text: str) -> str:
        added = notes.write(lambda db: db.execute("INSERT OR IGNORE INTO notes VALUES (?)", (text,)).rowcount)
        return "created" if added else "duplicate"

    monkeypatch.setattr(notes, "_transact", answer_lost)
    assert notes.together([partial(push, "a"), partial(push, "b")]) == ["duplicate", "duplicate"]
    assert notes.seen_by_others() == ["a", "b"]


def test_where_the_commit_fails_each_is_committed_alone(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = notes._transact

    def disk_full_for_many(work: Any) -> Any:
        if not isinstance(work, partial):
            return whole(work)

        def refused_at_its_end(db: sqlite3.Connection) -> None:
            work(db)
            raise StoreUnavailable("disk full")

        return whole(refused_at_its_end)

    monkeypatch.setattr(notes, "_transact", disk_full_for_many)
    assert notes.together_notes("a", "b") == ["1", "2"]
    assert notes.commits == 2
    assert notes.seen_by_others() == ["a", "b"]


def test_afterwards_the_thread_commits_each_by_itself_again(notes: Notes) -> None:
    for texts in (("a",), ("defect",)):
        notes.together_notes(*texts)
    notes.commits = 0
    notes.note("b")
    assert notes.commits == 1
    assert notes.seen_by_others() == ["a", "b"]


def test_a_call_that_breaks_off_leaves_nothing_and_no_lock(notes: Notes) -> None:
    def breaks_off() -> str:
        raise SystemExit

    calls: list[Call] = [partial(notes.note, "a"), breaks_off]
    with pytest.raises(SystemExit):
        notes.together(calls)
    assert notes.seen_by_others() == []
    assert notes.together_notes("b") == ["1"]
