"""Requests that are signed after they were mutated, so that they come past the signature, as API Gateway's events.

An input is a request's text; its field `by` names who signs, if anyone does.
"""

from dataclasses import replace

from tests.fuzz.request_text import RequestText, read
from tests.fuzz.target import Target
from tests.fuzz.vault_world import DEVICES, VaultWorld, request_seeds
from tests.http.events import Draft, Event
from tests.http.world import World

_world = VaultWorld()


def check(data: bytes) -> None:
    """Have the function answer the event: no defect, and an answer that the OpenAPI document knows."""
    world = _world.vault().world
    text = read(data)
    answer = world.handle(_event(world, text))
    assert answer.status < 500 or answer.code == "quota_exceeded"
    assert not world.telemetry.of("failed")
    assert not world.telemetry.of("store_unavailable")
    if answer.status < 300 and text.method != "GET":
        _world.spend()


def _event(world: World, text: RequestText) -> Event:
    """Write the event. What can't be signed, as some field is not ASCII, is sent as it is."""
    headers = {name.lower(): value for name, value in text.fields if name.lower() != "by"}
    signer = DEVICES.get(text.joined().get("by", ""))
    unsigned = Draft(
        text.method, text.path, None, world.clock.seconds, text.query, headers, text.body, base64=bool(text.body)
    )
    try:
        return replace(unsigned, key=signer.key if signer else None).event()
    except ValueError:
        return unsigned.event()


SIGNED_REQUESTS = Target(
    "signed_requests",
    check,
    request_seeds,
    words=(
        b"by: founder",
        b"by: lost",
        b"by: stranger",
        b"If-Match: *",
        b'If-Match: ""',
        b'If-Match: W/"x"',
        b"Authorization: Bearer x",
        b"Content-Encoding: gzip",
        b"Content-Type: text/plain",
        b"Content-Length: 99999",
        b"Host: ",
        b"since=0",
        b"limit=0",
        b"?since=",
        b"/changesets",
        b"/snapshots",
        b"/complete",
        b"null",
        b"{}",
        b"[]",
    ),
)
