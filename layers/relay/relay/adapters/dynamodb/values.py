"""Python values as DynamoDB's attribute values, and back."""

from collections.abc import Callable
from typing import Any

Item = dict[str, Any]
"""An item's attributes as plain values: text, integers, bytes, truth values, sets of text, lists and dicts."""


def to_item(item: Item) -> dict[str, Any]:
    """Return an item as the API takes it. Attributes that are None or an empty set are left out."""
    return {name: to_value(value) for name, value in item.items() if value is not None and value != frozenset()}


def to_value(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return one attribute value."""
    if isinstance(value, list):
        return {"L": [to_value(one) for one in value]}
    if isinstance(value, dict):
        return {"M": to_item(value)}
    kind, content = _PLAIN[type(value)]
    return {kind: content(value)}


_PLAIN: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bool: ("BOOL", bool),
    str: ("S", str),
    int: ("N", str),
    bytes: ("B", bytes),
    frozenset: ("SS", sorted),
}


def from_item(item: dict[str, Any]) -> Item:
    """Return an item's plain values."""
    return {name: from_value(value) for name, value in item.items()}


def from_value(value: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return the plain value of one attribute."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "SS":
            return frozenset(content)
        case "L":
            return [from_value(one) for one in content]
        case "M":
            return from_item(content)
        case _:
            return content
