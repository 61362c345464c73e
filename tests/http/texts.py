"""Strings that have gone wrong somewhere before, and bytes that are none: for every text field (§2)."""

SAMPLES = {
    "NUL": "\0",
    "controls": "a\x01\x1f\x7f\x85b",
    "line separators": "a\u2028b\u2029c\r\n\td",
    "astral": "😀\U0010ffff",
    "noncharacters": "\ufffe\uffff\ufdd0",
    "not normalised": "e\u0301 \u00e9 \ufb01",
    "not trimmed": "  a  ",
    "JSON's own": '"\\/}{],',
    "right to left": "\u202eabc\u202c",
    "byte order mark": "\ufeffa",
    "SQL": "'; DROP TABLE changesets; --",
}

NOT_UTF8 = [rb"\ud800", rb"\udc00", rb"\udc00\ud800", rb"a\udfffb", b"\xed\xa0\x80", b"\xff"]
"""As they stand between the quotes of a JSON string: lone surrogates, escaped and raw, and a byte of no character."""
