"""Answers that are not what was asked for, a past that is read again, and connections that end."""

from collections.abc import Callable
from typing import Any

import pytest

from relay_protocol.chain import genesis
from relay_protocol.devices import endorse, thumbprint
from relay_protocol.encoding import base64url
from relay_protocol.requests import Endorsement
from sync_relay_client import (
    Invitation,
    Vault,
    errors,
    read_request,
)
from tests.client.app import change_of, write
from tests.e2e.tampering import Cut, Exchange
from tests.e2e.tampers import Scene, Trap, named, relink

OTHER_EPOCH = "00000000-0000-0000-0000-000000000000"

PAGE, PUSH = ("GET", "/changesets$"), ("POST", "/changesets$")
ROSTER, INFO = ("GET", "/devices$"), ("GET", "^/vaults/[^/]+$")
ANNOUNCEMENT, LATEST = ("POST", "/snapshots$"), ("GET", "/latest$")


def of_answers(method: str, ending: str, alter: Callable[[Any], object]) -> Callable[[Exchange], None]:
    """Alter the JSON of the answers to such requests."""

    def tamper(exchange: Exchange) -> None:
        if exchange.asks(method, ending):
            value = exchange.json
            alter(value)
            exchange.json = value

    return tamper


def another_epoch(answer: Any) -> None:
    answer["epoch"] = OTHER_EPOCH


@named(errors.EpochChanged)
def a_page_of_another_epoch(scene: Scene) -> Trap:
    scene.cheat.tamper = of_answers(*PAGE, another_epoch)
    return scene.victim.pull


@named(errors.EpochChanged)
def a_log_that_was_restored_to_before_what_was_verified(scene: Scene) -> Trap:
    def tamper(exchange: Exchange) -> None:
        if exchange.asks(*PAGE):
            exchange.refuse(409, code="cursor_ahead")
        elif exchange.asks(*INFO):
            exchange.json = exchange.json | {"epoch": OTHER_EPOCH}

    scene.cheat.tamper = tamper
    return scene.victim.pull


@named(errors.EpochChanged)
def a_roster_of_another_epoch(scene: Scene) -> Trap:
    scene.cheat.tamper = of_answers(*ROSTER, another_epoch)
    return scene.victim.devices


@named(errors.EpochChanged)
def receipts_of_another_epoch(scene: Scene) -> Trap:
    keep_a_change_for_later(scene)
    scene.cheat.tamper = of_answers(*PUSH, another_epoch)
    return scene.victim.push


@named(errors.EpochChanged)
def a_registration_of_another_epoch(scene: Scene) -> Trap:
    code = scene.insider.invite(Vault.request(scene.home / "late", options=scene.options))
    scene.cheat.tamper = of_answers("POST", "/devices$", another_epoch)
    return lambda: Vault.join(scene.home / "late", code, options=scene.options)


def keep_a_change_for_later(scene: Scene) -> None:
    """Record and seal a change, so that only the answer to it decides what the profile holds after."""
    with scene.victim.outbox() as outbox:
        outbox.add(change_of(b"kept"))
    scene.cheat.tamper = lambda exchange: exchange.refuse(403, code="kept") if exchange.method == "POST" else None
    try:
        scene.victim.push()
    except errors.RelayRefused:
        scene.cheat.be_honest()


# ---------------------------------------------------------------- a log that is read again, to verify it


@named(errors.ForkDetected)
def a_past_that_was_rewritten(scene: Scene) -> Trap:
    vault_id = scene.session.vault_id

    def alter(page: Any) -> None:
        if page["changesets"]:
            page["changesets"][-1]["ciphertext"] = "AAAA"
            relink(page, genesis(vault_id), vault_id)

    scene.cheat.tamper = of_answers(*PAGE, alter)
    return scene.victim.verify


@named(errors.ChainBroken)
def a_past_that_was_altered(scene: Scene) -> Trap:
    def alter(page: Any) -> None:
        if page["changesets"]:
            page["changesets"][-1]["ciphertext"] = "AAAA"

    scene.cheat.tamper = of_answers(*PAGE, alter)
    return scene.victim.verify


