"""§7.8 Snapshots: announcing."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must, must_equal

SNAPSHOT = ["covers", "created_at", "key_id", "origin_device", "schema_version", "sha256", "size", "status"]


@check(
    "7.8",
    '{"epoch","snapshot":{…},"upload":{"method":"PUT","url","headers":{…},"expires_at"}}',
    "Answers 201, or 200 for one that is already announced:",
)
def an_announcement_is_answered_with_where_to_upload(relay: Relay) -> None:
    vault = relay.found()
    answer = vault.announce(b"a blob").must_be(201).json
    must_equal(sorted(answer), ["epoch", "snapshot", "upload"], "the members of the answer")
    must_equal(sorted(answer["snapshot"]), SNAPSHOT, "the members of a pending snapshot")
    must_equal(sorted(answer["upload"]), ["expires_at", "headers", "method", "url"], "the members of upload")
    must_equal(answer["upload"]["method"], "PUT", "the method")
    must_equal(answer["snapshot"]["status"], "pending", "the status")
    vault.announce(b"a blob").must_be(200, snapshot=answer["snapshot"])


@check(
    "7.8",
    "Announcing the same blob otherwise is 409 `snapshot_conflict`;",
    "the same blob was announced with another size, key, schema or `covers`",
)
def a_blob_that_is_announced_otherwise_is_a_conflict(relay: Relay) -> None:
    vault = relay.vault_of(1)
    vault.announce(b"a blob").must_be(201)
    for changes in ({"size": 7}, {"key_id": "k2"}, {"schema_version": 4}, {"covers": vault.head}):
        vault.announce(b"a blob", **changes).must_be(409, "snapshot_conflict")
    vault.announce(b"a blob").must_be(200)


@check("7.8", "`origin_device` is who announced it.")
def a_snapshot_is_its_announcer_s_also_if_another_announces_it_again(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    first = vault.announce(b"a blob", by=second).must_be(201).json["snapshot"]
    must_equal(first["origin_device"], second.id, "origin_device")
    vault.announce(b"a blob").must_be(200, snapshot=first)


@check("7.8", "(seq 0 with the", "`covers` says which changesets the snapshot contains")
def covers_is_a_place_in_the_log(relay: Relay) -> None:
    relay.needs("max_pending_snapshots", 3)
    vault = relay.vault_of(3)
    log = vault.log()
    vault.announce(b"covers nothing", vault.genesis).must_be(201)
    for one in (log[0], log[2]):
        covers = {"seq": one["seq"], "chain": one["chain"]}
        must_equal(
            vault.announce(b"covers %d" % one["seq"], covers).must_be(201).json["snapshot"]["covers"], covers, "covers"
        )


@check(
    "7.8",
    "past the head is 409 `cursor_ahead`, another",
    "chain 422 `covers_mismatch`.",
    "| 422 | `covers_mismatch` | `covers.chain` is not the log's chain at that seq |",
)
def the_covered_chain_is_checked(relay: Relay) -> None:
    vault = relay.vault_of(2)
    log = vault.log()
    for seq, chain in ((0, log[0]["chain"]), (1, log[1]["chain"]), (2, log[0]["chain"]), (2, "A" * 43)):
        vault.announce(b"a blob", {"seq": seq, "chain": chain}).must_be(422, "covers_mismatch")
    vault.announce(b"a blob", {"seq": 3, "chain": log[1]["chain"]}).must_be(409, "cursor_ahead", head=vault.head)
    must_equal(vault.ask("GET", "/snapshots").must_be(200).json["snapshots"], [], "the list")


@check(
    "7.8",
    '{"sha256" (32 bytes, base64url), "size" (at least 1), "key_id", "schema_version", "covers":{"seq","chain"}}',
    "`key_id` and `schema_version` have the rules of §3.",
)
def an_announcement_s_fields_have_rules(relay: Relay) -> None:
    vault = relay.found()
    right = vault.announcement(b"a blob")
    wrong: dict[str, tuple[object, ...]] = {
        "sha256": (right["sha256"][:-1], right["sha256"] + "=", 1, None),
        "size": (0, -1, 1.0, "1", None),
        "key_id": ("", "x" * 129, 1, None),
        "schema_version": (-1, 2147483648, 0.5, None),
        "covers": (1, None, [], "seq"),
    }
    for member, values in wrong.items():
        for value in values:
            vault.ask("POST", "/snapshots", right | {member: value}).must_point_at(f"/{member}")
        lacking = {name: one for name, one in right.items() if name != member}
        vault.ask("POST", "/snapshots", lacking).must_point_at(f"/{member}")
    for seq in (-1, "0", 0.0, None):
        vault.announce(b"a blob", {"seq": seq, "chain": vault.genesis["chain"]}).must_point_at("/covers/seq")
    vault.announce(b"a blob", {"seq": 0, "chain": "A"}).must_point_at("/covers/chain")
    vault.announce(b"a", key_id="x" * 128, schema_version=2147483647).must_be(201)


@check("7.8", "`upload` is null once the snapshot is available.")
def an_available_snapshot_takes_no_upload(relay: Relay) -> None:
    vault = relay.found()
    snapshot = vault.snapshot(b"a blob")
    del snapshot["download"]
    vault.announce(b"a blob").must_be(200, upload=None, snapshot=snapshot)
    vault.announce(b"a blob", key_id="another").must_be(409, "snapshot_conflict")


@check(
    "7.8", "Announcing a pending snapshot again gives a new upload URL for it.", "It does not prolong the announcement."
)
def an_announcement_that_is_repeated_is_the_same(relay: Relay) -> None:
    vault = relay.found()
    first = vault.announce(b"a blob").must_be(201).json["snapshot"]
    again = vault.announce(b"a blob")
    again.must_be(200, snapshot=first)
    must(vault.upload(again, b"a blob").is_success, "that the new URL takes the blob", "a refusal")
    vault.complete(b"a blob").must_be(200)


@check("7.8", "**A snapshot** is addressed by its content: `{sha256}` is its id in the vault.")
def the_same_blob_may_be_in_two_vaults(relay: Relay) -> None:
    founder = Device()
    vaults = [relay.found(founder), relay.found(founder)]
    vaults[0].snapshot(b"a blob")
    vaults[1].shown(b"a blob").must_be(404, "snapshot_not_found")
    vaults[1].complete(b"a blob").must_be(404, "snapshot_not_found")
    vaults[1].announce(b"a blob", key_id="another").must_be(201)
    vaults[1].complete(b"a blob").must_be(409, "upload_incomplete")
    vaults[0].shown(b"a blob").must_be(200)
