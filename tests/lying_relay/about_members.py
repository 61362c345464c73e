"""Devices, epochs and invitations: what the relay says of who is there, and since when."""

from typing import Any

import pytest

from relay_protocol.chain import genesis
from relay_protocol.devices import endorse, thumbprint
from relay_protocol.encoding import base64url
from relay_protocol.requests import Endorsement
from sync_relay_client import DeviceKey, Invitation, Vault, errors, read_request
from tests.client.app import pair, sync
from tests.lying_relay.registry import Trap, caught, harmless, undetected
from tests.lying_relay.relay import (
    INFO,
    PAGE,
    PUSH,
    REGISTRATION,
    ROSTER,
    Answer,
    Ask,
    altering_json,
    either,
    instead,
    is_wanted,
    refusal,
)
from tests.lying_relay.scene import Scene, relink, session_of
from tests.lying_relay.wire import Asked

OTHER_EPOCH = "00000000-0000-0000-0000-000000000000"


def another_epoch(answer: Any) -> None:
    answer["epoch"] = OTHER_EPOCH


@caught(errors.EpochChanged)
def a_page_of_another_epoch(scene: Scene) -> Trap:
    """changes the epoch on a page"""
    scene.liar.lying = altering_json(PAGE, another_epoch)
    return scene.victim.pull


@caught(errors.EpochChanged)
def a_log_that_was_restored_to_before_what_was_verified(scene: Scene) -> Trap:
    """rolls back, and changes the epoch"""
    scene.liar.lying = either(
        instead(PAGE, lambda _: refusal(409, code="cursor_ahead")), altering_json(INFO, another_epoch)
    )
    return scene.victim.pull


@undetected(
    "ask the operator before `accept-epoch`. The app keeps what it applied; an honest relay is `EpochChanged` again"
)
def a_restore_that_never_was(scene: Scene) -> Trap:
    """claims to have been restored from a backup, lacks the last change, and people agree"""
    scene.insider_writes(b"secret 2")
    sync(scene.victim)

    def lying(asked: Asked, ask: Ask) -> Answer:
        answer = ask()
        if answer.is_good and answer.body:
            value = answer.json
            value["epoch"] = OTHER_EPOCH
            if is_wanted(asked, PAGE):
                del value["changesets"][-1:]
                relink(value, genesis(scene.vault_id), scene.vault_id)
            answer.json = value
        return answer

    def trap() -> None:
        scene.liar.lying = lying
        assert scene.victim.accept_epoch().lost_changesets == 1
        scene.liar.be_honest()
        with pytest.raises(errors.EpochChanged):
            scene.victim.pull()
        assert scene.victim.accept_epoch().lost_changesets == 0

    return trap


@caught(errors.EpochChanged)
def a_roster_of_another_epoch(scene: Scene) -> Trap:
    """changes the epoch on the list of devices"""
    scene.liar.lying = altering_json(ROSTER, another_epoch)
    return scene.victim.devices


@caught(errors.EpochChanged)
def receipts_of_another_epoch(scene: Scene) -> Trap:
    """changes the epoch on receipts"""
    scene.keep_a_change_for_later()
    scene.liar.lying = altering_json(PUSH, another_epoch)
    return scene.victim.push


@caught(errors.EpochChanged)
def a_registration_of_another_epoch(scene: Scene) -> Trap:
    """changes the epoch for a newcomer"""
    code = scene.insider.invite(Vault.request(scene.home / "late", options=scene.options))
    scene.liar.lying = altering_json(REGISTRATION, another_epoch)
    return lambda: Vault.join(scene.home / "late", code, options=scene.options)


@caught(errors.AnswerInvalid)
def a_registration_in_another_vault(scene: Scene) -> Trap:
    """registers a newcomer in another vault"""
    code = scene.insider.invite(Vault.request(scene.home / "late", options=scene.options))
    scene.liar.lying = altering_json(REGISTRATION, lambda one: one.update(vault_id=OTHER_EPOCH))
    return lambda: Vault.join(scene.home / "late", code, options=scene.options)


@caught(errors.AnswerInvalid)
def a_registration_of_another_key(scene: Scene) -> Trap:
    """registers a newcomer with a key of the relay's own"""
    code = scene.insider.invite(Vault.request(scene.home / "late", options=scene.options))
    public_key = DeviceKey.generate().public_key
    own = {"public_key": base64url(public_key), "device_id": thumbprint(public_key)}
    scene.liar.lying = altering_json(REGISTRATION, lambda one: one.update(own))
    return lambda: Vault.join(scene.home / "late", code, options=scene.options)


