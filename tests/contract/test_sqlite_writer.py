"""Threads that write at once share commits, and nothing else: each has its own result, its own error, its own wait."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Event

import pytest

from relay.adapters.sqlite.connections import Connections, DatabaseFile
from relay.adapters.sqlite.writer import MAX_GROUP, Writer
from relay.ports import StoreUnavailable

GUARD_SECONDS = 30


class Opener(Connections):
    """Opens connections to one file, and counts the commits on them."""

    def __init__(self, path: Path) -> None:
        super().__init__(DatabaseFile(path, "log", "wal", "OFF", 0.05))
        self.commits = 0

    def open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file.path, isolation_level=None, check_same_thread=False, timeout=0.05)
        connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT UNIQUE) STRICT")
        connection.set_trace_callback(self._trace)
        return connection

    def _trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return Opener(tmp_path / "notes.sqlite3")


@pytest.fixture
def writer(opener: Opener) -> Iterator[Writer]:
    yield Writer(opener, GUARD_SECONDS, nullcontext())
    opener.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MAX_GROUP + 2) as threads:
        yield threads


def note(text: str) -> Callable[[sqlite3.Connection], int]:
    return lambda db: db.execute("INSERT INTO notes VALUES (?)", (text,)).lastrowid or 0


def notes(opener: Opener) -> list[str]:
    connection = opener.open()
    texts = [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY rowid")]
    connection.close()
    return texts


class Held:
    """A work that is being done, until it is let go: whoever comes meanwhile waits."""

    def __init__(self, writer: Writer, pool: ThreadPoolExecutor, *, fails: bool = False) -> None:
        self._started, self._go, self._fails = Event(), Event(), fails
        self.future: Future[None] = pool.submit(writer.perform, self._work)
        assert self._started.wait(GUARD_SECONDS)

    def _work(self, _: sqlite3.Connection) -> None:
        self._started.set()
        assert self._go.wait(GUARD_SECONDS)
        if self._fails:
            raise LookupError("the held work")

    def let_go(self) -> None:
        self._go.set()


def wait_for(writer: Writer, waiting: int) -> None:
    """Return once so many works wait."""
    tick = Event()
    while len(writer._waiting) < waiting:
        tick.wait(0.001)


def submit(writer: Writer, pool: ThreadPoolExecutor, *works: Callable[[sqlite3.Connection], int]) -> list[Future[int]]:
    """Let threads wait with these works, in this order."""
    futures = []
    for number, work in enumerate(works, 1):
        futures.append(pool.submit(writer.perform, work))
        wait_for(writer, number)
    return futures


def test_those_who_waited_share_one_commit(opener: Opener, writer: Writer, pool: ThreadPoolExecutor) -> None:
    held = Held(writer, pool)
    futures = submit(writer, pool, *(note(str(number)) for number in range(10)))
    held.let_go()
    assert [future.result(GUARD_SECONDS) for future in futures] == list(range(1, 11))
    assert opener.commits == 2  # the held one's, and theirs
    assert notes(opener) == [str(number) for number in range(10)]


def test_nobody_is_answered_before_the_commit(opener: Opener, writer: Writer, pool: ThreadPoolExecutor) -> None:
    held = Held(writer, pool)
    last = Event()

    def blocks(_: sqlite3.Connection) -> int:
        assert last.wait(GUARD_SECONDS)
        return 0

    first, second = submit(writer, pool, note("first"), blocks)
    held.let_go()
    held.future.result(GUARD_SECONDS)
    assert not first.done()
    assert notes(opener) == []
    last.set()
    first.result(GUARD_SECONDS)
    assert notes(opener) == ["first"]
    second.result(GUARD_SECONDS)


def test_a_group_is_bounded(opener: Opener, writer: Writer, pool: ThreadPoolExecutor) -> None:
    held = Held(writer, pool)
    futures = submit(writer, pool, *(note(str(number)) for number in range(MAX_GROUP + 1)))
    held.let_go()
    assert [future.result(GUARD_SECONDS) for future in futures] == list(range(1, MAX_GROUP + 2))
    assert opener.commits == 3


def test_a_defect_of_one_work_is_raised_to_its_own_thread_alone(
    opener: Opener, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    def defect(db: sqlite3.Connection) -> int:
        note("half")(db)
        raise LookupError("of this work")

    held = Held(writer, pool)
    before, failed, after = submit(writer, pool, note("before"), defect, note("after"))
    held.let_go()
    assert (before.result(GUARD_SECONDS), after.result(GUARD_SECONDS)) == (1, 2)
    with pytest.raises(LookupError, match="of this work"):
        failed.result(GUARD_SECONDS)
    assert notes(opener) == ["before", "after"]


def test_the_leaders_defect_does_not_stop_the_others(opener: Opener, writer: Writer, pool: ThreadPoolExecutor) -> None:
    held = Held(writer, pool, fails=True)
    (waited,) = submit(writer, pool, note("waited"))
    held.let_go()
    with pytest.raises(LookupError, match="the held work"):
        held.future.result(GUARD_SECONDS)
    waited.result(GUARD_SECONDS)
    assert notes(opener) == ["waited"]


def test_where_the_store_fails_the_whole_group_is_told_and_nothing_happened(
    opener: Opener, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    def full(_: sqlite3.Connection) -> int:
        raise StoreUnavailable("disk full")

    held = Held(writer, pool)
    futures = submit(writer, pool, note("one"), full, note("two"))
    held.let_go()
    for future in futures:
        with pytest.raises(StoreUnavailable, match=r"^disk full$"):
            future.result(GUARD_SECONDS)
    assert notes(opener) == []


def test_who_waits_too_long_is_told_and_its_work_is_never_done(
    opener: Opener, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    writer._timeout_seconds = 0.02
    held = Held(writer, pool)
    late = pool.submit(writer.perform, note("late"))
    with pytest.raises(StoreUnavailable, match=r"^locked$"):
        late.result(GUARD_SECONDS)
    held.let_go()
    held.future.result(GUARD_SECONDS)
    writer.perform(note("next"))
    assert notes(opener) == ["next"]


def test_a_writer_whose_connection_was_closed_opens_another(opener: Opener, writer: Writer) -> None:
    writer.perform(note("one"))
    opener.close()
    writer.perform(note("two"))
    assert notes(opener) == ["one", "two"]
