"""The callers of the matrix: how each sends a request, to whichever relay takes it."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from relay_protocol.encoding import base64url
from relay_protocol.signing import Claim, Message, content_digest, signature_base
from tests.http.access_stage import Ask, Asked, Stage
from tests.http.device import Device
from tests.http.documented import Answer
from tests.http.events import HOST, Draft, Event, drop_header, edit_header, set_header
from tests.http.world import Vault

Send = Callable[[Event], Answer]
SKEW_SECONDS = 300
P256_BYTES = 32


@dataclass(frozen=True)
class Scene:
    """A request of the matrix, and the relay that it is sent to."""

    stage: Stage
    ask: Ask
    send: Send

    def draft(self, device: Device | None = None, vault: Vault | None = None) -> Draft:
        """Draft it as a device sends it about a vault: a member about its own."""
        return self.ask(Asked(self.stage, device or self.stage.member, vault or self.stage.vault))

    def by(self, device: Device, vault: Vault | None = None) -> Answer:
        return self.send(self.draft(device, vault).event())

    def changed(self, *changes: Callable[[Event], None]) -> Answer:
        """Send a member's request that is changed once it is signed."""
        draft = self.draft()
        draft.after_signing += changes
        return self.send(draft.event())

    def created(self, seconds: int) -> Answer:
        """Send a member's request by a clock that is so far ahead."""
        draft = self.draft()
        draft.created += seconds
        return self.send(draft.event())

    def signed_for(self, **changes: Any) -> Answer:
        """Send a member's request with the signature of another one, which differs so."""
        draft = self.draft()
        other = replace(draft, **{"headers": dict(draft.headers)} | changes).event()
        event = draft.event()
        for name in ("signature", "signature-input", "content-digest"):
            if name in other["headers"]:
                set_header(name, other["headers"][name])(event)
        return self.send(event)

    def signed_with(self, sign: Callable[[bytes], bytes], **parameters: str | int) -> Answer:
        """Send a member's request with a signature of its base by any means, and these parameters."""
        event = self.draft().event()
        headers = event["headers"]
        claim = Claim.parse(headers)
        given = {name: value for name, value in claim.parameters.items() if name != "alg"} | parameters
        body = (event["body"] or "").encode()
        message = Message(event["httpMethod"], headers["host"], event["requestContext"]["path"], (), headers, body)
        base = signature_base(message, claim.components, given)
        assert base is not None
        inner_list: Any = (claim.components, given)
        set_header("signature-input", http_sf.ser({"sig": inner_list}))(event)
        set_header("signature", http_sf.ser({"sig": (sign(base), {})}))(event)
        return self.send(event)


def _unsigned(scene: Scene) -> Answer:
    return scene.changed(drop_header("signature"), drop_header("signature-input"))


def _erased(scene: Scene) -> Answer:
    return scene.by(scene.stage.outsider, scene.stage.gone)


def _lapsed(scene: Scene) -> Answer:
    past = scene.stage.world.clock.seconds - 1
    return scene.signed_with(lambda base: scene.stage.member.key.sign(base).signature, expires=past)


def _replayed(scene: Scene, later_seconds: int = 0) -> Answer:
    event = scene.draft().event()
    assert scene.send(deepcopy(event)).status < 500
    scene.stage.world.clock.advance(later_seconds)
    return scene.send(event)


def _held_back(scene: Scene) -> Answer:
    event = scene.draft().event()
    assert scene.stage.vault.revoke(scene.stage.member).status == 204
    return scene.send(event)


def _other_body(scene: Scene) -> Answer:
    def change(event: Event) -> None:
        event["body"] = (event["body"] or "") + " "

    return scene.changed(change)


def _body_and_digest(scene: Scene) -> Answer:
    def change(event: Event) -> None:
        event["body"] = (event["body"] or "") + " "
        set_header("content-digest", content_digest(event["body"].encode()))(event)

    return scene.changed(change)


def _other_key(scene: Scene) -> Answer:
    def sign(base: bytes) -> bytes:
        return scene.stage.bystander.key.sign(base).signature

    return scene.signed_with(sign)


_P256 = ec.derive_private_key(7, ec.SECP256R1())


def _sign_p256(base: bytes) -> bytes:
    pair = decode_dss_signature(_P256.sign(base, ec.ECDSA(SHA256())))
    return b"".join(number.to_bytes(P256_BYTES, "big") for number in pair)


def _p256_thumbprint() -> str:
    """Return the key's JWK thumbprint (RFC 7638), as §1 makes a device's id."""
    numbers = _P256.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(P256_BYTES, "big")) for number in (numbers.x, numbers.y))
    return base64url(sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


SEND_AS: Mapping[str, Callable[[Scene], Answer]] = {
    "founder": lambda scene: scene.by(scene.stage.vault.founder),
    "member": lambda scene: scene.by(scene.stage.member),
    "unsigned": _unsigned,
    "unknown": lambda scene: scene.by(scene.stage.stranger),
    "elsewhere": lambda scene: scene.by(scene.stage.outsider),
    "nowhere": lambda scene: scene.by(scene.stage.outsider, scene.stage.nowhere()),
    "erased": _erased,
    "revoked": lambda scene: scene.by(scene.stage.revoked),
    "at the bound, slow": lambda scene: scene.created(-SKEW_SECONDS),
    "at the bound, fast": lambda scene: scene.created(SKEW_SECONDS),
    "expired": lambda scene: scene.created(-SKEW_SECONDS - 1),
    "future": lambda scene: scene.created(SKEW_SECONDS + 1),
    "lapsed": _lapsed,
    "replayed": _replayed,
    "replayed late": lambda scene: _replayed(scene, SKEW_SECONDS + 1),
    "held back": _held_back,
    "not parsed": lambda scene: scene.changed(set_header("signature", "?")),
    "unknown parameter": lambda scene: scene.changed(edit_header("signature-input", lambda value: value + ";x=1")),
    "other path": lambda scene: scene.signed_for(path="/vaults"),
    "other method": lambda scene: scene.signed_for(method="OPTIONS"),
    "other query": lambda scene: scene.signed_for(query=[("since", "0")]),
    "other authority": lambda scene: scene.signed_for(headers=scene.draft().headers | {"Host": f"not-{HOST}"}),
    "other body": _other_body,
    "body and digest": _body_and_digest,
    "other key": _other_key,
    "forged": lambda scene: scene.signed_with(lambda _: bytes(64)),
    "other algorithm": lambda scene: scene.signed_with(
        lambda base: scene.stage.member.key.sign(base).signature, alg="ecdsa-p256-sha256"
    ),
    "P-256 key": lambda scene: scene.signed_with(_sign_p256, keyid=_p256_thumbprint()),
    "P-256, a member's id": lambda scene: scene.signed_with(_sign_p256),
}
