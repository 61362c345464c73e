"""Changesets that the log does not hold: forged, played again, or by members that collude."""

from dataclasses import replace
from typing import Any

from relay_protocol.chain import Head
from relay_protocol.encoding import base64url
from sync_relay_client import Change, DeviceKey, VaultKey, errors
from sync_relay_client.membership import ADMIT, OWN_ENTITY, admit_payload
from tests.client.app import change_of, pair
from tests.client.conftest import Forger
from tests.lying_relay.registry import Trap, caught
from tests.lying_relay.relay import PAGE, ROSTER, altering_json
from tests.lying_relay.scene import Scene, relink, session_of


@caught(errors.IdRepeated)
def a_change_is_played_again(scene: Scene) -> Trap:
    """replays a change, further on in the log"""
    scene.insider_writes(b"pay 100")
    scene.victim.pull()
    with scene.client() as client:
        last = client.vault(scene.vault_id).pull(scene.victim.head.seq - 1).changesets[0]
    scene.liar.lying = scene.show(last.envelope)
    return scene.victim.pull


@caught(errors.AuthorInvalid)
def a_change_is_attributed_to_another_device(scene: Scene) -> Trap:
    """shows a member's change under another member's name, sealed anew by a member that colludes"""
    honest = scene.session
    author = session_of(scene.victim).device
    scene.liar.lying = scene.show(scene.forge(author, honest.head, change_of(b"secret 2"), signer=honest.device))
    return scene.victim.pull


@caught(errors.EnvelopeInvalid)
def the_name_of_the_author_is_replaced(scene: Scene) -> Trap:
    """replaces the author's name outside, and links the chain anew"""
    start, victim_id = scene.victim.head, scene.victim.device_id
    scene.insider_writes(b"secret 2")

    def alter(page: dict[str, Any]) -> None:
        page["changesets"][-1]["origin_device"] = victim_id
        relink(page, start, scene.vault_id)

    scene.liar.lying = altering_json(PAGE, alter)
    return scene.victim.pull


@caught(errors.EnvelopeInvalid)
def a_change_of_the_relay_s_own(scene: Scene) -> Trap:
    """writes a change itself, without the vault's key"""
    stranger = DeviceKey.generate()
    forge = Forger(scene.vault_id, VaultKey.generate())
    envelope = replace(forge(stranger, scene.insider.head), key_id=scene.session.keys[-1].key_id)
    scene.liar.lying = scene.show(envelope)
    return scene.victim.pull


@caught(errors.EnvelopeInvalid)
def an_envelope_that_can_not_be_opened(scene: Scene) -> Trap:
    """shows random bytes in an envelope, the chain linked anew"""
    scene.liar.lying = scene.show(
        replace(scene.session.seal(change_of(b"secret 2"), 1), ciphertext=base64url(bytes(300)))
    )
    return scene.victim.pull


@caught(errors.EnvelopeInvalid)
def a_change_of_another_vault(scene: Scene) -> Trap:
    """moves a change from another vault that has the same key"""
    elsewhere = Forger("00000000-0000-4000-8000-000000000000", scene.session.keys[-1])
    scene.liar.lying = scene.show(elsewhere(scene.session.device, scene.session.head))
    return scene.victim.pull


@caught(errors.KeyUnknown)
def a_change_under_another_key(scene: Scene) -> Trap:
    """shows a change under a vault key that nobody was given"""
    forge = Forger(scene.vault_id, VaultKey.generate())
    scene.liar.lying = scene.show(forge(scene.session.device, scene.session.head))
    return scene.victim.pull


@caught(errors.AuthorInvalid)
def a_change_in_another_member_s_name(scene: Scene) -> Trap:
    """shows a change whose signature is by a key of its own"""
    scene.liar.lying = scene.show(scene.forge(scene.session.device, scene.session.head, signer=DeviceKey.generate()))
    return scene.victim.pull


@caught(errors.AuthorKeyUnknown)
def the_key_of_a_founder_who_left_is_withheld(scene: Scene) -> Trap:
    """withholds the public key of a founder who left, which a newcomer needs to read on"""
    founder = scene.session.founder
    scene.insider.revoke(founder)
    newcomer = scene.newcomer()

    def alter(roster: dict[str, Any]) -> None:
        roster["devices"] = [one for one in roster["devices"] if one["device_id"] != founder]

    scene.liar.lying = altering_json(ROSTER, alter)
    return newcomer.pull


@caught(errors.NameMismatch)
def names_that_are_not_the_signed_ones(scene: Scene) -> Trap:
    """shows other names outside than those that were signed, with the help of a member"""
    envelope = scene.forge(scene.session.device, scene.session.head, outside={"entity": "AAAAAAAAAAAAAAAAAAAAAA"})
    scene.liar.lying = scene.show(envelope)
    return scene.victim.pull


@caught(errors.MembershipInvalid)
def a_device_that_the_relay_let_in(scene: Scene) -> Trap:
    """adds a device of its own, which was given the key by a member, and lets it write"""
    scene.liar.lying = scene.show(scene.forge(scene.stranger(), scene.session.head))
    return scene.victim.pull


@caught(errors.RotatedOut)
def a_device_that_was_rotated_out_writes_on(scene: Scene) -> Trap:
    """lets a revoked device write on under the old key"""
    with pair(scene.insider, scene.home / "third", scene.beside) as third:
        third_session = session_of(third)
    late = third_session.seal(change_of(b"after"), 1)
    scene.insider.revoke(third_session.device.device_id)
    scene.liar.lying = scene.show(late)
    return scene.victim.pull


@caught(errors.MembershipInvalid)
def a_revoked_device_comes_back(scene: Scene) -> Trap:
    """lets a revoked device come back, which a member gave the new key"""
    with pair(scene.insider, scene.home / "third", scene.beside) as third:
        device = session_of(third).device
    scene.insider.revoke(device.device_id)
    scene.victim.pull()
    scene.liar.lying = scene.show(scene.forge(device, scene.session.head))
    return scene.victim.pull


@caught(errors.MembershipInvalid)
def an_admit_by_a_stranger(scene: Scene) -> Trap:
    """lets a device of its own admit another one in the log"""
    stranger = scene.stranger()
    admit = Change("-", "-", ADMIT, OWN_ENTITY, OWN_ENTITY, admit_payload(DeviceKey.generate().public_key))
    scene.liar.lying = scene.show(scene.forge(stranger, scene.session.head, admit))
    return scene.victim.pull


@caught(errors.WitnessInvalid)
def a_change_that_has_seen_the_future(scene: Scene) -> Trap:
    """shows a change that claims to have seen what came later"""
    scene.liar.lying = scene.show(scene.forge(scene.session.device, Head(1000, bytes(32))))
    return scene.victim.pull
