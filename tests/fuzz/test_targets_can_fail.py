"""Each target sees a defect of the kind that it is there for: a fuzzer that finds nothing in a broken relay is none."""

import base64
import json
from collections.abc import Callable
from typing import Any

import http_sf
import pytest

from local import incoming
from local.events import Events
from relay.adapters.filesystem.tokens import Tokens
from relay.core import push
from relay.http import request
from relay_protocol import requests, signing
from tests.fuzz import encodings
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS

INPUTS = 3000
Patch = pytest.MonkeyPatch


def _believes_every_signature(patch: Patch) -> None:
    patch.setattr(signing, "verifies", lambda *_: True)


def _forgets_to_bind_the_body(patch: Patch) -> None:
    patch.setattr(signing, "_check_digest", lambda _: None)


def _leaves_a_quote_as_it_is(patch: Patch) -> None:
    patch.setattr(signing, "_string", lambda text: f'"{text}"')


def _lets_an_error_of_the_library_through(patch: Patch) -> None:
    def parse(value: str | None, **_: Any) -> Any:
        return http_sf.parse((value or "").encode("latin-1"), tltype="dictionary")

    patch.setattr(signing, "parse_dictionary", parse)


def _tells_what_was_sent(patch: Patch) -> None:
    patch.setattr(requests, "_describe", lambda _, place: ("/" + "/".join(map(str, place)), "required"))


def _takes_not_a_number(patch: Patch) -> None:
    patch.setattr(requests, "parse_json", json.loads)


def _takes_padding(patch: Patch) -> None:
    patch.setattr(
        encodings, "from_base64url", lambda text: base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text) % 4))
    )


def _takes_any_token(patch: Patch) -> None:
    patch.setattr(Tokens, "_mac", lambda _, text: text[:3])


def _fails_on_an_empty_tag(patch: Patch) -> None:
    whole = push.Push.run

    def run(self: push.Push, log: Any) -> Any:
        if self.if_match == b"":
            raise IndexError
        return whole(self, log)

    patch.setattr(push.Push, "run", run)


def _believes_the_gateway(patch: Patch) -> None:
    patch.setattr(request, "_body", lambda event: base64.b64decode(event["body"] or "", validate=True))


def _reads_a_length_twice(patch: Patch) -> None:
    whole = incoming.Incoming.next_chunk

    async def next_chunk(self: incoming.Incoming) -> bytes:
        chunk = await whole(self)
        if len(chunk) == 3:
            raise RuntimeError
        return chunk

    patch.setattr(incoming.Incoming, "next_chunk", next_chunk)


def _fails_at_a_path_of_escapes(patch: Patch) -> None:
    whole = Events.path

    def path(self: Events, scope: Any) -> str:
        assert b"%" not in scope["raw_path"]
        return whole(self, scope)

    patch.setattr(Events, "path", path)


DEFECTS: list[tuple[str, Callable[[Patch], None]]] = [
    ("signatures", _believes_every_signature),
    ("signatures", _forgets_to_bind_the_body),
    ("signatures", _leaves_a_quote_as_it_is),
    ("signatures", _lets_an_error_of_the_library_through),
    ("bodies", _tells_what_was_sent),
    ("bodies", _takes_not_a_number),
    ("encodings", _takes_padding),
    ("encodings", _takes_any_token),
    ("signed_requests", _fails_on_an_empty_tag),
    ("gateway_events", _believes_the_gateway),
    ("wire", _reads_a_length_twice),
    ("wire", _fails_at_a_path_of_escapes),
]


@pytest.mark.parametrize(("name", "defect"), DEFECTS, ids=[defect.__name__.strip("_") for _, defect in DEFECTS])
def test_a_defect_is_found(name: str, defect: Callable[[Patch], None], monkeypatch: Patch) -> None:
    defect(monkeypatch)
    target = TARGETS[name]
    for data in [*target.seeds(), *mutated(target, [], INPUTS)]:
        try:
            target.check(data)
        except BaseException:  # noqa: BLE001 -- whatever tells of it
            return
    raise AssertionError("not found")
