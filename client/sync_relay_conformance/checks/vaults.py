"""§7.5 `GET /vaults/{vault_id}`."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.verdicts import must, must_equal

ANSWER = ["bytes", "created_at", "devices", "epoch", "floor", "head", "snapshot", "vault_id"]


@check("7.5", '{"vault_id","epoch","created_at","head","floor","devices","bytes","snapshot"}')
def a_new_vault_is_empty(relay: Relay) -> None:
    vault = relay.found()
    told = vault.ask("GET").must_be(200, vault_id=vault.id, head=vault.genesis, floor=vault.genesis)
    told.must_be(200, devices=1, bytes=0, snapshot=None)
    must_equal(sorted(told.json), ANSWER, "the members")


@check("7.5", "`devices` is the number of members.")
def devices_counts_members(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    vault.join()
    vault.ask("GET").must_be(200, devices=3)
    vault.revoke(second).must_be(204)
    vault.ask("GET").must_be(200, devices=2)


@check(
    "7.5",
    "`bytes` is what `max_vault_bytes` bounds: for each unpruned changeset the UTF-8 length of its JSON text",
)
def bytes_counts_changesets(relay: Relay) -> None:
    vault = relay.found()
    least = 0
    for text in ("", "é", "\U0001f600" * 10):
        before = vault.info()["bytes"]
        changeset = vault.founder.changeset(ciphertext=text)
        vault.push(changeset).must_be(201)
        grown = vault.info()["bytes"] - before
        must_equal(grown, len(encode(changeset)), "growth by a changeset of that JSON text")
        least += grown
    vault.push(vault.founder.changeset(id=vault.log()[0]["id"])).must_be(409, "changeset_conflict")
    vault.ask("GET").must_be(200, bytes=least)


@check("7.5", "each snapshot's `size` from its announcement until it goes.")
def bytes_counts_snapshots_from_their_announcement(relay: Relay) -> None:
    relay.needs("max_pending_snapshots", 2)
    vault = relay.found()
    vault.announce(b"x" * 1000).must_be(201)
    vault.ask("GET").must_be(200, bytes=1000)
    vault.announce(b"x" * 1000).must_be(200)
    vault.snapshot(b"y" * 10)
    vault.ask("GET").must_be(200, bytes=1010)


@check("7.5", "`snapshot` is the one of `…/snapshots/latest` (§7.8) without `download`, or null.")
def snapshot_is_the_latest_without_download(relay: Relay) -> None:
    relay.needs("max_pending_snapshots", 2)
    vault = relay.found()
    vault.announce(b"pending").must_be(201)
    vault.ask("GET").must_be(200, snapshot=None)
    vault.snapshot(b"a blob")
    latest = dict(vault.latest().must_be(200).json["snapshot"])
    must("download" in latest, "a download in latest", latest)
    del latest["download"]
    vault.ask("GET").must_be(200, snapshot=latest)


@check("7", "Every 2xx answer with a body about a vault carries `epoch`.")
def every_answer_about_a_vault_carries_its_epoch(relay: Relay) -> None:
    vault = relay.found()
    epoch = vault.info()["epoch"]
    blob = b"a blob"
    announced = vault.announce(blob)
    vault.upload(announced, blob).raise_for_status()
    for answer in (
        announced,
        vault.complete(blob),
        vault.shown(blob),
        vault.latest(),
        vault.ask("GET", "/snapshots"),
        vault.ask("GET", "/devices"),
        vault.push(vault.founder.changeset()),
        vault.pull(),
        vault.register(vault.founder),
    ):
        must_equal(answer.json.get("epoch"), epoch, f"epoch in the answer to {answer.asked}")
