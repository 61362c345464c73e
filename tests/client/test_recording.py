"""What can't be sent is refused as it is recorded: in the outbox it would stop all that comes after it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from relay_protocol.changeset import MAX_SCHEMA_VERSION
from sync_relay_client import Change, Outbox
from sync_relay_client.profile.database import Database

NOTE = Change("ana", "2026-04-26T09:30:04Z", "upsert", "note", "1", b"milk")


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    with closing(Database(None)) as database:
        yield Outbox(database.connection)


@pytest.mark.parametrize("version", [-1, MAX_SCHEMA_VERSION + 1])
def test_a_schema_version_that_the_relay_has_no_room_for(outbox: Outbox, version: int) -> None:
    with pytest.raises(ValueError, match="schema version"):
        outbox.add(NOTE, schema_version=version)


@pytest.mark.parametrize("version", [0, MAX_SCHEMA_VERSION])
def test_the_first_and_the_last_schema_version_are_recorded(outbox: Outbox, version: int) -> None:
    assert outbox.add(NOTE, schema_version=version)
