"""What a presigned URL of the embedded relay carries: a grant, authenticated by HMAC-SHA256.

`base64url(claims as JSON) "." base64url(MAC over the first part)`. The claims can be read by whoever holds the URL,
and changed by nobody.
"""

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from relay_protocol.encoding import base64url, from_base64url
from relay_protocol.errors import SignatureExpired, SignatureInvalid

SUBKEY_LABEL = b"sync-relay/key/blob-url/v1"

Operation = Literal["PUT", "GET"]


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to do one thing with one blob until a time; size and SHA-256 bind an upload."""

    operation: Operation
    blob_key: str
    expires_at_ms: int
    size_bytes: int = 0
    sha256: bytes = b""


class Tokens:
    """Issues tokens and judges them, by a subkey of the relay's key."""

    def __init__(self, key: bytes) -> None:
        self._subkey = hmac.digest(key, SUBKEY_LABEL, sha256)

    def issue(self, grant: Grant) -> str:
        """Return the token of a grant; it is URL-safe."""
        claims = {
            "op": grant.operation,
            "key": grant.blob_key,
            "size": grant.size_bytes,
            "sha256": base64url(grant.sha256),
            "exp": grant.expires_at_ms,
        }
        text = base64url(json.dumps(claims, separators=(",", ":")).encode())
        return f"{text}.{self._mac(text)}"

    def judge(self, token: str, operation: Operation, now_ms: int) -> Grant:
        """Return what a token grants.

        Raises SignatureInvalid unless this key issued it for this operation, SignatureExpired if its time is past.
        """
        text, _, mac = token.partition(".")
        if not hmac.compare_digest(self._mac(text).encode(), mac.encode()):
            raise SignatureInvalid
        claims = json.loads(from_base64url(text))
        if claims["op"] != operation:
            raise SignatureInvalid
        if now_ms >= claims["exp"]:
            raise SignatureExpired
        digest = from_base64url(claims["sha256"])
        return Grant(operation, claims["key"], claims["exp"], claims["size"], digest)

    def _mac(self, text: str) -> str:
        return base64url(hmac.digest(self._subkey, text.encode(), sha256))
