"""Every vector of §11: what another implementation made must open here, and what we make must be the same bytes."""

from collections.abc import Callable
from typing import Any

import pytest

from relay_protocol.chain import Head, genesis
from relay_protocol.devices import endorse
from relay_protocol.encoding import base64url, from_base64url
from sync_relay_client import Change, DeviceKey, Envelope, Invitation, SnapshotContext, SnapshotReader, VaultKey
from sync_relay_client.envelope import Draft, seal, unseal
from sync_relay_client.history import MemoryHistory, Tail
from sync_relay_client.membership import admit_payload, read_admit, read_rekey, rekey_payload
from sync_relay_client.padding import padme

Vector = Callable[[str], Any]


@pytest.fixture
def vectors(vector: Vector) -> Any:
    return vector("envelope")


@pytest.fixture
def key(vectors: Any) -> VaultKey:
    return VaultKey(from_base64url(vectors["vault_key"]))


def head(found: dict[str, Any]) -> Head:
    return Head(found["seq"], from_base64url(found["chain"]))


def change_of(found: dict[str, Any]) -> Change:
    return Change(**(found | {"payload": from_base64url(found["payload"])}))


def test_a_device_is_known_by_its_thumbprint(vector: Vector) -> None:
    for one in vector("devices")["devices"]:
        device = DeviceKey.from_seed(bytes.fromhex(one["seed"]))
        assert (base64url(device.public_key), device.device_id) == (one["public_key"], one["device_id"])


def test_an_endorsement_is_the_same_bytes(vector: Vector, devices: dict[str, DeviceKey]) -> None:
    by_id = {device.device_id: device for device in devices.values()}
    for case in vector("endorsements")["cases"]:
        key = by_id[case["endorser"]].signing_key
        made = endorse(key, case["vault_id"], case["device_id"], case["expires_at"])
        assert made == {name: case[name] for name in ("endorser", "expires_at", "signature")}


def test_the_chain_is_recomputed_from_the_changesets(vector: Vector) -> None:
    chain = vector("chain")
    assert base64url(genesis(chain["vault_id"]).chain) == chain["genesis"]
    tail = Tail(MemoryHistory(chain["vault_id"]))
    for link in chain["links"]:
        digest = Envelope(**link["changeset"]).digest(chain["vault_id"])
        assert base64url(digest) == link["digest"]
        tail.link(link["seq"], digest, from_base64url(link["chain"]))


def test_the_key_id_is_derived(vectors: Any, key: VaultKey) -> None:
    assert key.key_id == vectors["key_id"]


def test_padded_lengths(vectors: Any) -> None:
    assert [[length, padme(length)] for length, _ in vectors["padme"]] == vectors["padme"]


def test_an_envelope_is_sealed_to_the_same_bytes(vectors: Any, key: VaultKey, devices: dict[str, DeviceKey]) -> None:
    for one in vectors["envelopes"]:
        expected = Envelope(**one["changeset"])
        draft = Draft(
            vectors["vault_id"],
            expected.id,
            expected.schema_version,
            change_of(one["change"]),
            head(one["witness"]),
        )
        assert seal(draft, devices[one["author"]], key, from_base64url(expected.nonce)) == expected
        assert len(from_base64url(expected.ciphertext)) == one["padded_length"] + 16


def test_an_envelope_opens(vectors: Any, key: VaultKey, devices: dict[str, DeviceKey]) -> None:
    for one in vectors["envelopes"]:
        unsealed = unseal(Envelope(**one["changeset"]), vectors["vault_id"], key)
        unsealed.check_author(devices[one["author"]].public_key)
        unsealed.check_names(key)
        assert (unsealed.change, unsealed.witness) == (change_of(one["change"]), head(one["witness"]))


def test_an_admit_is_the_same_bytes(vectors: Any, devices: dict[str, DeviceKey]) -> None:
    payload = from_base64url(vectors["admit"]["payload"])
    admitted = devices[vectors["admit"]["admits"]].public_key
    assert admit_payload(admitted) == payload
    assert read_admit(payload) == admitted


def test_a_rekey_opens_for_each_who_stays(vectors: Any, devices: dict[str, DeviceKey]) -> None:
    rekey = vectors["rekey"]
    boxes = read_rekey(from_base64url(rekey["payload"]))
    assert list(boxes) == [devices[name].public_key for name in rekey["stay"]]
    for name in rekey["stay"]:
        assert base64url(devices[name].open_box(boxes[devices[name].public_key])) == rekey["new_vault_key"]


def test_a_rekey_is_read_as_it_was_made(vectors: Any, devices: dict[str, DeviceKey]) -> None:
    new_key = VaultKey(from_base64url(vectors["rekey"]["new_vault_key"]))
    boxes = read_rekey(rekey_payload(new_key, [devices["alice"].public_key]))
    assert devices["alice"].open_box(boxes[devices["alice"].public_key]) == new_key.secret


def test_an_invitation_opens_and_is_the_same_bytes(vectors: Any, devices: dict[str, DeviceKey]) -> None:
    device = devices[vectors["invitation"]["for"]]
    invitation = Invitation.open(vectors["invitation"]["sealed"], device)
    assert base64url(invitation.encode()) == vectors["invitation"]["plaintext"]
    assert invitation.relay_url == "https://relay.example/prod"
    assert invitation.vault_id == vectors["vault_id"]
    assert invitation.head == head(vectors["snapshot"]["covers"])
    assert invitation.vault_keys[0].key_id == vectors["key_id"]
    assert Invitation.open(invitation.seal_for(device.public_key), device) == invitation


@pytest.mark.parametrize("piece_bytes", [1, 7, 1024, 1 << 20])
def test_a_snapshot_opens(vectors: Any, key: VaultKey, devices: dict[str, DeviceKey], piece_bytes: int) -> None:
    snapshot = vectors["snapshot"]
    author = devices[snapshot["author"]]
    context = SnapshotContext(vectors["vault_id"], head(snapshot["covers"]), snapshot["schema_version"], key.key_id)
    for one in snapshot["blobs"]:
        blob = from_base64url(one["blob"])
        pieces = (blob[at : at + piece_bytes] for at in range(0, len(blob), piece_bytes))
        reader = SnapshotReader(context, key, {author.device_id: author.public_key}, pieces)
        assert base64url(b"".join(reader.content())) == one["content"]
        assert reader.is_verified
        assert reader.manifest.rekey_seq == snapshot["rekey_seq"]
        assert list(reader.manifest.public_keys) == [devices[name].public_key for name in snapshot["belong"]]
        assert reader.manifest.author == author.device_id
