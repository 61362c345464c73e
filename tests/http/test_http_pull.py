"""Pull (§7.7): pages without gaps, a cursor that tells the truth, and what is answered where there is no such page."""

import json
from typing import Any

import pytest

from relay.http import gateway
from relay_protocol.chain import Head, extend, genesis
from relay_protocol.changeset import Changeset
from relay_protocol.encoding import base64url
from tests.http.world import GROUPS, Vault

DAY_SECONDS = 24 * 3600
LAMBDA_RESPONSE_BYTES = 6_291_556


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _seqs(answer: Any) -> list[int]:
    assert answer.status == 200
    return [changeset["seq"] for changeset in answer.json["changesets"]]


def _prune(vault: Vault, covers: int) -> None:
    vault.snapshot(b"blob", covers)
    vault.world.clock.advance(31 * DAY_SECONDS)
    assert vault.world.maintain().pruned_changesets == covers


# ---------------------------------------------------------------- pages


def test_an_empty_log_has_an_empty_page(vault: Vault) -> None:
    page = vault.pull().json
    assert (page["changesets"], page["cursor"], page["has_more"]) == ([], 0, False)
    assert page["head"] == genesis(vault.id).as_json()


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 10])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 8, 9])
def test_pages_hold_the_whole_log_once_in_order(vault: Vault, size: int, limit: int) -> None:
    pushed = vault.fill(range(size))
    since, pulled, pages = 0, [], 0
    while True:
        page = vault.pull(since, limit).json
        pages += 1
        pulled += page["changesets"]
        assert page["cursor"] == (page["changesets"][-1]["seq"] if page["changesets"] else since)
        assert page["has_more"] is (page["cursor"] < size)
        since = page["cursor"]
        if not page["has_more"]:
            break
    assert [one["seq"] for one in pulled] == list(range(1, size + 1))
    assert [one["id"] for one in pulled] == [one["id"] for one in pushed]
    assert pages == max(1, -(-size // limit))


def test_a_page_fits_into_what_lambda_takes_whatever_is_in_it(vault: Vault) -> None:
    """As a JSON string within JSON each quote would take four bytes: the vault could not be pulled any more."""
    changeset = vault.founder.changeset(1) | {"ciphertext": '"' * 2_090_000}
    assert vault.push(changeset).status == 201
    draft = vault.world.draft(vault.founder, "GET", f"{vault.path}/changesets")
    response = gateway.handle(vault.world.relay, GROUPS["changesets"], draft.event())
    assert len(json.dumps(response)) < LAMBDA_RESPONSE_BYTES
    assert vault.pull().json["changesets"][0]["ciphertext"] == changeset["ciphertext"]


def test_a_puller_can_recompute_the_chain(vault: Vault) -> None:
    second = vault.join("second")
    vault.push(vault.founder.changeset(1), vault.founder.changeset(2))
    vault.push(second.changeset(3), by=second)
    head: Head = genesis(vault.id)
    for one in vault.pull(by=second).json["changesets"]:
        changeset = Changeset.model_validate({name: one[name] for name in Changeset.model_fields})
        head = extend(head, changeset.digest(vault.id))
        assert one["chain"] == base64url(head.chain)
    assert vault.pull().json["head"] == head.as_json()


def test_a_page_begins_after_since(vault: Vault) -> None:
    vault.fill(range(5))
    assert _seqs(vault.pull(since=3)) == [4, 5]
    assert _seqs(vault.pull(since=5)) == []


def test_an_up_to_date_cursor_stays(vault: Vault) -> None:
    vault.fill(range(5))
    page = vault.pull(since=5).json
    assert (page["cursor"], page["has_more"]) == (5, False)


def test_a_page_holds_a_hundred_by_default(vault: Vault) -> None:
    vault.fill(range(101))
    assert len(_seqs(vault.pull())) == 100


def test_a_page_by_default_is_no_longer_than_max_page(vault: Vault) -> None:
    vault.fill(range(5))
    vault.world.configure(max_page=3)
    assert _seqs(vault.pull()) == [1, 2, 3]


def test_max_page_may_be_asked_for_and_not_one_more(vault: Vault) -> None:
    vault.fill(range(5))
    vault.world.configure(max_page=4)
    assert _seqs(vault.pull(limit=4)) == [1, 2, 3, 4]
    refused = vault.pull(limit=5)
    assert refused.json["errors"] == [{"pointer": "/limit", "reason": "out of range"}]


def test_the_default_max_page_is_five_hundred(vault: Vault) -> None:
    assert vault.pull(limit=500).status == 200
    assert vault.pull(limit=501).code == "invalid_field"


# ---------------------------------------------------------------- max_page_bytes


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_page_of_max_page_bytes_is_whole_and_one_byte_less_ends_it_earlier(vault: Vault, count: int) -> None:
    vault.fill(range(5))
    exact = len(vault.pull(limit=count).text.encode())
    vault.world.configure(max_page_bytes=exact)
    page = vault.pull()
    assert _seqs(page) == list(range(1, count + 1))
    assert len(page.text.encode()) <= exact
    vault.world.configure(max_page_bytes=exact - 1)
    assert len(_seqs(vault.pull())) == max(1, count - 1)


def test_the_last_page_may_be_max_page_bytes_long(vault: Vault) -> None:
    vault.fill(range(3))
    exact = len(vault.pull().text.encode())  # its has_more is false, which is a byte longer than true
    vault.world.configure(max_page_bytes=exact)
    assert _seqs(vault.pull()) == [1, 2, 3]
    vault.world.configure(max_page_bytes=exact - 1)
    assert _seqs(vault.pull()) == [1, 2]


def test_bytes_are_counted_not_characters(vault: Vault) -> None:
    vault.push(*(vault.founder.changeset(number, ciphertext="😀" * 100) for number in range(3)))
    exact = len(vault.pull(limit=2).text.encode())
    vault.world.configure(max_page_bytes=exact - 1)
    assert _seqs(vault.pull()) == [1]


def test_a_page_holds_one_changeset_however_large_it_is(vault: Vault) -> None:
    vault.fill(range(3))
    vault.world.configure(max_page_bytes=1)
    page = vault.pull(since=1)
    assert _seqs(page) == [2]
    assert (page.json["cursor"], page.json["has_more"]) == (2, True)


def test_a_large_changeset_ends_the_page_before_it(vault: Vault) -> None:
    vault.push(vault.founder.changeset(1), vault.founder.changeset(2, ciphertext="x" * 5_000))
    vault.world.configure(max_page_bytes=3_000)
    assert _seqs(vault.pull()) == [1]
    assert _seqs(vault.pull(since=1)) == [2]


# ---------------------------------------------------------------- since and limit

NO_NUMBERS = ["", "00", "01", "+1", "-1", "-0", " 1", "1 ", "1.0", "1e2", "0x1", "1_0", "٣", "²", "one", "\0", "null"]


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("name", ["since", "limit"])
def test_what_is_no_number_is_named(vault: Vault, name: str, text: str) -> None:
    answer = vault.call("GET", "/changesets", query=[(name, text)])
    assert answer.outcome == (422, "invalid_field")
    assert answer.json["errors"] == [{"pointer": f"/{name}", "reason": "not of the required form"}]


@pytest.mark.parametrize("text", ["0", "9" * 18, "9" * 19, "9" * 5_000])
def test_a_limit_is_one_to_max_page(vault: Vault, text: str) -> None:
    assert vault.pull(limit=text).json["errors"] == [{"pointer": "/limit", "reason": "out of range"}]


def test_both_are_named_where_both_are_wrong(vault: Vault) -> None:
    answer = vault.pull(since="x", limit="y")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/since", "/limit"]


@pytest.mark.parametrize(
    "query",
    [
        [("after", "0")],
        [("since", "0"), ("after", "0")],
        [("Since", "0")],
        [("", "")],
        [("since", "0"), ("since", "0")],
        [("since", "0"), ("since", "1")],
        [("limit", "1"), ("limit", "1")],
    ],
    ids=repr,
)
def test_a_query_parameter_unknown_or_twice_is_malformed_signed_or_not(vault: Vault, query: Any) -> None:
    assert vault.call("GET", "/changesets", query=query).outcome == (400, "malformed_request")
    unsigned = vault.world.call(None, "GET", f"{vault.path}/changesets", query=query)
    assert unsigned.outcome == (400, "malformed_request")


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/changesets"),
        ("GET", "/devices"),
        ("GET", "/snapshots"),
        ("GET", "/snapshots/latest"),
    ],
)
def test_no_other_endpoint_takes_query_parameters(vault: Vault, method: str, below: str) -> None:
    assert vault.call(method, below, query=[("since", "0")]).code == "malformed_request"


