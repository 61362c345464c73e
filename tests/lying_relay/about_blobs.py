"""Where a snapshot's blob is to be sent, or fetched, and what comes from there."""

from collections.abc import Iterator
from typing import Any

import pytest

from sync_relay_client import errors
from tests.client.app import sync, write
from tests.lying_relay.registry import Trap, caught, told
from tests.lying_relay.relay import (
    ANNOUNCEMENT,
    BLOB,
    SNAPSHOT,
    UPLOAD,
    Answer,
    Cut,
    altering,
    altering_json,
    either,
    instead,
    is_wanted,
    refusal,
)
from tests.lying_relay.scene import Scene
from tests.lying_relay.wire import Asked


def uploading(scene: Scene) -> Trap:
    """Send a snapshot that was sealed before, and could not be announced."""

    def cut(asked: Asked, ask: Any) -> Answer:
        if asked.path.endswith("/snapshots"):
            raise Cut
        answer: Answer = ask()
        return answer

    scene.liar.lying = cut
    with pytest.raises(errors.RelayUnreachable):
        scene.victim.snapshot(write)
    scene.liar.be_honest()
    return scene.victim.sync


def restoring(scene: Scene) -> tuple[Trap, Any]:
    """Have a newcomer restore; return that, and the lie that makes it do so."""
    pruned = scene.pruned()
    sync(scene.insider)
    return scene.newcomer().pull, pruned


def misleading(name: str, what: str, why: str = "", **members: Any) -> None:
    """Let the announcement's answer name another place, or other header fields, for the upload."""

    def lay(scene: Scene) -> Trap:
        trap = uploading(scene)
        given = {key: value(scene) if callable(value) else value for key, value in members.items()}
        headers = given.pop("headers", {})

        def alter(announced: Any) -> None:
            announced["upload"].update(given)
            announced["upload"]["headers"].update(headers)

        scene.liar.lying = altering_json(ANNOUNCEMENT, alter)
        return trap

    caught(errors.AnswerInvalid, why)(told(name, what, lay))


def elsewhere(scene: Scene) -> str:
    return scene.liar.elsewhere_url + "/upload"


_STAYS = "in clear text only to the relay's own host; nothing is sent"
misleading("an_upload_by_ftp", "wants a blob sent by FTP", url="ftp://relay.example/")
misleading("an_upload_to_a_file", "wants a blob written to a file", url="file:///etc/passwd")
misleading("an_upload_to_nowhere", "wants a blob sent to no address", url="")
misleading("an_upload_to_another_host", "wants a blob sent to another host, in clear text", _STAYS, url=elsewhere)
misleading("an_upload_with_a_password", "gives a URL with user and password", url="http://user:word@127.0.0.1/")
misleading("a_header_of_no_letters", "asks for a header field that is none", headers={"x": "\u20ac"})
misleading("a_header_of_two_lines", "smuggles a second header field into an upload", headers={"x": "a\r\nb: c"})
for _field, _value in (
    ("Host", "other.example"),
    ("Transfer-Encoding", "chunked"),
    ("Authorization", "Bearer of.its.own"),
):
    misleading(
        f"an_upload_with_its_own_{_field.lower().replace('-', '_')}",
        f"asks for an upload's `{_field}`",
        "a field that is not the relay's to set",
        headers={_field: _value},
    )
misleading("an_upload_of_another_size", "asks for an upload of another length", headers={"Content-Length": "1"})


@caught(errors.AnswerInvalid)
def another_snapshot_announced(scene: Scene) -> Trap:
    """answers an announcement with another snapshot"""
    trap = uploading(scene)
    scene.liar.lying = altering_json(ANNOUNCEMENT, lambda one: one["snapshot"].update(sha256="A" * 43))
    return trap


@caught(errors.RelayUnreachable, "the blob stays, and is sent again later")
def an_upload_that_is_lost(scene: Scene) -> Trap:
    """takes a blob, and says that it is not there"""
    trap = uploading(scene)
    scene.liar.lying = instead(UPLOAD, lambda _: Answer(200))
    return trap


