"""Canaries that nobody can guess, and how one is known again: whole, in pieces, encoded, hashed, or by its length.

A canary is text of one old script that nothing else here is written in, so that a single sign of it gives it away, and
it repeats a few signs drawn anew in each run, so that any stretch of it in any encoding is one of few.
"""

import re
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b, blake2s, md5, new, sha1, sha224, sha256, sha384, sha512
from zlib import adler32, crc32

SIGNS_DRAWN = 5
BYTES_OF_A_SIGN = 4
PREFIX_BYTES = 3
"""Which all signs have in common: of fewer bytes nothing can be said."""
STRETCH_BYTES = 2 * BYTES_OF_A_SIGN
"""What chance does not give. Three bytes of a canary are in every 16 MB of digests, keys and nonces."""
WINDOW = 12
"""How many characters of base64 or hexadecimal digits are taken for a stretch of a canary, not for chance."""
HASHES: tuple[Callable[[bytes], bytes], ...] = (
    *((lambda data, make=make: make(data).digest()) for make in (md5, sha1, sha224, sha256, sha384, sha512)),
    *((lambda data, make=make: make(data).digest()) for make in (blake2b, blake2s)),
    lambda data: new("sha3_256", data).digest(),
    lambda data: blake2b(data, digest_size=16).digest(),
)
CHECKSUMS = (crc32, adler32)


@dataclass(frozen=True)
class Canary:
    """What stands in one sealed field: so many signs of a script, which begins at a code point."""

    name: str
    script: int
    signs: int
    drawn: tuple[int, ...]

    @classmethod
    def draw(cls, name: str, script: int, signs: int) -> "Canary":
        """Draw one. The script's first 26 code points are used, which UTF-8 writes with the same first three bytes."""
        return cls(name, script, signs, tuple(secrets.randbelow(26) for _ in range(SIGNS_DRAWN)))

    @cached_property
    def text(self) -> str:
        turns = -(-self.signs // SIGNS_DRAWN)
        return "".join(chr(self.script + sign) for sign in self.drawn * turns)[: self.signs]

    @cached_property
    def raw(self) -> bytes:
        return self.text.encode()

    # -------- how it is known again

    def ways_in(self, value: object) -> Iterator[str]:
        """Yield in which ways it stands in a value that is a text, bytes or a number."""
        if isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            if self._is_in(data) or self._utf_16 in data or any(one in data for one in self._raw_digests):
                yield "raw"
            value = _text_of(data, but=self._signs)
        if isinstance(value, str):
            yield from self._ways_in_text(value)
        elif isinstance(value, int) and not isinstance(value, bool) and value in self._numbers:
            yield self._numbers[value]

    def _is_in(self, data: bytes) -> bool:
        """Whether bytes hold a stretch of it, or are a shorter one."""
        return any(one in data for one in self._stretches) or (
            PREFIX_BYTES <= len(data) < STRETCH_BYTES and data in self.raw
        )

    def _ways_in_text(self, text: str) -> Iterator[str]:
        if self._signs.search(text):
            yield "whole or in pieces"
        lower = text.lower()
        if any(one in lower for one in self._escaped):
            yield "escaped"
        if any(one in text for one in self._encoded):
            yield "encoded"
        if any(one in text for one in self._digests):
            yield "hashed"
        for number in self._decimal.findall(text):
            yield self._numbers[int(number)]

    @cached_property
    def _signs(self) -> re.Pattern[str]:
        return re.compile(f"[{chr(self.script)}-{chr(self.script + 25)}]")

    @cached_property
    def _stretches(self) -> set[bytes]:
        """Two signs' bytes, from each byte of a period on."""
        period = SIGNS_DRAWN * BYTES_OF_A_SIGN
        return {self.raw[start : start + STRETCH_BYTES] for start in range(period)}

    @cached_property
    def _utf_16(self) -> bytes:
        return self.text[:3].encode("utf-16-le")

    @cached_property
    def _turned(self) -> list[str]:
        """Three periods from each sign on: any stretch of a few signs is in one of them."""
        return [self.text[start : start + 3 * SIGNS_DRAWN] for start in range(SIGNS_DRAWN)]

    @cached_property
    def _escaped(self) -> set[str]:
        """Two signs as programs escape them, lower case."""
        pairs = [text[:2] for text in self._turned]
        hexadecimal = {pair.encode().hex() for pair in pairs}
        percent = {"".join(f"%{byte:02x}" for byte in pair.encode()) for pair in pairs}
        python = {ascii(pair)[1:-1].lower() for pair in pairs} | {repr(pair.encode())[2:-1] for pair in pairs}
        json = {pair.encode("utf-16-be").hex("-", 2).replace("-", "\\u") for pair in pairs}
        numbers = {", ".join(map(str, pair.encode())) for pair in pairs}
        return hexadecimal | percent | python | json | numbers

    @cached_property
    def _encoded(self) -> set[str]:
        """Stretches of base64, for each sign that one may begin with, and each place in a group of three bytes."""
        found = set()
        for text in self._turned:
            for skipped in range(3):
                data = text.encode()[skipped:]
                for encode in (b64encode, urlsafe_b64encode):
                    found.add(encode(data).decode()[:WINDOW])
        return found

    @cached_property
    def _raw_digests(self) -> list[bytes]:
        return [one(self.raw) for one in HASHES]

    @cached_property
    def _digests(self) -> set[str]:
        found = set()
        for digest in self._raw_digests:
            found |= {digest.hex()[:WINDOW], b64encode(digest).decode()[:WINDOW]}
            found.add(urlsafe_b64encode(digest).decode()[:WINDOW])
        return found

    @cached_property
    def _numbers(self) -> dict[int, str]:
        """Its length in characters and in bytes, its checksums, and its hash in this process."""
        lengths = dict.fromkeys((len(self.text), len(self.raw)), "its length")
        checksums = {one(self.raw): "checksum" for one in CHECKSUMS}
        return lengths | checksums | {hash(self.text): "hash()", hash(self.raw): "hash()"}

    @cached_property
    def _decimal(self) -> re.Pattern[str]:
        numbers = "|".join(re.escape(str(number)) for number in self._numbers)
        return re.compile(rf"(?<![0-9A-Za-z_.-])(?:{numbers})(?![0-9A-Za-z_-])")


def _text_of(data: bytes, but: re.Pattern[str]) -> str:
    """Return what is text in bytes; where they are not all text, without what may be there by chance."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return but.sub("", data.decode("utf-8", "replace"))
