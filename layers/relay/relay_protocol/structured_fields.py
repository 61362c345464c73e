"""Structured-field dictionaries (RFC 9651 §3.2). http-sf reads them; the two forms that devices send are read at once.

These forms are `key=:base64:` and `key=("item" …);name=value…`, where every parameter is a string without escapes or an
integer. Whatever else a field holds, the library reads it. For these it would return the same, at ten times the cost.
"""

import re
from base64 import b64decode
from typing import Any

import http_sf

Dictionary = dict[str, Any]

_KEY = r"[a-z*][a-z0-9_.*-]*"
_STRING = r'"[ !#-\[\]-~]*"'
_VALUE = rf"(?:{_STRING}|0|-?[1-9][0-9]{{0,14}})"
_PARAMETERS = rf"(?:;{_KEY}={_VALUE})*"
_ITEM = rf"{_STRING}{_PARAMETERS}"

_BYTES_MEMBER = re.compile(rf"({_KEY})=:((?:[A-Za-z0-9+/]{{4}})*(?:[A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?):")
_LIST_MEMBER = re.compile(rf"({_KEY})=\(({_ITEM}(?: {_ITEM})*)\)({_PARAMETERS})")
_ONE_ITEM = re.compile(rf'"([^"]*)"({_PARAMETERS})')
_ONE_PARAMETER = re.compile(rf";({_KEY})=({_VALUE})")


def parse_dictionary(value: str | None, *, each_key_once: bool = False) -> Dictionary | None:
    """Parse a dictionary into members and their parameters, as http-sf does; None if it is absent or is not one.

    Of a key that stands twice the last value counts (RFC 9651 §3.2), unless each has to stand once.
    """
    text = value or ""
    if member := _BYTES_MEMBER.fullmatch(text):
        return {member[1]: (b64decode(member[2]), {})}
    if member := _LIST_MEMBER.fullmatch(text):
        items = [(name, _parameters(theirs)) for name, theirs in _ONE_ITEM.findall(member[2])]
        return {member[1]: (items, _parameters(member[3]))}
    return _parse_any(text, each_key_once=each_key_once)


def _parameters(text: str) -> dict[str, str | int]:
    return {name: value[1:-1] if value[0] == '"' else int(value) for name, value in _ONE_PARAMETER.findall(text)}


def _parse_any(text: str, *, each_key_once: bool) -> Dictionary | None:
    repeated: list[str] = []
    try:
        parsed = http_sf.parse(
            text.encode("ascii"),
            tltype="dictionary",
            on_duplicate_key=lambda key, place: repeated.append(key) if place == "dictionary" else None,
        )
    except (UnicodeEncodeError, http_sf.StructuredFieldError):
        return None
    return None if (each_key_once and repeated) or not isinstance(parsed, dict) else parsed
