"""A task that is cancelled, at any request and any step of the disk, leaves a vault that works and has lost nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from sync_relay_client import AsyncVault, Vault, aio
from sync_relay_client.flow import advance
from sync_relay_client.profile.database import Database
from tests.client.app import applied, apply_all, record, sync, write, write_applied
from tests.client.crash import Stage, age_spool
from tests.client.relay_in_process import InProcessTransport, RelayInProcess


async def opened(stage: Stage) -> AsyncVault:
    return await AsyncVault.open(stage.home / "this", options=stage.relay.options())


class CancellingTransport(InProcessTransport):
    """Cancels the task at one of its requests: before the relay has it, or once it has answered."""

    def __init__(self, relay: RelayInProcess, at: int, when: str) -> None:
        super().__init__(relay)
        self.seen = 0
        self._at = at
        self._when = when

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        cancelled = self.seen == self._at
        self.seen += 1
        if cancelled and self._when == "before":
            await cancel_this_task()
        response = await super().handle_async_request(request)
        if cancelled and self._when == "after":
            await cancel_this_task()
        if cancelled and self._when == "within":
            return httpx.Response(response.status_code, stream=Cancelling(await response.aread()))
        return response

    def spare(self) -> None:
        self._at = -1


class Cancelling(httpx.AsyncByteStream):
    """Cancels the task that reads it, in the middle."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content[:10]
        await cancel_this_task()
        yield self._content[10:]


async def cancel_this_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


def outcome(stage: Stage) -> Any:
    """Let both devices come to an end; return what must not depend on what was cancelled."""
    age_spool(stage.home / "this")
    options = stage.relay.options()
    with (
        Vault.open(stage.home / "this", options=options) as this,
        Vault.open(stage.home / "other", options=options) as other,
    ):
        for vault in (this, other, this):
            sync(vault)
        assert this.head == other.head
    assert not list((stage.home / "this" / "spool").glob("*"))
    return applied(stage.home / "this") == applied(stage.home / "other"), sorted(applied(stage.home / "this"))


Work = Callable[[AsyncVault], Coroutine[Any, Any, object]]


async def syncing(vault: AsyncVault) -> None:
    await vault.sync()
    await apply_in_turn(vault)


async def rotating(vault: AsyncVault) -> None:
    await vault.rotate()
    await vault.sync()


async def snapshotting(vault: AsyncVault) -> None:
    await vault.sync()
    await apply_in_turn(vault)
    await vault.snapshot(write)


async def apply_in_turn(vault: AsyncVault) -> None:
    async with vault.inbox() as inbox:
        write_applied(inbox)


WORKS = [syncing, rotating, snapshotting]
EXPECTED = (True, [b"ours", b"theirs"])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("work", WORKS)
def test_a_task_that_is_cancelled_at_any_request_leaves_a_vault_that_works(stage: Stage, work: Work, when: str) -> None:
    at, reached = 0, True
    while reached:
        stage.rise()
        transport = CancellingTransport(stage.relay, at, when)

        async def scenario(transport: CancellingTransport = transport) -> bool:
            options = stage.relay.options(async_transport=transport)
            async with await AsyncVault.open(stage.home / "this", options=options) as vault:
                cancelled = await is_cancelled(work(vault))
                transport.spare()
                await vault.sync()
                return cancelled

        reached = asyncio.run(scenario())
        assert outcome(stage) == EXPECTED
        at += 1
    assert at >= 5


async def is_cancelled(work: Awaitable[object]) -> bool:
    task = asyncio.ensure_future(work)
    with suppress(asyncio.CancelledError):
        await task
    return task.cancelled()


