"""The vault as a whole, and the relay itself (§7.1, §7.5)."""

from dataclasses import asdict

from relay.core.snapshots import as_json, latest_of
from relay.core.vaults import erase, stored_bytes, vault
from relay.http.authentication import authenticate
from relay.http.fields import if_match
from relay.http.gateway import Endpoint, Endpoints
from relay.http.request import Request
from relay.http.responses import ProxyResponse, json_response, no_content
from relay.service import Relay
from relay_protocol import PROTOCOL_VERSION
from relay_protocol.encoding import rfc3339
from relay_protocol.errors import PreconditionRequired

ERASE_SECONDS = 5
"""How long a client waits for what it erased to be removed. What is left then, retention removes."""


def answer_health(relay: Relay, _: Request) -> ProxyResponse:
    """Say that the relay and its store are there."""
    relay.log.ping()
    return json_response(200, {"status": "ok"})


def answer_config(relay: Relay, _: Request) -> ProxyResponse:
    """Tell every limit that a client can meet."""
    settings = relay.settings
    answer = {
        "protocol": PROTOCOL_VERSION,
        "limits": asdict(settings.limits),
        "retention": asdict(settings.retention),
        "vault_creation": settings.vault_creation,
    }
    return json_response(200, answer)


def answer_vault(relay: Relay, request: Request) -> ProxyResponse:
    """Show the vault."""
    authenticate(relay, request)
    vault_id = request.ids["vault_id"]
    info = vault(relay.log, vault_id, relay.now_ms())
    latest = latest_of(info.snapshots)
    answer = {
        "vault_id": vault_id,
        "epoch": info.epoch,
        "created_at": rfc3339(info.created_at_ms),
        "head": info.head.as_json(),
        "floor": info.floor.as_json(),
        "devices": info.members,
        "bytes": stored_bytes(info),
        "snapshot": as_json(latest) if latest else None,
    }
    return json_response(200, answer)


def answer_erase(relay: Relay, request: Request) -> ProxyResponse:
    """Erase the vault, if the signer has seen its head."""
    authenticate(relay, request)
    chain = if_match(request.headers)
    if chain is None:
        raise PreconditionRequired
    ends_us = relay.clock.now_us() + ERASE_SECONDS * 1_000_000
    erase(
        relay.log,
        relay.blobs,
        request.ids["vault_id"],
        chain,
        relay.now_ms(),
        has_time=lambda: relay.clock.now_us() < ends_us,
    )
    return no_content()


ENDPOINTS: Endpoints = {
    ("/health", "GET"): Endpoint(answer_health),
    ("/config", "GET"): Endpoint(answer_config),
    ("/vaults/{vault_id}", "GET"): Endpoint(answer_vault),
    ("/vaults/{vault_id}", "DELETE"): Endpoint(answer_erase),
}
