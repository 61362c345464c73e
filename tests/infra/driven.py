"""Every function at work on the stand-ins of its stores, and the rights that its calls need.

Each function is its own relay, from its own variables, and each call of botocore that it makes, or signs for somebody
else, is noted.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from relay.adapters.dynamodb import limiter_table, log_table
from relay.adapters.s3 import connect as connect_s3
from relay.config import Settings
from relay.core import retention
from relay.http import gateway
from relay.http.routes import resolve
from relay.service import Relay
from relay.wiring import build
from relay_protocol.limits import Retention
from tests.backends import needed_dynamodb
from tests.http.documented import body_of
from tests.http.events import gateway_event
from tests.http.world import GROUPS as ENDPOINTS
from tests.infra.deployed import ACCOUNT
from tests.infra.policies import Right
from tools.stand_ins.aws import dynamodb, s3_served, session

URL = "http://127.0.0.1:9"
"""The host of the stand-in for S3, as a client asks of a relay without TLS; nothing listens at this port."""
_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
_OBJECTS = {
    "PutObject": ("s3:PutObject",),
    "GetObject": ("s3:GetObject",),
    "HeadObject": ("s3:GetObject",),
    "DeleteObject": ("s3:DeleteObject",),
}
_MAY_BE_MISSING = frozenset({"GetObject", "HeadObject"})
"""Without s3:ListBucket S3 answers 403 where there is no such object, which the relay takes for a defect of its own."""


def rights_for(operation: str, parameters: Mapping[str, Any], region: str) -> set[Right]:
    """Return what IAM asks for before it lets a call through. Raises KeyError for one that nobody has thought about."""
    if operation in _OBJECTS:
        bucket = f"arn:aws:s3:::{parameters['Bucket']}"
        rights = {Right(action, f"{bucket}/{parameters['Key']}") for action in _OBJECTS[operation]}
        return rights | ({Right("s3:ListBucket", bucket)} if operation in _MAY_BE_MISSING else set())
    if operation == "ListObjectsV2":
        return {Right("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}")}
    table = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table"
    if operation == "BatchGetItem":
        return {Right("dynamodb:BatchGetItem", f"{table}/{name}") for name in parameters["RequestItems"]}
    if operation == "TransactWriteItems":
        writes = [(kind, write) for item in parameters["TransactItems"] for kind, write in item.items()]
        return {Right(f"dynamodb:{_TRANSACTED[kind]}", f"{table}/{write['TableName']}") for kind, write in writes}
    if operation in {"GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem"}:
        return {Right(f"dynamodb:{operation}", f"{table}/{parameters['TableName']}")}
    raise KeyError(operation)


class Functions:
    """The functions of a deployment, at work in this process."""

    def __init__(self, environments: Mapping[str, Mapping[str, str]], region: str) -> None:
        self.needed: dict[str, set[Right]] = defaultdict(set)
        self.last_push: httpx.Request | None = None
        self._region = region
        self._relays = {group: self._build(group, variables) for group, variables in environments.items()}
        self._inner = httpx.Client()

    def _build(self, group: str, variables: Mapping[str, str]) -> Relay:
        made = session()

        def note(params: dict[str, Any], model: Any, **_: object) -> None:
            self.needed[group] |= rights_for(model.name, params, self._region)

        made.register("before-parameter-build", note)
        with patch("botocore.session.get_session", lambda: made):
            return build(Settings.from_environment(variables))

    @property
    def transport(self) -> httpx.BaseTransport:
        """Carries a client's requests here."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as API Gateway would, by the function of the route; as S3 would, for a URL of its own."""
        request.read()
        if request.url.port != httpx.URL(URL).port:
            return self._transfer(request)
        if request.method == "POST" and request.url.path.endswith("/changesets"):
            self.last_push = request
        event = gateway_event(
            request.method,
            request.url.path,
            headers=dict(request.headers),
            query=request.url.params.multi_items(),
            body=request.content.decode() or None,
        )
        group = resolve(request.url.path)[0].group
        response = gateway.handle(self._relays[group], ENDPOINTS[group], event)
        return httpx.Response(response["statusCode"], headers=response["headers"], text=body_of(response))

    def _transfer(self, request: httpx.Request) -> httpx.Response:
        done = self._inner.request(
            request.method, request.url, headers=dict(request.headers), content=request.content or None
        )
        return httpx.Response(done.status_code, stream=httpx.ByteStream(done.content))

    def maintain(self, *, hours_later: int = 0) -> retention.Tally:
        """Run the maintenance function as it will be some hours later, when nothing is too young to be pruned."""
        relay = self._relays["maintenance"]
        now_us = relay.clock.now_us() + hours_later * 3600 * 1_000_000
        store = getattr(relay.log, "_store", None)
        if store is not None and hasattr(store, "now_ms"):  # sweeping in DynamoDB looks at a clock of its own
            store.now_ms = lambda: now_us // 1000
        wanted = Retention(changeset_days=0, snapshots=1)
        return retention.run(relay.log, relay.blobs, relay.limiter, wanted, now_us)

    def close(self) -> None:
        self._inner.close()
        for relay in self._relays.values():
            if hasattr(relay.log, "close"):
                relay.log.close()


@contextmanager
def stores(environments: Mapping[str, Mapping[str, str]], folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Make the stores that the variables name, on the stand-ins; yield the variables that lead there."""
    one = environments["changesets"]
    changes: dict[str, str] = {}
    with s3_served() as s3_url:
        connect_s3(s3_url, session()).create_bucket(Bucket=one["RELAY_BUCKET"])
        changes["RELAY_S3_ENDPOINT"] = s3_url
        if one["RELAY_METADATA"] == "sqlite":
            mounted = folder / "mounted"
            mounted.mkdir(mode=0o700)
            changes["RELAY_DATA_DIR"] = str(mounted)
            yield {group: {**_ours(variables), **changes} for group, variables in environments.items()}
            return
        with needed_dynamodb() as dynamodb_url:
            client = dynamodb(dynamodb_url)
            client.create_table(**log_table(one["RELAY_LOG_TABLE"]))
            client.create_table(**limiter_table(one["RELAY_LIMITER_TABLE"]))
            client.close()
            changes["RELAY_DYNAMODB_ENDPOINT"] = dynamodb_url
            yield {group: {**_ours(variables), **changes} for group, variables in environments.items()}


def _ours(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith("RELAY_")}