@named(errors.SequenceGap)
def a_past_that_begins_twice(scene: Scene) -> Trap:
    def alter(page: Any) -> None:
        page["changesets"] = page["changesets"][:1] + page["changesets"]

    scene.cheat.tamper = of_answers(*PAGE, alter)
    return scene.victim.verify


@named(errors.ForkDetected)
def another_floor(scene: Scene) -> Trap:
    scene.cheat.tamper = of_answers(*INFO, lambda info: info["floor"].update(chain=base64url(bytes(32))))
    return scene.victim.verify


@named(errors.RolledBack)
def a_past_that_ends_too_early(scene: Scene) -> Trap:
    def alter(page: Any) -> None:
        if page["changesets"]:
            page["changesets"].clear()
            page["cursor"] = page["head"]["seq"] = 0

    scene.cheat.tamper = of_answers(*PAGE, alter)
    return scene.victim.verify


@named(errors.RolledBack)
def a_head_that_can_not_be_pulled(scene: Scene) -> Trap:
    scene.cheat.tamper = of_answers(*INFO, lambda info: info["head"].update(seq=info["head"]["seq"] + 1))
    return scene.victim.verify


# ---------------------------------------------------------------- answers of another form


def not_json(exchange: Exchange) -> None:
    exchange.body = b"<h1>Welcome to our hotel</h1>"


def huge(exchange: Exchange) -> None:
    exchange.body = b" " * (65 * 1024 * 1024)


def broken_coding(exchange: Exchange) -> None:
    exchange.headers["Content-Encoding"] = "gzip"


def no_content(exchange: Exchange) -> None:
    exchange.status, exchange.body = 204, b""


def redirected(exchange: Exchange) -> None:
    exchange.status = 302
    exchange.headers["Location"] = "http://127.0.0.1:1/"


for of_any in (not_json, huge, broken_coding, no_content, redirected):

    def tampered(scene: Scene, of_any: Callable[[Exchange], None] = of_any) -> Trap:
        scene.cheat.tamper = lambda exchange: of_any(exchange) if exchange.asks(*PAGE) else None
        return scene.victim.pull

    tampered.__name__ = f"an_answer_that_is_{of_any.__name__}"
    named(errors.AnswerInvalid)(tampered)


def lie(name: str, method: str, ending: str, alter: Callable[[Any], object], step: Callable[[Scene], Trap]) -> None:
    """Note a tamper of answers to such requests, and the step into it."""

    def tampered(scene: Scene) -> Trap:
        trap = step(scene)
        scene.cheat.tamper = of_answers(method, ending, alter)
        return trap

    tampered.__name__ = name
    named(errors.AnswerInvalid)(tampered)


def pulling(scene: Scene) -> Trap:
    return scene.victim.pull


def pulling_in_a_new_process(scene: Scene) -> Trap:
    scene.victim.close()
    scene.victim = Vault.open(scene.home / "victim", options=scene.options)
    return scene.victim.pull


def pushing(scene: Scene) -> Trap:
    keep_a_change_for_later(scene)
    return scene.victim.push


def listing(scene: Scene) -> Trap:
    return scene.victim.devices


def verifying(scene: Scene) -> Trap:
    return scene.victim.verify


def uploading(scene: Scene) -> Trap:
    """Send a snapshot that was sealed before, and could not be announced."""

    def cut(exchange: Exchange) -> None:
        if exchange.path.endswith("/snapshots"):
            raise Cut

    scene.cheat.tamper = cut
    with pytest.raises(errors.RelayUnreachable):
        scene.victim.snapshot(write)
    scene.cheat.be_honest()
    return scene.victim.sync


def restoring(scene: Scene) -> Trap:
    newcomer = scene.newcomer()
    scene.prune()
    return newcomer.pull