class Impatient:
    """Cancels a task so many times while a worker thread does something for it, and lets the thread end only then."""

    def __init__(self, cancels: int, at: int) -> None:
        self._cancels = cancels
        self._at = at
        self.seen = 0
        self.task: asyncio.Task[object] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self) -> None:
        self.seen += 1
        if self.seen - 1 != self._at or self.task is None or self.loop is None:
            return
        through = threading.Event()
        self.loop.call_soon_threadsafe(self._cancel, self._cancels, through)
        assert through.wait(30)

    def _cancel(self, left: int, through: threading.Event) -> None:
        assert self.task is not None
        assert self.loop is not None
        if left == 0:
            through.set()
            return
        self.task.cancel()
        self.loop.call_soon(self.loop.call_soon, self._cancel, left - 1, through)

    async def run(self, work: Coroutine[Any, Any, object]) -> bool:
        self.loop = asyncio.get_running_loop()
        self.task = self.loop.create_task(work)
        cancelled = await is_cancelled(self.task)
        self.task = None
        return cancelled


@contextmanager
def impatient_steps(impatient: Impatient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def step(*args: Any) -> Any:
        impatient()
        return advance(*args)

    with monkeypatch.context() as patched:
        patched.setattr(aio, "advance", step)
        yield


@pytest.mark.parametrize("cancels", [1, 3])
@pytest.mark.parametrize("work", [syncing, snapshotting])
def test_a_task_that_is_cancelled_while_the_disk_works_waits_for_it(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    work: Work,
    cancels: int,
) -> None:
    at, reached = 0, True
    while reached:
        stage.rise()
        impatient = Impatient(cancels, at)

        async def scenario(impatient: Impatient = impatient) -> bool:
            async with await opened(stage) as vault:
                cancelled = await impatient.run(work(vault))
                await vault.sync()
                return cancelled

        with impatient_steps(impatient, monkeypatch):
            reached = asyncio.run(scenario())
        assert outcome(stage) == EXPECTED
        at += 1
    assert at >= 5


@pytest.mark.parametrize("moment", ["entering", "leaving"])
@pytest.mark.parametrize("queue", ["inbox", "outbox"])
def test_a_task_that_is_cancelled_at_the_inbox_s_door(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, moment: str, queue: str
) -> None:
    impatient = Impatient(2, 0 if moment == "entering" else 1)
    begin, commit = Database._begin, Database._commit

    def watched_begin(database: Database, statement: str) -> None:
        begin(database, statement)
        impatient()

    def watched_commit(database: Database) -> None:
        commit(database)
        impatient()

    async def use(vault: AsyncVault) -> None:
        async with getattr(vault, queue)():
            pass

    async def scenario() -> None:
        async with await opened(stage) as vault:
            await vault.pull()
            with monkeypatch.context() as patched:
                patched.setattr(Database, "_begin", watched_begin)
                patched.setattr(Database, "_commit", watched_commit)
                assert await impatient.run(use(vault))
            waiting = 0 if (moment, queue) == ("leaving", "inbox") else 1
            assert (await vault.status()).inbox == waiting
            await vault.sync()

    asyncio.run(scenario())
    with Vault.open(stage.home / "this", options=stage.relay.options()) as this:
        record(this, [b"and the file is not locked"])
        apply_all(this)


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_download_that_is_cancelled_leaves_no_file(stage: Stage, when: str) -> None:
    """A blob may be larger than the disk can spare: it goes at once, not when the profile is opened again."""
    relay, home = stage.relay, stage.home
    with Vault.open(home / "other", options=relay.options()) as other:
        code = other.invite(Vault.request(home / "new", options=relay.options()))
        sync(other)
        other.snapshot(write)
        relay.prune()
    Vault.join(home / "new", code, options=relay.options()).close()
    transport = CancellingTransport(relay, 4, when)

    async def scenario() -> None:
        async with await AsyncVault.open(home / "new", options=relay.options(async_transport=transport)) as vault:
            assert await is_cancelled(vault.pull())
            assert relay.requests[-1][1].startswith("/blobs/") == (when != "before"), "it was the download"
            assert not list((home / "new" / "spool").glob("*"))
            transport.spare()
            assert (await vault.pull()).restored

    asyncio.run(scenario())
