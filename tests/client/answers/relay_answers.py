"""A relay of our own making, and what it answers well."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx

from relay_protocol.encoding import base64url
from sync_relay_client import (
    DeviceKey,
)

if TYPE_CHECKING:
    from tests.client.conftest import Log

Handler = Callable[[httpx.Request], httpx.Response]

URL = "https://relay.example/prod"
VAULT = "0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77"
EPOCH = "7a1d9f42-31c5-4f0e-8a6b-90d1c2b3a4f5"
TIME = "2026-04-26T09:30:00.000Z"
CHAIN = "A" * 43
HEAD = {"seq": 5, "chain": CHAIN}
BLOB = b"sealed bytes" * 10_000
BLOB_ID = base64url(sha256(BLOB).digest())
DOWNLOAD = {"url": "https://blobs.example/b?signed=1", "expires_at": TIME}


class Relay:
    """Answers everything with what it was told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = None
        self.headers: dict[str, str] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return httpx.Response(self.status, headers=self.headers, stream=httpx.ByteStream(body))


def failing(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def snapshot_answer(**other: Any) -> dict[str, Any]:
    return {
        "sha256": BLOB_ID,
        "size": len(BLOB),
        "key_id": "k",
        "schema_version": 3,
        "covers": HEAD,
        "origin_device": CHAIN,
        "status": "available",
        "created_at": TIME,
    } | other


def device_answer(device: DeviceKey, **other: Any) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "public_key": base64url(device.public_key),
        "registered_at": TIME,
    } | other


def vault_answer(**other: Any) -> dict[str, Any]:
    return {
        "vault_id": VAULT,
        "epoch": EPOCH,
        "created_at": TIME,
        "head": HEAD,
        "floor": {"seq": 0, "chain": CHAIN},
        "devices": 1,
        "bytes": 0,
        "snapshot": None,
    } | other


def pushed_answer(ids: list[str]) -> dict[str, Any]:
    first = HEAD["seq"] - len(ids) + 1  # type: ignore[operator]
    receipts = [
        {"id": one, "seq": first + index, "received_at": TIME, "chain": CHAIN, "status": "created"}
        for index, one in enumerate(ids)
    ]
    return {"epoch": EPOCH, "head": HEAD, "receipts": receipts}


def page_answer(log: "Log", since: int = 0, **other: Any) -> dict[str, Any]:
    page = log.page(since)
    return {
        "epoch": EPOCH,
        "changesets": [
            {"seq": one.seq, "received_at": TIME, "chain": base64url(one.chain), **one.envelope.members()}
            for one in page.changesets
        ],
        "cursor": page.cursor,
        "has_more": page.has_more,
        "head": log.head.as_json(),
    } | other
