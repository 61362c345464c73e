"""What is read at once is read as the library reads it; everything else the library reads."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay_protocol import structured_fields
from relay_protocol.structured_fields import parse_dictionary

DIGEST = "sha-256=:" + "A" * 42 + "8=:"
INPUT = 'sig=("@method" "@authority" "@query-param";name="since" "if-match");created=1;keyid="k";nonce="a b;c=(1)"'

_PIECES = [
    "sig",
    "*k",
    "k-1",
    "=",
    ":",
    ";",
    "(",
    ")",
    '"',
    '"a"',
    '"b c"',
    '"\\""',
    " ",
    ",",
    "a",
    "1",
    "-1",
    "0",
    "-0",
]
_PIECES += [
    "01",
    "123456789012345",
    "1234567890123456",
    "1.5",
    "?1",
    "QUI=",
    "QUJD",
    "QQ",
    "QR==",
    "=",
    "é",
    "\t",
    "\n",
]
_PIECES += [DIGEST, INPUT, ';a="x"', ";a=1", ";a", '("a");b="c"']
TEXTS = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """One of the plain forms, in which something was changed."""
    text = draw(st.sampled_from([INPUT, "a=:QUI=:", "a=:QQ==:", "a=:QUJD:", 'a=("b")', 'a=("b";c=1 "d");e=1', "a=()"]))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 2)))
    return text[:start] + draw(st.one_of(st.just(""), st.sampled_from(_PIECES), st.characters())) + text[end:]


@settings(deadline=None, max_examples=1000, derandomize=True, database=None)
@example('a=("b");c=999999999999999')
@example('a=("b");c=1000000000000000')
@example('a=("b";c=1;c=2);d=1;d="2"')
@example('a=("b\\"")')
@example("a=:QUJD:, a=:QUJD:")
@example("a=:QUI:")
@given(st.one_of(edited(), TEXTS))
def test_a_field_means_the_same_to_us_and_to_the_library(text: str) -> None:
    for once in (False, True):
        found = parse_dictionary(text, each_key_once=once)
        expected = structured_fields._parse_any(text, each_key_once=once)
        assert repr(found) == repr(expected), "equal, of the same types, in the same order"


@pytest.mark.parametrize("text", [DIGEST, INPUT, "sig=:" + "A" * 86 + "==:", 'sig=("@method");created=1'])
def test_what_devices_send_does_not_cost_the_library(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured_fields, "_parse_any", lambda *_, **__: pytest.fail("read by the library"))
    assert parse_dictionary(text)


@pytest.mark.parametrize("text", [None, "sig", "sig=", "sig=:A:", "sig=:QUJD", 'sig=("a"', "é=:QUJD:", "sig=:QUJD:,"])
def test_what_is_no_dictionary_is_none_or_has_no_bytes(text: str | None) -> None:
    parsed = parse_dictionary(text)
    assert not parsed or parsed == {"sig": (True, {})}
