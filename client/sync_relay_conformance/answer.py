"""An answer of the relay, and what a check says about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sync_relay_conformance.verdicts import Failed, must, must_equal, shown

REFUSED = 400


@dataclass(frozen=True)
class Answer:
    """What came. `asked` is the request's method and target below the base path; header names are lower case."""

    asked: str
    is_signed: bool
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 -- any JSON value
        """The body, parsed. Raises Failed where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed("a JSON body", self.outcome) from None

    @property
    def code(self) -> str | None:
        """The code of a refusal (§6)."""
        if self.status < REFUSED:
            return None
        try:
            return str(json.loads(self.body)["code"])
        except (ValueError, KeyError, TypeError):
            return None

    @property
    def outcome(self) -> str:
        """What came, for people."""
        if self.code is not None:
            return f"{self.status} {self.code}"
        return f"{self.status} {shown(self.body.decode(errors='replace'))}".strip()

    def must_be(self, status: int, code: str | None = None, **members: object) -> Self:
        """Raise Failed unless this is the status, and the code, and the body has these members with these values."""
        expected = f"{status} {code or ''}".strip()
        if (self.status, self.code) != (status, code):
            raise Failed(f"{expected} to {self.asked}", self.outcome)
        for name, value in members.items():
            must(name in self.json, f"{expected} with {name!r}", self.json)
            must_equal(self.json[name], value, f"{name!r} of {expected} to {self.asked}")
        return self

    def must_point_at(self, *pointers: str) -> Self:
        """Raise Failed unless this is a 422 that names these members (§6)."""
        self.must_be(422, "invalid_field")
        must_equal(sorted(one["pointer"] for one in self.json["errors"]), sorted(pointers), "the pointers of a 422")
        return self

    def must_not_fail(self, *statuses: int) -> Self:
        """Raise Failed unless the status is one of these."""
        must(self.status in statuses, f"{' or '.join(map(str, statuses))} to {self.asked}", self.outcome)
        return self
