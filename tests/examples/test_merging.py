"""Merging edits of the household's ledger: any order, any number of times, the same tables."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.household.hlc import Stamp
from examples.household.merging import Cells, create_tables, decode, encode, latest_stamp, merge, rows

STAMPS = st.builds(Stamp, st.integers(0, 3), st.integers(0, 2), st.sampled_from(["laptop", "phone", "tablet"]))
EARLY, LATE = Stamp(1, 0, "laptop"), Stamp(2, 0, "phone")


def cells_of(stamp: Stamp) -> Cells:
    """What a device sets at a stamp: it draws each for one edit."""
    note: Cells = {"note": (str(stamp), stamp)}
    return {**note, "cents": (stamp.millis, stamp)} if stamp.counter else note


EDITS = st.lists(st.tuples(st.sampled_from(["bread", "rent"]), STAMPS.map(cells_of)))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        create_tables(connection)
        yield connection


def merged(edits: Sequence[tuple[str, Cells]]) -> tuple[list[tuple[str, str, Cells]], Stamp | None]:
    """Return all rows after some edits, and the greatest stamp."""
    with closing(sqlite3.connect(":memory:")) as connection:
        create_tables(connection)
        for row_id, cells in edits:
            merge(connection, "entries", row_id, cells)
        return list(rows(connection)), latest_stamp(connection)


@given(EDITS, st.data())
def test_the_order_and_the_number_of_times_do_not_matter(edits: list[tuple[str, Cells]], data: st.DataObject) -> None:
    others = [
        *data.draw(st.permutations(edits)),
        *data.draw(st.lists(st.sampled_from(edits)) if edits else st.just([])),
    ]
    assert merged(edits) == merged(others)


@given(EDITS)
def test_each_field_is_what_its_latest_edit_set(edits: list[tuple[str, Cells]]) -> None:
    expected: dict[tuple[str, str], tuple[object, Stamp]] = {}
    for row_id, cells in edits:
        for field, cell in cells.items():
            expected[row_id, field] = max(cell, expected.get((row_id, field), cell), key=lambda one: one[1])
    found, latest = merged(edits)
    assert {(row_id, field): cell for _, row_id, cells in found for field, cell in cells.items()} == expected
    assert latest == max((stamp for _, stamp in expected.values()), default=None)


def test_two_devices_that_edit_different_fields_both_keep_their_edit(connection: sqlite3.Connection) -> None:
    merge(connection, "entries", "bread", {"note": ("rye", LATE)})
    merge(connection, "entries", "bread", {"cents": (320, EARLY)})
    assert connection.execute("SELECT note, cents FROM entries").fetchall() == [("rye", 320)]


def test_of_two_edits_at_one_time_the_device_decides(connection: sqlite3.Connection) -> None:
    by_laptop, by_phone = Stamp(5, 1, "laptop"), Stamp(5, 1, "phone")
    merge(connection, "entries", "bread", {"note": ("the phone's", by_phone)})
    merge(connection, "entries", "bread", {"note": ("the laptop's", by_laptop)})
    assert connection.execute("SELECT note FROM entries").fetchall() == [("the phone's",)]


def test_a_change_reads_as_it_was_written() -> None:
    cells: Cells = {"note": ("Brötchen 🥐", EARLY), "cents": (-320, LATE)}
    assert decode("entries", encode(cells)) == cells


@pytest.mark.parametrize(
    ("entity", "payload"),
    [
        ("sync_relay_device", b"{}"),
        ("entries", b'{"id": ["x", "000000000001.0000.laptop"]}'),
        ("entries", b'{"cents": ["320", "000000000001.0000.laptop"]}'),
        ("entries", b'{"deleted": [true, "000000000001.0000.laptop"]}'),
        ("entries", b'{"note": ["x", "yesterday"]}'),
        ("entries", b"{"),
    ],
)
def test_what_no_ledger_writes_is_refused(entity: str, payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- of json, or our own
        decode(entity, payload)
