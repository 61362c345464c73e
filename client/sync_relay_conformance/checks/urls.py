"""§7.8 Snapshots: how long URLs and announcements are good."""

import time
from collections.abc import Callable
from datetime import datetime

import httpx

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import NotApplicable, must, must_equal

MOST_SECONDS_WAITED = 5
SLACK_SECONDS = 5
BLOB = b"a blob for a while"


def waits_for(name: str, seconds: int) -> None:
    """Wait until something has expired. Raises NotApplicable where that takes too long."""
    if seconds > MOST_SECONDS_WAITED:
        raise NotApplicable(f"{name} is {seconds}, too long to wait for")
    time.sleep(seconds + 1.1)


def is_good_for(relay: Relay, seconds: int, ask: Callable[[], str]) -> None:
    """See that a time which the relay tells is so far ahead, by its own clock while it was asked."""
    asked = relay.clock.now()
    told = ask()
    earliest, latest = asked + seconds - SLACK_SECONDS, relay.clock.now() + seconds + SLACK_SECONDS
    must(earliest <= datetime.fromisoformat(told).timestamp() <= latest, f"a URL that is good for {seconds} s", told)


@check(
    "7.8",
    "which are good for",
    "`url_ttl_seconds`, an upload's for no longer than its announcement.",
    "| `url_ttl_seconds` | 900 | a presigned URL |",
)
def a_url_says_until_when_it_is_good(relay: Relay) -> None:
    relay.needs("max_pending_snapshots", 2)
    vault = relay.found()
    url_ttl, upload_ttl = relay.limit("url_ttl_seconds"), relay.limit("upload_ttl_seconds")
    is_good_for(relay, min(url_ttl, upload_ttl), lambda: str(vault.announce(BLOB).json["upload"]["expires_at"]))
    vault.snapshot(b"another blob")
    is_good_for(relay, url_ttl, lambda: str(vault.latest().json["snapshot"]["download"]["expires_at"]))


@check("7.8", "they are https, or, at a relay that is itself spoken to by http, http at that relay's host;")
def a_url_is_one_that_a_client_asks(relay: Relay) -> None:
    vault = relay.found()
    announced = vault.announce(BLOB).must_be(201)
    vault.upload(announced, BLOB).raise_for_status()
    download = vault.complete(BLOB).must_be(200).json["snapshot"]["download"]
    own_host = httpx.URL(str(relay.address)).host
    for url in (announced.json["upload"]["url"], download["url"]):
        asked = httpx.URL(url)
        is_plain = relay.address.scheme == asked.scheme == "http" and asked.host == own_host
        must(asked.scheme == "https" or is_plain, "https, or http at the relay's own host", url)


@check(
    "7.8",
    "A pending snapshot exists until it expires (`upload_ttl_seconds` after the announcement).",
    "Announcing the blob again makes a new one, with a new",
    "| `upload_ttl_seconds` | 3600 |",
    "From then on it is as if it had never been, whether it was reaped or not: 404, not counted.",
)
def an_announcement_that_expired_is_as_if_it_had_never_been(relay: Relay) -> None:
    vault = relay.found()
    vault.announce(BLOB, key_id="old").must_be(201)
    waits_for("upload_ttl_seconds", relay.limit("upload_ttl_seconds"))
    vault.shown(BLOB).must_be(404, "snapshot_not_found")
    vault.complete(BLOB).must_be(404, "snapshot_not_found")
    vault.ask("GET").must_be(200, bytes=0)
    must_equal(vault.ask("GET", "/snapshots").must_be(200).json["snapshots"], [], "the list")
    vault.announce(BLOB, key_id="new").must_be(201)


@check("8", "An announced snapshot that is not completed within `upload_ttl_seconds` is reaped, blob and all.")
def expired_announcements_are_not_counted(relay: Relay) -> None:
    vault = relay.found()
    ttl = relay.limit("upload_ttl_seconds")
    for number in range(relay.limit("max_pending_snapshots")):
        vault.announce(b"blob %d" % number).must_be(201)
    waits_for("upload_ttl_seconds", ttl)
    vault.announce(BLOB).must_be(201)


@check("7.8", "An expired token is 401 `signature_expired`,", "Whoever has such a URL may use it until it expires.")
def a_url_that_expired_opens_nothing(relay: Relay) -> None:
    vault = relay.found()
    vault.snapshot(BLOB)
    url = vault.latest().must_be(200).json["snapshot"]["download"]["url"]
    waits_for("url_ttl_seconds", relay.limit("url_ttl_seconds"))
    answer = relay.transfer("GET", url)
    must(answer.is_client_error, "a refusal of an expired URL", answer.status_code)
    if is_embedded(relay, url):
        must_equal((answer.status_code, answer.json()["code"]), (401, "signature_expired"), "the refusal")


@check(
    "7.8",
    "- The embedded relay's URLs are `/blobs/<token>`, unsigned, without rate limit.",
    "fewer or other bytes 409 `upload_incomplete`;",
    "announced are 413 `body_too_large`,",
    "The embedded relay serves its own, with the same checks.",
)
def an_embedded_relay_s_urls_answer_as_it_does(relay: Relay) -> None:
    vault = relay.found()
    announced = vault.announce(BLOB).must_be(201)
    url = announced.json["upload"]["url"]
    if not is_embedded(relay, url):
        raise NotApplicable("the store serves its URLs itself")
    for sent, status, code in (
        (BLOB[:-1], 409, "upload_incomplete"),
        (BLOB[::-1], 409, "upload_incomplete"),
        (BLOB + b"!", 413, "body_too_large"),
    ):
        answer = vault.upload(announced, sent)
        must_equal((answer.status_code, answer.json()["code"]), (status, code), f"the answer to {len(sent)} bytes")
        must("ratelimit" not in answer.headers, "no RateLimit fields", dict(answer.headers))
    must_equal(vault.upload(announced, BLOB).status_code, 200, "the answer to the blob")
    forged = relay.transfer("GET", url[:-6] + "AAAAAA")
    must_equal((forged.status_code, forged.json()["code"]), (401, "signature_invalid"), "the answer to a forged token")


def is_embedded(relay: Relay, url: str) -> bool:
    """Whether a URL is one that the relay serves itself, as the embedded one does."""
    return url.startswith(f"{relay.address}/blobs/")
