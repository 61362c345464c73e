"""The requests of §7, without I/O: what to send, and how it is signed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from relay_protocol.encoding import base64url, is_thumbprint, is_uuid
from relay_protocol.requests import Announcement, Endorsement
from relay_protocol.signing import Message, sign
from sync_relay_client.address import RelayAddress
from sync_relay_client.envelope import Envelope
from sync_relay_client.keys import DeviceKey

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""What is read of an answer at most; the longest are lists of devices and of snapshots."""
MAX_PAGE_ANSWER_BYTES = 64 * 1024 * 1024
"""What is read of a page at most; one holds `max_page_bytes` (4 MiB), and an operator may raise that."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, not yet signed. `path` is below the relay's base path; header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    max_answer_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it is sent: whole URL, and every header field that matters."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def prepare(request: Request, address: RelayAddress, signer: DeviceKey | None, created_seconds: int) -> Prepared:
    """Address a request and sign it, unless `signer` is None (§4). `created_seconds` is Unix time."""
    path = address.base_path + request.path
    headers = {**request.headers, "host": address.authority}
    if signer is not None:
        message = Message(request.method, address.authority, path, request.query, dict(request.headers), request.body)
        headers |= sign(message, signer.signing_key, created_seconds)
    query = f"?{urlencode(request.query)}" if request.query else ""
    url = f"{address.scheme}://{address.authority}{path}{query}"
    return Prepared(request.method, url, headers, request.body)


def health() -> Request:
    """`GET /health`, unsigned."""
    return Request("GET", "/health")


def config() -> Request:
    """`GET /config`, unsigned."""
    return Request("GET", "/config")


def register(
    vault_id: str, public_key: bytes, endorsement: Endorsement | None = None, creation_token: str | None = None
) -> Request:
    """`POST /devices`: found a vault, or with an endorsement join one (§5)."""
    body: dict[str, Any] = {"vault_id": vault_id, "public_key": base64url(public_key)}
    if endorsement is not None:
        body["endorsement"] = endorsement.model_dump()
    headers = {} if creation_token is None else {"authorization": f"Bearer {creation_token}"}
    return _post("/devices", body, headers)


def device(device_id: str) -> Request:
    """`GET /devices/{device_id}`."""
    return Request("GET", f"/devices/{_thumbprint(device_id)}")


def roster(vault_id: str) -> Request:
    """`GET /vaults/{vault_id}/devices`."""
    return Request("GET", f"{_vault(vault_id)}/devices")


def revoke(vault_id: str, device_id: str) -> Request:
    """`DELETE /vaults/{vault_id}/devices/{device_id}`."""
    return Request("DELETE", f"{_vault(vault_id)}/devices/{_thumbprint(device_id)}")


def vault_info(vault_id: str) -> Request:
    """`GET /vaults/{vault_id}`."""
    return Request("GET", _vault(vault_id))


def erase(vault_id: str, if_match: bytes) -> Request:
    """`DELETE /vaults/{vault_id}`; `if_match` is the chain of the head that was seen."""
    return Request("DELETE", _vault(vault_id), headers=_if_match(if_match))


def push(vault_id: str, envelopes: Sequence[Envelope], if_match: bytes | None = None) -> Request:
    """`POST /vaults/{vault_id}/changesets`: one changeset, or several that are stored all or none."""
    changesets = [envelope.members() for envelope in envelopes]
    body = changesets[0] if len(changesets) == 1 else {"changesets": changesets}
    return _post(f"{_vault(vault_id)}/changesets", body, _if_match(if_match))


def pull(vault_id: str, since: int, limit: int | None = None) -> Request:
    """`GET /vaults/{vault_id}/changesets`: at most `limit` changesets with seq > `since`."""
    query = (("since", str(since)),) if limit is None else (("since", str(since)), ("limit", str(limit)))
    return Request("GET", f"{_vault(vault_id)}/changesets", query, max_answer_bytes=MAX_PAGE_ANSWER_BYTES)


def announce(vault_id: str, announcement: Announcement) -> Request:
    """`POST /vaults/{vault_id}/snapshots`."""
    return _post(f"{_vault(vault_id)}/snapshots", announcement.model_dump())


def complete(vault_id: str, sha256: str) -> Request:
    """`POST /vaults/{vault_id}/snapshots/{sha256}/complete`."""
    return Request("POST", f"{_vault(vault_id)}/snapshots/{_thumbprint(sha256)}/complete")


def latest_snapshot(vault_id: str) -> Request:
    """`GET /vaults/{vault_id}/snapshots/latest`."""
    return Request("GET", f"{_vault(vault_id)}/snapshots/latest")


def snapshot(vault_id: str, sha256: str) -> Request:
    """`GET /vaults/{vault_id}/snapshots/{sha256}`."""
    return Request("GET", f"{_vault(vault_id)}/snapshots/{_thumbprint(sha256)}")


def snapshots(vault_id: str) -> Request:
    """`GET /vaults/{vault_id}/snapshots`."""
    return Request("GET", f"{_vault(vault_id)}/snapshots")


def _post(path: str, body: object, headers: Mapping[str, str] | None = None) -> Request:
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Request("POST", path, headers={**(headers or {}), "content-type": "application/json"}, body=data)


def _if_match(chain: bytes | None) -> dict[str, str]:
    return {} if chain is None else {"if-match": f'"{base64url(chain)}"'}


def _vault(vault_id: str) -> str:
    if not is_uuid(vault_id):
        raise ValueError("not a vault id")
    return f"/vaults/{vault_id}"


def _thumbprint(text: str) -> str:
    if not is_thumbprint(text):
        raise ValueError("not 43 characters of base64url")
    return text
