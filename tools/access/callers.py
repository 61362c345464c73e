"""The kinds of callers: who signs, when, and what the signature was made for."""

from collections.abc import Mapping

WHO: Mapping[str, str] = {
    "founder": "the device that founded the vault",
    "member": "a device that joined it",
    "unsigned": "no signature at all",
    "unknown": "signed by a device that is registered nowhere",
    "elsewhere": "signed by a member of another vault only",
    "nowhere": "a registered device names a vault (or a device) that is not there",
    "erased": "a registered device names a vault that it was in and that was erased (or a device of that vault alone)",
    "revoked": "signed by a device that was revoked in the vault",
}
WHEN: Mapping[str, str] = {
    "at the bound, slow": "a member, whose clock is 300 s behind",
    "at the bound, fast": "a member, whose clock is 300 s ahead",
    "expired": "a member, whose clock is 301 s behind",
    "future": "a member, whose clock is 301 s ahead",
    "lapsed": "a member, whose signature's `expires` is past",
    "replayed": "a member's request, that was answered, byte for byte again",
    "replayed late": "the same, 301 s after it was signed",
    "held back": "a member's request, that arrives for the first time once that member was revoked",
}
WHAT: Mapping[str, str] = {
    "not parsed": "signature fields that are not structured fields",
    "unknown parameter": "a signature with a parameter that the protocol does not name",
    "other path": "a member's signature of another path",
    "other method": "a member's signature of another method",
    "other query": "a member's signature of the same path with a query",
    "other authority": "a member's signature for another relay",
    "other body": "a member's signature, and a body that was changed (or put in) on the way",
    "body and digest": "the same, with a `Content-Digest` that fits the body sent",
    "other key": "signed by another device, under a member's `keyid`",
    "forged": "a member's `keyid`, and 64 bytes that are no signature",
    "other algorithm": "a member's signature that says it is of another algorithm",
    "P-256 key": "an ECDSA key's signature, under that key's own thumbprint",
    "P-256, a member's id": "an ECDSA key's signature, under a member's `keyid`",
}
CALLERS: Mapping[str, str] = {**WHO, **WHEN, **WHAT}
