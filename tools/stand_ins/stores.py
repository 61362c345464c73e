"""DynamoDB and S3 for relays of the end-to-end tests, and the variables that name them."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from tools.stand_ins.aws import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    dynamodb,
    new_bucket,
    new_limiter_table,
    new_log_table,
)


class Stores:
    """Two tables and a bucket, empty."""

    def __init__(self, dynamodb_url: str, s3_url: str) -> None:
        self.client = dynamodb(dynamodb_url)
        self.bucket = new_bucket(s3_url)
        self.log_table, limiter_table = new_log_table(self.client), new_limiter_table(self.client)
        self.variables = {
            "RELAY_METADATA": "dynamodb",
            "RELAY_BLOBS": "s3",
            "RELAY_DYNAMODB_ENDPOINT": dynamodb_url,
            "RELAY_S3_ENDPOINT": s3_url,
            "RELAY_LOG_TABLE": self.log_table,
            "RELAY_LIMITER_TABLE": limiter_table,
            "RELAY_BUCKET": self.bucket.name,
            "RELAY_ADDRESS_KEY": "k" * 32,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def items(self) -> list[dict[str, Any]]:
        """Return all that the log's table holds."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.log_table)
        return [item for page in pages for item in page["Items"]]

    def put_item(self, item: dict[str, Any]) -> None:
        """Put an item into the log's table."""
        self.client.put_item(TableName=self.log_table, Item=item)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Return the objects of the bucket whose keys begin so."""
        keys = [str(found["Key"]) for found in self.bucket.listed(prefix)]
        return {key: self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)["Body"].read() for key in keys}

    def put_object(self, key: str, content: bytes) -> None:
        """Put an object into the bucket, with its checksum, as uploads are stored."""
        checksum = b64encode(sha256(content).digest()).decode()
        self.bucket.client.put_object(Bucket=self.bucket.name, Key=key, Body=content, ChecksumSHA256=checksum)

    def empty(self) -> None:
        """Delete all items of the log's table, and all objects."""
        for item in self.items():
            self.client.delete_item(TableName=self.log_table, Key={"pk": item["pk"], "sk": item["sk"]})
        for key in [str(found["Key"]) for found in self.bucket.listed("")]:
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=key)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self.bucket.client.close()
