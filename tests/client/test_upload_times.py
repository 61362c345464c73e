"""How long a device waits for a blob store: it answers once a gigabyte is on its disk, and that takes its time."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from relay_protocol.answers import Upload as UploadTarget
from sync_relay_client.address import RelayAddress
from sync_relay_client.async_transport import AsyncTransport
from sync_relay_client.flow import Upload
from sync_relay_client.transport import STORED_SECONDS, Transport

USUAL_SECONDS = 7.0
TARGET = UploadTarget(method="PUT", url="https://blobs.example/b", headers={}, expires_at="2026-04-26T09:30:00.000Z")


@pytest.mark.parametrize("kind", ["Transport", "AsyncTransport"])
def test_the_answer_to_an_upload_may_take_minutes(tmp_path: Path, kind: str) -> None:
    """To give up on it would be to send the gigabyte again, to the same slow disk."""
    waits: list[Any] = []

    def store(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"])
        return httpx.Response(200)

    blob = tmp_path / "blob"
    blob.write_bytes(b"sealed")
    upload = Upload(RelayAddress.parse("https://relay.example"), TARGET, blob)
    if kind == "Transport":
        transport = Transport(httpx.MockTransport(store), USUAL_SECONDS)
        transport.perform(upload)
        transport.close()
    else:
        asyncio.run(perform(AsyncTransport(httpx.MockTransport(store), USUAL_SECONDS), upload))
    assert waits == [{"read": STORED_SECONDS, "connect": USUAL_SECONDS, "write": USUAL_SECONDS, "pool": USUAL_SECONDS}]
    assert STORED_SECONDS >= 300


async def perform(transport: AsyncTransport, upload: Upload) -> None:
    await transport.perform(upload)
    await transport.close()
