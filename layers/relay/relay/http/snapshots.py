"""Snapshots: announce, complete, look up (§7.8). Their bytes never pass through here: the store presigns URLs."""

from typing import Any

from relay.core.snapshots import Announcement, as_json, complete, latest_of, snapshot
from relay.core.vaults import vault
from relay.http.authentication import authenticate
from relay.http.fields import json_body
from relay.http.gateway import Endpoint, Endpoints
from relay.http.request import Request
from relay.http.responses import ProxyResponse, json_response
from relay.ports import SnapshotRecord
from relay.service import Relay
from relay_protocol.chain import Head
from relay_protocol.encoding import from_base64url, rfc3339
from relay_protocol.errors import SnapshotNotFound


def answer_announce(relay: Relay, request: Request) -> ProxyResponse:
    """Record that a blob is to come, and say where to send it."""
    from relay_protocol import requests  # with pydantic, which nothing else here needs

    device_id = authenticate(relay, request)
    body = requests.parse(requests.Announcement, json_body(request))
    announced = Announcement(
        vault_id=request.ids["vault_id"],
        sha256=from_base64url(body.sha256),
        size_bytes=body.size,
        key_id=body.key_id,
        schema_version=body.schema_version,
        covers=Head(body.covers.seq, from_base64url(body.covers.chain)),
        origin_device=device_id,
        now_ms=relay.now_ms(),
    ).run(relay.log, relay.settings.limits, relay.ids.uuid())
    record = announced.snapshot
    answer = {
        "epoch": announced.epoch,
        "snapshot": as_json(record),
        "upload": None if record.available else _upload(relay, request, record),
    }
    return json_response(201 if announced.created else 200, answer)


def answer_complete(relay: Relay, request: Request) -> ProxyResponse:
    """Make an uploaded snapshot available."""
    authenticate(relay, request)
    sha256 = _sha256(request)
    epoch, record = complete(relay.log, relay.blobs, request.ids["vault_id"], sha256, relay.now_ms())
    return _found(relay, request, epoch, record)


def answer_snapshot(relay: Relay, request: Request) -> ProxyResponse:
    """Show one snapshot, a pending one too."""
    authenticate(relay, request)
    epoch, record = snapshot(relay.log, request.ids["vault_id"], _sha256(request), relay.now_ms())
    return _found(relay, request, epoch, record)


def answer_latest(relay: Relay, request: Request) -> ProxyResponse:
    """Show the available snapshot that covers most."""
    authenticate(relay, request)
    info = vault(relay.log, request.ids["vault_id"], relay.now_ms())
    record = latest_of(info.snapshots)
    if record is None:
        raise SnapshotNotFound
    return _found(relay, request, info.epoch, record)


def answer_snapshots(relay: Relay, request: Request) -> ProxyResponse:
    """List the snapshots, newest first."""
    authenticate(relay, request)
    info = vault(relay.log, request.ids["vault_id"], relay.now_ms())
    return json_response(200, {"epoch": info.epoch, "snapshots": [as_json(one) for one in info.snapshots]})


_ALL = "/vaults/{vault_id}/snapshots"

ENDPOINTS: Endpoints = {
    (_ALL, "POST"): Endpoint(answer_announce),
    (_ALL, "GET"): Endpoint(answer_snapshots),
    (f"{_ALL}/latest", "GET"): Endpoint(answer_latest),
    (f"{_ALL}/{{sha256}}", "GET"): Endpoint(answer_snapshot),
    (f"{_ALL}/{{sha256}}/complete", "POST"): Endpoint(answer_complete),
}


def _found(relay: Relay, request: Request, epoch: str, record: SnapshotRecord) -> ProxyResponse:
    found: dict[str, Any] = as_json(record)
    if record.available:
        found["download"] = _download(relay, request, record)
    return json_response(200, {"epoch": epoch, "snapshot": found})


def _upload(relay: Relay, request: Request, record: SnapshotRecord) -> dict[str, Any]:
    expires_at_ms = min(_url_expiry_ms(relay), record.expires_at_ms)
    upload = relay.blobs.presign_upload(
        record.blob_key, record.size_bytes, record.sha256, expires_at_ms, request.origin
    )
    return {
        "method": "PUT",
        "url": upload.url,
        "headers": dict(upload.headers),
        "expires_at": rfc3339(expires_at_ms),
    }


def _download(relay: Relay, request: Request, record: SnapshotRecord) -> dict[str, str]:
    expires_at_ms = _url_expiry_ms(relay)
    url = relay.blobs.presign_download(record.blob_key, expires_at_ms, request.origin)
    return {"url": url, "expires_at": rfc3339(expires_at_ms)}


def _url_expiry_ms(relay: Relay) -> int:
    return relay.now_ms() + relay.settings.limits.url_ttl_seconds * 1000


def _sha256(request: Request) -> bytes:
    """Return the blob's hash that the path names; 43 characters whose last bits aren't zero name none."""
    try:
        return from_base64url(request.ids["sha256"])
    except ValueError:
        raise SnapshotNotFound from None
