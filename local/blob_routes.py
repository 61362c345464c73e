"""`PUT` and `GET /blobs/<token>`: the transfers that the filesystem store's presigned URLs stand for (§7.8).

A blob is streamed between socket and disk, with the checks that S3 would make.
"""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import ParamSpec, TypeVar

from starlette.types import Message, Receive, Scope, Send

from local.bounds import KIB, Bounds
from local.incoming import RETRY_SECONDS, ClientGone, Incoming
from local.outgoing import render, send_answer
from relay.adapters.filesystem import FilesystemBlobs
from relay.http.responses import refuse
from relay.observability import Answered, Telemetry
from relay.ports import Clock, StoreUnavailable
from relay_protocol.errors import (
    BodyTooLarge,
    Internal,
    MethodNotAllowed,
    RelayError,
    SnapshotNotFound,
    Unavailable,
    UploadIncomplete,
)

BLOCK_BYTES = 256 * KIB
ROUTE_NAME = "/blobs/{token}"
STORED = {"statusCode": 200, "headers": {"Cache-Control": "no-store"}, "body": ""}

_ONE_RANGE = re.compile(rb"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-[0-9]{1,18})")

P = ParamSpec("P")
T = TypeVar("T")


class BlobRoutes:
    """Answers the transfers of a store's blobs; `threads` do what blocks."""

    def __init__(
        self, blobs: FilesystemBlobs, clock: Clock, telemetry: Telemetry, threads: Executor, bounds: Bounds
    ) -> None:
        self._blobs = blobs
        self._clock = clock
        self._telemetry = telemetry
        self._threads = threads
        self._bounds = bounds

    async def answer(self, token: str, incoming: Incoming, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI). Raises ClientGone."""
        request_id, started_us = str(uuid.uuid4()), self._clock.now_us()
        outcome = await self._outcome(token, incoming, scope["method"], request_id)

        async def tell(error: RelayError | None) -> None:
            status, code = (error.status, error.code) if error else (200, None)
            route, duration_us = f"{scope['method']} {ROUTE_NAME}", self._clock.now_us() - started_us
            await self._blocking(self._telemetry.answered, Answered(request_id, route, None, status, code, duration_us))

        if isinstance(outcome, Path):
            if await _send_file(outcome, scope, receive, send, lambda: tell(None)):
                return
            outcome = SnapshotNotFound()
        await tell(outcome)
        await send_answer(send, render(refuse(outcome) if outcome else STORED), incoming, self._bounds)

    async def _outcome(self, token: str, incoming: Incoming, method: str, request_id: str) -> RelayError | Path | None:
        """Do what was asked for; return the file to send, None for a stored upload, or the refusal."""
        try:
            if method == "PUT":
                await self._upload(token, incoming)
                return None
            if method == "GET":
                return await self._granted_file(token)
            return MethodNotAllowed(("GET", "PUT"))
        except RelayError as error:
            return error
        except StoreUnavailable as error:
            await self._blocking(self._telemetry.store_unavailable, request_id, error.reason)
            return Unavailable(RETRY_SECONDS)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 -- a defect
            await self._blocking(self._telemetry.failed, request_id, error)
            return Internal(request_id)

    async def _upload(self, token: str, incoming: Incoming) -> None:
        grant = self._blobs.judge(token, "PUT", self._now_ms())
        if incoming.declared_bytes is not None and incoming.declared_bytes > grant.size_bytes:
            raise BodyTooLarge(grant.size_bytes)
        if incoming.declared_bytes is not None and incoming.declared_bytes < grant.size_bytes:
            raise UploadIncomplete
        upload = await self._blocking(self._blobs.begin_upload, grant)
        try:
            block = await _block(incoming)
            while block:
                written = self._start(upload.write, block)
                try:
                    block = await _block(incoming)  # while the one before is hashed and written
                finally:
                    await written
            await self._blocking(upload.commit)
        finally:
            await self._blocking(upload.discard)

    async def _granted_file(self, token: str) -> Path:
        grant = self._blobs.judge(token, "GET", self._now_ms())
        path = await self._blocking(self._blobs.find, grant.blob_key)
        if path is None:
            raise SnapshotNotFound
        return path

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000

    async def _blocking(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._start(call, *args, **kwargs)

    def _start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(*args, **kwargs))


async def _block(incoming: Incoming) -> bytearray:
    """Gather small chunks, so that not each of them costs a thread's turn."""
    block = bytearray()
    while not incoming.finished and len(block) < BLOCK_BYTES:
        block += await incoming.next_chunk()
    return block


async def _send_file(
    path: Path, scope: Scope, receive: Receive, send: Send, on_open: Callable[[], Awaitable[None]]
) -> bool:
    """Send a file; return whether it was still there: nothing is sent, nor `on_open` called, before it is open."""
    from starlette.responses import FileResponse  # noqa: PLC0415 -- pulls in half a framework, for few requests

    held: list[Message] = []

    async def send_once_open(message: Message) -> None:
        if message["type"] == "http.response.start":
            held.append(message)
            return
        if held:
            await on_open()
            await send(held.pop())
        await send(message)

    headers = [(name, value) for name, value in scope["headers"] if name != b"range" or _is_one_range(value)]
    try:
        response = FileResponse(
            path,
            headers={"Cache-Control": "no-store"},
            media_type="application/octet-stream",
            stat_result=await asyncio.to_thread(path.stat),
        )
        response.chunk_size = BLOCK_BYTES
        await response({**scope, "headers": headers}, receive, send_once_open)
    except FileNotFoundError:
        return False
    return True


def _is_one_range(value: bytes) -> bool:
    """Whether a `Range` asks for one range of bytes. A server ignores any that it does not know (RFC 9110 §14.2)."""
    match = _ONE_RANGE.fullmatch(value)
    return match is not None and not (match[2] and int(match[1]) > int(match[2]))