def test_a_query_parameter_without_value_is_there_all_the_same(vault: Vault) -> None:
    assert vault.call("GET", "/changesets", query=[("unknown", "")]).code == "malformed_request"


# ---------------------------------------------------------------- past the head, before the floor


@pytest.mark.parametrize("since", ["4", "1000", "9" * 18, str(2**63 - 1), str(2**63), str(2**64), "9" * 4_000])
def test_a_cursor_past_the_head_is_refused_with_the_head(vault: Vault, since: str) -> None:
    vault.fill(range(3))
    answer = vault.pull(since=since)
    assert answer.outcome == (409, "cursor_ahead")
    assert answer.json["head"] == vault.head()


def test_a_cursor_before_the_floor_is_told_the_floor_and_the_snapshot(vault: Vault) -> None:
    vault.fill(range(5))
    chain = vault.chain_at(3)
    _prune(vault, 3)
    answer = vault.pull(since=2)
    assert answer.outcome == (410, "history_pruned")
    assert answer.json["floor"] == {"seq": 3, "chain": chain} == vault.info()["floor"]
    latest = vault.call("GET", "/snapshots/latest").json["snapshot"]
    assert answer.json["snapshot"] == {name: value for name, value in latest.items() if name != "download"}


def test_the_snapshot_restores_what_was_pruned(vault: Vault) -> None:
    vault.fill(range(5))
    _prune(vault, 3)
    pointer = vault.pull().json["snapshot"]
    latest = vault.call("GET", f"/snapshots/{pointer['sha256']}").json["snapshot"]
    assert vault.world.download(latest) == b"blob"
    assert _seqs(vault.pull(since=pointer["covers"]["seq"])) == [4, 5]


def test_a_cursor_at_the_floor_goes_on(vault: Vault) -> None:
    vault.fill(range(5))
    _prune(vault, 3)
    assert _seqs(vault.pull(since=3)) == [4, 5]


def test_a_log_pruned_to_its_head_has_an_empty_page(vault: Vault) -> None:
    vault.fill(range(3))
    _prune(vault, 3)
    page = vault.pull(since=3).json
    assert (page["changesets"], page["cursor"], page["has_more"]) == ([], 3, False)
    assert vault.pull(since=2).code == "history_pruned"


def test_the_seqs_go_on_after_all_was_pruned(vault: Vault) -> None:
    vault.fill(range(3))
    _prune(vault, 3)
    assert vault.push(vault.founder.changeset("next")).json["head"]["seq"] == 4
    assert _seqs(vault.pull(since=3)) == [4]


def test_before_any_pruning_the_floor_is_the_beginning(vault: Vault) -> None:
    vault.fill(range(3))
    assert vault.info()["floor"] == genesis(vault.id).as_json()
    assert _seqs(vault.pull(since=0)) == [1, 2, 3]
