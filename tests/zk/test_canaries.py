"""Zero knowledge (§10): what a client seals is in no answer but its own, in no column but one, and in no log."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relay.ports import StoreUnavailable
from relay_protocol.changeset import Changeset
from tests.http.canary_world import ADDRESS, CANARIES, OPEN, SEALED, CanaryWorld, plant
from tests.http.device import Json
from tests.http.error_rows import ROWS
from tests.http.faults import REQUESTS, TOUCHES, Touch, break_port, prepare
from tests.http.world import Vault

LOGGED = {"level", "location", "message", "timestamp", "service", "request_id", "route", "status", "us", "code"}
LOGGED |= {"reason", "error", "frames", "vault", "cold_start"}
METRICS = {"_aws", "service", "InternalError", "StoreUnavailable", "LimiterFailed", "Duration"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(params=[False, True], ids=["lines", "metrics"])
def world(request: pytest.FixtureRequest, directory: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CanaryWorld]:
    """A relay as an operator runs it, at DEBUG. Whatever a test makes it log is held against what may be logged."""
    yield CanaryWorld(directory, request_metrics=request.param)
    captured = capsys.readouterr()
    assert captured.err == ""
    _assert_clean(captured.out)
    for line in captured.out.splitlines():
        assert json.loads(line).keys() <= LOGGED | METRICS


@pytest.fixture
def vault(world: CanaryWorld) -> Vault:
    """A vault whose every request carries canaries."""
    return world.found()


@pytest.fixture
def busy(vault: Vault) -> Vault:
    """A vault that each kind of request finds something to do in."""
    prepare(vault)
    return vault


def _cells(directory: Path) -> Iterator[tuple[str, object]]:
    """Yield every value of every column of every database, with the column's name."""
    for path in directory.rglob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                found = database.execute(f'SELECT * FROM "{table}"')
                columns = [f"{table}.{column[0]}" for column in found.description]
                for values in found:
                    yield from zip(columns, values, strict=True)


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


# ---------------------------------------------------------------- the four probes


def test_the_answer_to_a_push_holds_nothing_of_it_but_its_id(vault: Vault) -> None:
    answer = vault.push(vault.founder.changeset(2))
    assert answer.status == 201
    for canary in CANARIES:
        assert canary not in answer.text + str(answer.headers)


def test_no_column_holds_what_was_sealed_but_the_one_for_it(vault: Vault, directory: Path) -> None:
    vault.push(vault.founder.changeset(2))
    holding = {column for column, value in _cells(directory) if SEALED.encode() in _as_bytes(value)}
    assert holding == {"changesets.text"}


def test_no_column_holds_a_changesets_open_fields_either(vault: Vault, directory: Path) -> None:
    vault.push(vault.founder.changeset(2))
    holding = {column for column, value in _cells(directory) if OPEN.encode() in _as_bytes(value)}
    assert holding == {"changesets.text"}


@pytest.mark.parametrize("field", sorted(Changeset.model_fields.keys() - {"id", "origin_device", "schema_version"}))
def test_a_pulled_canary_stands_in_its_own_field_alone(vault: Vault, field: str) -> None:
    vault.fill([1])
    canary = f"canary of {field}"
    text = json.dumps(vault.founder.changeset(2, **{field: canary}))
    draft = vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets")
    draft.body, draft.headers["Content-Type"] = text.encode(), "application/json"
    assert vault.world.send(draft).status == 201
    before, pulled = vault.pull().json["changesets"]
    assert [name for name, value in pulled.items() if canary in str(value)] == [field]
    assert canary not in str(before)


NONCES = ["aaaa", "    ", "null", '\\"/\n', "AA==", "\0\0\0\0", "{}[]", "'--;", "%s%d", "../.", "🂡"]


