"""One request, from the event to the response: the order of the checks (§6), and the one place that maps errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from relay.http.authentication import look_ahead
from relay.http.rate_limit import count
from relay.http.request import Event, Request, read_event
from relay.http.responses import ProxyResponse, refuse
from relay.observability import Answered
from relay.ports import StoreUnavailable
from relay.service import Relay
from relay_protocol.errors import BodyTooLarge, Internal, RelayError, Unavailable

RETRY_UNAVAILABLE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers one method of one route, and the query parameters it takes."""

    answer: Callable[[Relay, Request], ProxyResponse]
    query: frozenset[str] = frozenset()


Endpoints = Mapping[tuple[str, str], Endpoint]
"""By the route's resource and the method."""


def handle(relay: Relay, endpoints: Endpoints, event: Event) -> ProxyResponse:
    """Answer an API Gateway REST proxy event. Never raises: a defect becomes a constant 500."""
    exchange = _Exchange(relay)
    try:
        response = exchange.answer(endpoints, event)
    except RelayError as error:
        response = exchange.refuse(error)
    except StoreUnavailable as error:
        relay.telemetry.store_unavailable(exchange.request_id, error.reason)
        response = exchange.refuse(Unavailable(RETRY_UNAVAILABLE_SECONDS))
    except Exception as error:  # noqa: BLE001 -- the one place where a defect is answered
        relay.telemetry.failed(exchange.request_id, error)
        response = exchange.refuse(Internal(exchange.request_id))
    response["headers"].update(exchange.rate_fields)
    exchange.tell(response)
    return response


class _Exchange:
    """What is known of a request so far, for its answer and its log line, wherever it fails."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._started_us = relay.clock.now_us()
        self._route = "none"
        self._vault: str | None = None
        self._code: str | None = None
        self.request_id = relay.ids.uuid()
        self.rate_fields: dict[str, str] = {}

    def answer(self, endpoints: Endpoints, event: Event) -> ProxyResponse:
        """Check the request in §6's order, up to the signature, then let its endpoint answer."""
        settings = self._relay.settings
        request = read_event(event, self.request_id, settings.public_url)
        self._route = f"{request.method} {request.route.resource}"
        if request.vault_id is not None:
            self._vault = self._relay.vault_hash(request.vault_id)
        if request.body_bytes > settings.limits.max_body_bytes:
            raise BodyTooLarge(settings.limits.max_body_bytes)
        counted = count(self._relay, request, self._started_us, partial(look_ahead, self._relay, request))
        self.rate_fields = counted.fields
        if counted.refusal is not None:
            raise counted.refusal
        endpoint = endpoints[request.route.resource, request.method]
        request.check_query(endpoint.query)
        return endpoint.answer(self._relay, request)

    def refuse(self, error: RelayError) -> ProxyResponse:
        """Map an error to its answer."""
        self._code = error.code
        return refuse(error)

    def tell(self, response: ProxyResponse) -> None:
        """Log the answer."""
        duration_us = self._relay.clock.now_us() - self._started_us
        self._relay.telemetry.answered(
            Answered(self.request_id, self._route, self._vault, response["statusCode"], self._code, duration_us)
        )
