"""The bodies that requests carry (§3, §5, §7). The models parse, and the OpenAPI document is made from them."""

from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from relay_protocol.changeset import Changeset, SchemaVersion, Text128, Uuid
from relay_protocol.devices import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, is_public_key
from relay_protocol.encoding import THUMBPRINT_PATTERN, from_base64url, parse_json, pointer
from relay_protocol.errors import InvalidField, MalformedRequest

MAX_REPORTED_ERRORS = 32

M = TypeVar("M", bound=BaseModel)


def _bytes_of(length: int) -> AfterValidator:
    def decode(text: str) -> str:
        if len(from_base64url(text)) != length:
            raise ValueError("another length")
        return text

    return AfterValidator(decode)


def _point(text: str) -> str:
    if not is_public_key(from_base64url(text)):
        raise ValueError("not a canonical point of the prime-order subgroup")
    return text


def not_null(value: object) -> object:
    """Refuse null: a member may be left out, but one that is there has the shape of its kind."""
    if value is None:
        raise ValueError("null")
    return value


class NeverNull:
    """Documents an optional member without its null; `SkipJsonSchema[None]` would put its choices into pointers."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of what is there, if it is there."""
        whole: JsonSchemaValue = handler(schema)["anyOf"][0]
        return whole


def without_default(schema: dict[str, Any]) -> None:
    """Take the default out of a member's schema: what is left out is not there, and not null."""
    del schema["default"]


def _base64url_schema(length: int) -> dict[str, Any]:
    digits = -(-length * 4 // 3)
    return {"pattern": f"^[A-Za-z0-9_-]{{{digits}}}$"}


ThirtyTwoBytes = Annotated[str, _bytes_of(32), Field(json_schema_extra=_base64url_schema(32))]
PublicKey = Annotated[
    str,
    _bytes_of(PUBLIC_KEY_BYTES),
    AfterValidator(_point),
    Field(json_schema_extra=_base64url_schema(PUBLIC_KEY_BYTES)),
]
Signature = Annotated[str, _bytes_of(SIGNATURE_BYTES), Field(json_schema_extra=_base64url_schema(SIGNATURE_BYTES))]
Thumbprint = Annotated[str, StringConstraints(pattern=THUMBPRINT_PATTERN)]
Seq = Annotated[int, Field(ge=0, le=2**63 - 1)]


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Endorsement(_Request):
    """A member's word that a device may join the vault until `expires_at`, in Unix seconds (§5)."""

    endorser: Thumbprint
    expires_at: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
    signature: Signature


class Registration(_Request):
    """`POST /devices` (§7.2)."""

    vault_id: Uuid
    public_key: PublicKey
    endorsement: Annotated[
        Endorsement | None, BeforeValidator(not_null), NeverNull(), Field(json_schema_extra=without_default)
    ] = None


class Covers(_Request):
    """Up to which changeset a snapshot holds the vault: seq and the log's chain there."""

    seq: Seq
    chain: ThirtyTwoBytes


class Announcement(_Request):
    """`POST /vaults/{vault_id}/snapshots` (§7.8); `size` in bytes."""

    sha256: ThirtyTwoBytes
    size: Annotated[int, Field(ge=1, le=2**63 - 1)]
    key_id: Text128
    schema_version: SchemaVersion
    covers: Covers


class Batch(_Request):
    """Several changesets, stored all or none, in this order (§7.6)."""

    changesets: Annotated[list[Changeset], Field(min_length=1)]


def parse_push(body: bytes, max_batch: int) -> list[Changeset]:
    """Parse the body of a push: one changeset, or a batch. Raises MalformedRequest or InvalidField."""
    value = _json(body)
    if not (isinstance(value, dict) and "changesets" in value):
        return [_validate(Changeset, value)]
    listed = value["changesets"]
    if isinstance(listed, list) and len(listed) > max_batch:
        raise InvalidField(("/changesets", "too long"))
    batch = _validate(Batch, value).changesets
    repeated = _repeated_ids(batch)
    if repeated:
        raise InvalidField(*((f"/changesets/{index}/id", "repeated in this request") for index in repeated))
    return batch


def parse(model: type[M], body: bytes) -> M:
    """Parse a body by its model. Raises MalformedRequest or InvalidField."""
    return _validate(model, _json(body))


def _json(body: bytes) -> Any:  # noqa: ANN401 -- any JSON value
    try:
        return parse_json(body)
    except ValueError:
        raise MalformedRequest from None


def _validate(model: type[M], value: Any) -> M:  # noqa: ANN401 -- any JSON value
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    raise InvalidField(*(_describe(one["type"], one["loc"]) for one in found[:MAX_REPORTED_ERRORS]))


_REASONS = {
    "missing": "required",
    "extra_forbidden": "an unknown member",
    "string_type": "not a string",
    "string_too_short": "too short",
    "string_too_long": "too long",
    "string_pattern_mismatch": "not of the required form",
    "value_error": "not of the required form",
    "int_type": "not an integer",
    "int_from_float": "not an integer",
    "greater_than_equal": "too small",
    "less_than_equal": "too large",
    "list_type": "not an array",
    "too_short": "too short",
    "too_long": "too long",
    "model_type": "not an object",
    "model_attributes_type": "not an object",
}


def _describe(kind: str, location: tuple[int | str, ...]) -> tuple[str, str]:
    """Return pointer and reason. An unknown member is reported at its parent: its name is the sender's (§6)."""
    if kind == "extra_forbidden":
        location = location[:-1]
    return pointer(location), _REASONS.get(kind, "not valid")


def _repeated_ids(batch: list[Changeset]) -> list[int]:
    seen: set[str] = set()
    repeated = []
    for index, changeset in enumerate(batch):
        if changeset.id in seen:
            repeated.append(index)
        seen.add(changeset.id)
    return repeated
