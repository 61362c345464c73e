"""A vault in DynamoDB and S3, and each kind of request to it, from the event to the answer, to be measured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Any

import httpx

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.s3 import S3Blobs, S3Texts
from relay.config import Settings
from relay_protocol.encoding import base64url
from tests.contract.log_world import TestedVault
from tests.contract.wire_meter import QUIET_SECONDS, Cost, WireMeter
from tests.http.documented import Answer
from tests.http.world import World, encode
from tools.stand_ins.aws import dynamodb, new_bucket, new_limiter_table, new_log_table

KIB = 1024
MIB = KIB * KIB
FILLED_AT_ONCE = 500
CLAIMS_AT_ONCE = 25
"""What one BatchWriteItem takes."""


class MeteredVault:
    """One vault of a relay whose clock stands still but for a second before each request."""

    def __init__(self, dynamodb_url: str, s3_url: str) -> None:
        self.client = dynamodb(dynamodb_url)
        bucket = new_bucket(s3_url)
        self._table, self._texts = new_log_table(self.client), S3Texts(bucket)
        self.log = DynamoLog(self.client, self._table, self._texts)
        self.world = World(self.log, DynamoLimiter(self.client, new_limiter_table(self.client)), Settings())
        self.world.replace(blobs=S3Blobs(bucket, now_ms=self.world.relay.now_ms))
        self.vault = self.world.found()
        self._meter = WireMeter(self.client, bucket.client)
        self._numbers = count(1)

    def fill(self, size: int) -> None:
        """Append small changesets until the vault holds so many."""
        log = DynamoLog(_Filling(self.client), self._table, self._texts)
        vault, founder = TestedVault(log, self.vault.id), self.vault.founder
        for start in range(self.vault.head()["seq"], size, FILLED_AT_ONCE):
            numbers = range(start, min(start + FILLED_AT_ONCE, size))
            changesets = [founder.changeset(f"filling {number}") for number in numbers]
            vault.push_texts({one["id"]: encode(one) for one in changesets})
        log.close()

    def cost(self, request: Callable[[], Answer], quiet_seconds: float = QUIET_SECONDS) -> Cost:
        """Send a request and return what it cost."""
        answers: list[Answer] = []
        self.world.clock.advance(1)
        cost = self._meter.cost(lambda: answers.append(request()), quiet_seconds)
        assert answers[0].status < 300
        return cost

    def requests(self) -> dict[str, Callable[[], Answer]]:
        """Return each kind of request by name, to be made in this order."""
        vault, head = self.vault, self.vault.head()["seq"]
        self._blob = b"blob %d" % next(self._numbers)
        path = f"/snapshots/{base64url(sha256(self._blob).digest())}"
        return {
            "push, 1 KB": partial(self.push, 1, KIB),
            "push, 1 KB, sent again": lambda: vault.push(*self._last),
            "push, 300 B": partial(self.push, 1, 300),
            "push, 100 of 1 KB": partial(self.push, 100, KIB),
            "push, 1 KB, after that": partial(self.push, 1, KIB),
            "push, one of 200 KB": partial(self.push, 1, 200 * KIB),
            "push, two of 200 KB": partial(self.push, 2, 200 * KIB),
            "pull, nothing new": lambda: vault.pull(head + 106),
            "pull, one new": lambda: vault.pull(head, 1),
            "pull, a page of 100 of 1 KB": lambda: vault.pull(head + 2, 100),
            "pull, the first page": vault.pull,
            "vault": lambda: vault.call("GET"),
            "devices": lambda: vault.call("GET", "/devices"),
            "snapshot, announced": self._announce,
            "snapshot, completed": lambda: vault.call("POST", f"{path}/complete"),
            "snapshot, looked up": lambda: vault.call("GET", path),
        }

    def push(self, changesets: int, size_bytes: int) -> Answer:
        """Push new changesets whose JSON is of this size."""
        self._last = [self._changeset(size_bytes) for _ in range(changesets)]
        return self.vault.push(*self._last)

    def _changeset(self, size_bytes: int) -> dict[str, Any]:
        founder, number = self.vault.founder, next(self._numbers)
        rest = len(encode(founder.changeset(f"measured {number}", ciphertext="", entity="e", origin_user="u")))
        sealed = "A" * (size_bytes - rest)
        return founder.changeset(f"measured {number}", ciphertext=sealed, entity="e", origin_user="u")

    def _announce(self) -> Answer:
        """Announce a snapshot. Its upload goes past the relay."""
        answer = self.vault.announce(self._blob, {"seq": 0, "chain": self.vault.chain_at(0)})
        upload = answer.json["upload"]
        assert httpx.put(upload["url"], headers=upload["headers"], content=self._blob).is_success
        return answer


class _Filling:
    """A client that puts claims many at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._claims: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **parameters: Any) -> Any:
        item = parameters["Item"]
        if item["sk"]["S"].startswith("R#"):
            self._claims.append({"PutRequest": {"Item": item}})
            return {}
        for start in range(0, len(self._claims), CLAIMS_AT_ONCE):
            part = self._claims[start : start + CLAIMS_AT_ONCE]
            self._client.batch_write_item(RequestItems={parameters["TableName"]: part})
        self._claims.clear()
        return self._client.put_item(**parameters)


@contextmanager
def metered(dynamodb_url: str, s3_url: str) -> Iterator[MeteredVault]:
    """Open an empty vault."""
    vault = MeteredVault(dynamodb_url, s3_url)
    yield vault
    vault.log.close()
    vault.client.close()
