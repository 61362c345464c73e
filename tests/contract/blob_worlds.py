"""A store of blobs under test, and a client's way to it: PUT and GET by presigned URLs, however the store serves them.

A store that is reached over HTTP, its own server's or the relay's, needs no more than an `HttpBlobWorld`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit

import httpx

from relay.adapters.memory import MemoryBlobs
from relay.ports import Blobs, Upload
from tests.contract.at_once import GUARD_SECONDS
from tests.contract.log_world import HOUR_MS, NOW_MS, uuid

TAMPERINGS = 40


def key_of(vault: int, blob: int) -> str:
    return f"{uuid(vault)}/{uuid(blob)}"


KEY, OTHER_KEY = key_of(1, 1), key_of(1, 2)


class BlobWorld(ABC):
    """`now_ms` is the time by the store's own clock; a URL that expires then has expired."""

    def __init__(self, blobs: Blobs, origin: str, now_ms: int) -> None:
        self.blobs = blobs
        self.origin = origin
        self.now_ms = now_ms

    @abstractmethod
    def put(self, upload: Upload, body: bytes) -> bool:
        """Send these bytes as a client would; return whether the store took them."""

    @abstractmethod
    def get(self, url: str) -> bytes | None:
        """Fetch as a client would; None where the store gives nothing."""

    # -------- what the tests do with it

    def announce(self, key: str, body: bytes, ttl_ms: int = HOUR_MS) -> Upload:
        expires_at_ms = self.now_ms + ttl_ms
        return self.blobs.presign_upload(key, len(body), sha256(body).digest(), expires_at_ms, self.origin)

    def store(self, key: str, body: bytes) -> None:
        assert self.put(self.announce(key, body), body)

    def url_of(self, key: str, ttl_ms: int = HOUR_MS) -> str:
        return self.blobs.presign_download(key, self.now_ms + ttl_ms, self.origin)

    def content(self, key: str) -> bytes | None:
        return self.get(self.url_of(key))

    def holds(self, *keys: str) -> bool:
        """Whether the store has these blobs and no other, whichever way one asks."""
        asked = {KEY, OTHER_KEY, *keys}
        return (
            list(self.blobs.keys()) == sorted(keys)
            and {key for key in asked if self.blobs.stat(key)} == set(keys)
            and {key for key in asked if self.content(key) is not None} == set(keys)
        )


class MemoryBlobWorld(BlobWorld):
    """The in-memory store, which plays its own server."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__(blobs, "https://relay.example", NOW_MS)
        self._memory = blobs

    def put(self, upload: Upload, body: bytes) -> bool:
        return self._memory.put(upload.url, upload.headers, body, self.now_ms)

    def get(self, url: str) -> bytes | None:
        return self._memory.get(url, self.now_ms)


class HttpBlobWorld(BlobWorld):
    """A store behind real HTTP. An answer that blames the server is no answer."""

    def __init__(self, blobs: Blobs, origin: str, now_ms: int, client: httpx.Client) -> None:
        super().__init__(blobs, origin, now_ms)
        self._client = client

    def put(self, upload: Upload, body: bytes) -> bool:
        response = self._client.put(upload.url, headers=dict(upload.headers), content=body, timeout=GUARD_SECONDS)
        assert response.is_success or response.is_client_error
        return response.is_success

    def get(self, url: str) -> bytes | None:
        response = self._client.get(url, timeout=GUARD_SECONDS)
        assert response.is_success or response.is_client_error
        return response.content if response.is_success else None


def tampered(url: str) -> Iterator[str]:
    """The URL with one character changed: at places all over what comes after the authority, and at its end."""
    start = url.index(urlsplit(url).path) + 1
    places = range(start, len(url), max(1, (len(url) - start) // TAMPERINGS))
    for place in {*places, len(url) - 1}:
        yield url[:place] + ("A" if url[place] != "A" else "B") + url[place + 1 :]
