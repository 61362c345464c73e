"""The command `sync-relay-server serve` on its socket, byte by byte: its limit, its end, whom it takes for whom."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from local.bounds import Bounds
from tests.e2e.conftest import StartRelay
from tests.e2e.wire import Wire
from tests.http.device import Device, uuid_of
from tests.http.served import Reply, refuses_connections
from tests.http.world import encode
from tools.embedded import EmbeddedRelay

DEVICES = 20
ROUNDS = 4
LARGE_BYTES = Bounds().large_body_bytes
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
A_DAY_SECONDS = 86_400
"""In a window of a day, a quota does not grow while a test runs."""


def wire_to(port: int, name: str = "one") -> Wire:
    return Wire(port, Device.named(name), uuid_of(f"vault of {name}"))


def body_of(wire: Wire, number: int, size_bytes: int) -> bytes:
    """Make a push whose body has exactly this size."""
    short = encode(wire.device.changeset(number, ciphertext=""))
    return encode(wire.device.changeset(number, ciphertext="x" * (size_bytes - len(short))))


# ---------------------------------------------------------------- its threads


def free_threads(pid: int) -> int:
    """Return how many threads of a process may run on every processor that this one may."""
    tasks = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(os.sched_getaffinity(task) == os.sched_getaffinity(0) for task in tasks)


@pytest.mark.not_as_built("Lambda places its instances' threads")
@pytest.mark.skipif(PROCESSORS == 1, reason="there is no other processor, or no way to tell")
def test_what_takes_turns_at_the_interpreter_stays_on_one_processor(tmp_path: Path) -> None:
    """But not what hashes or writes for long: retention from the start, and each of the first few large requests."""
    with EmbeddedRelay(tmp_path, RELAY_RATE_LIMIT="off") as relay, wire_to(relay.port) as wire:
        wire.found()
        retention = 1
        for number, size_bytes in enumerate((1_000, LARGE_BYTES - 1, LARGE_BYTES), 1):
            assert wire.request("POST", f"{wire.path}/changesets", body_of(wire, number, size_bytes)).status == 201
            assert wire.request("GET", wire.path).status == 200
            assert free_threads(relay.pid) == retention + (size_bytes == LARGE_BYTES)


# ---------------------------------------------------------------- the largest body


def in_one(wire: Wire, body: bytes) -> Reply:
    return wire.request("POST", f"{wire.path}/changesets", body)


def in_chunks(wire: Wire, body: bytes) -> Reply:
    return wire.request_in_chunks("POST", f"{wire.path}/changesets", body, 1_000_003)


@pytest.mark.parametrize("send", [in_one, in_chunks])
def test_the_largest_body_is_stored_and_one_byte_more_is_not(
    start_relay: StartRelay, send: Callable[[Wire, bytes], Reply]
) -> None:
    port, name = start_relay().port, send.__name__  # a vault of its own, where tests share a relay
    with wire_to(port, name) as wire:
        wire.found()
        limit = wire.request("GET", "/config").json["limits"]["max_body_bytes"]
        assert send(wire, body_of(wire, 1, limit)).status == 201
        reply = send(wire, body_of(wire, 2, limit + 1))
        assert (reply.status, reply.code, reply.json["limit"]) == (413, "body_too_large", limit)
    with wire_to(port, name) as wire:
        assert wire.head_seq() == 1


# ---------------------------------------------------------------- its end


@pytest.mark.not_as_built("signals end the embedded server, and Lambda its instances")
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_push_under_way_when_it_is_told_to_end_is_acknowledged_and_stored(
    start_relay: StartRelay, told: signal.Signals
) -> None:
    relay = start_relay()
    with wire_to(relay.port) as wire:
        wire.found()
        body = encode(wire.device.changeset(1))
        fields = [f"Content-Length: {len(body)}", "Expect: 100-continue"]
        wire.client.send(wire.head("POST", f"{wire.path}/changesets", body, fields))
        assert wire.client.reply().status == 100, "it is under way"
        os.kill(relay.pid, told)
        assert refuses_connections(relay.port)
        wire.client.send(body)
        reply = wire.client.reply()
        assert (reply.status, reply.headers["connection"]) == (201, ["close"])
    assert relay.wait() == 0
    relay.stop()
    relay.start()
    with wire_to(relay.port) as wire:
        assert [one["id"] for one in wire.pull().json["changesets"]] == [wire.device.changeset(1)["id"]]


@pytest.mark.not_as_built("signals end the embedded server, and Lambda its instances")
def test_told_twice_it_waits_for_nobody(start_relay: StartRelay) -> None:
    relay = start_relay()
    with wire_to(relay.port) as wire:
        wire.client.send(wire.head("POST", "/devices", b"{}", ["Content-Length: 2", "Expect: 100-continue"]))
        assert wire.client.reply().status == 100, "it is under way"
        os.kill(relay.pid, signal.SIGTERM)
        assert refuses_connections(relay.port)
        os.kill(relay.pid, signal.SIGTERM)
        assert wire.client.reply().code == "unavailable"
    assert relay.wait() == 0


# ---------------------------------------------------------------- whom it takes for whom


def test_twenty_devices_at_once_get_their_own_answers(start_relay: StartRelay) -> None:
    requests = 2 * ROUNDS + 1
    port = start_relay(RELAY_RATE_LIMIT=f"{requests * DEVICES}/{A_DAY_SECONDS}").port
    together = Barrier(DEVICES)

    def sync(number: int) -> None:
        with wire_to(port, str(number)) as wire:
            epoch = wire.found()["epoch"]
            changesets = [wire.device.changeset(f"{number}.{turn}") for turn in range(ROUNDS)]
            together.wait(30)
            left = requests * DEVICES
            for turn, changeset in enumerate(changesets):
                for reply in (wire.push(changeset), wire.pull()):
                    left -= 1
                    assert reply.status in {200, 201}
                    assert reply.json["epoch"] == epoch
                    assert reply.headers["ratelimit"][0].startswith(f'"vault";r={left};t=')
                    assert reply.headers["ratelimit-policy"] == [f'"vault";q={requests * DEVICES};w={A_DAY_SECONDS}']
                    received = reply.json.get("receipts") or reply.json["changesets"][turn:]
                    assert [(one["id"], one["seq"]) for one in received] == [(changeset["id"], turn + 1)]
            pulled = wire.pull().json["changesets"]
            assert [{name: one[name] for name in changesets[0]} for one in pulled] == changesets

    with ThreadPoolExecutor(DEVICES) as pool:
        list(pool.map(sync, range(DEVICES)))


def statuses_of(port: int, *addresses: str) -> list[int]:
    """Ask for a vault once as each of these addresses."""
    with wire_to(port) as wire:
        wire.found()
        replies = [wire.request("GET", wire.path, fields=[f"X-Forwarded-For: {address}"]) for address in addresses]
        return [reply.status for reply in replies]


@pytest.mark.not_as_built("API Gateway tells a function the address, not a proxy")
def test_clients_behind_a_trusted_proxy_are_counted_apart(start_relay: StartRelay) -> None:
    port = start_relay(RELAY_RATE_LIMIT=f"1/{A_DAY_SECONDS}", RELAY_TRUSTED_PROXIES="127.0.0.1/32").port
    forged = "192.0.2.3, 192.0.2.1"  # what a client claims stands left of what the proxy adds
    assert statuses_of(port, "192.0.2.1", "192.0.2.2", "192.0.2.1", forged) == [200, 200, 429, 429]


@pytest.mark.not_as_built("API Gateway tells a function the address, not a proxy")
def test_nobody_else_gets_around_the_limit_by_naming_addresses(start_relay: StartRelay) -> None:
    port = start_relay(RELAY_RATE_LIMIT=f"1/{A_DAY_SECONDS}", RELAY_TRUSTED_PROXIES="192.0.2.0/24").port
    assert statuses_of(port, "192.0.2.1", "192.0.2.2", "192.0.2.1") == [200, 429, 429]


@pytest.mark.not_as_built("this is about the process that the tests and the demo start")
def test_a_relay_whose_lines_nobody_reads_goes_on_answering(tmp_path: Path) -> None:
    """Its log goes through a pipe, which holds some 64 KiB."""
    with EmbeddedRelay(tmp_path / "relay", RELAY_RATE_LIMIT="off") as relay:
        with wire_to(relay.port) as wire:
            for _ in range(1000):
                assert wire.request("GET", wire.path).status == 401
        assert len(relay.stop()) > 2 * 65_536
