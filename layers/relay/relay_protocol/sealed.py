"""`Sealed`: bytes and text that the relay carries and never looks at (§10).

A sealed value has exactly three ways out, each a function below: into a hash, into the store, into the answer.
`json_text` writes sealed fields into a JSON text which is sealed itself. Whatever else one tries raises. The
static audit (tools/lint_zk) fails the build where code calls a way out from a place that is not listed there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import orjson

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

T = TypeVar("T", str, bytes)


class SealedError(TypeError):
    """Code tried to look at a sealed value. Always a defect of the relay, never of a request."""


class Sealed(Generic[T]):
    """An opaque value: text of a request's sealed field, or the bytes of a JSON text that holds such fields."""

    __slots__ = ("__value",)

    def __init__(self, value: T) -> None:
        self.__value: T = value

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise SealedError("a sealed value is never looked at")

    __repr__ = __str__ = __format__ = __bytes__ = __bool__ = __len__ = __iter__ = __contains__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __getitem__ = __add__ = __radd__ = __mod__ = __rmod__ = __mul__ = __int__ = __float__ = __index__ = _refuse
    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = __dir__ = _refuse

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":  # noqa: ANN401
        """Any string is sealed as it is: no rule on length, alphabet or emptiness (§3)."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _: "CoreSchema", __: "GetJsonSchemaHandler") -> "JsonSchemaValue":
        """Sealed fields are plain strings on the wire."""
        return {"type": "string"}


def json_text(members: Mapping[str, str | int | Sealed[str]]) -> tuple[Sealed[bytes], int]:
    """Write members, sealed ones too, as one compact JSON object; return it sealed, and its length in bytes (§7.5)."""
    text = orjson.dumps(members, default=_reveal)
    return Sealed(text), len(text)


def into_hash(value: Sealed[str]) -> bytes:
    """Let a sealed field out into a hash, as UTF-8."""
    return _reveal(value).encode()


def into_store(text: Sealed[bytes]) -> bytes:
    """Let a sealed JSON text out into the store."""
    return _reveal(text)


def into_answer(text: Sealed[bytes], members: bytes) -> bytes:
    """Let a sealed JSON object out into the answer, with `members` (`"name":value,`…) written before its own."""
    return b"{" + members + _reveal(text)[1:]


def _reveal(value: Sealed[T]) -> T:
    return value._Sealed__value  # type: ignore[attr-defined,no-any-return] # noqa: SLF001 -- the one place
