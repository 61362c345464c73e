"""Snapshot blobs, and texts too large for the log's table, in a bucket of S3 (docs/adr/0012)."""

from relay.adapters.s3.blobs import S3Blobs
from relay.adapters.s3.bucket import Bucket, connect
from relay.adapters.s3.texts import S3Texts

__all__ = ["Bucket", "S3Blobs", "S3Texts", "connect"]
