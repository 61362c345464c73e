"""The vault for asyncio: the same from end to end, and tasks take turns."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_relay_client import AsyncVault, Options, Retry, Vault
from sync_relay_client.errors import EpochChanged, RelayRefused
from sync_relay_client.profile.database import Database
from tests.client.app import applied, change_of, sync
from tests.client.crash import Stage
from tests.client.relay_in_process import RelayInProcess

GUARD_SECONDS = 30
"""After which a test fails rather than hangs."""


def test_both_vaults_have_the_same_methods() -> None:
    """`device_id` and `head` are in the status, `api_key` is the app's own: a property can't be awaited."""
    names = {name for name, _ in inspect.getmembers(Vault) if not name.startswith("_")}
    of_async = {name for name, _ in inspect.getmembers(AsyncVault) if not name.startswith("_")}
    assert of_async == names - {"api_key", "device_id", "head"}
    for name in of_async - {"inbox", "outbox"}:
        ours, theirs = inspect.signature(getattr(Vault, name)), inspect.signature(getattr(AsyncVault, name))
        assert ours.parameters == theirs.parameters, name


async def apply(vault: AsyncVault) -> list[bytes]:
    """Apply what waits; return its payloads, a restored content as one of them."""
    async with vault.inbox() as inbox:
        payloads = [] if inbox.restored is None else [inbox.restored.path.read_bytes()]
        return payloads + [one.change.payload for one in inbox]


def test_the_same_from_end_to_end(relay: RelayInProcess, home: Path) -> None:
    options = relay.options()

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            laptop = await enter(await AsyncVault.create(home / "laptop", relay.url, options=options))
            words = await laptop.recovery_words()
            assert words is not None
            await laptop.forget_recovery_words()
            assert await laptop.recovery_words() is None

            code = await laptop.invite(await AsyncVault.request(home / "phone", options=options))
            phone = await enter(await AsyncVault.join(home / "phone", code, options=options))
            assert (await laptop.push(change_of(b"1"), change_of(b"2"))).changes == 2
            assert (await phone.pull()).changes == 2
            assert await apply(phone) == [b"1", b"2"]
            async with phone.outbox() as outbox:
                outbox.add(change_of(b"3"))
            assert (await phone.sync()).sent == 1
            await phone.rotate()
            await laptop.sync()
            assert await apply(laptop) == [b"1", b"2", b"3"]
            assert await apply(phone) == [b"3"]
            assert (await laptop.verify()).head == (await phone.status()).head

            made = await laptop.snapshot(lambda file, _: file.writelines([b"all of it"]))
            relay.prune()
            tablet = await enter(await AsyncVault.recover(home / "tablet", relay.url, words, options=options))
            assert (await tablet.sync()).pulled.restored
            assert await apply(tablet) == [b"all of it"]
            assert not await tablet.restore()
            assert made.covers.seq < (await tablet.status()).head.seq

            phone_id = (await phone.status()).device_id
            await tablet.revoke(phone_id)
            with pytest.raises(RelayRefused):
                await phone.pull()
            assert {one.device_id for one in await tablet.devices() if not one.belongs} == {phone_id}
            relay.new_epoch()
            with pytest.raises(EpochChanged):
                await laptop.pull()
            assert (await laptop.accept_epoch()).lost_changesets == 0
            await laptop.pull()
            await laptop.erase()
            assert (await laptop.status()).erased

        async with await AsyncVault.open(home / "laptop", options=options) as again:
            assert (await again.status()).erased

    asyncio.run(scenario())


def test_over_a_real_connection_blobs_stream(home: Path, embedded: Any) -> None:
    """Uploads and downloads have code of their own here."""
    content = bytes(range(256)) * 10_000
    options = Options(keyring="file")
    told: list[tuple[int, int]] = []

    async def scenario() -> None:
        laptop = await AsyncVault.create(home / "laptop", embedded.url, options=options)
        code = await laptop.invite(await AsyncVault.request(home / "phone", options=options))
        await laptop.sync()
        await laptop.snapshot(lambda file, _: file.writelines([content]), progress=lambda *now: told.append(now))
        phone = await AsyncVault.join(home / "phone", code, options=options)
        sent = len(told)
        assert await phone.restore(progress=lambda *now: told.append(now))
        assert await apply(phone) == [content]
        assert 0 < sent < len(told)
        assert max(done for done, _ in told) >= len(content)
        await laptop.close()
        await phone.close()

    asyncio.run(scenario())


# ---------------------------------------------------------------- turns


async def opened(stage: Stage) -> AsyncVault:
    return await AsyncVault.open(stage.home / "this", options=stage.relay.options())


def test_tasks_take_turns(stage: Stage) -> None:
    async def scenario() -> None:
        async with await opened(stage) as vault:
            await asyncio.gather(*(vault.push(change_of(b"%d" % number)) for number in range(8)), vault.sync())
            assert (await vault.status()).outbox == 0

    asyncio.run(scenario())
    with Vault.open(stage.home / "this", options=stage.relay.options()) as this:
        sync(this)
    assert sorted(applied(stage.home / "this")) == sorted([b"theirs", b"ours", *(b"%d" % n for n in range(8))])


def test_a_task_waits_for_another_one_s_inbox(stage: Stage) -> None:
    async def scenario() -> None:
        async with await opened(stage) as vault:
            await vault.pull()
            async with vault.inbox() as inbox:
                beside = asyncio.create_task(vault.sync())
                for _ in range(20):
                    await asyncio.sleep(0)
                assert not beside.done()
                assert len(inbox) == 1
            await beside

    asyncio.run(scenario())


def test_using_the_vault_within_is_told_rather_than_waited_for(stage: Stage) -> None:
    async def scenario() -> None:
        async with await opened(stage) as vault:
            async with asyncio.timeout(GUARD_SECONDS), vault.inbox():
                with pytest.raises(ValueError, match="leave it first"):
                    await vault.sync()
            async with asyncio.timeout(GUARD_SECONDS), vault.outbox():
                with pytest.raises(ValueError, match="leave it first"):
                    await vault.status()
            await vault.sync()

    asyncio.run(scenario())


def test_an_app_that_fails_while_applying_gets_the_changes_again(stage: Stage) -> None:
    async def fail(vault: AsyncVault) -> None:
        async with vault.inbox() as inbox:
            inbox.connection.execute("CREATE TABLE half_done (a)")
            raise KeyError("the app's own")

    async def scenario() -> None:
        async with await opened(stage) as vault:
            await vault.pull()
            with pytest.raises(KeyError):
                await fail(vault)
            async with vault.inbox() as inbox:
                assert len(inbox) == 1
                inbox.connection.execute("CREATE TABLE half_done (a)")

    asyncio.run(scenario())


def test_the_event_loop_is_not_blocked_by_the_disk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    begin = Database._begin

    def watched(database: Database, statement: str) -> None:
        threads.add(threading.get_ident())
        begin(database, statement)

    async def scenario() -> None:
        vault = await opened(stage)
        monkeypatch.setattr(Database, "_begin", watched)
        await vault.sync()
        async with vault.inbox():
            pass
        async with vault.outbox() as outbox:
            outbox.add(change_of(b"more"))
        await vault.status()
        await vault.close()

    asyncio.run(scenario())
    assert threads
    assert threading.get_ident() not in threads


def test_watching(stage: Stage) -> None:
    """Offline it goes on trying; it yields what came, and ends when its task does."""
    failures = [httpx.ConnectError("offline"), httpx.ReadTimeout("late")]

    def weather(request: httpx.Request, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        if failures and request.method == "GET":
            raise failures.pop()
        return answer(request)

    async def scenario() -> None:
        options = stage.relay.options(retry=Retry(max_attempts=1))
        stage.relay.meddle = weather
        async with await AsyncVault.open(stage.home / "this", options=options) as vault:
            async for news in vault.watch(interval_seconds=0):
                assert news.changes == 2
                break
        assert not failures

    asyncio.run(scenario())
