"""Who guesses vault ids learns nothing from how long it takes: for a vault of others and for none the same is done."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from relay.adapters.memory import MemoryLimiter, MemoryLog
from relay.adapters.sqlite import ShardedSqliteLog, SqliteLimiter, SqliteLog
from relay.adapters.sqlite.layout import shard_of
from relay.config import Settings
from relay.ports import Limiter, Log
from tests.http.access_stage import Ask, Asked, Stage, ask
from tests.http.device import uuid_of
from tests.http.waited_limiter import WaitedLimiter
from tests.http.worked import counted_connections, watched
from tests.http.world import Vault, World
from tools.access.matrix import ROWS

IN_A_VAULT = [
    pytest.param(ask(row.name, row.method, row.resource), id=row.name) for row in ROWS if "{vault_id}" in row.resource
]
SHARDS = 4
STEPS_OF_A_FOUND_KEY = 1
"""To take the number of a vault from the index once it is found there, some ten nanoseconds: the one step that SQLite
does for a vault that is there alone."""


@pytest.fixture(params=["memory", "a limiter that is waited for", "sqlite", "shards"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with counted_connections():
        log, limiter = _stores(request.param, tmp_path)
        yield World(log, limiter, Settings())


def _stores(kind: str, directory: Path) -> tuple[Log, Limiter]:
    match kind:
        case "memory":
            return MemoryLog(), MemoryLimiter()
        case "sqlite":
            return SqliteLog(directory / "relay.sqlite3"), SqliteLimiter(directory / "limiter.sqlite3")
        case "shards":
            return ShardedSqliteLog(directory, SHARDS), SqliteLimiter(directory / "limiter.sqlite3")
    return MemoryLog(), WaitedLimiter()


def absent_like(vault: Vault) -> Vault:
    """Return a vault that is not there, whose id belongs to the same file. That, anyone can tell from the id."""
    shard = shard_of(vault.id.encode(), SHARDS)
    ids = (uuid_of(f"absent {number}") for number in count())
    return replace(vault, id=next(one for one in ids if shard_of(one.encode(), SHARDS) == shard))


@pytest.mark.parametrize("asked", IN_A_VAULT)
def test_a_vault_of_others_and_none_take_the_same_work(world: World, asked: Ask) -> None:
    stage = Stage(world)
    vaults = (stage.vault, absent_like(stage.vault))
    theirs, none = (asked(Asked(stage, stage.outsider, vault)).event() for vault in vaults)
    with watched(world) as worked:
        for event in (theirs, none):  # connections are opened, statements prepared
            world.handle(event)
        of_theirs = worked.during(lambda: world.handle(theirs))
        of_none = worked.during(lambda: world.handle(none))
    assert of_theirs.done == of_none.done
    assert of_theirs.done.count("verify") == 1
    assert of_theirs.done.count("log.find_signer") == 1
    assert abs(of_theirs.steps - of_none.steps) <= STEPS_OF_A_FOUND_KEY


def test_steps_and_statements_of_sqlite_are_counted(tmp_path: Path) -> None:
    with counted_connections():
        world = World(SqliteLog(tmp_path / "relay.sqlite3"), MemoryLimiter(), Settings())
        vault = world.found()
        with watched(world) as worked:
            work = worked.during(vault.pull)
    assert work.steps > 20
    assert any("SELECT public_key" in one for one in work.done)