lie("a_cursor_ahead", *PAGE, lambda page: page.update(cursor=999), pulling)
lie("more_is_promised", *PAGE, lambda page: page.update(has_more=True), pulling)
lie("the_head_is_behind", *PAGE, lambda page: page["head"].update(seq=0), pulling)
lie("no_head", *PAGE, lambda page: page.pop("head"), pulling)
lie("a_text_for_a_number", *PAGE, lambda page: page.update(cursor=str(page["cursor"])), pulling)
lie("a_receipt_of_another_id", *PUSH, lambda one: one["receipts"][0].update(id=OTHER_EPOCH), pushing)
lie("a_receipt_past_the_head", *PUSH, lambda one: one["receipts"][0].update(seq=999), pushing)
lie("no_receipt", *PUSH, lambda one: one["receipts"].clear(), pushing)
lie("a_device_twice", *ROSTER, lambda one: one["devices"].append(one["devices"][0]), listing)
lie("an_id_of_another_key", *ROSTER, lambda one: one["devices"][0].update(device_id="A" * 43), listing)
lie("another_vault_s_state", *INFO, lambda one: one.update(vault_id=OTHER_EPOCH), verifying)
lie("a_floor_past_the_head", *INFO, lambda one: one["floor"].update(seq=999), verifying)
lie("limits_that_are_none", "GET", "/config", lambda one: one["limits"].update(max_batch=0), pulling_in_a_new_process)
lie("another_protocol", "GET", "/config", lambda one: one.update(protocol=2), pulling_in_a_new_process)
lie("an_upload_by_ftp", *ANNOUNCEMENT, lambda one: one["upload"].update(url="ftp://relay.example/"), uploading)
lie("an_upload_to_nowhere", *ANNOUNCEMENT, lambda one: one["upload"].update(url=""), uploading)
lie("a_header_of_no_letters", *ANNOUNCEMENT, lambda one: one["upload"]["headers"].update(x="\u20ac"), uploading)
lie("a_header_of_two_lines", *ANNOUNCEMENT, lambda one: one["upload"]["headers"].update(x="a\r\nb: c"), uploading)
lie("another_snapshot_announced", *ANNOUNCEMENT, lambda one: one["snapshot"].update(sha256="A" * 43), uploading)
lie("a_snapshot_of_no_key", *LATEST, lambda one: one["snapshot"].pop("key_id"), restoring)


@named(errors.AnswerInvalid)
def a_blob_that_is_not_the_announced_one(scene: Scene) -> Trap:
    trap = restoring(scene)

    def tamper(exchange: Exchange) -> None:
        if exchange.asks("GET", "/blobs/"):
            exchange.body = bytes(len(exchange.body))

    scene.cheat.tamper = tamper
    return trap


@named(errors.AnswerInvalid)
def a_blob_without_end(scene: Scene) -> Trap:
    trap = restoring(scene)

    def tamper(exchange: Exchange) -> None:
        if exchange.asks("GET", "/blobs/"):
            exchange.body *= 1000

    scene.cheat.tamper = tamper
    return trap


# ---------------------------------------------------------------- no good answer


@named(errors.RelayRefused)
def a_relay_that_says_no(scene: Scene) -> Trap:
    scene.cheat.tamper = lambda exchange: exchange.refuse(403, code="device_revoked", title="canary")
    return scene.victim.pull


@named(errors.RelayRefused)
def a_relay_that_fails_without_a_word(scene: Scene) -> Trap:
    def tamper(exchange: Exchange) -> None:
        exchange.status, exchange.body = 500, b"\xff\x00"

    scene.cheat.tamper = tamper
    return scene.victim.sync


def cut(_: Exchange) -> None:
    raise Cut


@named(errors.RelayUnreachable)
def a_connection_that_is_cut(scene: Scene) -> Trap:
    keep_a_change_for_later(scene)
    scene.cheat.tamper = cut
    return scene.victim.push


@named(errors.RelayUnreachable)
def nobody_there(scene: Scene) -> Trap:
    scene.victim.close()
    scene.victim = Vault.open(scene.home / "victim", options=scene.options)
    scene.cheat.tamper = cut
    return scene.victim.sync


@named(errors.InvitationInvalid)
def an_invitation_by_a_stranger(scene: Scene) -> Trap:
    """It knows the vault's keys, and is a member by the relay's word alone."""
    stranger = scene.stranger()
    request = Vault.request(scene.home / "late", options=scene.options)
    scene.insider.invite(request)
    honest = scene.session
    public_key = read_request(request)
    endorsement = endorse(stranger.signing_key, honest.vault_id, thumbprint(public_key), scene.soon)
    invitation = Invitation(
        relay_url=scene.cheat.url,
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