@caught(errors.AnswerInvalid, "a snapshot is made once the relay shows it as available", keeps_state=False)
def a_snapshot_that_stays_pending(scene: Scene) -> Trap:
    """says that a blob is complete, and shows the snapshot as pending"""
    lost = instead(("POST", "/complete$"), lambda _: refusal(404, code="never"))

    def complete(asked: Asked, ask: Any) -> Answer:
        if asked.path.endswith("/complete"):
            sha256 = asked.path.split("/")[-2]
            with scene.client() as client:
                found = client.vault(scene.vault_id).snapshot(sha256)
            answer = Answer()
            answer.json = found.model_dump(mode="json", exclude_none=True)
            return answer
        other: Answer = ask()
        return other

    scene.liar.lying = either(complete, lost)
    return lambda: scene.victim.snapshot(write)


# ---------------------------------------------------------------- downloads


def misfetched(name: str, what: str, url: Any) -> None:
    def lay(scene: Scene) -> Trap:
        trap, pruned = restoring(scene)
        to = url(scene) if callable(url) else url
        scene.liar.lying = either(
            altering_json(SNAPSHOT, lambda one: one["snapshot"].get("download", {}).update(url=to)), pruned
        )
        return trap

    caught(errors.AnswerInvalid)(told(name, what, lay))


misfetched("a_download_from_a_file", "has a blob read from a file", "file:///etc/passwd")
misfetched("a_download_from_another_host", "has a blob fetched from another host, in clear text", elsewhere)
misfetched("a_download_from_no_host", "has a blob fetched from a name that is none", "http://" + "a" * 300 + "/")
misfetched(
    "a_download_from_the_cloud_s_secrets",
    "has the address asked at which clouds keep secrets",
    "http://169.254.169.254/latest/",
)


def fetched(name: str, what: str, alter: Any, error: Any = errors.AnswerInvalid, why: str = "") -> None:
    def lay(scene: Scene) -> Trap:
        trap, pruned = restoring(scene)
        scene.liar.lying = either(altering(BLOB, alter), pruned)
        return trap

    caught(error, why)(told(name, what, lay))


def with_body(change: Any) -> Any:
    def alter(answer: Answer) -> None:
        answer.body = change(answer.body)

    return alter


fetched(
    "a_blob_that_is_not_the_announced_one",
    "sends another blob of the same size",
    with_body(lambda blob: bytes(len(blob))),
)
fetched("a_blob_that_is_cut_off", "sends half a blob", with_body(lambda blob: blob[: len(blob) // 2]))
fetched("a_blob_that_is_longer", "sends a blob with something behind it", with_body(lambda blob: blob + b"more"))


def _endless(answer: Answer) -> None:
    def pieces() -> Iterator[bytes]:
        yield answer.head(("Transfer-Encoding", "chunked"))
        while True:
            yield b"10000\r\n" + bytes(65536) + b"\r\n"

    answer.raw = pieces()


def _redirected(answer: Answer) -> None:
    answer.status = 307
    answer.headers.append(("Location", "http://localhost:1/"))


fetched("a_blob_without_end", "sends a blob without end", _endless)
fetched("a_blob_elsewhere", "redirects a download", _redirected)


@caught(errors.RelayUnreachable)
def a_blob_whose_address_is_stale_for_ever(scene: Scene) -> Trap:
    """gives an address that has expired, each time"""
    trap, pruned = restoring(scene)
    scene.liar.lying = either(instead(BLOB, lambda _: Answer(403)), pruned)
    return trap


@caught(errors.AnswerInvalid)
def an_upload_that_is_sent_on(scene: Scene) -> Trap:
    """redirects an upload to another host"""
    trap = uploading(scene)

    def sent_on(asked: Asked, ask: Any) -> Answer:
        if is_wanted(asked, UPLOAD):
            return Answer(307, headers=[("Location", scene.liar.elsewhere_url + "/upload")])
        answer: Answer = ask()
        return answer

    scene.liar.lying = sent_on
    return trap
