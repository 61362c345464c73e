"""Checks a value against a JSON Schema of the OpenAPI document: the few keywords that it uses, any other is a fault."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_SILENT = {"title", "description", "default", "examples", "format", "items", "properties", "required"}


def faults(value: Any, schema: Json, components: Json, where: str = "") -> Iterator[str]:
    """Yield what is wrong with the value. `components` are the document's schemas, by name."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    for keyword, rule in schema.items():
        if keyword not in _SILENT and not _holds(keyword, rule, value, schema, components):
            yield f"{where or '/'}: {keyword} {rule!r}"
    if isinstance(value, dict):
        yield from (f"{where}/{name}: required" for name in schema.get("required", ()) if name not in value)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from faults(value[name], inner, components, f"{where}/{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], components, f"{where}/{index}")


def _holds(keyword: str, rule: Any, value: Any, schema: Json, components: Json) -> bool:  # noqa: PLR0911 -- a table
    match keyword:
        case "type":
            return isinstance(value, _TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
        case "const":
            return bool(type(value) is type(rule) and value == rule)
        case "enum":
            return value in rule
        case "pattern":
            return not isinstance(value, str) or re.search(rule, value) is not None
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            size = len(value) if isinstance(value, (str, list)) else rule
            return bool(size >= rule if keyword.startswith("min") else size <= rule)
        case "minimum" | "maximum":
            number = value if isinstance(value, int) else rule
            return bool(number >= rule if keyword == "minimum" else number <= rule)
        case "anyOf" | "oneOf":
            fitting = sum(not list(faults(value, option, components)) for option in rule)
            return fitting == 1 if keyword == "oneOf" else fitting > 0
        case "additionalProperties":
            others = set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else set()
            return not others if rule is False else _each(others, rule, value, components)
        case _:
            raise AssertionError(f"the schema checker does not know {keyword}")


def _each(names: set[str], rule: Any, value: Any, components: Json) -> bool:
    return rule is True or not any(list(faults(value[name], rule, components)) for name in names)