@pytest.mark.parametrize("nonce", NONCES)
@pytest.mark.parametrize("field", ["nonce", "ciphertext"])
def test_a_sealed_value_comes_back_unchanged_and_changes_nothing_else(tmp_path: Path, field: str, nonce: str) -> None:
    seen = []
    for name, value in (("one", nonce), ("other", "bbbb")):
        vault = CanaryWorld(tmp_path / name).found()
        draft = vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets")
        draft.body = json.dumps(vault.founder.changeset(1, **{field: value})).encode()
        draft.headers["Content-Type"] = "application/json"
        pushed, pulled, info = vault.world.send(draft), vault.pull().json, vault.info()
        assert pulled["changesets"][0].pop(field) == value
        info.pop("bytes")
        seen.append((pushed.status, pushed.headers, *map(_without_chains, (pushed.json, pulled, info))))
    assert seen[0] == seen[1]


def _without_chains(answer: Json) -> Json:
    """Drop the chains, which hash the sealed fields."""
    return dict(json.loads(json.dumps(answer), object_hook=lambda one: one | {"chain": ""} if "chain" in one else one))


# ---------------------------------------------------------------- every other sink


def _assert_clean(text: str) -> None:
    for canary in CANARIES:
        assert canary not in text


@pytest.mark.parametrize("code", ROWS)
def test_no_error_and_no_log_line_repeats_a_request(vault: Vault, code: str) -> None:
    answer = ROWS[code][2](vault)
    assert answer.code == code
    _assert_clean(answer.text + str(answer.headers))


@pytest.mark.parametrize("touch", TOUCHES, ids=str)
def test_a_defect_tells_nothing_of_the_request_it_met(busy: Vault, touch: Touch) -> None:
    error = ValueError(*CANARIES)
    error.__cause__ = KeyError(SEALED)
    error.add_note(OPEN)
    break_port(busy.world, touch, error)
    answer = REQUESTS[touch.request](busy)
    assert answer.outcome == (500, "internal")
    _assert_clean(answer.text + str(answer.headers))


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_success_tells_nothing_at_debug(busy: Vault, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert REQUESTS[kind](busy).status < 300
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if '"status":' in line]) == 1
    _assert_clean(out)


def test_a_limiter_that_is_down_tells_no_address(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    break_port(vault.world, Touch("vault", "limiter", "take"), StoreUnavailable("the table is gone"))
    assert vault.call("GET").status == 200
    out = capsys.readouterr().out
    assert "LimiterFailed" in out
    _assert_clean(out)


def test_log_lines_name_no_key_signature_or_device(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    draft = vault.world.draft(vault.founder, "GET", f"{vault.path}/changesets")
    event = draft.event()
    vault.world.handle(event)
    out = capsys.readouterr().out
    assert out
    for secret in (vault.founder.public_key, vault.founder.id, vault.id, event["headers"]["signature"][5:-1]):
        assert secret not in out


def test_the_source_address_is_in_no_file_and_in_no_log(
    vault: Vault, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ipv6 = "2001:db8:77:88::99"
    for address in (ADDRESS, ipv6, f"::ffff:{ADDRESS}"):
        assert vault.call("GET", address=address).status == 200
        assert vault.call("GET", "/nowhere", address=address).status == 404
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert {"relay.sqlite3", "limiter.sqlite3"} <= {path.name for path in files}
    stored = b"".join(path.read_bytes() for path in files) + capsys.readouterr().out.encode()
    for written in (ADDRESS, ADDRESS.rpartition(".")[0], "2001:db8:77", "::ffff:"):
        assert written.encode() not in stored
    for packed in (bytes((198, 51, 100, 77)), bytes.fromhex("20010db800770088")):
        assert packed not in stored


def test_the_limiters_file_holds_keyed_hashes_alone(vault: Vault, directory: Path) -> None:
    vault.call("GET")
    keys = [value for column, value in _cells(directory) if column == "arrivals.key"]
    assert keys
    assert all(isinstance(key, bytes) and len(key) == 32 for key in keys)


def test_the_canaries_do_reach_the_relay(vault: Vault) -> None:
    vault.fill([1])
    pulled = vault.pull().json["changesets"][0]
    assert pulled.items() >= plant(vault.founder.changeset(1)).items()
