"""Doing what flows ask for, asynchronously, with httpx."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

import httpx

from sync_relay_client.answers import Answer, check_blob_answer
from sync_relay_client.errors import AnswerInvalid
from sync_relay_client.flow import Action, Download, Pause, Progress, Send, Upload
from sync_relay_client.pacing import begin_body, keep_pace
from sync_relay_client.profile.spool import created, opened
from sync_relay_client.requests import MAX_ANSWER_BYTES
from sync_relay_client.transport import (
    COMMON_FIELDS,
    PIECE_BYTES,
    AnswerReader,
    BlobCheck,
    check_blob_url,
    http_errors,
    pieces_of,
    prepared,
    take_no_cookies,
    upload_fields,
    upload_timeout,
)


class AsyncTransport:
    """As `Transport`, for asyncio. Reading and writing files happens in worker threads."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport | None = None,
        timeout_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
        api_key: str | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            transport=inner, timeout=timeout_seconds, follow_redirects=False, headers=COMMON_FIELDS
        )
        take_no_cookies(self._http)
        keep_pace(self._http)
        self._clock = clock
        self._api_key = api_key

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def perform(self, action: Action) -> Answer | None:
        """Do what a flow asks for. Raises RelayUnreachable, RelayRefused, AnswerInvalid or ProfileUnavailable."""
        match action:
            case Send():
                return await self._send(action)
            case Pause():
                await asyncio.sleep(action.seconds)
            case Upload():
                await self._upload(action)
            case Download():
                await self._download(action)
        return None

    async def _send(self, action: Send) -> Answer:
        request = prepared(action, self._clock, self._api_key)
        async with self._answer(request.method, request.url, request.headers, request.body or None) as response:
            return await _read(response, action.request.max_answer_bytes)

    async def _upload(self, action: Upload) -> None:
        check_blob_url(action.target.url, action.relay)
        with opened(action.blob) as file:
            size = os.fstat(file.fileno()).st_size
            pieces = _told(_in_threads(pieces_of(file.read, size)), size, action.progress)
            fields, waits = upload_fields(action.target, size), upload_timeout(self._http.timeout)
            async with self._answer(action.target.method, action.target.url, fields, pieces, waits) as response:
                check_blob_answer(await _read(response))

    async def _download(self, action: Download) -> None:
        check = BlobCheck(action.snapshot)
        check_blob_url(check.url, action.relay)
        async with self._answer("GET", check.url, {}) as response:
            if response.status_code != httpx.codes.OK:
                check_blob_answer(await _read(response))
                raise AnswerInvalid("a blob was asked for and not sent")
            with created(action.blob) as file:
                async for piece in _told(response.aiter_raw(PIECE_BYTES), action.snapshot.size, action.progress):
                    check.add(piece)
                    await asyncio.to_thread(file.write, piece)
        check.finish()

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | AsyncIterator[bytes] | None = None,
        waits: httpx.Timeout | None = None,
    ) -> AsyncIterator[httpx.Response]:
        stream = self._http.stream(
            method, url, headers=dict(headers), content=content, timeout=waits or self._http.timeout
        )
        with http_errors():
            async with stream as response:
                begin_body(response)
                yield response


async def _read(response: httpx.Response, max_bytes: int = MAX_ANSWER_BYTES) -> Answer:
    reader = AnswerReader(response, max_bytes)
    async for piece in response.aiter_bytes():
        reader.add(piece)
    return reader.answer()


async def _in_threads(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    iterator = iter(pieces)
    while (piece := await asyncio.to_thread(next, iterator, None)) is not None:
        yield piece


async def _told(pieces: AsyncIterator[bytes], size: int, progress: Progress | None) -> AsyncIterator[bytes]:
    """Yield the pieces, and tell how far they are, on the event loop."""
    through = 0
    async for piece in pieces:
        yield piece
        through += len(piece)
        if progress is not None:
            progress(through, size)
