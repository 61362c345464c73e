"""The Lambda function of the vaults endpoints."""

from typing import Any

from relay.http.gateway import handle
from relay.http.vaults import ENDPOINTS
from relay.wiring import prepare, relay_from_environment

prepare()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an API Gateway REST proxy event."""
    return handle(relay_from_environment(), ENDPOINTS, event)
