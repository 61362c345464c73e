"""The data directory on a network file system that fails: each call is told by one short reason, and nothing is lost.

Once the file system is back the store goes on by itself: no connection with a stale handle is used again.
"""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relay.adapters.sqlite import ShardedSqliteLimiter, ShardedSqliteLog
from relay.adapters.sqlite.connections import Journal
from relay.config import Settings
from relay.ports import Quota, StoreUnavailable
from tests.contract.log_world import TestedVault, seqs_in, uuid
from tests.contract.sqlite_system_calls import WRITES, Hook, system_calls
from tests.http.device import Device
from tests.http.world import World

ROOT = Path(__file__).parents[2]
SHARDS = 2
READS = ("pread", "pread64", "read")

Call = Callable[[TestedVault], object]
PUSH: Call = lambda vault: vault.push(9)  # noqa: E731 -- a row of the table below
PULL: Call = lambda vault: vault.page()  # noqa: E731


@pytest.fixture(params=["delete", "persist"])
def journal(request: pytest.FixtureRequest) -> Journal:
    journal: Journal = request.param
    return journal


@pytest.fixture
def log(tmp_path: Path, journal: Journal) -> Iterator[ShardedSqliteLog]:
    log = ShardedSqliteLog(tmp_path, SHARDS, journal=journal, busy_timeout_seconds=0.05)
    yield log
    log.close()


@pytest.fixture
def vault(log: ShardedSqliteLog) -> TestedVault:
    vault = TestedVault(log, uuid(1)).found()
    vault.push(1, 2, 3)
    return vault


def failing(error: int, *calls: str) -> Hook:
    return lambda name: error if name in calls else None


def is_whole(vault: TestedVault) -> bool:
    return seqs_in(vault.page()) == [1, 2, 3] and vault.push(9)[0].seq == 4 and seqs_in(vault.page(3)) == [4]


@pytest.mark.parametrize(
    ("call", "hook", "reason"),
    [
        pytest.param(PUSH, failing(errno.ESTALE, *READS, "fstat"), "I/O error", id="push: stale handle"),
        pytest.param(PUSH, failing(errno.ESTALE, "fcntl"), "I/O error", id="push: stale handle at the lock"),
        pytest.param(PUSH, failing(errno.EIO, *WRITES), "I/O error", id="push: server away"),
        pytest.param(PUSH, failing(errno.ENOSPC, *WRITES), "disk full", id="push: full"),
        pytest.param(PUSH, failing(errno.EDQUOT, *WRITES), "I/O error", id="push: over the quota"),
        pytest.param(PUSH, failing(errno.EROFS, "open"), "cannot be opened", id="push: read-only since"),
        pytest.param(PUSH, failing(errno.ENOLCK, "fcntl"), "locked", id="push: no lock to be had"),
        pytest.param(PULL, failing(errno.ESTALE, *READS, "fstat"), "I/O error", id="pull: stale handle"),
        pytest.param(PULL, failing(errno.ESTALE, "fcntl"), "I/O error", id="pull: stale handle at the lock"),
        pytest.param(PULL, failing(errno.ENOLCK, "fcntl"), "locked", id="pull: no lock to be had"),
    ],
)
def test_a_file_system_that_fails_under_an_open_store_is_told(
    vault: TestedVault, call: Call, hook: Hook, reason: str
) -> None:
    with system_calls(hook), pytest.raises(StoreUnavailable, match=f"^{reason}$"):
        call(vault)
    assert is_whole(vault)


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        pytest.param(failing(errno.ESTALE, "open"), "cannot be opened", id="stale handle"),
        pytest.param(failing(errno.EACCES, "open"), "cannot be opened", id="no permission"),
        pytest.param(failing(errno.ENOLCK, "fcntl"), "locked", id="no lock to be had"),
        pytest.param(failing(errno.EIO, *READS), "I/O error", id="server away"),
    ],
)
def test_a_file_system_that_fails_when_the_store_is_opened_is_told(
    log: ShardedSqliteLog, vault: TestedVault, hook: Hook, reason: str
) -> None:
    log.close()
    with system_calls(hook):
        for call in (PUSH, PULL):
            with pytest.raises(StoreUnavailable, match=f"^{reason}$"):
                call(vault)
    assert is_whole(vault)


@pytest.mark.parametrize("error", [errno.ESTALE, errno.EIO, errno.EACCES])
def test_a_directory_that_cannot_be_looked_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """As the kernel answers for a mount whose server is gone, or that was exported anew."""
    log, is_dir = ShardedSqliteLog(tmp_path, SHARDS, journal="persist"), Path.is_dir

    def fails(self: Path) -> bool:
        if self == tmp_path:
            raise OSError(error, os.strerror(error))
        return is_dir(self)

    monkeypatch.setattr(Path, "is_dir", fails)
    with pytest.raises(StoreUnavailable, match=f"^data directory: {errno.errorcode[error]}$"):
        log.ping()
    with pytest.raises(StoreUnavailable, match=r"^cannot be opened$"):
        ShardedSqliteLimiter(tmp_path, SHARDS, journal="persist").take(b"key", Quota(1, 1), 0)
    monkeypatch.undo()
    log.ping()
    log.close()


@pytest.mark.parametrize(
    ("error", "reason"), [(errno.ESTALE, "I/O error"), (errno.ENOSPC, "disk full"), (errno.ENOLCK, "locked")]
)
def test_a_client_gets_503_and_the_operator_a_line(
    tmp_path: Path, log: ShardedSqliteLog, error: int, reason: str
) -> None:
    limiter = ShardedSqliteLimiter(tmp_path, SHARDS, journal="persist", busy_timeout_seconds=0.05)
    world = World(log, limiter, Settings())
    vault = world.found()
    changeset = Device.named("founder 1").changeset(1)
    with system_calls(failing(error, "fcntl" if error == errno.ENOLCK else "pwrite64", "pwrite", "write")):
        answer = vault.push(changeset)
        assert (answer.status, answer.code) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert [about[-1] for about in world.telemetry.of("store_unavailable")] == [reason]
    assert [about[-1] for about in world.telemetry.of("limiter_failed")] == [reason]
    assert vault.push(changeset).status == 201
    limiter.close()


# ---------------------------------------------------------------- killed at any step of a push


def test_a_push_that_is_killed_at_any_step_is_there_whole_or_not_at_all(
    tmp_path: Path, journal: Journal, log: ShardedSqliteLog
) -> None:
    TestedVault(log, uuid(1)).found()
    log.close()
    command = [sys.executable, "-m", "tests.contract.sqlite_suicide", str(tmp_path), journal]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    *died, last = lines
    assert last == "lived 3"
    assert died.count("died 0") > 10, "its journal and its pages are written in many steps"
    assert set(died) <= {"died 0", "died 3"}
