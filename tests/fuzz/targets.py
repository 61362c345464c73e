"""Every target, by its name."""

from collections.abc import Mapping

from tests.fuzz.bodies import BODIES
from tests.fuzz.encodings import ENCODINGS
from tests.fuzz.gateway_events import GATEWAY_EVENTS
from tests.fuzz.signatures import SIGNATURES
from tests.fuzz.signed_requests import SIGNED_REQUESTS
from tests.fuzz.target import Target
from tests.fuzz.wire import WIRE

TARGETS: Mapping[str, Target] = {
    target.name: target for target in (SIGNATURES, BODIES, ENCODINGS, SIGNED_REQUESTS, GATEWAY_EVENTS, WIRE)
}
