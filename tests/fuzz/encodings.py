"""The small readers: base64url, PAE, ids, `If-Match`, bearer tokens, forwarded addresses, tokens of presigned URLs.

An input's first byte chooses the reader.
"""

import json
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

from local.addresses import TrustedProxies
from relay.adapters.filesystem.tokens import Grant, Tokens
from relay.http.fields import bearer_token, if_match
from relay_protocol.encoding import base64url, from_base64url, from_pae, is_thumbprint, is_uuid, pae, rfc3339
from relay_protocol.errors import MalformedRequest, SignatureExpired, SignatureInvalid
from tests.fuzz.signatures import NOW, VECTORS
from tests.fuzz.target import Target

PROXIES = TrustedProxies((ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")))
TOKENS = Tokens(b"k" * 32)
KEY = "00000000-0000-4000-8000-000000000001/00000000-0000-4000-8000-000000000002"
GRANTS = (Grant("PUT", KEY, NOW * 1000 + 1, 5, b"h" * 32), Grant("GET", KEY, NOW * 1000 + 1), Grant("GET", KEY, 1))
ISSUED = {TOKENS.issue(grant): grant for grant in GRANTS}


def _base64url(data: bytes) -> None:
    text = data.decode("latin-1")
    try:
        decoded = from_base64url(text)
    except ValueError:
        return
    assert base64url(decoded) == text, "two texts for the same bytes"


def _pae(data: bytes) -> None:
    try:
        pieces = from_pae(data)
    except ValueError:
        return
    assert pae(*pieces) == data, "two encodings of the same pieces"


def _ids(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert not is_uuid(text) or (len(text) == 36 and text == text.lower() and text.isascii())
    assert not is_thumbprint(text) or (len(text) == 43 and text.isascii())


def _if_match(data: bytes) -> None:
    try:
        chain = if_match({"if-match": data.decode("latin-1")})
    except MalformedRequest:
        return
    assert not chain or f'"{base64url(chain)}"' == data.decode("latin-1"), "a chain that was not sent"


def _bearer(data: bytes) -> None:
    token = bearer_token({"authorization": data.decode("latin-1")})
    assert token is None or token in data.decode("latin-1")


def _forwarded(data: bytes) -> None:
    """The address is one that was named, or the peer's; from a peer that is no proxy, always the peer's."""
    values = data.decode("latin-1").split("\n")
    assert PROXIES.client_address("192.0.2.1", values) == "192.0.2.1"
    named = PROXIES.client_address("10.0.0.1", values)
    assert str(ip_address(named)) == named


def _token(data: bytes) -> None:
    token = data.decode("latin-1")
    for operation in ("PUT", "GET"):
        try:
            grant = TOKENS.judge(token, operation, NOW * 1000)
        except SignatureInvalid:
            assert token not in ISSUED or ISSUED[token].operation != operation
        except SignatureExpired:
            assert ISSUED[token].expires_at_ms <= NOW * 1000
        else:
            assert ISSUED[token] == grant, "a grant that was never issued"


def _time(data: bytes) -> None:
    unix_ms = int.from_bytes(data[:5], "big")
    assert len(rfc3339(unix_ms)) == len("2026-04-26T09:30:00.000Z")


READERS: Sequence[Callable[[bytes], None]] = (
    _base64url,
    _pae,
    _ids,
    _if_match,
    _bearer,
    _forwarded,
    _token,
    _time,
)


def check(data: bytes) -> None:
    """Let the chosen reader read the rest."""
    READERS[(data[0] if data else 0) % len(READERS)](data[1:])


def seeds() -> Sequence[bytes]:
    """Return what each reader takes, one after another."""
    chain = json.loads((VECTORS / "chain.json").read_bytes())["genesis"]
    pieces = [bytes.fromhex(case["pae"]) for case in json.loads((VECTORS / "pae.json").read_bytes())["cases"]]
    texts = [
        (0, chain.encode()),
        *((1, encoded) for encoded in pieces),
        (2, KEY[:36].encode()),
        (2, chain.encode()),
        (3, f'"{chain}"'.encode()),
        (3, b'W/"x"'),
        (4, b"Bearer token"),
        (5, b"192.0.2.7, 10.1.2.3:80\n[2001:db8::1]:80, ::ffff:10.0.0.1"),
        *((6, token.encode()) for token in ISSUED),
        (7, NOW.to_bytes(5, "big")),
    ]
    return [bytes([reader]) + text for reader, text in texts]


ENCODINGS = Target(
    "encodings", check, seeds, words=(b"10.0.0.1", b"::1", b"fe80::1%eth0", b"::ffff:192.0.2.1", b"=", b".")
)
