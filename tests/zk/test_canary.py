"""A canary is known again however it is carried off; what is not one is let pass. Else the search is blind."""

import json
import secrets
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import md5, sha256
from urllib.parse import quote
from zlib import crc32

import pytest

from tests.zk.canary import Canary

LINEAR_B = 0x10000
CANARY = Canary.draw("nonce", LINEAR_B, 1237)
OTHER = Canary.draw("other", 0x10280, 5099)

CARRIED: dict[str, Callable[[str], object]] = {
    "whole": str,
    "as bytes": str.encode,
    "in a text": lambda text: f"got {text}!",
    "one sign": lambda text: text[700],
    "a slice": lambda text: text[333:341].encode(),
    "the first bytes": lambda text: text.encode()[:3],
    "a few bytes": lambda text: text.encode()[14:21],
    "one sign in bytes": lambda text: f"got {text[700]}".encode(),
    "among bytes that are no text": lambda text: b"\xff\x00" + text.encode()[400:411] + b"\xff",
    "cut in the middle of a sign": lambda text: text.encode()[6:17],
    "turned round": lambda text: text[::-1],
    "a memoryview": lambda text: memoryview(text.encode()),
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "JSON": json.dumps,
    "JSON, not escaped": lambda text: json.dumps(text, ensure_ascii=False),
    "base64": lambda text: b64encode(text.encode()),
    "base64url": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "base64 from the second byte on": lambda text: b64encode(b"x" + text.encode()).decode(),
    "base64 of a slice": lambda text: b64encode(text.encode()[402:450]).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent": quote,
    "UTF-16": lambda text: text.encode("utf-16"),
    "numbers": lambda text: str(list(text.encode())),
    "SHA-256": lambda text: sha256(text.encode()).digest(),
    "SHA-256, hexadecimal": lambda text: sha256(text.encode()).hexdigest(),
    "MD5, base64": lambda text: b64encode(md5(text.encode()).digest()).decode(),
    "CRC-32": lambda text: crc32(text.encode()),
    "hash()": lambda text: f"{hash(text)}",
    "its length": len,
    "its length in a text": lambda text: f'{{"size":{len(text)}}}',
    "its length in bytes": lambda text: len(text.encode()),
}
INNOCENT: dict[str, object] = {
    "nothing": "",
    "another canary": OTHER.text,
    "another number": 1238,
    "a number within one": "a12370, 71237, b1237-8",
    "true": True,
    "a seq": 1,
    "a digest": sha256(b"else").digest(),
    "three bytes in what is drawn": b"\xff\x98" + chr(LINEAR_B).encode()[:3] + b"\xff" * 20,
    "a sign in what is drawn": b"\xff\x98" + chr(LINEAR_B).encode() + b"\xff" * 20,
    "base32, which nobody uses": b32encode(b"else"),
}


@pytest.mark.parametrize("carry", CARRIED.values(), ids=CARRIED.keys())
def test_a_canary_is_known_again(carry: Callable[[str], object]) -> None:
    assert set(CANARY.ways_in(carry(CANARY.text)))
    assert not set(CANARY.ways_in(carry(OTHER.text)))


@pytest.mark.parametrize("value", INNOCENT.values(), ids=INNOCENT.keys())
def test_what_is_no_canary_is_let_pass(value: object) -> None:
    assert not set(CANARY.ways_in(value))


def test_what_is_drawn_at_random_is_let_pass() -> None:
    """Else the tests would fail now and then for nothing: 300 KB of each kind of text that answers and rows hold."""
    for _ in range(1_000):
        assert not set(CANARY.ways_in(secrets.token_bytes(300)))
        assert not set(CANARY.ways_in(secrets.token_urlsafe(225)))
        assert not set(CANARY.ways_in(secrets.token_hex(150)))
