"""The command `sync-relay-server`: what stops its start, and the retention that runs beside it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from tests.e2e.conftest import StartRelay

pytestmark = pytest.mark.not_as_built(
    "the command is the embedded server's, whose retention a schedule calls where it is deployed"
)

GUARD_SECONDS = 30
SECRET = "a-secret-of-the-operator"


def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run the command to its end; return its exit status, standard output and standard error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
    environment = inherited | {"RELAY_DATA_DIR": str(folder), "RELAY_PORT": "0"} | variables
    command = [sys.executable, "-m", "local.cli", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=GUARD_SECONDS, check=False)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield str(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("serve", "RELAY_MAX_BATCH"),
        ("serve", "RELAY_RATE_LIMIT"),
        ("serve", "RELAY_NO_SUCH_VARIABLE"),
        ("maintain", "RELAY_MAX_BATCH"),
        ("new-epoch", "RELAY_MAX_BATCH"),
    ],
)
def test_a_bad_variable_stops_it_with_one_line_that_names_it(tmp_path: Path, command: str, name: str) -> None:
    status, output, errors = run(tmp_path, command, **{name: SECRET})
    assert (status, output) == (2, "")
    assert errors.startswith(f"sync-relay-server: {name}: ")
    assert errors.count("\n") == 1
    assert SECRET not in errors


def test_a_port_that_is_taken_stops_it(tmp_path: Path, taken_port: str) -> None:
    status, output, errors = run(tmp_path, "serve", RELAY_PORT=taken_port)
    assert (status, output, errors) == (1, "", "sync-relay-server: Address already in use\n")


def test_a_key_that_others_can_read_stops_it(tmp_path: Path) -> None:
    (tmp_path / "relay.key").write_bytes(b"k" * 32)
    (tmp_path / "relay.key").chmod(0o640)
    status, output, errors = run(tmp_path, "serve")
    assert (status, output) == (1, "")
    assert errors.startswith("sync-relay-server: the key file relay.key is open to other users")
    assert errors.count("\n") == 1


def test_what_stands_for_a_vault_in_the_log_is_told_to_who_has_the_relays_key(tmp_path: Path) -> None:
    vault_id = "0b6f7a52-3f0c-4f5e-9f4e-6a1d2c3b4a59"
    status, first, errors = run(tmp_path / "one", "vault-hash", vault_id)
    assert (status, len(first.strip()), errors) == (0, 16, "")
    assert run(tmp_path / "one", "vault-hash", vault_id)[1] == first
    assert run(tmp_path / "other", "vault-hash", vault_id)[1] != first
    assert run(tmp_path / "one", "vault-hash")[0] == 2


def test_a_data_directory_that_is_none_stops_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, output, errors = run(tmp_path / "file", "serve")
    assert (status, output, errors) == (1, "", "sync-relay-server: File exists\n")


@pytest.mark.parametrize("command", ["serve", "maintain", "new-epoch"])
def test_another_number_of_shards_than_the_store_was_made_with_stops_it(tmp_path: Path, command: str) -> None:
    assert run(tmp_path, "new-epoch", RELAY_SQLITE_SHARDS="4")[:2] == (0, "0 vaults have a new epoch\n")
    told = (1, "", "sync-relay-server: RELAY_SQLITE_SHARDS is 16, the store was made with 4\n")
    assert run(tmp_path, command, RELAY_SQLITE_SHARDS="16") == told


def test_a_sharded_store_whose_file_system_is_not_mounted_stops_it(tmp_path: Path) -> None:
    variables = {
        "RELAY_SQLITE_SHARDS": "4",
        "RELAY_BLOBS": "s3",
        "RELAY_BUCKET": "b" * 3,
        "RELAY_ADDRESS_KEY": "k" * 32,
    }
    region = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    status, output, errors = run(tmp_path / "mount", "serve", **variables, **region)
    assert (status, output, errors) == (1, "", "sync-relay-server: data directory missing\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["no-such-command"]])
def test_without_a_command_it_says_which_there_are(tmp_path: Path, arguments: list[str]) -> None:
    status, output, errors = run(tmp_path, *arguments)
    assert (status, output) == (2, "")
    assert "serve" in errors
    assert list(tmp_path.iterdir()) == []


def test_an_ipv6_address_is_told_as_a_url(start_relay: StartRelay) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    relay = start_relay(RELAY_HOST="::1")
    assert relay.url == f"http://[::1]:{relay.port}"
    assert httpx.get(f"{relay.url}/health").status_code == 200


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + GUARD_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"


def test_retention_runs_beside_the_server_again_and_again_also_after_a_failure(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_MAINTAIN_INTERVAL_SECONDS="1")
    uploads, away = relay.folder / "blobs" / ".uploads", relay.folder / "away"
    for _ in range(2):
        (uploads / "left by a killed upload").touch()
        wait_until(lambda: list(uploads.iterdir()) == [])
    failed = Event()

    def watch() -> None:
        if any('"store unavailable"' in line for line in relay.lines()):
            failed.set()

    uploads.rename(away)
    Thread(target=watch, daemon=True).start()
    assert failed.wait(GUARD_SECONDS)
    (away / "left by a killed upload").touch()
    away.rename(uploads)
    wait_until(lambda: list(uploads.iterdir()) == [])
    assert httpx.get(f"{relay.url}/health").status_code == 200