@caught(errors.InvitationInvalid)
def an_invitation_by_a_stranger(scene: Scene) -> Trap:
    """forges an endorsement: by a device of its own, which knows the vault's keys"""
    stranger = scene.stranger()
    request = Vault.request(scene.home / "late", options=scene.options)
    scene.insider.invite(request)
    honest = scene.session
    public_key = read_request(request)
    endorsement = endorse(stranger.signing_key, honest.vault_id, thumbprint(public_key), scene.soon)
    invitation = Invitation(
        relay_url=scene.liar.url,
        vault_id=honest.vault_id,
        epoch=honest.epoch,
        founder=honest.founder,
        head=honest.head,
        endorsement=Endorsement.model_validate(endorsement),
        vault_keys=honest.keys,
        public_keys=tuple(honest.membership.public_keys()),
    )
    code = invitation.seal_for(public_key)
    return lambda: Vault.join(scene.home / "late", code, options=scene.options)


# ---------------------------------------------------------------- the list of devices


def belonging(scene: Scene) -> set[str]:
    """Return who belongs, as the victim's list of devices says."""
    return {device.device_id for device in scene.victim.devices() if device.belongs}


def expecting_the_log_s(scene: Scene) -> Trap:
    expected = set(scene.session.membership.belonging)

    def trap() -> None:
        assert belonging(scene) == expected

    return trap


@caught(errors.AnswerInvalid)
def a_device_twice(scene: Scene) -> Trap:
    """lists a device twice"""
    scene.liar.lying = altering_json(ROSTER, lambda one: one["devices"].append(one["devices"][0]))
    return scene.victim.devices


@caught(errors.AnswerInvalid)
def an_id_of_another_key(scene: Scene) -> Trap:
    """lists a device under an id that its key does not certify"""
    scene.liar.lying = altering_json(ROSTER, lambda one: one["devices"][0].update(device_id="A" * 43))
    return scene.victim.devices


@caught(errors.AnswerInvalid)
def a_key_of_small_order(scene: Scene) -> Trap:
    """lists a device with a key under which anything verifies"""
    weak = bytes([1]) + bytes(31)
    own = {"device_id": thumbprint(weak), "public_key": base64url(weak)}
    scene.liar.lying = altering_json(ROSTER, lambda one: one["devices"][0].update(own))
    return scene.victim.devices


@harmless("`Vault.devices` says of it that it does not belong: the log does not admit it")
def a_device_of_the_relay_s_own_on_the_list(scene: Scene) -> Trap:
    """adds a device of its own to the list, with a forged endorsement"""
    public_key = DeviceKey.generate().public_key
    own = {"device_id": thumbprint(public_key), "public_key": base64url(public_key)}

    def alter(roster: dict[str, Any]) -> None:
        roster["devices"].append(roster["devices"][-1] | own)

    scene.liar.lying = altering_json(ROSTER, alter)
    return expecting_the_log_s(scene)


@harmless("who belongs is read from the log")
def a_list_without_a_member(scene: Scene) -> Trap:
    """leaves a member out of the list, and calls another one revoked"""

    def alter(roster: dict[str, Any]) -> None:
        del roster["devices"][-1]
        roster["devices"][0]["revoked_at"] = "2026-04-26T09:30:00.000Z"

    scene.liar.lying = altering_json(ROSTER, alter)
    return expecting_the_log_s(scene)


@harmless("the rekey in the log ended its belonging, and it has no new key")
def a_revoked_device_on_the_list(scene: Scene) -> Trap:
    """lists a revoked device as a member again"""
    with pair(scene.insider, scene.home / "third", scene.beside) as third:
        device_id = session_of(third).device.device_id
    scene.insider.revoke(device_id)

    def alter(roster: dict[str, Any]) -> None:
        for device in roster["devices"]:
            device["revoked_at"] = None

    scene.liar.lying = altering_json(ROSTER, alter)
    return expecting_the_log_s(scene)


@caught(errors.RelayRefused, "`device_revoked`: a denial of service. What the device holds stays")
def a_relay_that_says_no(scene: Scene) -> Trap:
    """refuses a member as revoked"""
    scene.liar.lying = lambda *_: refusal(403, code="device_revoked", title="canary", detail="canary")
    return scene.victim.pull


@caught(errors.RelayRefused, "`vault_not_found`; nothing is erased on the device")
def a_vault_that_is_said_to_be_gone(scene: Scene) -> Trap:
    """says that the vault is not there"""
    scene.liar.lying = lambda *_: refusal(404, code="vault_not_found")
    return scene.victim.sync


@harmless("nothing rests on the relay's times")
def times_of_the_relay_s_choice(scene: Scene) -> Trap:
    """lies about when changesets and devices came"""
    scene.insider_writes(b"secret 2")

    def lying(asked: Asked, ask: Ask) -> Answer:
        answer = ask()
        if is_wanted(asked, PAGE):
            page = answer.json
            for one in page["changesets"]:
                one["received_at"] = "1970-01-01T00:00:00.000Z"
            answer.json = page
        if is_wanted(asked, ROSTER):
            roster = answer.json
            for one in roster["devices"]:
                one["registered_at"] = "9999-12-31T23:59:59.999Z"
            answer.json = roster
        return answer

    scene.liar.lying = lying
    return expecting_the_log_s(scene)
