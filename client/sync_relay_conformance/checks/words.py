"""§1 Words: ids, heads, floors and epochs."""

import uuid

from relay_protocol.encoding import is_uuid
from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must, must_equal


@check("1", "Write the public key as a JWK with the members `crv`, `kty`, `x` only", "It has 43 characters.")
def a_device_is_known_by_its_key_s_thumbprint(relay: Relay) -> None:
    vault = relay.found()
    registered = vault.register(vault.founder).must_be(200, device_id=vault.founder.id)
    must_equal(len(registered.json["device_id"]), 43, "characters of a device_id")


@check("1", "The id certifies the key: anyone can recompute it")
def a_device_is_found_by_its_id_with_its_key(relay: Relay) -> None:
    founder = relay.found().founder
    shown = relay.ask(founder, "GET", f"/devices/{founder.id}")
    shown.must_be(200, device_id=founder.id, public_key=founder.public_key)


@check("1", "A client draws its `vault_id`, a random UUID (RFC 9562), lower case, hyphenated.")
def a_vault_has_the_id_that_its_client_drew(relay: Relay) -> None:
    vault_id = str(uuid.uuid4())
    relay.found(vault_id=vault_id).ask("GET").must_be(200, vault_id=vault_id)


@check("1", "An empty log's is seq 0 with the genesis chain")
def an_empty_log_s_head_is_the_genesis_chain(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET").must_be(200, head=vault.genesis)
    vault.pull().must_be(200, head=vault.genesis, changesets=[], cursor=0, has_more=False)


@check("1", "Before any pruning: seq 0 with the genesis chain")
def an_unpruned_log_s_floor_is_the_genesis_chain(relay: Relay) -> None:
    vault = relay.vault_of(2)
    vault.ask("GET").must_be(200, floor=vault.genesis)


@check("1", '`{"seq","chain"}` of the last changeset.')
def the_head_is_the_last_changeset_s_place(relay: Relay) -> None:
    vault = relay.vault_of(3)
    last = vault.log()[-1]
    vault.ask("GET").must_be(200, head={"seq": 3, "chain": last["chain"]})


@check("1", "a changeset's place in the vault's log: 1, 2, 3, … without gaps.")
def seqs_begin_at_1_and_have_no_gaps(relay: Relay) -> None:
    vault = relay.found()
    for count in (1, 2, 1):
        vault.fill(count)
    must_equal([one["seq"] for one in vault.log()], [1, 2, 3, 4], "the seqs of a log")


@check("1", "a UUID that the relay draws when it creates the vault")
def an_epoch_is_a_uuid_and_each_vault_has_its_own(relay: Relay) -> None:
    epochs = [relay.found().info()["epoch"] for _ in range(2)]
    must(all(is_uuid(epoch) for epoch in epochs), "epochs that are UUIDs", epochs)
    must(epochs[0] != epochs[1], "an epoch drawn for each vault", epochs)


@check("1", "a device that was registered in a vault and is not revoked there")
def a_member_of_one_vault_is_none_of_another(relay: Relay) -> None:
    stranger = relay.found().founder
    relay.found().ask("GET", by=stranger).must_be(404, "vault_not_found")


@check("1", "Its `id` is a UUID that the client draws, unique within the vault")
def a_changeset_s_id_may_be_used_in_another_vault(relay: Relay) -> None:
    founder = Device()
    changeset = founder.changeset()
    for _ in range(2):
        pushed = relay.found(founder).push(changeset).must_be(201)
        must_equal(pushed.json["receipts"][0]["status"], "created", "the status in each vault")
