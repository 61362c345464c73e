"""The relay's root key: made once, for all processes, and never one that somebody else could read or cut short."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relay.adapters.filesystem import load_or_create_key
from relay.ports import StoreUnavailable
from tests.contract.failing_disk import file_size_limit

PROCESSES = 8
STARTER = """
import sys
from pathlib import Path
from relay.adapters.filesystem import load_or_create_key

print("up", flush=True)
sys.stdin.read()
print(load_or_create_key(Path(sys.argv[1])).hex())
"""
"""A relay that starts once its standard input ends."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.key"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    usual = os.umask(mask)
    try:
        yield
    finally:
        os.umask(usual)


def test_a_first_start_makes_a_key_that_its_owner_alone_can_read(path: Path) -> None:
    with umask(0):
        key = load_or_create_key(path)
    assert path.read_bytes() == key
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_every_later_start_finds_the_same_key(path: Path) -> None:
    assert load_or_create_key(path) == load_or_create_key(path)


def test_every_relay_draws_its_own(path: Path) -> None:
    assert load_or_create_key(path) != load_or_create_key(path.with_name("other.key"))


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666])
def test_a_key_that_others_can_use_is_refused_with_what_to_do(path: Path, mode: int) -> None:
    key = load_or_create_key(path)
    path.chmod(mode)
    with pytest.raises(StoreUnavailable) as refused:
        load_or_create_key(path)
    assert refused.value.reason == "the key file relay.key is open to other users: its mode must be 0600"
    path.chmod(0o400)
    assert load_or_create_key(path) == key


@pytest.mark.parametrize("size", [0, 31, 33, 100])
def test_a_key_of_another_length_is_refused_and_left_as_it_is(path: Path, size: int) -> None:
    path.touch(mode=0o600)
    path.write_bytes(b"k" * size)
    with pytest.raises(StoreUnavailable, match=r"^the key file relay\.key does not hold 32 bytes$"):
        load_or_create_key(path)
    assert path.read_bytes() == b"k" * size


@pytest.mark.parametrize(("place", "symbol"), [(".", "EISDIR"), ("absent/relay.key", "ENOENT")])
def test_a_key_that_cannot_be_read_or_made_is_told(tmp_path: Path, place: str, symbol: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"^the key file .*: {symbol}$"):
        load_or_create_key(tmp_path / place)


def test_a_full_disk_leaves_no_half_of_a_key(path: Path) -> None:
    with file_size_limit(16), pytest.raises(StoreUnavailable, match=r"^the key file relay\.key: EFBIG$"):
        load_or_create_key(path)
    assert list(path.parent.iterdir()) == []
    assert len(load_or_create_key(path)) == 32


def test_processes_that_start_at_once_get_the_same_key(path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    keys = []
    for process in processes:
        assert process.stdout is not None
        keys.append(process.stdout.read().strip())
        process.stdout.close()
        assert process.wait() == 0
    assert keys == [path.read_bytes().hex()] * PROCESSES
    assert list(path.parent.iterdir()) == [path]
