"""A request before it is sent. Everything can be changed: what is signed, how, and what is sent in its place."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Self
from urllib.parse import quote

from nacl.signing import SigningKey

from relay_protocol.devices import thumbprint
from sync_relay_conformance.device import Device

Component = tuple[str, str]
"""A covered component: its identifier as it is written (`"@method"`), and its value."""
Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Draft:
    """A request. `path` is whole, with any base path; `signer` is None for one without a signature."""

    method: str
    authority: str
    path: str
    signer: Device | None
    created: int
    query: Sequence[tuple[str, str]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """Header fields to send, by lower-case name; those that §4 wants covered are."""
    body: bytes = b""
    covers: Callable[[list[Component]], list[Component]] | None = None
    """Changes the covered components."""
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    """Signature parameters as they are written; they replace the usual ones, and None leaves one out."""
    label: str = "sig"
    sent: Callable[[Fields], Fields] | None = None
    """Changes the header fields behind the signer's back."""

    def but(self, **changes: Any) -> Self:  # noqa: ANN401 -- members of this class
        """Return it with other members."""
        return replace(self, **changes)

    @property
    def target(self) -> str:
        """Path and query, as they are sent."""
        written = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in self.query)
        return f"{self.path}?{written}" if written else self.path

    def header_fields(self) -> Fields:
        """Return the header fields to send, signature included."""
        fields = dict(self.fields)
        if self.body and "content-digest" not in fields:
            fields["content-digest"] = content_digest(self.body)
        listed = list(fields.items())
        if self.signer is not None:
            listed += self._signature(self.signer.key, fields)
        return self.sent(listed) if self.sent else listed

    def _signature(self, key: SigningKey, fields: Mapping[str, str]) -> Fields:
        components = self._components(fields)
        if self.covers is not None:
            components = self.covers(components)
        inner_list = f"({' '.join(identifier for identifier, _ in components)}){self._parameters(key)}"
        lines = [f"{identifier}: {value}" for identifier, value in components]
        base = "\n".join([*lines, f'"@signature-params": {inner_list}'])
        signature = key.sign(base.encode()).signature
        return [
            ("signature-input", f"{self.label}={inner_list}"),
            ("signature", f"{self.label}={byte_sequence(signature)}"),
        ]

    def _components(self, fields: Mapping[str, str]) -> list[Component]:
        components = [
            ('"@method"', self.method),
            ('"@authority"', normal(self.authority)),
            ('"@path"', self.path),
        ]
        components += [(f'"@query-param";name="{encoded(name)}"', encoded(value)) for name, value in self.query]
        covered = ("content-digest", "content-type", "if-match", "authorization")
        return components + [(f'"{name}"', fields[name]) for name in covered if name in fields]

    def _parameters(self, key: SigningKey) -> str:
        usual = {"created": str(self.created), "keyid": f'"{thumbprint(bytes(key.verify_key))}"', "alg": '"ed25519"'}
        parameters: dict[str, str | None] = {**usual, **self.parameters}
        return "".join(f";{name}={value}" for name, value in parameters.items() if value is not None)


def content_digest(body: bytes) -> str:
    """Return the `Content-Digest` of a body (RFC 9530)."""
    return f"sha-256={byte_sequence(sha256(body).digest())}"


def byte_sequence(data: bytes) -> str:
    """Write a byte sequence as a structured field does (RFC 9651 §3.3.5)."""
    return f":{b64encode(data).decode()}:"


def encoded(text: str) -> str:
    """Percent-encode a query parameter's name or value (RFC 9421 §2.2.8)."""
    return quote(text, safe="*").replace("~", "%7E")


def normal(authority: str) -> str:
    """Return `@authority`: lower case, without a default port (§4)."""
    return authority.lower().removesuffix(":443").removesuffix(":80")


def without(*names: str) -> Callable[[list[Component]], list[Component]]:
    """Cover all but these components."""
    return lambda components: [one for one in components if one[0].strip('"') not in names]


def besides(*more: Component) -> Callable[[list[Component]], list[Component]]:
    """Cover these components too."""
    return lambda components: [*components, *more]


def replaced(name: str, value: str | None) -> Callable[[Fields], Fields]:
    """Send another value of a header field than was signed, or none."""

    def change(fields: Fields) -> Fields:
        kept = [(one, text) for one, text in fields if one != name]
        return kept if value is None else [*kept, (name, value)]

    return change


def edited(name: str, edit: Callable[[str], str]) -> Callable[[Fields], Fields]:
    """Edit a header field after signing."""
    return lambda fields: [(one, edit(text) if one == name else text) for one, text in fields]
