"""The stores that the model is held against: each is opened, closed and opened again as a relay that restarts does."""

import calendar
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.filesystem import FilesystemBlobs
from relay.adapters.memory import MemoryBlobs, MemoryLimiter, MemoryLog
from relay.adapters.s3 import Bucket, S3Blobs, S3Texts
from relay.adapters.sqlite import open_stores
from relay.adapters.sqlite.connections import Journal
from relay.ports import Blobs, Limiter, Log
from relay_protocol.errors import RelayError
from tests.model.plain import Json
from tools.stand_ins.aws import dynamodb, new_bucket, new_limiter_table, new_log_table


class Stores(ABC):
    """The ports of one relay, and how its clients transfer blobs."""

    log: Log
    limiter: Limiter
    blobs: Blobs

    @abstractmethod
    def reopen(self) -> None:
        """Lose what the process holds; keep what the disk, or AWS, does."""

    @abstractmethod
    def upload(self, upload: Json, body: bytes, now_ms: int) -> bool:
        """Send the bytes as a client would; return whether the store took them."""

    @abstractmethod
    def download(self, url: str, now_ms: int) -> bytes | None:
        """Fetch a blob as a client would."""

    @abstractmethod
    def close(self) -> None:
        """End."""


class MemoryStores(Stores):
    """Nothing outlives these: they are not reopened."""

    def __init__(self) -> None:
        self.log, self.limiter = MemoryLog(), MemoryLimiter()
        self.blobs = self._memory = MemoryBlobs()

    def reopen(self) -> None:
        pass

    def upload(self, upload: Json, body: bytes, now_ms: int) -> bool:
        return self._memory.put(upload["url"], upload["headers"], body, now_ms)

    def download(self, url: str, now_ms: int) -> bytes | None:
        return self._memory.get(url, now_ms)

    def close(self) -> None:
        pass


class DiskStores(Stores):
    """SQLite and files in a folder."""

    def __init__(self, folder: Path, shards: int, journal: Journal) -> None:
        self._folder, self._shards, self._journal = folder, shards, journal
        self._open()

    def _open(self) -> None:
        self.log, self.limiter = open_stores(self._folder, self._shards, self._journal)
        self.blobs = self._files = FilesystemBlobs(self._folder / "blobs", b"k" * 32)

    def reopen(self) -> None:
        self.close()
        self._open()

    def upload(self, upload: Json, body: bytes, now_ms: int) -> bool:
        try:
            pending = self._files.begin_upload(self._files.judge(_token(upload["url"]), "PUT", now_ms))
        except RelayError:
            return False
        try:
            pending.write(body)
            pending.commit()
        except RelayError:
            return False
        finally:
            pending.discard()
        return True

    def download(self, url: str, now_ms: int) -> bytes | None:
        path = self._files.find(self._files.judge(_token(url), "GET", now_ms).blob_key)
        return path.read_bytes() if path else None

    def close(self) -> None:
        opened: tuple[Any, ...] = (self.log, self.limiter)
        for store in opened:
            store.close()


class AwsStores(Stores):
    """DynamoDB and S3. S3 goes by its own clock, so a client here knows itself when a URL has expired."""

    def __init__(self, dynamodb_url: str, s3_url: str, now_ms: Callable[[], int]) -> None:
        self._client, self._bucket = dynamodb(dynamodb_url), new_bucket(s3_url)
        self._tables = new_log_table(self._client), new_limiter_table(self._client)
        self._now_ms = now_ms
        self._http = httpx.Client()
        self._open()

    def _open(self) -> None:
        self._log = self.log = DynamoLog(self._client, self._tables[0], S3Texts(self._bucket))
        self.limiter = DynamoLimiter(self._client, self._tables[1])
        self.blobs = S3Blobs(Bucket(self._bucket.client, self._bucket.name), self._now_ms)

    def reopen(self) -> None:
        self._log.close()
        self._open()

    def upload(self, upload: Json, body: bytes, now_ms: int) -> bool:
        if rfc3339_ms(upload["expires_at"]) <= now_ms:
            return False
        return self._http.put(upload["url"], headers=upload["headers"], content=body).is_success

    def download(self, url: str, now_ms: int) -> bytes | None:
        del now_ms
        response = self._http.get(url)
        return response.content if response.is_success else None

    def close(self) -> None:
        self._log.close()
        self._http.close()
        self._client.close()
        self._bucket.client.close()


def rfc3339_ms(text: str) -> int:
    """Read a time that the relay wrote."""
    seconds, _, milliseconds = text.removesuffix("Z").partition(".")
    parts = time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(parts) * 1000 + int(milliseconds)


def _token(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]
