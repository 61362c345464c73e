"""§7.8 Snapshots: completing."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must, must_equal

BLOB = b"a blob to complete"


@check(
    "7.8",
    "without a body, makes it available: 200",
    '`{"epoch","snapshot"}`, and 200 again.',
    '{"sha256","size","key_id","schema_version","covers","origin_device","status":"pending"|"available","created_at",',
)
def completing_makes_a_snapshot_available(relay: Relay) -> None:
    vault = relay.found()
    announced = vault.announce(BLOB).must_be(201)
    vault.upload(announced, BLOB).raise_for_status()
    vault.latest().must_be(404, "snapshot_not_found")
    completed = vault.complete(BLOB).must_be(200).json
    must_equal(sorted(completed), ["epoch", "snapshot"], "the members of the answer")
    must_equal(completed["snapshot"]["status"], "available", "the status")
    again = vault.complete(BLOB).must_be(200).json["snapshot"]
    for name in set(completed["snapshot"]) - {"download"}:
        must_equal(again[name], completed["snapshot"][name], f"{name}, again")
    for name in ("sha256", "size", "key_id", "schema_version", "covers", "origin_device", "created_at"):
        must_equal(completed["snapshot"][name], announced.json["snapshot"][name], f"{name}, as announced")


@check("7.8", "409 `upload_incomplete` while the blob is not there.", "| 409 | `upload_incomplete` |")
def a_snapshot_is_not_complete_without_its_blob(relay: Relay) -> None:
    vault = relay.found()
    vault.announce(BLOB).must_be(201)
    for _ in range(2):
        vault.complete(BLOB).must_be(409, "upload_incomplete")
    must_equal(vault.shown(BLOB).must_be(200).json["snapshot"]["status"], "pending", "the status")


@check("6", "| 404 | `snapshot_not_found` | §7.8 |")
def what_was_not_announced_can_t_be_completed(relay: Relay) -> None:
    vault = relay.found()
    vault.complete(BLOB).must_be(404, "snapshot_not_found")
    vault.shown(BLOB).must_be(404, "snapshot_not_found")


@check("7.8", "A `{sha256}` of 43 characters whose trailing bits are not zero names no blob: 404 `snapshot_not_found`.")
def a_hash_with_trailing_bits_names_no_blob(relay: Relay) -> None:
    vault = relay.found()
    vault.announce(BLOB).must_be(201)
    right = vault.announcement(BLOB)["sha256"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    wrong = right[:-1] + alphabet[alphabet.index(right[-1]) + 1]
    vault.ask("GET", f"/snapshots/{wrong}").must_be(404, "snapshot_not_found")
    vault.ask("POST", f"/snapshots/{wrong}/complete").must_be(404, "snapshot_not_found")


@check("7.8", "**Complete.**")
def any_member_may_complete(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    vault.upload(vault.announce(BLOB), BLOB).raise_for_status()
    completed = vault.complete(BLOB, by=second).must_be(200).json["snapshot"]
    must_equal(completed["origin_device"], vault.founder.id, "origin_device")
    must("download" in completed, "a download in the answer", completed)
