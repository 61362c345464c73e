"""What each request takes of the stores: units as DynamoDB tells them, and trips that wait for each other.

The same requests as the emulator's, answered by the relay in this process, whose clients are listened to
(tests/contract/wire_meter.py). `make bench-dynamodb` has the same for a vault that grows.
"""

from dataclasses import asdict
from typing import Any
from uuid import uuid4

from bench.on_lambda.requests import Call, Response, Vault, after, every_route
from relay.http.gateway import handle
from tests.contract.metered import MeteredVault, metered
from tests.http.documented import Answer, read
from tests.http.world import GROUPS
from tools.stand_ins.aws import dynamodb_served, s3_served


def measure() -> dict[str, dict[str, Any]]:
    """Return each request's write and read units, and trips, by its name."""
    told: dict[str, dict[str, Any]] = {}
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url, metered(dynamodb_url, s3_url) as metered_vault:
        clock = metered_vault.world.clock

        def take(call: Call) -> Response:
            responses: list[Response] = []
            cost = metered_vault.cost(lambda: _answer(metered_vault, call, responses))
            told[call.name] = asdict(cost)
            return responses[0]

        for call in every_route(clock.seconds, str(uuid4())):
            if call.group in GROUPS:
                after(call, take(call))
        vault = Vault(lambda: clock.seconds)
        take(vault.found())
        for call in vault.by_size():
            take(call)
    del told[vault.found().name]
    return told


def _answer(metered_vault: MeteredVault, call: Call, responses: list[Response]) -> Answer:
    response = handle(metered_vault.world.relay, GROUPS[call.group], call.event)
    assert response["statusCode"] == call.status
    responses.append(response)
    return read(response)
