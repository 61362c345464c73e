"""base64url, ids, times, PAE and strict JSON: what a client and a relay must read alike."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_protocol.encoding import (
    base64url,
    from_base64url,
    from_pae,
    is_thumbprint,
    is_uuid,
    pae,
    parse_json,
    pointer,
    rfc3339,
)

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
UUID = "0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77"
CASES: list[dict[str, Any]] = json.loads((VECTORS / "pae.json").read_bytes())["cases"]


# ---------------------------------------------------------------- base64url and ids


@given(st.binary())
def test_base64url_undoes_itself_and_has_no_padding(data: bytes) -> None:
    text = base64url(data)
    assert from_base64url(text) == data
    assert text == urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize("text", ["AA==", "A", "AAAAA", "A+", "A/", "A A", "AA\n", "\nAA", "ÄÄ", "AA.", "\0\0", "AA="])
def test_what_is_not_base64url(text: str) -> None:
    with pytest.raises(ValueError, match="not base64url"):
        from_base64url(text)


@pytest.mark.parametrize("text", ["AB", "AP", "Af", "AAB", "AAC", "AA_"])
def test_trailing_bits_that_are_not_zero(text: str) -> None:
    """Else one id, key or signature would have several spellings."""
    with pytest.raises(ValueError, match="trailing bits"):
        from_base64url(text)


def test_a_uuid_of_any_version_is_one() -> None:
    assert is_uuid(UUID)
    assert is_uuid("00000000-0000-0000-0000-000000000000")
    assert is_uuid("ffffffff-ffff-ffff-ffff-ffffffffffff")


@pytest.mark.parametrize(
    "text",
    ["", UUID.upper(), UUID[:-1], UUID + "0", UUID + "\n", f"{{{UUID}}}", UUID.replace("-", ""), UUID[:-1] + "g"],
)
def test_what_is_no_uuid(text: str) -> None:
    assert not is_uuid(text)


@pytest.mark.parametrize(
    ("text", "has_form"),
    [("A" * 43, True), ("_-09azAZ" + "x" * 35, True), ("A" * 42, False), ("A" * 44, False), ("A" * 42 + "=", False)],
)
def test_a_thumbprint_has_43_characters_of_the_alphabet(text: str, has_form: bool) -> None:  # noqa: FBT001 -- a case
    assert is_thumbprint(text) is has_form
    assert not is_thumbprint(text + "\n")


@pytest.mark.parametrize(
    ("unix_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_777_195_800_007, "2026-04-26T09:30:00.007Z"),
        (1_709_210_096_999, "2024-02-29T12:34:56.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_have_milliseconds_and_z(unix_ms: int, text: str) -> None:
    assert rfc3339(unix_ms) == text


# ---------------------------------------------------------------- PAE


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_pae_vectors(case: dict[str, Any]) -> None:
    pieces = [bytes.fromhex(one["hex"]) if isinstance(one, dict) else one for one in case["pieces"]]
    assert pae(*pieces).hex() == case["pae"]
    split = [one if isinstance(one, bytes) else str(one).encode() for one in pieces]
    assert from_pae(bytes.fromhex(case["pae"])) == split


@given(st.lists(st.binary()))
def test_pae_undoes_itself(pieces: list[bytes]) -> None:
    assert from_pae(pae(*pieces)) == pieces


@given(st.binary(max_size=80))
def test_whatever_splits_is_the_one_encoding_of_its_pieces(data: bytes) -> None:
    try:
        pieces = from_pae(data)
    except ValueError:
        return
    assert pae(*pieces) == data


ONE = pae(b"piece")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        ONE[:-1],
        ONE + b"\0",
        ONE + ONE,
        ONE[:12],
        (2).to_bytes(8, "little") + ONE[8:],
        (0).to_bytes(8, "little") + ONE[8:],
        (1 << 62).to_bytes(8, "little") + ONE[8:],
        b"\1" + bytes(6) + b"\x80" + ONE[8:],
        ONE[:8] + b"\5" + bytes(6) + b"\x80" + ONE[16:],
        ONE[:8] + b"\xff" * 7 + b"\x7f" + ONE[16:],
    ],
)
def test_pae_of_another_form(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"LE64|past the end|whole encoding"):
        from_pae(data)


def test_pae_cannot_carry_a_lone_surrogate() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        pae("\ud800")


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":[1,2.5,null,true,"x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b" \t\r\n1 ", 1),
        (b"-0", 0),
        (b"-9223372036854775808", -(2**63)),
        (b"18446744073709551615", 2**64 - 1),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\u0000"', "\0"),
        ('"\u2028💶"'.encode(), "\u2028💶"),
        (b'{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_json_is_read(body: bytes, value: object) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b'{"a":NaN}',
        b'{"a":1e400,"b":NaN}',
        b"nul",
        b"'a'",
        b"01",
        b"+1",
        b"1.",
        b".5",
        b"-",
        b"[1,]",
        b'{"a":1,}',
        b"{1:2}",
        b"1 2",
        b"//\n1",
        b'"\t"',
        b'"\n"',
        b'"\\x"',
        b'"',
        b"\xef\xbb\xbf1",
        b"\xff",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800":1}',
        b'["\\ud800",1e400]',
        b'{"\\udfff":99999999999999999999999}',
        "1".encode("utf-16"),
    ],
)
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        parse_json(body)


@pytest.mark.parametrize("number", [b"1e400", b"1" * 20, b"1" * 5000, b"1" * 400 + b".5"])
def test_a_number_beyond_a_double_is_still_json(number: bytes) -> None:
    """It is refused by its field's rule (422), not as malformed (400)."""
    found = parse_json(b'{"n":' + number + b',"s":"x"}')
    assert found["s"] == "x"
    assert found["n"] > 1e18


@pytest.mark.parametrize("number", [b"-1e400", b"-" + b"1" * 5000])
def test_a_number_beyond_a_double_keeps_to_json_below_zero_too(number: bytes) -> None:
    assert isinstance(parse_json(number), float)


@pytest.mark.parametrize("depth", [2, 16, 500])
def test_nesting(depth: int) -> None:
    found = parse_json(b"[" * depth + b"]" * depth)
    for _ in range(depth - 1):
        (found,) = found
    assert found == []


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_nesting_without_end_is_refused_and_never_fails(opening: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        parse_json(opening * 100_000)
    closing = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]"}[opening]
    with pytest.raises(ValueError, match="not JSON"):
        parse_json(opening * 100_000 + b"1" + closing * 100_000)


@given(st.binary(max_size=60))
def test_no_body_makes_it_fail_otherwise(body: bytes) -> None:
    try:
        found = parse_json(body)
    except ValueError:
        return
    json.dumps(found, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("location", "text"),
    [((), ""), (("a",), "/a"), (("changesets", 3, "id"), "/changesets/3/id"), (("a/b", "~", "~1"), "/a~1b/~0/~01")],
)
def test_pointers(location: tuple[str | int, ...], text: str) -> None:
    assert pointer(location) == text
