"""The relay on SQLite and files does what the plain model does, however often it is restarted."""

from itertools import count
from pathlib import Path

import pytest

from relay.adapters.sqlite.connections import Journal
from tests.figures import Report
from tests.model.run import run
from tests.model.stores import DiskStores


@pytest.mark.parametrize(("shards", "journal"), [(1, "wal"), (3, "delete")], ids=["one file, WAL", "shards, rollback"])
def test_a_relay_on_a_disk_does_what_the_model_does(home: Path, report: Report, shards: int, journal: Journal) -> None:
    numbers = count()

    def open_stores(_: object) -> DiskStores:
        (folder := home / str(next(numbers))).mkdir()
        return DiskStores(folder, shards, journal)

    run(open_stores, 20, 1 + shards, report)
