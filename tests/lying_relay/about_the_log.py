"""The order of the log, and its ends."""

from typing import Any

import pytest

from relay_protocol.chain import genesis
from relay_protocol.encoding import base64url
from sync_relay_client import errors
from tests.client.app import change_of, sync
from tests.lying_relay.registry import Trap, caught, harmless, undetected
from tests.lying_relay.relay import INFO, PAGE, PUSH, Answer, Ask, Lying, altering_json, instead, is_wanted, refusal
from tests.lying_relay.scene import RECEIVED_AT, Scene, relink, session_of
from tests.lying_relay.wire import Asked


def of_pages(alter: Any) -> Lying:
    """Alter the changesets of every page, and the page."""
    return altering_json(PAGE, lambda page: alter(page["changesets"], page))


@caught(errors.SequenceGap)
def a_changeset_is_held_back(scene: Scene) -> Trap:
    """leaves a changeset out of a page"""
    scene.insider_writes(b"secret 2", b"secret 3", b"secret 4")
    scene.liar.lying = of_pages(lambda changesets, _: changesets.pop(1))
    return scene.victim.pull


@caught(errors.SequenceGap)
def two_changesets_come_in_another_order(scene: Scene) -> Trap:
    """shows two changesets in another order"""
    scene.insider_writes(b"secret 2", b"secret 3", b"secret 4")
    scene.liar.lying = of_pages(lambda changesets, _: changesets.insert(0, changesets.pop(1)))
    return scene.victim.pull


@caught(errors.SequenceGap)
def the_log_is_shown_from_the_start_again(scene: Scene) -> Trap:
    """shows changesets again that were pulled before"""
    scene.insider_writes(b"secret 2")

    def alter(changesets: list[dict[str, Any]], _: object) -> None:
        with scene.client() as client:
            page = client.vault(scene.vault_id).pull(0)
        changesets[:] = [
            {"seq": one.seq, "received_at": one.received_at, "chain": base64url(one.chain)} | one.envelope.members()
            for one in page.changesets
        ]

    scene.liar.lying = of_pages(alter)
    return scene.victim.pull


@caught(errors.ChainBroken)
def a_changeset_is_altered(scene: Scene) -> Trap:
    """edits a changeset's ciphertext"""
    scene.insider_writes(b"secret 2", b"secret 3")

    def alter(changesets: list[dict[str, Any]], _: object) -> None:
        text = changesets[1]["ciphertext"]
        changesets[1]["ciphertext"] = ("B" if text[0] == "A" else "A") + text[1:]

    scene.liar.lying = of_pages(alter)
    return scene.victim.pull


@caught(errors.ChainBroken)
def a_changeset_is_dropped_and_the_seqs_closed_up(scene: Scene) -> Trap:
    """drops a changeset and closes up the seqs"""
    scene.insider_writes(b"secret 2", b"secret 3", b"secret 4")

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        del changesets[1]
        changesets[1]["seq"] -= 1
        page["cursor"] = page["head"]["seq"] = changesets[1]["seq"]

    scene.liar.lying = of_pages(alter)
    return scene.victim.pull


@caught(errors.ChainBroken)
def the_head_is_another_one_at_the_same_seq(scene: Scene) -> Trap:
    """rolls the log back and lets it grow to the same length again"""
    scene.liar.lying = of_pages(lambda _, page: page["head"].update(chain=base64url(bytes(32))))
    return scene.victim.pull


@caught(errors.RolledBack)
def the_log_ends_before_what_was_verified(scene: Scene) -> Trap:
    """rolls the log back to before what the device has verified"""
    head = {"seq": 0, "chain": base64url(bytes(32))}
    scene.liar.lying = instead(PAGE, lambda _: refusal(409, code="cursor_ahead", head=head))
    return scene.victim.pull


@caught(errors.RolledBack)
def the_log_ends_before_the_invitation_s_head(scene: Scene) -> Trap:
    """rolls the log back for a newcomer"""
    newcomer = scene.newcomer()

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        del changesets[-1]
        relink(page, genesis(scene.vault_id), scene.vault_id)

    scene.liar.lying = of_pages(alter)
    return newcomer.pull


@caught(errors.RolledBack)
def the_log_is_another_one_than_the_invitation_s(scene: Scene) -> Trap:
    """puts what two members pushed at once into another order for a newcomer"""
    change = [session_of(vault).seal(change_of(b"secret 2"), 1) for vault in (scene.victim, scene.insider)]
    start = scene.insider.head
    scene.insider_writes(b"secret 2", b"secret 3")
    newcomer = scene.newcomer()

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        changesets[start.seq : start.seq + 2] = [{"received_at": RECEIVED_AT} | one.members() for one in change]
        relink(page, genesis(scene.vault_id), scene.vault_id)

    scene.liar.lying = of_pages(alter)
    return newcomer.pull


@caught(errors.RolledBack, keeps_state=False)
def a_head_that_goes_back(scene: Scene) -> Trap:
    """promises a longer log on one page, and ends it on the next"""
    scene.insider_writes(b"secret 2", b"secret 3")
    pages = 0

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        nonlocal pages
        pages += 1
        if pages == 1:
            del changesets[1:]
            page.update(cursor=changesets[-1]["seq"], has_more=True, head={"seq": 999, "chain": base64url(bytes(32))})

    scene.liar.lying = of_pages(alter)
    return scene.victim.pull


