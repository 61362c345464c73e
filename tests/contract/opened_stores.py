"""DynamoDB and S3 as one log has them, for tests that look at what lies there, and set its clock."""

import time
from typing import Any

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.s3 import Bucket, S3Texts
from tests.contract.faulty_wire import HastyTime
from tools.stand_ins.aws import dynamodb, new_bucket, new_log_table

MARK = b"mark of a sealed text"
LARGE = MARK * 10_000
"""210 KB: two of them are too large for one entry."""


class OpenLog:
    """A log whose table, bucket and clock the test can look at and set."""

    def __init__(self, dynamodb_url: str, s3_url: str) -> None:
        self.client = dynamodb(dynamodb_url)
        self.bucket: Bucket = new_bucket(s3_url)
        self.table = new_log_table(self.client)
        self.now_ms = 0
        self.log = self.another()

    def another(self) -> DynamoLog:
        """The log as another process has it."""
        hasty = HastyTime()
        texts = S3Texts(self.bucket)
        self.set_clock(0)
        return DynamoLog(self.client, self.table, texts, now_ms=lambda: self.now_ms, patience=hasty.patience)

    def set_clock(self, later_ms: int) -> None:
        """Set the log's clock to so much after the bucket's."""
        self.now_ms = time.time_ns() // 1_000_000 + later_ms

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.scan(TableName=self.table)["Items"]
        return found

    def all_keys(self) -> set[tuple[str, str]]:
        return {(item["pk"]["S"], item["sk"]["S"]) for item in self.items()}

    def texts(self) -> list[str]:
        return [found["Key"] for found in self.bucket.listed("texts/")]

    def sweep(self, max_rows: int = 100) -> None:
        while self.log.sweep(max_rows):
            pass
        place: str | None = ""
        while place is not None:
            place = self.log.reap(place, max_rows)
