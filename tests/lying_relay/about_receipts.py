"""What the relay says of a push."""

import json
from typing import Any

from relay_protocol.encoding import base64url
from sync_relay_client import errors
from tests.client.app import apply_all, pair, record, sync
from tests.lying_relay.registry import Lay, Trap, caught, harmless, told, undetected
from tests.lying_relay.relay import PUSH, Answer, Lying, altering_json, instead, refusal
from tests.lying_relay.scene import RECEIVED_AT, Scene, session_of
from tests.lying_relay.wire import Asked

OTHER_ID = "00000000-0000-0000-0000-000000000000"


def pushing(scene: Scene) -> Trap:
    scene.keep_a_change_for_later()
    return scene.victim.push


def misreceived(name: str, what: str, alter: Any) -> Lay:
    def lay(scene: Scene) -> Trap:
        trap = pushing(scene)
        scene.liar.lying = altering_json(PUSH, alter)
        return trap

    return told(name, what, lay)


for _name, _what, _alter in (
    (
        "a_receipt_of_another_id",
        "gives a receipt for what was not sent",
        lambda one: one["receipts"][0].update(id=OTHER_ID),
    ),
    ("a_receipt_past_the_head", "gives a receipt past its own head", lambda one: one["receipts"][0].update(seq=999)),
    ("a_receipt_at_no_place", "gives a receipt at seq 0", lambda one: one["receipts"][0].update(seq=0)),
    ("no_receipt", "gives no receipt", lambda one: one["receipts"].clear()),
    ("a_receipt_too_many", "gives a receipt twice", lambda one: one["receipts"].append(one["receipts"][0])),
    (
        "a_receipt_of_another_status",
        "gives a receipt of no known status",
        lambda one: one["receipts"][0].update(status="ok"),
    ),
):
    caught(errors.AnswerInvalid)(misreceived(_name, _what, _alter))


@caught(errors.AnswerInvalid)
def receipts_in_another_order(scene: Scene) -> Trap:
    """gives the receipts of a batch in another order"""
    scene.keep_a_change_for_later(b"kept")
    scene.keep_a_change_for_later(b"kept, too")
    scene.liar.lying = altering_json(PUSH, lambda one: one["receipts"].reverse())
    return scene.victim.push


@harmless("a receipt's chain is not believed: the log is pulled, and its chain recomputed")
def a_receipt_of_another_chain(scene: Scene) -> Trap:
    """gives a receipt with another chain"""
    trap = pushing(scene)
    scene.liar.lying = altering_json(PUSH, lambda one: one["receipts"][0].update(chain=base64url(bytes(32))))
    return trap


@harmless("a change leaves the outbox once it was seen in the verified log, wherever it is there")
def a_receipt_of_another_seq(scene: Scene) -> Trap:
    """gives a receipt for another place in the log"""
    trap = pushing(scene)
    scene.liar.lying = altering_json(PUSH, lambda one: one["receipts"][0].update(seq=1))
    return trap


def swallowing(epoch: str, seq: int) -> Lying:
    """Acknowledge a push at this seq, and forget it."""
    head = {"seq": seq, "chain": base64url(bytes(32))}

    def swallow(asked: Asked) -> Answer:
        receipt = {"id": json.loads(asked.body)["id"], "received_at": RECEIVED_AT, "status": "created"} | head
        answer = Answer(201)
        answer.json = {"epoch": epoch, "head": head, "receipts": [receipt]}
        return answer

    return instead(PUSH, swallow)


def swallow_next(scene: Scene, ahead: int = 1) -> None:
    """Have the victim's next push swallowed, acknowledged so many places past the head."""
    scene.liar.lying = swallowing(scene.session.epoch, scene.insider.head.seq + ahead)


@caught(errors.ReceiptBroken, "the change is in the outbox again, and sent with the next push", keeps_state=False)
def what_was_acknowledged_is_replaced(scene: Scene) -> Trap:
    """acknowledges a change, forgets it, and shows another in its place"""
    swallow_next(scene)
    record(scene.victim, [b"swallowed"])
    scene.victim.push()
    scene.liar.be_honest()
    scene.insider_writes(b"in its place")
    return scene.victim.pull


@caught(errors.ReceiptBroken, "the log ends before it; sent again", keeps_state=False)
def what_was_acknowledged_is_not_there(scene: Scene) -> Trap:
    """acknowledges a change, and forgets it"""
    swallow_next(scene)
    record(scene.victim, [b"swallowed"])
    return scene.victim.sync


@caught(errors.ReceiptBroken, "another change is there; sent again, also where nothing new comes", keeps_state=False)
def what_was_acknowledged_is_said_to_lie_behind(scene: Scene) -> Trap:
    """acknowledges a change at a place that the device has verified, and forgets it"""
    swallow_next(scene, ahead=0)
    record(scene.victim, [b"swallowed"])
    return scene.victim.sync


@caught(errors.ReceiptBroken, "the log ends before it; sent again", keeps_state=False)
def what_was_acknowledged_is_far_away(scene: Scene) -> Trap:
    """acknowledges a change at a place that the log will never reach"""
    swallow_next(scene, ahead=2**52)
    record(scene.victim, [b"swallowed"])
    return scene.victim.sync


@undetected(
    "what a snapshot covers is not in the log any more. The app sees that the restored content lacks its change",
    recovers=False,
)
def what_was_acknowledged_is_behind_a_snapshot(scene: Scene) -> Trap:
    """acknowledges a change, forgets it, and has its place covered by another device's snapshot"""
    record(scene.victim, [b"swallowed"])
    swallow_next(scene)
    scene.victim.push()
    scene.insider_writes(b"in its place")
    scene.liar.lying = scene.pruned()

    def trap() -> None:
        sync(scene.victim)
        apply_all(scene.victim)
        assert scene.applied() == [b"secret 1", b"in its place"]

    return trap


@caught(errors.RelayRefused, "`changeset_conflict`; the change stays in the outbox")
def a_conflict_for_ever(scene: Scene) -> Trap:
    """claims for ever that a change's id is taken"""
    trap = pushing(scene)
    scene.liar.lying = instead(
        PUSH, lambda asked: refusal(409, code="changeset_conflict", ids=[json.loads(asked.body)["id"]])
    )
    return trap


@caught(errors.NotCaughtUp, "after a hundred attempts; `sync` finishes the revocation later", keeps_state=False)
def the_head_moves_for_ever(scene: Scene) -> Trap:
    """claims for ever that others were faster, so that no rekey comes through"""
    with pair(scene.insider, scene.home / "third", scene.beside) as third:
        device_id = session_of(third).device.device_id
    sync(scene.victim)
    scene.liar.lying = instead(PUSH, lambda _: refusal(412, code="head_moved"))
    return lambda: scene.victim.revoke(device_id)
