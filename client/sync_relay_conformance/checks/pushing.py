"""§7.6 `POST /vaults/{vault_id}/changesets`: batches, receipts, all or nothing."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.log_verified import verify_log
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must, must_equal


@check(
    "7.6",
    'One changeset (§3) as an object, or `{"changesets":[…]}` with 1 to `max_batch`.',
    "| `max_batch` | 100 | changesets in one push |",
)
def a_push_has_1_to_max_batch_changesets(relay: Relay) -> None:
    vault = relay.found()
    most = relay.limit("max_batch")
    vault.push(vault.founder.changeset()).must_be(201)
    vault.ask("POST", "/changesets", {"changesets": [vault.founder.changeset()]}).must_be(201)
    for wrong in ([], [vault.founder.changeset() for _ in range(most + 1)]):
        vault.ask("POST", "/changesets", {"changesets": wrong}).must_point_at("/changesets")
    whole = [vault.founder.changeset() for _ in range(most)]
    must_equal(
        len(vault.ask("POST", "/changesets", {"changesets": whole}).must_be(201).json["receipts"]), most, "receipts"
    )
    must_equal(vault.head["seq"], most + 2, "the head's seq")


@check(
    "7.6",
    '{"epoch","head","receipts":[{"id","seq","received_at","chain","status":"created"|"duplicate"}]}',
    "Receipts are in the request's order.",
)
def receipts_are_in_the_request_s_order(relay: Relay) -> None:
    vault = relay.vault_of(1)
    batch = [vault.founder.changeset() for _ in range(min(4, relay.limit("max_batch")))]
    answer = vault.push(*batch).must_be(201).json
    must_equal(sorted(answer), ["epoch", "head", "receipts"], "the members of the answer")
    must_equal([one["id"] for one in answer["receipts"]], [one["id"] for one in batch], "the receipts' ids")
    must_equal([one["seq"] for one in answer["receipts"]], list(range(2, len(batch) + 2)), "the receipts' seqs")
    must_equal({one["status"] for one in answer["receipts"]}, {"created"}, "their status")
    last = answer["receipts"][-1]
    must_equal(answer["head"], {"seq": last["seq"], "chain": last["chain"]}, "the head")
    must_equal(vault.head, answer["head"], "the head, asked for")


@check("7.6", "What is new in a request is stored in the request's order in one atomic step, or nothing is.")
def what_is_new_is_stored_in_the_request_s_order(relay: Relay) -> None:
    vault = relay.found()
    batch = [vault.founder.changeset() for _ in range(min(10, relay.limit("max_batch")))]
    vault.push(*batch).must_be(201)
    log = vault.log()
    must_equal([one["id"] for one in log], [one["id"] for one in batch], "the ids in the log")
    must_equal(vault.head, verify_log(vault.id, log).as_json(), "the head")


def stores_nothing(vault: Vault, *batch: dict[str, object]) -> None:
    """See that a batch of which one is refused leaves the vault as it was."""
    before = vault.info()
    answer = vault.ask("POST", "/changesets", {"changesets": list(batch)})
    must(400 <= answer.status < 500, "a refusal of the batch", answer.outcome)
    must_equal(vault.info(), before, "the vault after a batch that was refused")


@check("7.6", "**All or nothing.**")
def a_batch_of_which_one_is_refused_stores_nothing(relay: Relay) -> None:
    vault = relay.found()
    taken = vault.founder.changeset()
    vault.push(taken).must_be(201)
    new = vault.founder.changeset
    stores_nothing(vault, new(), taken | {"entity": "another"})
    stores_nothing(vault, taken | {"entity": "another"}, new())
    stores_nothing(vault, new(), new(origin_device=Device().id))
    stores_nothing(vault, new(), new(entity=""))
    stores_nothing(vault, new(entity=""), new())
    must_equal([one["id"] for one in vault.log()], [taken["id"]], "the ids in the log")


@check("7.6", "The same id twice in one request is 422.")
def the_same_id_twice_in_a_request_is_refused(relay: Relay) -> None:
    vault = relay.found()
    one = vault.founder.changeset()
    vault.push(one, vault.founder.changeset(), one).must_point_at("/changesets/2/id")
    vault.push(one, one | {"entity": "another"}).must_point_at("/changesets/1/id")
    must_equal(vault.log(), [], "the log")


@check("7.6", "- **Durable.** A 2xx is given only once the changesets would survive")
def what_was_acknowledged_is_there_at_once(relay: Relay) -> None:
    vault = relay.found()
    for number in range(1, 6):
        receipt = vault.push(vault.founder.changeset()).must_be(201).json["receipts"][0]
        pulled = vault.pull(number - 1).must_be(200).json["changesets"]
        must_equal([one["id"] for one in pulled], [receipt["id"]], "what is pulled right after the receipt")


@check(
    "7.1",
    "| `max_body_bytes` | 4 MiB (4194304) | a request's body |",
    "a body, or an announced snapshot. Carries `limit` in bytes",
)
def a_body_may_have_max_body_bytes_and_no_more(relay: Relay) -> None:
    vault = relay.found()
    most = relay.limit("max_body_bytes")
    bare = vault.founder.changeset(ciphertext="")
    padding = most - len(encode(bare))
    too_large = vault.push(bare | {"ciphertext": "x" * (padding + 1)})
    too_large.must_be(413, "body_too_large", limit=most)
    vault.push(bare | {"ciphertext": "x" * padding}).must_be(201)
    must_equal(len(vault.log()[0]["ciphertext"]), padding, "the length of what is pulled")


@check("6", "2. Body size (413), by `Content-Length` or what was sent.")
def a_body_in_chunks_is_bounded_too(relay: Relay) -> None:
    vault = relay.found()
    most = relay.limit("max_body_bytes")
    draft = vault.draft("POST", "/changesets", b"x" * (most + 1))
    relay.send_in_chunks(draft).must_be(413, "body_too_large", limit=most)
