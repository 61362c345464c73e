"""Whether a guesser can tell by time a vault of others from none: each answered in turn, and the two samples compared.

`python -m bench.alike [SAMPLES]`. Of each pair the order is drawn. Told of each store: both medians; the median of the
differences within pairs, with a 99 % interval that supposes no distribution (by the order statistics); and the
probability that an answer about a vault that is there takes longer than one about none (Mann and Whitney's U over n²),
with the 99 % interval that it has where there is no difference. A half means that one answer tells nothing.
"""

import random
import secrets
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import NormalDist, median
from tempfile import TemporaryDirectory

import httpx

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.memory import MemoryLimiter, MemoryLog
from relay.adapters.s3 import S3Texts
from relay.adapters.sqlite import SqliteLimiter, SqliteLog
from relay.config import Settings
from relay.ports import Limiter, Log
from relay_protocol.limits import Limits
from relay_protocol.signing import Message, sign
from tests.http.device import Device, uuid_of
from tests.http.world import World
from tools.embedded import EmbeddedRelay
from tools.stand_ins.aws import dynamodb, dynamodb_served, new_bucket, new_limiter_table, new_log_table, s3_served

SAMPLES = 20_000
WARM_UP = 500
CONFIDENCE = 0.99
SEED = 20
STRANGER = Device.named("stranger")
NOWHERE = uuid_of("nowhere")

Ask = Callable[[str], int]
"""Asks about a vault, and returns how long the answer took, in nanoseconds."""


def compare(ask: Ask, theirs: str, none: str, samples: int) -> tuple[list[int], list[int]]:
    """Ask about both in pairs; return how long each took."""
    draw = random.Random(SEED)
    took: dict[str, list[int]] = {theirs: [], none: []}
    for number in range(-WARM_UP, samples):
        for vault_id in draw.sample((theirs, none), 2):
            taken = ask(vault_id)
            if number >= 0:
                took[vault_id].append(taken)
    return took[theirs], took[none]


def superiority(theirs: list[int], none: list[int]) -> float:
    """Return the share of all pairs in which theirs is the longer one, ties by half: U / n²."""
    ordered = sorted(none)
    below = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in theirs)
    return below / 2 / len(theirs) / len(none)


def report(name: str, theirs: list[int], none: list[int]) -> None:
    """Print one line of the table."""
    pairs, z = len(theirs), NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    differences = sorted(one - other for one, other in zip(theirs, none, strict=True))
    half = z * pairs**0.5 / 2
    low, high = differences[int(pairs / 2 - half)], differences[min(pairs - 1, int(pairs / 2 + half) + 1)]
    spread = z * ((2 * pairs + 1) / (12 * pairs * pairs)) ** 0.5
    print(
        f"| {name} | {pairs} | {median(theirs) / 1000:.1f} | {median(none) / 1000:.1f} |"
        f" {median(differences) / 1000:+.2f} ({low / 1000:+.2f} to {high / 1000:+.2f}) |"
        f" {superiority(theirs, none):.4f} (0.5 ± {spread:.4f}) |",
        flush=True,
    )


def _unlike_any_before() -> dict[str, str]:
    """Return a field that is signed and otherwise ignored: how long a signature takes to verify depends on its bits."""
    return {"if-match": f'"{secrets.token_urlsafe(32)}"'}


def in_process(log: Log, limiter: Limiter) -> tuple[Ask, str]:
    """Return how to ask a relay's handlers, and the vault of others in it."""
    world = World(log, limiter, Settings(limits=Limits(rate_limit=None)))
    vault = world.found()
    vault.fill(range(100))
    assert world.found(STRANGER).founder == STRANGER

    def ask(vault_id: str) -> int:
        event = world.draft(STRANGER, "GET", f"/vaults/{vault_id}/changesets", headers=_unlike_any_before()).event()
        begun = time.perf_counter_ns()
        answer = world.handle(event)
        taken = time.perf_counter_ns() - begun
        assert answer.status == 404
        return taken

    return ask, vault.id


@contextmanager
def through_a_socket(folder: Path) -> Iterator[tuple[Ask, str]]:
    """Run the embedded relay; yield how to ask it, and the vault of others in it."""
    quiet = {"RELAY_RATE_LIMIT": "off", "RELAY_LOG_LEVEL": "ERROR"}
    with EmbeddedRelay(folder, **quiet) as relay, httpx.Client(base_url=relay.url) as client:
        host = relay.url.removeprefix("http://")

        def send(device: Device, method: str, path: str, body: bytes = b"") -> tuple[int, int]:
            fields = {"content-type": "application/json"} if body else _unlike_any_before()
            headers = fields | sign(Message(method, host, path, (), fields, body), device.key, int(time.time()))
            begun = time.perf_counter_ns()
            answer = client.request(method, path, headers=headers, content=body)
            return answer.status_code, time.perf_counter_ns() - begun

        def found(device: Device, vault_id: str) -> None:
            body = f'{{"vault_id":"{vault_id}","public_key":"{device.public_key}"}}'.encode()
            assert send(device, "POST", "/devices", body)[0] == 201

        def ask(vault_id: str) -> int:
            status, taken = send(STRANGER, "GET", f"/vaults/{vault_id}/changesets")
            assert status == 404
            return taken

        theirs = uuid_of("theirs")
        found(Device.named("founder"), theirs)
        found(STRANGER, uuid_of("the stranger's"))
        yield ask, theirs


def main(samples: int) -> None:
    """Print the table."""
    print("| | pairs | vault of others, µs | no vault, µs | difference within pairs, µs | theirs takes longer |")
    print("|---|---|---|---|---|---|")
    ask, theirs = in_process(MemoryLog(), MemoryLimiter())
    report("memory", *compare(ask, theirs, NOWHERE, samples))
    with TemporaryDirectory() as folder:
        place = Path(folder)
        ask, theirs = in_process(SqliteLog(place / "relay.sqlite3"), SqliteLimiter(place / "limiter.sqlite3"))
        report("SQLite", *compare(ask, theirs, NOWHERE, samples))
        with through_a_socket(place / "embedded") as (ask, theirs):
            report("SQLite, embedded server, over loopback", *compare(ask, theirs, NOWHERE, samples))
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url:
        client = dynamodb(dynamodb_url)
        log = DynamoLog(client, new_log_table(client), S3Texts(new_bucket(s3_url)))
        ask, theirs = in_process(log, DynamoLimiter(client, new_limiter_table(client)))
        report("DynamoDB's stand-in", *compare(ask, theirs, NOWHERE, samples // 10))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
