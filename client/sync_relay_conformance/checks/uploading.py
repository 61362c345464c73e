"""§7.8 Snapshots: the upload, which takes the announced bytes only."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must

BLOB = b"the announced bytes"


def refuses(vault: Vault, sent: bytes) -> None:
    """See that the store does not take these bytes in the blob's place, or that they do not complete it."""
    announced = vault.announce(BLOB)
    answer = vault.upload(announced, sent)
    must(answer.is_client_error, f"a refusal of {len(sent)} bytes that are not the announced ones", answer.status_code)
    vault.complete(BLOB).must_be(409, "upload_incomplete")


@check(
    "7.8",
    "The client sends the blob's raw bytes to `upload.url` with exactly those header fields.",
    "Snapshot blobs are raw bytes.",
)
def the_announced_bytes_are_taken(relay: Relay) -> None:
    vault = relay.found()
    for blob in (BLOB, bytes(range(256)) * min(1024, relay.limit("max_snapshot_bytes") // 512), b"\0"):
        vault.snapshot(blob)
        url = vault.shown(blob).must_be(200).json["snapshot"]["download"]["url"]
        must(relay.transfer("GET", url).content == blob, "the blob, byte for byte", "others")


@check("7.8", "The URL takes the", "announced bytes only: the store enforces size and SHA-256.")
def fewer_or_more_bytes_are_refused(relay: Relay) -> None:
    vault = relay.found()
    for sent in (BLOB[:-1], BLOB + b"!", b""):
        refuses(vault, sent)


@check("7.8", "announced bytes only: the store enforces size and SHA-256.")
def other_bytes_of_the_same_size_are_refused(relay: Relay) -> None:
    vault = relay.found()
    refuses(vault, BLOB[::-1])
    must(vault.upload(vault.announce(BLOB), BLOB).is_success, "that the right bytes are taken after that", "a refusal")
    vault.complete(BLOB).must_be(200)


@check("7.8", "announced bytes only: the store enforces size and SHA-256.")
def an_upload_may_be_sent_again(relay: Relay) -> None:
    vault = relay.found()
    announced = vault.announce(BLOB)
    for _ in range(2):
        must(vault.upload(announced, BLOB).is_success, "that the blob is taken", "a refusal")
    refuses_after = vault.upload(announced, BLOB[::-1])
    must(refuses_after.is_client_error, "a refusal of others afterwards", refuses_after.status_code)
    vault.complete(BLOB).must_be(200)
    url = vault.shown(BLOB).must_be(200).json["snapshot"]["download"]["url"]
    must(relay.transfer("GET", url).content == BLOB, "the blob, byte for byte", "others")


@check("7.8", "its store presigns the URLs")
def a_url_that_was_changed_opens_nothing(relay: Relay) -> None:
    vault = relay.found()
    announced = vault.announce(BLOB).must_be(201)
    vault.upload(announced, BLOB).raise_for_status()
    url = vault.complete(BLOB).must_be(200).json["snapshot"]["download"]["url"]
    changed = "AAAAAAA" if url[-8:-1] != "AAAAAAA" else "BBBBBBB"
    forged = relay.transfer("GET", url[:-8] + changed + url[-1])
    must(forged.is_client_error, "a refusal of a forged URL", forged.status_code)
    sent = relay.transfer("PUT", url, {}, BLOB)
    must(sent.is_client_error, "that a download's URL takes no upload", sent.status_code)
    fetched = relay.transfer("GET", announced.json["upload"]["url"])
    must(fetched.is_client_error, "that an upload's URL gives no blob", fetched.status_code)
