"""§7.8 Snapshots: looking them up."""

import time

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable, must, must_equal


def needs_room_for(relay: Relay, snapshots: int) -> None:
    """Raise NotApplicable where retention keeps fewer: then what is listed depends on when it ran."""
    if relay.configuration.retention["snapshots"] < snapshots:
        raise NotApplicable(f"retention.snapshots is {relay.configuration.retention['snapshots']}")


def one_after_another(vault: Vault, *snapshots: tuple[bytes, dict[str, object]]) -> None:
    """Make snapshots whose times differ."""
    for blob, covers in snapshots:
        vault.snapshot(blob, covers)
        time.sleep(0.003)


@check(
    "7.8", '`{"epoch","snapshot"}`: of the available ones that with the highest `covers.seq`, among equals the newest;'
)
def latest_is_the_one_that_covers_most(relay: Relay) -> None:
    needs_room_for(relay, 3)
    vault = relay.found()
    receipts = vault.push(*(vault.founder.changeset() for _ in range(2))).must_be(201).json["receipts"]
    places = [{"seq": one["seq"], "chain": one["chain"]} for one in receipts]
    one_after_another(vault, (b"covers 2", places[1]), (b"covers 1", places[0]))
    must_equal(vault.latest().must_be(200).json["snapshot"]["covers"], places[1], "what latest covers")
    one_after_another(vault, (b"covers 2 too", places[1]))
    newest = vault.announcement(b"covers 2 too")["sha256"]
    must_equal(vault.latest().must_be(200).json["snapshot"]["sha256"], newest, "the newest among equals")


@check("7.8", "404 `snapshot_not_found` if there is none")
def a_pending_snapshot_is_not_the_latest(relay: Relay) -> None:
    vault = relay.found()
    vault.latest().must_be(404, "snapshot_not_found")
    vault.announce(b"pending").must_be(201)
    vault.latest().must_be(404, "snapshot_not_found")


@check("7.8", '| `GET …/snapshots/{sha256}` | `{"epoch","snapshot"}`, a pending one too |')
def one_snapshot_is_shown_a_pending_one_too(relay: Relay) -> None:
    relay.needs("max_pending_snapshots", 2)
    vault = relay.found()
    pending = vault.announce(b"pending").must_be(201).json["snapshot"]
    vault.shown(b"pending").must_be(200, snapshot=pending)
    vault.snapshot(b"available")
    must_equal(vault.shown(b"available").must_be(200).json["snapshot"]["status"], "available", "the status")


@check("7.8", '| `GET …/snapshots` | `{"epoch","snapshots":[…]}`, newest first, pending ones too |')
def snapshots_are_listed_newest_first(relay: Relay) -> None:
    vault = relay.found()
    blobs = [b"first", b"second", b"third"][: relay.limit("max_pending_snapshots") + 1]
    one_after_another(vault, (blobs[0], vault.genesis))
    for blob in blobs[1:]:
        vault.announce(blob).must_be(201)
        time.sleep(0.003)
    listed = vault.ask("GET", "/snapshots").must_be(200).json["snapshots"]
    hashes = [vault.announcement(blob)["sha256"] for blob in reversed(blobs)]
    must_equal([one["sha256"] for one in listed], hashes, "the list")


@check(
    "7.8",
    "`download` is there in the answers of `latest`, `{sha256}` and `complete` once the",
    "snapshot is available, and in no other.",
)
def download_is_in_three_answers_and_in_no_other(relay: Relay) -> None:
    relay.needs("max_pending_snapshots", 2)
    vault = relay.found()
    vault.announce(b"pending").must_be(201)
    vault.snapshot(b"a blob")
    for answer in (vault.latest(), vault.shown(b"a blob"), vault.complete(b"a blob")):
        download = answer.must_be(200).json["snapshot"].get("download")
        must(
            download is not None and sorted(download) == ["expires_at", "url"],
            f"a download in {answer.asked}",
            download,
        )
    others = [
        vault.announce(b"a blob").must_be(200).json["snapshot"],
        vault.shown(b"pending").must_be(200).json["snapshot"],
        vault.info()["snapshot"],
        *vault.ask("GET", "/snapshots").must_be(200).json["snapshots"],
    ]
    must(all("download" not in one for one in others), "no download elsewhere", others)
