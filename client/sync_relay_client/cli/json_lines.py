"""Changes as JSON lines: what `push` reads, what `pull` and `export` print, and what an archive's snapshot holds.

A payload is bytes. As a line's `payload` it is text in UTF-8, or any other JSON value, which is written compactly, its
numbers digit by digit; bytes that are no UTF-8 stand in `payload_base64url` instead.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay_protocol.encoding import base64url, from_base64url, parse_json
from sync_relay_client.cli.failures import Failure
from sync_relay_client.envelope import Change
from sync_relay_client.opening import OpenedChange

_TOO_DEEP = "the payload is nested too deep"


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that is to be recorded, and where it stood."""

    line: int
    change: Change
    schema_version: int


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    payload: Any = None
    payload_base64url: str = ""

    def payload_bytes(self) -> bytes:
        """Return the payload. Raises ValueError unless it is there once, and can be written."""
        given = self.model_fields_set & {"payload", "payload_base64url"}
        if len(given) != 1:
            raise ValueError("one of payload and payload_base64url is needed")
        if "payload_base64url" in given:
            return from_base64url(self.payload_base64url)
        if isinstance(self.payload, str):
            return self.payload.encode()
        return _compact(self.payload)

    @property
    def is_text_or_bytes(self) -> bool:
        """Whether the payload is no other JSON value."""
        return isinstance(self.payload, str) or "payload" not in self.model_fields_set


class PushLine(_Payload):
    """A line of `push`. A line that `pull` printed is taken, too, as a new change: the last four are ignored."""

    entity: str
    entity_id: str
    operation_type: str = "upsert"
    origin_user: str | None = None
    timestamp: str | None = None
    schema_version: Annotated[int, Field(ge=1)] = 1
    seq: int = 0
    received_at: str = ""
    id: str = ""
    author: str = ""


class ArchiveLine(_Payload):
    """A line of an archive's snapshot."""

    seq: int
    received_at: str
    id: str
    author: str
    schema_version: int
    origin_user: str
    timestamp: str
    operation_type: str
    entity: str
    entity_id: str


def read_push_lines(lines: Iterable[bytes], user: str, now: str) -> Iterator[Draft]:
    """Read lines; empty ones are skipped. Raises Failure, which names the line and never what is in it."""
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                line = PushLine.model_validate(parse_json(text))
                payload = line.payload_bytes() if line.is_text_or_bytes else _as_written(text)
            except ValueError as error:
                raise Failure(f"Line {number}: {_reason(error)}. Nothing was recorded.") from None
            change = Change(
                line.origin_user if line.origin_user is not None else user,
                line.timestamp if line.timestamp is not None else now,
                line.operation_type,
                line.entity,
                line.entity_id,
                payload,
            )
            yield Draft(number, change, line.schema_version)


def _as_written(text: bytes) -> bytes:
    """Return a line's payload as compact JSON, its numbers as they stand there: an amount is no float.

    Raises ValueError for one that is nested too deep.
    """
    try:
        line = json.loads(text.decode(), parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    return _compact(line["payload"])


def _compact(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise ValueError(_TOO_DEEP) from None


def read_archive_line(text: bytes) -> ArchiveLine:
    """Read a line of an archive's snapshot. Raises ValueError."""
    line = ArchiveLine.model_validate(parse_json(text))
    line.payload_bytes()
    return line


def line_of(opened: OpenedChange) -> str:
    """Return a change as a line, without its end."""
    change = opened.change
    members: dict[str, Any] = {
        "seq": opened.seq,
        "received_at": opened.received_at,
        "id": opened.id,
        "author": opened.author,
        "schema_version": opened.schema_version,
        "origin_user": change.origin_user,
        "timestamp": change.timestamp,
        "operation_type": change.operation_type,
        "entity": change.entity,
        "entity_id": change.entity_id,
    }
    try:
        members["payload"] = change.payload.decode()
    except UnicodeDecodeError:
        members["payload_base64url"] = base64url(change.payload)
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def _reason(error: ValueError) -> str:
    """Say what is wrong, without the value that is."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"]) if first["type"] != "extra_forbidden" else "a member"
    return f"{place}: {first['msg']}" if place else first["msg"]
