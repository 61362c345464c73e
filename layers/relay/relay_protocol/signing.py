"""HTTP Message Signatures (RFC 9421) with Ed25519, as §4 narrows them: making one, and judging one.

A relay judges in three stages, and each raises the error that §4 names for it: `Claim.parse` (is there one
signature?), `Claim.check_rules` (may it look like this?), then, once the device's key is known, `Claim.verify`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import http_sf
from nacl.signing import SigningKey

from relay_protocol.devices import thumbprint, verifies
from relay_protocol.errors import DigestMismatch, SignatureExpired, SignatureInvalid, SignatureRequired
from relay_protocol.structured_fields import parse_dictionary

ALWAYS_COVERED = frozenset({"@method", "@authority", "@path"})
COVERED_WHEN_SENT = frozenset({"if-match", "authorization"})
MAY_BE_COVERED = ALWAYS_COVERED | COVERED_WHEN_SENT | {"content-digest", "content-type"}

_PARAMETER_TYPES: dict[str, type] = {
    "created": int,
    "expires": int,
    "keyid": str,
    "alg": str,
    "nonce": str,
    "tag": str,
}

Component = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Message:
    """What of a request a signature can cover."""

    method: str
    authority: str
    """The `Host` that the client sent, as it came."""
    path: str
    """The path that the client sent, with any stage or base path in front, not decoded."""
    query: Sequence[tuple[str, str]] = ()
    """Decoded names and values, in the order sent."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Header fields by lower-case name, several values joined with a comma and a space."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Claim:
    """The one signature that a request carries, parsed, not yet believed."""

    components: list[Component]
    parameters: dict[str, Any]
    signature: bytes

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Claim":
        """Read `Signature-Input` and `Signature`. Raises SignatureRequired unless they hold exactly one."""
        inputs = parse_dictionary(fields.get("signature-input"), each_key_once=True)
        signatures = parse_dictionary(fields.get("signature"), each_key_once=True)
        if inputs is None or signatures is None or len(inputs) != 1 or inputs.keys() != signatures.keys():
            raise SignatureRequired
        ((components, parameters),) = inputs.values()
        ((signature, _),) = signatures.values()
        if type(components) is not list or type(signature) is not bytes:
            raise SignatureRequired
        return cls(components, parameters, signature)

    @property
    def device_id(self) -> str:
        """The `keyid`. Only to be asked once `check_rules` has passed."""
        return str(self.parameters["keyid"])

    def check_rules(self, message: Message) -> None:
        """Raise SignatureInvalid where a parameter or a component breaks a rule of §4."""
        self._check_parameters()
        covered = [_identifier(component) for component in self.components]
        required = set(ALWAYS_COVERED)
        required |= {f'"@query-param";name="{_encode(name)}"' for name, _ in message.query}
        required |= COVERED_WHEN_SENT & message.fields.keys()
        if message.body:
            required.add("content-digest")
        if len(set(covered)) != len(covered) or not required <= set(covered):
            raise SignatureInvalid

    def _check_parameters(self) -> None:
        parameters = self.parameters
        for name, value in parameters.items():
            if type(value) is not _PARAMETER_TYPES.get(name):
                raise SignatureInvalid
        if "created" not in parameters or "keyid" not in parameters:
            raise SignatureInvalid
        if parameters.get("alg", "ed25519") != "ed25519":
            raise SignatureInvalid

    def verify(self, message: Message, public_key: bytes, now_seconds: int, clock_skew_seconds: int) -> None:
        """Check time, signature and body digest, in this order.

        Raises SignatureExpired, SignatureInvalid or DigestMismatch. `now_seconds` is the relay's clock, Unix seconds.
        """
        if abs(now_seconds - self.parameters["created"]) > clock_skew_seconds:
            raise SignatureExpired
        if self.parameters.get("expires", now_seconds) < now_seconds:
            raise SignatureExpired
        base = signature_base(message, self.components, self.parameters)
        if base is None or not verifies(public_key, base, self.signature):
            raise SignatureInvalid
        if message.body or any(name == "content-digest" for name, _ in self.components):
            _check_digest(message)


