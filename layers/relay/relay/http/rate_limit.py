"""Rate limits (§9): who is counted, and the header fields that tell them. Where the limiter fails, requests pass."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address

from relay.http.request import Request
from relay.ports import Quota, StoreUnavailable, Ticket
from relay.service import Relay
from relay_protocol.encoding import pae
from relay_protocol.errors import RateLimited


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting said: the header fields that the answer carries, and the refusal, if there is one."""

    fields: dict[str, str] = field(default_factory=dict)
    refusal: RateLimited | None = None


def count(relay: Relay, request: Request, now_us: int, meanwhile: Callable[[], None]) -> Counted:
    """Count a request, if it is one that counts. `meanwhile` may be called while the limiter is waited for."""
    limit, policy = relay.settings.limits.rate_limit, _policy(request)
    if limit is None or policy is None:
        return Counted()
    subject = pae("sync-relay/limit/v1", policy, request.vault_id or "", network_of(request.address))
    key = hmac.digest(relay.address_key, subject, sha256)
    try:
        ticket = relay.limiter.take(key, Quota(limit.requests, limit.window_seconds), now_us, meanwhile)
    except StoreUnavailable as error:
        relay.telemetry.limiter_failed(request.id, error.reason)
        ticket = Ticket(allowed=True, remaining=limit.requests, reset_seconds=0, retry_after_seconds=0)
    fields = {
        "RateLimit-Policy": f'"{policy}";q={limit.requests};w={limit.window_seconds}',
        "RateLimit": f'"{policy}";r={ticket.remaining};t={ticket.reset_seconds}',
    }
    return Counted(fields, None if ticket.allowed else RateLimited(ticket.retry_after_seconds))


def network_of(address: str) -> str:
    """Return what is counted as one client: an IPv4 address, or an IPv6 /64 network."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed) >> 64 << 64, 64)))


def _policy(request: Request) -> str | None:
    if request.vault_id is not None:
        return "vault"
    return "address" if request.route.group == "devices" else None
