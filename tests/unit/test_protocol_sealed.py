"""A sealed value shows itself to nothing but its three ways out."""

import copy
import json
import logging
import operator
import pickle
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from relay_protocol.sealed import Sealed, SealedError, into_answer, into_hash, into_store, json_text

CANARY = "canary"

LOOKS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": format,
    "f-string": lambda value: f"{value}",
    "f-string repr": lambda value: f"{value!r}",
    "percent": lambda value: "%s" % value,  # noqa: UP031 -- the way under test
    "percent of itself": lambda value: value % (),
    "str.format": "{}".format,
    "join": "".join,
    "bytes": bytes,
    "bool": bool,
    "not": operator.not_,
    "len": len,
    "iter": list,
    "contains": lambda value: "c" in value,
    "getitem": lambda value: value[0],
    "slice": lambda value: value[:3],
    "equals": lambda value: value == CANARY,
    "equals itself": lambda value: value == value,  # noqa: PLR0124 -- even this
    "equals from the other side": lambda value: CANARY == value,  # noqa: SIM300 -- the side under test
    "differs": lambda value: value != CANARY,
    "less": lambda value: value < CANARY,
    "less or equal": lambda value: value <= CANARY,
    "greater": lambda value: value > CANARY,
    "greater or equal": lambda value: value >= CANARY,
    "hash": hash,
    "dict key": lambda value: {value: 1},
    "set member": lambda value: {value},
    "in a list": lambda value: CANARY in [value, value],
    "add": lambda value: value + CANARY,
    "add from the other side": lambda value: CANARY + value,
    "multiply": lambda value: value * 2,
    "int": int,
    "float": float,
    "index": operator.index,
    "dir": dir,
    "vars": vars,
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "json": json.dumps,
    "orjson": orjson.dumps,
    "regex": lambda value: re.match("c", value),
    "encode": lambda value: value.encode(),
    "attribute": lambda value: value.value,
    "private attribute": lambda value: value.__value,
    "await": lambda value: value.__await__(),
}


@pytest.mark.parametrize("way", LOOKS)
def test_every_look_raises_and_shows_nothing(way: str) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        LOOKS[way](Sealed(CANARY))
    assert CANARY not in str(caught.value)


DUNDERS = sorted(
    name for name, value in vars(Sealed).items() if name.startswith("__") and value is vars(Sealed)["_refuse"]
)


@pytest.mark.parametrize("name", DUNDERS)
def test_every_dunder_raises_sealed_error(name: str) -> None:
    with pytest.raises(SealedError):
        getattr(Sealed(CANARY), name)("argument")


def test_the_dunders_that_could_look_are_all_there() -> None:
    assert {
        *("__repr__", "__str__", "__format__", "__bytes__", "__bool__", "__len__", "__iter__", "__contains__"),
        *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__getitem__"),
        *("__reduce__", "__reduce_ex__", "__getstate__", "__copy__", "__deepcopy__"),
    } <= set(DUNDERS)


def test_logging_it_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("name", logging.ERROR, "path", 1, "value: %s", (Sealed(CANARY),), None)
    logging.StreamHandler().handle(record)
    said = capsys.readouterr().err
    assert "SealedError" in said
    assert CANARY not in said


class Model(BaseModel):
    field: Sealed[str]


def test_a_model_that_holds_one_does_not_print_it() -> None:
    with pytest.raises(SealedError):
        repr(Model.model_validate({"field": CANARY}))


def test_a_validation_error_does_not_hold_one() -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"field": 7, "other": CANARY})
    assert CANARY not in str(caught.value.errors(include_input=False, include_url=False, include_context=False))


@pytest.mark.parametrize("text", ["", "a", "\0", "\u2028", "💶", "x" * 100_000, "not base64!"])
def test_any_string_can_be_sealed_and_leaves_unchanged(text: str) -> None:
    sealed = Model.model_validate({"field": text}).field
    assert into_hash(sealed) == text.encode()
    stored, length = json_text({"field": sealed})
    assert json.loads(into_store(stored)) == {"field": text}
    assert length == len(into_store(stored))


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}, b"bytes"])
def test_what_is_no_string_can_not(value: object) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate({"field": value}, strict=True)


def test_an_answer_gets_its_own_members_in_front() -> None:
    text, _ = json_text({"a": 1, "b": Sealed("x")})
    assert json.loads(into_answer(text, b'"seq":7,')) == {"seq": 7, "a": 1, "b": "x"}


def test_the_length_counts_utf_8_bytes() -> None:
    _, length = json_text({"a": Sealed("💶")})
    assert length == len(b'{"a":"\xf0\x9f\x92\xb6"}')


def test_on_the_wire_it_is_a_plain_string() -> None:
    assert TypeAdapter(Sealed[str]).json_schema() == {"type": "string"}
