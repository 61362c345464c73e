"""§7.6: duplicates and conflicts."""

from sync_relay_conformance.log_verified import FIELDS, verify_log
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must_equal


@check(
    "7.6",
    "An `id` that is in the log with the same digest is a `duplicate`, and its first receipt comes back.",
    "201 if anything was created, 200 if all were duplicates.",
    "A client that lost an answer sends the same request again,",
)
def a_changeset_that_is_there_is_a_duplicate_with_its_first_receipt(relay: Relay) -> None:
    vault = relay.found()
    changeset = vault.founder.changeset()
    first = vault.push(changeset).must_be(201).json["receipts"][0]
    vault.fill(2)
    again = vault.push(changeset).must_be(200, head=vault.head).json["receipts"][0]
    must_equal(again, first | {"status": "duplicate"}, "the receipt, again")
    must_equal(vault.head["seq"], 3, "the head's seq")


@check(
    "7.6",
    "A mixed batch is fine: what is there is a duplicate, the rest is",
    "201 if anything was created, 200 if all were duplicates.",
)
def a_mixed_batch_stores_what_is_new(relay: Relay) -> None:
    vault = relay.found()
    old = vault.fill(2)
    new = [vault.founder.changeset() for _ in range(2)]
    receipts = vault.push(new[0], old[1], new[1], old[0]).must_be(201).json["receipts"]
    must_equal([one["seq"] for one in receipts], [3, 2, 4, 1], "the seqs")
    must_equal([one["status"] for one in receipts], ["created", "duplicate", "created", "duplicate"], "the status")
    log = vault.log()
    must_equal([one["id"] for one in log], [one["id"] for one in (*old, *new)], "the log")
    must_equal(vault.head, verify_log(vault.id, log).as_json(), "the head")
    vault.push(*old, *new).must_be(200)


@check(
    "7.6",
    "With another digest it is 409 `changeset_conflict`.",
    "an `id` is taken by other content. `ids` lists them all; nothing was stored",
)
def an_id_that_is_taken_is_a_conflict_whichever_field_differs(relay: Relay) -> None:
    vault = relay.found()
    changeset = vault.founder.changeset()
    vault.push(changeset).must_be(201)
    for field in FIELDS[2:]:
        other = changeset | {field: 4 if field == "schema_version" else "another"}
        vault.push(other).must_be(409, "changeset_conflict", ids=[changeset["id"]])
    must_equal(vault.head["seq"], 1, "the head's seq")


@check("7.6", "With another digest it is 409 `changeset_conflict`.")
def another_device_s_changeset_of_that_id_is_a_conflict(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    changeset = vault.founder.changeset()
    vault.push(changeset).must_be(201)
    same = changeset | {"origin_device": second.id}
    vault.push(same, by=second).must_be(409, "changeset_conflict", ids=[changeset["id"]])


@check("6", "`ids` lists them all; nothing was stored")
def a_conflict_names_every_id(relay: Relay) -> None:
    vault = relay.found()
    old = vault.fill(3)
    others = [one | {"entity": "another"} for one in old[:2]]
    answer = vault.push(others[0], vault.founder.changeset(), old[2], others[1])
    answer.must_be(409, "changeset_conflict", ids=[one["id"] for one in others])
    must_equal(vault.head["seq"], 3, "the head's seq")


@check("7.6", "**Duplicates.**")
def a_text_that_only_looks_the_same_is_another(relay: Relay) -> None:
    vault = relay.found()
    changeset = vault.founder.changeset(entity="caf\u00e9", nonce="QQ", ciphertext="")
    vault.push(changeset).must_be(201)
    for other in ({"entity": "cafe\u0301"}, {"nonce": "QQ="}, {"nonce": "", "ciphertext": "QQ"}):
        vault.push(changeset | other).must_be(409, "changeset_conflict")
    vault.push(changeset).must_be(200)