@caught(errors.ForkDetected)
def two_devices_are_shown_two_histories(scene: Scene) -> Trap:
    """serves two histories, and lets one change cross over

    The victim is not shown the insider's change, but its own in that place; the insider's next one tells.
    """
    start = scene.victim.head
    scene.insider_writes(b"hidden from the victim")
    crossing = scene.forge(scene.session.device, scene.insider.head, change_of(b"tells"))

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        filler = scene.forge(session_of(scene.victim).device, start, change_of(b"in its place"))
        changesets[:] = [{"received_at": RECEIVED_AT} | one.members() for one in (filler, crossing)]
        relink(page, start, scene.vault_id)

    scene.liar.lying = of_pages(alter)
    return scene.victim.pull


@undetected(
    "compare `seq` and chain of `sync-relay status` (`Vault.head`) on two devices that are through with syncing: at one"
    " seq there is one chain. From then on each device of the wrong side stops at the honest log with `ChainBroken`",
    recovers=False,
)
def two_histories_that_never_meet(scene: Scene) -> Trap:
    """serves two devices two histories, none of whose changes ever cross over"""
    start = scene.victim.head
    hidden: list[dict[str, Any]] = []

    def lying(asked: Asked, ask: Ask) -> Answer:
        answer = ask()
        if is_wanted(asked, PUSH):
            pushed = answer.json
            pushed["head"]["seq"] = pushed["receipts"][0]["seq"] = start.seq + 1
            answer.json = pushed
        if is_wanted(asked, PAGE) and answer.is_good:
            page = answer.json
            page["changesets"] = [one for one in page["changesets"] if one not in hidden]
            relink(page, start, scene.vault_id)
            answer.json = page
        return answer

    def trap() -> None:
        scene.insider_writes(b"hidden")
        with scene.client() as client:
            (one,) = client.vault(scene.vault_id).pull(start.seq).changesets
        hidden.append({"seq": one.seq, "received_at": one.received_at, "chain": base64url(one.chain)})
        hidden[0] |= one.envelope.members()
        scene.liar.lying = lying
        scene.victim.push(change_of(b"shown to the victim alone"))
        sync(scene.victim)
        heads = scene.victim.head, scene.insider.head
        assert heads[0].seq == heads[1].seq
        assert heads[0].chain != heads[1].chain, "comparing shows it"
        scene.liar.be_honest()
        with pytest.raises(errors.ChainBroken):
            scene.victim.pull()

    return trap


@undetected("ask another device, or look at the time of the last change that came; what was withheld comes later")
def the_tail_is_withheld(scene: Scene) -> Trap:
    """withholds the tail of the log from a device, or from all"""
    head = {"seq": scene.victim.head.seq, "chain": base64url(scene.victim.head.chain)}
    scene.insider_writes(b"secret 2")

    def alter(page: dict[str, Any]) -> None:
        page.update(changesets=[], cursor=head["seq"], has_more=False, head=head)

    scene.liar.lying = altering_json(PAGE, alter)

    def trap() -> None:
        assert scene.victim.pull().changes == 0

    return trap


@harmless("the pull goes on while pages come, and each is held against what was verified")
def one_changeset_a_page(scene: Scene) -> Trap:
    """gives one changeset a page, however many there are"""
    scene.insider_writes(b"secret 2", b"secret 3", b"secret 4")

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        del changesets[1:]
        if changesets:
            page.update(cursor=changesets[0]["seq"], has_more=changesets[0]["seq"] < page["head"]["seq"])

    scene.liar.lying = of_pages(alter)
    return scene.victim.pull


@caught(errors.RelayRefused, "`history_pruned`; nothing is believed, and the pull is repeated later")
def history_is_said_to_be_pruned(scene: Scene) -> Trap:
    """says that history was pruned, and has no snapshot"""
    scene.insider_writes(b"secret 2")
    scene.liar.lying = instead(PAGE, lambda _: refusal(410, code="history_pruned", snapshot=None))
    return scene.victim.pull


# ---------------------------------------------------------------- the log is read again, to verify it


@caught(errors.ForkDetected)
def a_past_that_was_rewritten(scene: Scene) -> Trap:
    """rewrites the past, with a chain that fits"""

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        if changesets:
            changesets[-1]["ciphertext"] = "AAAA"
            relink(page, genesis(scene.vault_id), scene.vault_id)

    scene.liar.lying = of_pages(alter)
    return scene.victim.verify


@caught(errors.ChainBroken)
def a_past_that_was_altered(scene: Scene) -> Trap:
    """edits a changeset of the past"""

    def alter(changesets: list[dict[str, Any]], _: object) -> None:
        if changesets:
            changesets[-1]["ciphertext"] = "AAAA"

    scene.liar.lying = of_pages(alter)
    return scene.victim.verify


@caught(errors.SequenceGap)
def a_past_that_begins_twice(scene: Scene) -> Trap:
    """shows the past's first changeset twice"""

    def alter(changesets: list[dict[str, Any]], _: object) -> None:
        changesets[:0] = changesets[:1]

    scene.liar.lying = of_pages(alter)
    return scene.victim.verify


@caught(errors.ForkDetected)
def another_floor(scene: Scene) -> Trap:
    """claims another chain at the floor"""
    scene.liar.lying = altering_json(INFO, lambda info: info["floor"].update(chain=base64url(bytes(32))))
    return scene.victim.verify


@caught(errors.RolledBack)
def a_past_that_ends_too_early(scene: Scene) -> Trap:
    """has nothing to show of the past"""

    def alter(page: dict[str, Any]) -> None:
        if page["changesets"]:
            page["changesets"].clear()
            page["cursor"] = page["head"]["seq"] = 0

    scene.liar.lying = altering_json(PAGE, alter)
    return scene.victim.verify


@caught(errors.RolledBack)
def a_head_that_can_not_be_pulled(scene: Scene) -> Trap:
    """tells of a head that no page reaches"""
    scene.liar.lying = altering_json(INFO, lambda info: info["head"].update(seq=info["head"]["seq"] + 1))
    return scene.victim.verify
