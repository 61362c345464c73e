"""The embedded server: the relay's handlers behind HTTP, on a socket."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any, cast
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from functions.changesets import app as changesets
from functions.devices import app as devices
from functions.snapshots import app as snapshots
from functions.vaults import app as vaults
from local.blob_routes import BlobRoutes
from local.bounds import Bounds
from local.connection import BoundedConnection
from local.door import Door, Handler
from local.events import Events
from local.grouping import Grouping
from local.pages import Pages
from relay.adapters.filesystem import FilesystemBlobs
from relay.adapters.sqlite import SqliteLog
from relay.service import Relay

HANDLERS: Mapping[str, Handler] = {
    "changesets": changesets.handler,
    "devices": devices.handler,
    "snapshots": snapshots.handler,
    "vaults": vaults.handler,
}
"""The Lambda handlers, by the routes' groups."""

LAST_WORDS_SECONDS = 1
"""For telling those that are broken off, if they read."""


def make_door(
    relay: Relay, handlers: Mapping[str, Handler], bounds: Bounds, set_free: Callable[[], None] = lambda: None
) -> Door:
    """Put the application together. `handlers` are by the routes' groups.

    `set_free` is called in each thread that works while others have the interpreter: see `local.processors`.
    """
    settings, blobs = relay.settings, relay.blobs
    blob_routes = None
    if isinstance(blobs, FilesystemBlobs):
        transfers = ThreadPoolExecutor(bounds.transfer_threads, "transfer", set_free)
        blob_routes = BlobRoutes(blobs, relay.clock, relay.telemetry, transfers, bounds)
    return Door(
        handlers=handlers,
        events=Events(urlsplit(settings.public_url or "").path, settings.trusted_proxies),
        max_body_bytes=settings.limits.max_body_bytes,
        blobs=blob_routes,
        pages=Pages(),
        telemetry=relay.telemetry,
        threads=ThreadPoolExecutor(bounds.handler_threads, "handler"),
        threads_of_large=ThreadPoolExecutor(bounds.large_threads, "large", set_free),
        bounds=bounds,
        grouping=Grouping(relay.log, bounds.max_group) if isinstance(relay.log, SqliteLog) else None,
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, and not listening yet. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if bound.family == socket.AF_INET6 else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Serves an application within bounds. `run` returns once a signal ended it and requests under way are answered."""

    def __init__(self, app: ASGIApp, bounds: Bounds, on_ready: Callable[[], None]) -> None:
        protocol = partial(BoundedConnection, bounds)
        super().__init__(
            uvicorn.Config(
                cast("Any", app),
                http=cast("Any", protocol),
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level=logging.CRITICAL,  # what uvicorn logs may hold what a client sent; the door tells the rest
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=bounds.keep_alive_seconds,
                timeout_graceful_shutdown=bounds.shutdown_seconds,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, give requests under way their time, then break off the rest."""
        await super().shutdown(sockets)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORDS_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- uvicorn's signature
        """End in an orderly way; told twice, at once."""
        # uvicorn's own would note the signal, and raise it anew in the end: then the exit status is not 0
        self.force_exit = self.should_exit
        self.should_exit = True
