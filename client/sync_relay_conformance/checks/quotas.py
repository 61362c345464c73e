"""§7.1 Quotas: what would grow a vault past them is refused, and nothing else."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable


@check("7.1", "| `max_snapshot_bytes` | 5 GiB | an announced blob |", "above `max_snapshot_bytes` is 413;")
def a_snapshot_may_have_max_snapshot_bytes_and_no_more(relay: Relay) -> None:
    vault = relay.found()
    most = relay.limit("max_snapshot_bytes")
    vault.announce(b"too large", size=most + 1).must_be(413, "body_too_large", limit=most)
    if most > relay.limit("max_vault_bytes"):
        raise NotApplicable("a vault holds less than a snapshot may have")
    vault.announce(b"as large as may be", size=most).must_be(201)


@check(
    "7.1",
    "| `max_pending_snapshots` | 4 | announced, not yet available snapshots of a vault |",
    "`max_pending_snapshots` and `max_vault_bytes` are 507.",
)
def so_many_snapshots_may_be_pending_and_no_more(relay: Relay) -> None:
    vault = relay.found()
    most = relay.limit("max_pending_snapshots")
    blobs = [b"pending %d" % number for number in range(most)]
    answers = [vault.announce(blob).must_be(201) for blob in blobs]
    too_many = vault.announce(b"one more")
    too_many.must_be(507, "quota_exceeded", quota="max_pending_snapshots", limit=most)
    vault.announce(blobs[0]).must_be(200)
    vault.upload(answers[0], blobs[0]).raise_for_status()
    vault.complete(blobs[0]).must_be(200)
    vault.announce(b"one more").must_be(201)


def fill_up(vault: Vault, left_bytes: int) -> None:
    """Announce snapshots until so many bytes are left in the vault. Raises NotApplicable where that can't be done."""
    relay = vault.relay
    at_once = relay.limit("max_snapshot_bytes")
    room = relay.limit("max_vault_bytes") - vault.info()["bytes"] - left_bytes
    if room > at_once * relay.limit("max_pending_snapshots") or room < 1:
        raise NotApplicable("pending snapshots can't fill a vault here")
    number = 0
    while room > 0:
        size = min(room, at_once)
        vault.announce(b"filling %d" % number, size=size).must_be(201)
        room, number = room - size, number + 1


@check("7.1", "| `max_vault_bytes` | 10 GiB | what a vault holds (§7.5) |")
def a_vault_may_hold_max_vault_bytes_and_no_more(relay: Relay) -> None:
    vault = relay.found()
    changeset = vault.founder.changeset()
    fill_up(vault, len(encode(changeset)))
    most = relay.limit("max_vault_bytes")
    larger = vault.founder.changeset(ciphertext=changeset["ciphertext"] + "x")
    vault.push(larger).must_be(507, "quota_exceeded", quota="max_vault_bytes", limit=most)
    vault.push(changeset).must_be(201)
    vault.ask("GET").must_be(200, bytes=most)
    vault.push(vault.founder.changeset()).must_be(507, "quota_exceeded", quota="max_vault_bytes", limit=most)


@check("7.8", "`max_pending_snapshots` and `max_vault_bytes` are 507.")
def a_full_vault_takes_no_snapshot(relay: Relay) -> None:
    vault = relay.found()
    fill_up(vault, 1)
    refused = vault.announce(b"ab")
    if refused.code == "quota_exceeded" and refused.json["quota"] == "max_pending_snapshots":
        raise NotApplicable("max_pending_snapshots are needed to fill a vault")
    refused.must_be(507, "quota_exceeded", quota="max_vault_bytes", limit=relay.limit("max_vault_bytes"))
    vault.announce(b"a").must_be(201)


@check(
    "7.1",
    "A quota refuses what would grow a vault.",
    "It never hinders pulling, revoking, erasing, or the retry of what is stored.",
)
def a_quota_hinders_nothing_else(relay: Relay) -> None:
    vault = relay.found()
    old = vault.fill(2)
    device = vault.join()
    fill_up(vault, 0)
    vault.push(old[0], vault.founder.changeset()).must_be(507, "quota_exceeded")
    vault.push(*old).must_be(200)
    vault.pull().must_be(200, cursor=2)
    vault.announce(b"filling 0", size=vault.shown(b"filling 0").json["snapshot"]["size"]).must_be(200)
    vault.register(Device()).must_be(403, "endorsement_required")
    vault.revoke(device).must_be(204)
    vault.erase().must_be(204)


@check("6", "- a push: `origin_mismatch`, `changeset_conflict`, `head_moved`, `quota_exceeded`;")
def the_quota_is_judged_after_conflicts_and_conditions(relay: Relay) -> None:
    vault = relay.found()
    old = vault.fill(1)[0]
    fill_up(vault, 0)
    vault.push(old | {"entity": "another"}).must_be(409, "changeset_conflict")
    vault.push(vault.founder.changeset(), if_match=f'"{vault.genesis["chain"]}"').must_be(412, "head_moved")


@check("6", "| 507 | `quota_exceeded` | carries `quota` (a name in `/config`'s limits) and `limit` |")
def a_refused_batch_stores_none_of_it(relay: Relay) -> None:
    vault = relay.found()
    changeset = vault.founder.changeset()
    fill_up(vault, len(encode(changeset)))
    before = vault.info()
    vault.push(changeset, vault.founder.changeset()).must_be(507, "quota_exceeded", quota="max_vault_bytes")
    vault.ask("GET").must_be(200, **before)
