"""What the doctor looks at from outside of a vault: the relay's address, TLS, limits and clock."""

import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx

from relay_protocol import answers
from sync_relay_client import requests
from sync_relay_client.address import RelayAddress
from sync_relay_client.answers import read
from sync_relay_client.cli.findings import Finding, finding_of
from sync_relay_client.errors import SyncRelayError
from sync_relay_client.keys import DeviceKey
from sync_relay_client.options import Options
from sync_relay_client.relay_client import RelayClient

_SOON_DAYS = 14
_DAY_SECONDS = 24 * 3600
_TLS_SECONDS = 10
_HTTPS_PORT = 443
_NOTABLE_SHARE = 1 / 5
"""Of the skew that the relay allows: from here on it is worth a look."""


def check_relay(url: str, options: Options) -> Iterator[Finding]:
    """Look at the relay without a profile."""
    address = RelayAddress.parse(url)
    asked_at = options.clock()
    yield _tls(address, asked_at)
    try:
        with RelayClient(
            url,
            DeviceKey.generate(),
            transport=options.transport,
            timeout_seconds=options.timeout_seconds,
            api_key=options.api_key,
        ) as client:
            answer = client.send(requests.config(), signed=False)
        config = read(answers.ConfigAnswer, answer)
    except SyncRelayError as error:
        yield finding_of("relay", error)
        return
    yield Finding("relay", "ok", f"{url} answers, protocol {config.protocol}")
    limits, retention = config.limits, config.retention
    yield Finding(
        "limits",
        "ok",
        f"{limits.max_body_bytes} bytes a request, {limits.max_snapshot_bytes} a snapshot, {limits.max_vault_bytes} a"
        f" vault, {limits.max_devices} devices; changesets stay for {retention.changeset_days} days at least",
    )
    yield _clock(answer.headers.get("date"), asked_at, options.clock(), config.limits.clock_skew_seconds)


def _tls(address: RelayAddress, now: float) -> Finding:
    url = httpx.URL(str(address))
    if address.scheme == "http":
        if url.host in {"localhost", "127.0.0.1", "::1"}:
            return Finding("tls", "ok", "not needed: the relay is on this machine")
        return Finding(
            "tls",
            "look",
            "the address is http",
            "What you sync is sealed; who syncs, when and how much is not: use https",
        )
    try:
        with (
            socket.create_connection((url.host, url.port or _HTTPS_PORT), _TLS_SECONDS) as plain,
            httpx.create_ssl_context().wrap_socket(plain, server_hostname=url.host) as tls,
        ):
            certificate, version = tls.getpeercert() or {}, tls.version()
    except ssl.SSLCertVerificationError as error:
        return Finding(
            "tls", "wrong", f"the certificate is not accepted: {error.verify_message}", "Do not sync: ask who runs it"
        )
    except OSError as error:
        return Finding("tls", "look", f"no TLS connection: {error.strerror or type(error).__name__}")
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - now) // _DAY_SECONDS)
    if days < _SOON_DAYS:
        return Finding("tls", "look", f"the certificate ends in {days} days", "Tell who runs the relay")
    return Finding("tls", "ok", f"{version}, a certificate for {days} more days")


def _clock(date: str | None, asked_at: float, answered_at: float, allowed_seconds: int) -> Finding:
    """Compare clocks: the relay wrote a whole second of its own, sometime between asking and answering."""
    try:
        relay_at = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return Finding("clock", "look", "the relay does not tell the time")
    at_least, at_most = asked_at - relay_at - 1, answered_at - relay_at
    skew_seconds = round(max(at_least, 0) + min(at_most, 0))
    side = "ahead of" if skew_seconds > 0 else "behind"
    detail = f"{abs(skew_seconds)} s {side} the relay's, which allows {allowed_seconds} s"
    if abs(skew_seconds) >= allowed_seconds:
        return Finding("clock", "wrong", detail, "Set this machine's clock (or the relay's): requests are refused")
    if abs(skew_seconds) > allowed_seconds * _NOTABLE_SHARE:
        return Finding("clock", "look", detail, "Set this machine's clock, or let it be set by NTP")
    return Finding("clock", "ok", "agrees with the relay's" if not skew_seconds else detail)
