"""Zero knowledge at run time (§10): what clients seal is seen in the places that are listed, and at no other sink.

Each test runs twice: with `Sealed` as it is, and with one that is no more than its value ("plain"), so that what the
type would stop is seen to reach no sink even without it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.memory import MemoryLimiter
from relay.adapters.s3 import S3Texts
from relay.adapters.sqlite import SqliteLimiter, SqliteLog
from relay.config import Settings
from relay_protocol import sealed
from relay_protocol.sealed import Sealed
from tests.http.world import World, new_telemetry
from tests.zk.drive import Drive, WatchedTelemetry
from tests.zk.held import held
from tests.zk.places import IN_AWS, IN_PARSERS, IN_SQLITE, found_in
from tests.zk.sinks import Sinks, watch_aws, watched
from tools.stand_ins.aws import dynamodb, new_bucket, new_log_table

KINDS = {"INSERT", "UPDATE", "sqlite", "sqlite,", "log", "standard", "held", "GET", "POST", "DELETE", "event"}
"""A search that looks at nothing finds nothing."""


def _an_instance(kind: type[Sealed[str]], _: str) -> Sealed[str]:
    """What `Sealed.__new__` does by itself. A class whose `__new__` was set once can't go back to having none."""
    return object.__new__(kind)


@pytest.fixture(autouse=True, params=["by_type", "plain"])
def _kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the type away, or leave it."""
    if request.param == "by_type":
        yield
        return
    monkeypatch.setattr(sealed, "_reveal", lambda value: value)
    Sealed.__new__ = lambda _, value: value  # type: ignore[method-assign,assignment,misc]
    yield
    Sealed.__new__ = _an_instance  # type: ignore[method-assign,assignment]


def driven(world: World, sinks: Sinks, capfd: pytest.CaptureFixture[str], *, metrics: bool) -> Drive:
    """Drive a relay that logs at DEBUG, or writes metrics; note what it wrote and what it still holds."""
    telemetry = WatchedTelemetry(new_telemetry("DEBUG", request_metrics=metrics), sinks)
    drive = Drive(world, sinks, telemetry)
    drive.run()
    told = capfd.readouterr()
    for line in told.out.splitlines() + told.err.splitlines():
        sinks.note("standard streams", line)
    sinks.passed += held(world.relay)
    assert telemetry.defects == []
    assert "SealedError" not in told.out + told.err, "logging tells of what it could not format, and goes on"
    return drive


def test_on_sqlite_what_is_sealed_is_seen_where_it_may_be_and_nowhere_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with watched(tmp_path) as sinks:
        log = SqliteLog(tmp_path / "relay.sqlite3")
        world = World(log, SqliteLimiter(tmp_path / "limiter.sqlite3"), Settings(data_dir=tmp_path, log_level="DEBUG"))
        drive = driven(world, sinks, capfd, metrics=False)
        log.close()
    assert {place.split()[0] for place, _ in sinks.passed} >= KINDS
    assert found_in(drive.canaries.values(), sinks.passed) - IN_PARSERS == IN_SQLITE


def test_on_aws_what_is_sealed_is_seen_where_it_may_be_and_nowhere_else(
    dynamodb_url: str, s3_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    client, bucket = dynamodb(dynamodb_url), new_bucket(s3_url)
    with watched(tmp_path) as sinks:
        log = DynamoLog(client, new_log_table(client), S3Texts(bucket))
        watch_aws(client, sinks)
        watch_aws(bucket.client, sinks)
        drive = driven(World(log, MemoryLimiter(), Settings(log_level="DEBUG")), sinks, capfd, metrics=True)
        log.close()
    assert found_in(drive.canaries.values(), sinks.passed) - IN_PARSERS == IN_AWS