def signature_base(message: Message, components: list[Component], parameters: dict[str, Any]) -> bytes | None:
    """Build the signature base (RFC 9421 §2.5); None where a covered component was not sent, or is not ASCII."""
    lines = []
    for component in components:
        value = _component_value(message, component)
        if value is None:
            return None
        lines.append(f"{_item(component)}: {value}\n")
    lines.append(f'"@signature-params": {_inner_list(components, parameters)}')
    base = "".join(lines)
    return base.encode("ascii") if base.isascii() else None


def sign(message: Message, key: SigningKey, created: int) -> dict[str, str]:
    """Sign a request: return the fields to add, `Signature-Input` and `Signature`, and `Content-Digest` for a body.

    `created` is in Unix seconds. Everything is covered that the relay wants covered, `content-type` too if sent.
    """
    added = {"Content-Digest": content_digest(message.body)} if message.body else {}
    fields = {**message.fields, **{name.lower(): value for name, value in added.items()}}
    sent = Message(message.method, message.authority, message.path, message.query, fields, message.body)
    components: list[Component] = [(name, {}) for name in ("@method", "@authority", "@path")]
    components += [("@query-param", {"name": _encode(name)}) for name, _ in message.query]
    components += [(name, {}) for name in sorted(MAY_BE_COVERED & fields.keys())]
    parameters: dict[str, Any] = {
        "created": created,
        "keyid": thumbprint(bytes(key.verify_key)),
        "alg": "ed25519",
    }
    base = signature_base(sent, components, parameters)
    if base is None:
        raise ValueError("a header field of the request is not ASCII")
    signature = key.sign(base).signature
    return added | {
        "Signature-Input": f"sig={_inner_list(components, parameters)}",
        "Signature": http_sf.ser({"sig": (signature, {})}),
    }


def content_digest(body: bytes) -> str:
    """Return the `Content-Digest` of a body, by SHA-256 (RFC 9530)."""
    return http_sf.ser({"sha-256": (sha256(body).digest(), {})})


def normal_authority(host: str) -> str:
    """Return the value of `@authority`: lower case, without a default port (RFC 9421 §2.2.3).

    A relay does not know whether a proxy took TLS off, so the default ports of both schemes go.
    """
    return host.lower().removesuffix(":443").removesuffix(":80")


def _inner_list(components: list[Component], parameters: dict[str, Any]) -> str:
    """Write an inner list (RFC 9651 §4.1.1.1)."""
    return f"({' '.join(map(_item, components))}){_parameters(parameters)}"


def _item(component: Component) -> str:
    """Write a component's identifier, an item that is a string (RFC 9651 §4.1.3)."""
    name, parameters = component
    return f'"{name}"{_parameters(parameters)}'


def _parameters(parameters: dict[str, Any]) -> str:
    """Write parameters whose values are integers and strings, the only ones that §4 lets pass (RFC 9651 §4.1.1.2)."""
    return "".join(f";{name}={value if type(value) is int else _string(value)}" for name, value in parameters.items())


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _check_digest(message: Message) -> None:
    digests = parse_dictionary(message.fields.get("content-digest")) or {}
    value, _ = digests.get("sha-256", (None, {}))
    if type(value) is not bytes or value != sha256(message.body).digest():
        raise DigestMismatch


def _component_value(message: Message, component: Component) -> str | None:
    name, parameters = component
    match name:
        case "@method":
            return message.method
        case "@authority":
            return normal_authority(message.authority)
        case "@path":
            return message.path
        case "@query-param":
            return next(_values_of(message, parameters["name"]), None)
        case _:
            return message.fields.get(name)


def _values_of(message: Message, encoded_name: str) -> Iterator[str]:
    return (_encode(value) for name, value in message.query if _encode(name) == encoded_name)


def _identifier(component: Component) -> str:
    """Return a component's identifier, equal for equal components; raise SignatureInvalid if it may not be covered."""
    name, parameters = component
    if type(name) is str and name in MAY_BE_COVERED and not parameters:
        return name
    if name == "@query-param" and parameters.keys() == {"name"} and type(parameters["name"]) is str:
        return f'"@query-param";name="{parameters["name"]}"'
    raise SignatureInvalid


def _encode(text: str) -> str:
    """Percent-encode as application/x-www-form-urlencoded does, but a space as %20 (RFC 9421 §2.2.8)."""
    return quote(text, safe="*", errors="surrogatepass").replace("~", "%7E")
