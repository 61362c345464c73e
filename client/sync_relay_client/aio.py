"""A vault for asyncio: `AsyncVault` does what `Vault` does, by the same flows, without blocking the event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sync_relay_client.async_transport import AsyncTransport
from sync_relay_client.envelope import Change
from sync_relay_client.errors import SyncRelayError
from sync_relay_client.flow import Action, Done, Flow, Outcome, Progress, advance
from sync_relay_client.flows import (
    epochs,
    leaving,
    pairing,
    pulling,
    pushing,
    restoring,
    roster,
    rotating,
    snapshotting,
    upkeep,
)
from sync_relay_client.flows.link import Link
from sync_relay_client.options import INVITATION_SECONDS, WATCH_SECONDS, Options
from sync_relay_client.profile import Inbox, Outbox, Profile, open_in_vault
from sync_relay_client.profile.profile import INBOX_LIMIT
from sync_relay_client.recovery import RecoverySheet
from sync_relay_client.status import Status, status_of
from sync_relay_client.vault import Vault
from sync_relay_client.words import read_recovery_words

R = TypeVar("R")


class AsyncVault:
    """As `Vault`, whose methods say what each of these does and raises. Tasks take turns, a method at a time."""

    def __init__(self, profile: Profile, options: Options) -> None:
        self._profile = profile
        self._link = Link(profile, options.retry, options.clock)
        try:
            api_key = profile.api_key(options.api_key)
        except BaseException:
            profile.close()
            raise
        self._transport = AsyncTransport(options.async_transport, options.timeout_seconds, options.clock, api_key)
        self._turn = asyncio.Lock()
        self._owner: asyncio.Task[object] | None = None

    @classmethod
    async def create(
        cls,
        folder: Path,
        relay_url: str,
        *,
        recovery: bool = True,
        creation_token: str | None = None,
        options: Options | None = None,
    ) -> Self:
        """See `Vault.create`."""
        return await cls._begun(
            folder, options, lambda link: pairing.create(link, relay_url, creation_token, recovery=recovery)
        )

    @classmethod
    async def request(cls, folder: Path, *, options: Options | None = None) -> str:
        """See `Vault.request`."""
        return await asyncio.to_thread(Vault.request, folder, options=options)

    @classmethod
    async def join(cls, folder: Path, invitation: str, *, options: Options | None = None) -> Self:
        """See `Vault.join`."""
        return await cls._begun(folder, options, lambda link: pairing.join(link, invitation), create=False)

    @classmethod
    async def recover(
        cls,
        folder: Path,
        relay_url: str,
        words: str,
        *,
        pass_over: Collection[int] = (),
        options: Options | None = None,
    ) -> Self:
        """See `Vault.recover`."""
        sheet = RecoverySheet(read_recovery_words(words))
        return await cls._begun(folder, options, lambda link: pairing.recover(link, relay_url, sheet, pass_over))

    @classmethod
    async def open(cls, folder: Path, *, options: Options | None = None) -> Self:
        """See `Vault.open`."""
        chosen = options or Options()
        return cls(await asyncio.to_thread(open_in_vault, folder, chosen.keyring), chosen)

    @classmethod
    async def _begun(
        cls, folder: Path, options: Options | None, begin: Callable[[Link], Flow[None]], *, create: bool = True
    ) -> Self:
        chosen = options or Options()
        vault = cls(await asyncio.to_thread(Profile.open, folder, chosen.keyring, create=create), chosen)
        try:
            await vault._run(begin(vault._link))
        except BaseException:
            await vault.close()
            raise
        return vault

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """See `Vault.close`."""
        await self._transport.close()
        await asyncio.to_thread(self._profile.close)

    async def status(self) -> Status:
        """See `Vault.status`."""

        def read() -> Status:
            with self._profile.view() as view:
                return status_of(view)

        return await self._work(read)

    async def recovery_words(self) -> str | None:
        """See `Vault.recovery_words`."""
        return await self._work(self._profile.recovery_words)

    async def forget_recovery_words(self) -> None:
        """See `Vault.forget_recovery_words`."""
        await self._work(self._profile.forget_recovery_words)

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[Outbox]:
        """See `Vault.outbox`."""
        async with self._my_turn(), _in_threads(self._profile.outbox()) as outbox:
            yield outbox

    @asynccontextmanager
    async def inbox(self, limit: int = INBOX_LIMIT) -> AsyncIterator[Inbox]:
        """See `Vault.inbox`."""
        async with self._my_turn(), _in_threads(self._profile.inbox(limit)) as inbox:
            yield inbox

    async def push(self, *changes: Change, schema_version: int = 1) -> pushing.Sent:
        """See `Vault.push`."""
        if changes:
            async with self.outbox() as outbox:
                for change in changes:
                    outbox.add(change, schema_version=schema_version)
        return await self._run(pushing.push(self._link))

    async def pull(self, progress: Progress | None = None) -> pulling.Pulled:
        """See `Vault.pull`."""
        return await self._run(pulling.pull(self._link, progress))

    async def sync(self) -> pushing.Synced:
        """See `Vault.sync`."""
        return await self._run(upkeep.keep_up(self._link))

    async def watch(self, interval_seconds: float = WATCH_SECONDS) -> AsyncIterator[pulling.Pulled]:
        """See `Vault.watch`."""
        told = None
        while True:
            news = await self._run(upkeep.look_for_news(self._link, told))
            if news is not None:
                told = news.head
                yield news
            await asyncio.sleep(interval_seconds)

    async def snapshot(
        self, write: snapshotting.Write, *, schema_version: int = 1, progress: Progress | None = None
    ) -> snapshotting.SnapshotMade:
        """See `Vault.snapshot`; `write` is called in a worker thread."""
        return await self._run(snapshotting.snapshot(self._link, write, schema_version, progress))

    async def restore(self, progress: Progress | None = None) -> bool:
        """See `Vault.restore`."""
        return await self._run(restoring.restore(self._link, progress))

    async def devices(self) -> Sequence[roster.VaultDevice]:
        """See `Vault.devices`."""
        return await self._run(roster.devices(self._link))

    async def invite(self, request: str, *, valid_seconds: int = INVITATION_SECONDS) -> str:
        """See `Vault.invite`."""
        return await self._run(pairing.invite(self._link, request, valid_seconds))

    async def revoke(self, device_id: str) -> None:
        """See `Vault.revoke`."""
        await self._run(rotating.revoke(self._link, device_id))

    async def rotate(self) -> None:
        """See `Vault.rotate`."""
        await self._run(rotating.rotate(self._link))

    async def verify(self) -> leaving.Verified:
        """See `Vault.verify`."""
        return await self._run(leaving.verify(self._link))

    async def pass_over(self, seq: int) -> None:
        """See `Vault.pass_over`."""

        def write() -> None:
            with self._profile.transaction() as transaction:
                transaction.pass_over([seq])

        await self._work(write)

    async def accept_epoch(self) -> epochs.EpochAccepted:
        """See `Vault.accept_epoch`."""
        return await self._run(epochs.accept_epoch(self._link))

    async def erase(self) -> None:
        """See `Vault.erase`."""
        await self._run(leaving.erase(self._link))

    async def _work(self, work: Callable[[], R]) -> R:
        """Use the profile in a worker thread."""
        async with self._my_turn():
            return await _finished(asyncio.to_thread(work))

    async def _run(self, flow: Flow[R]) -> R:
        """Run a flow: its steps, which use the disk, in worker threads, its actions on the event loop."""
        async with self._my_turn():
            outcome: Outcome = None
            try:
                while True:
                    step: Action | Done[R] = await _finished(asyncio.to_thread(advance, flow, outcome))
                    if isinstance(step, Done):
                        return step.result
                    try:
                        outcome = await self._transport.perform(step)
                    except SyncRelayError as error:
                        outcome = error
            finally:
                flow.close()

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if self._owner is task:
            raise ValueError("an inbox, outbox or callback of this vault is open: leave it first")
        async with self._turn:
            self._owner = task
            try:
                yield
            finally:
                self._owner = None


async def _finished(step: Awaitable[R]) -> R:
    """Wait for a worker thread to its end, however often this task is cancelled meanwhile."""
    future = asyncio.ensure_future(step)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return future.result()
    with suppress(BaseException):
        future.result()  # nobody else asks for it
    raise cancelled


@asynccontextmanager
async def _in_threads(inner: AbstractContextManager[R]) -> AsyncIterator[R]:
    entering = asyncio.ensure_future(asyncio.to_thread(inner.__enter__))
    try:
        entered = await _finished(entering)
    except asyncio.CancelledError as error:
        if entering.exception() is None:
            await _left(inner, error)
        raise
    try:
        yield entered
    except BaseException as error:
        if not await _left(inner, error):
            raise
    else:
        await _left(inner, None)


async def _left(inner: AbstractContextManager[R], error: BaseException | None) -> bool:
    """Leave a context in a worker thread; return whether it took the error."""
    about = (None, None, None) if error is None else (type(error), error, error.__traceback__)
    return bool(await _finished(asyncio.to_thread(inner.__exit__, *about)))
