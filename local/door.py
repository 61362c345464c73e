"""The embedded server's ASGI application: HTTP in, the Lambda handler of the route, HTTP out.

There is no framework between: every request comes through here.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from local.blob_routes import BlobRoutes
from local.bounds import Bounds
from local.events import Events, put_body
from local.grouping import Grouping
from local.incoming import RETRY_SECONDS, ClientGone, Incoming, Memory, Share
from local.outgoing import Answer, render, send_answer, send_whole
from local.pages import Pages
from relay.adapters.filesystem import ROUTE as BLOBS
from relay.http.responses import ProxyResponse, refuse
from relay.http.routes import resolve
from relay.observability import Telemetry
from relay_protocol.errors import Internal, RelayError, Unavailable

Handler = Callable[[dict[str, Any], object], ProxyResponse]


class Door:
    """Answers every request of the embedded server. `handlers` are by the routes' groups; they run in `threads`.

    Small pushes run in `grouping`, where the log commits several at once; what is large in `threads_of_large`, since it
    gains more by hashing and writing side by side.
    `blobs` is None where the store serves its blobs itself.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        events: Events,
        max_body_bytes: int,
        blobs: BlobRoutes | None,
        pages: Pages,
        telemetry: Telemetry,
        threads: Executor,
        threads_of_large: Executor,
        bounds: Bounds,
        grouping: Grouping[ProxyResponse] | None = None,
    ) -> None:
        self._handlers = handlers
        self._events = events
        self._max_body_bytes = max_body_bytes
        self._blobs = blobs
        self._pages = pages
        self._telemetry = telemetry
        self._threads = threads
        self._threads_of_large = threads_of_large
        self._bounds = bounds
        self._grouping = grouping
        self._memory = Memory(bounds.max_buffered_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        incoming = Incoming(scope, receive)
        path = self._events.path(scope)
        try:
            if self._blobs is not None and path.startswith(BLOBS):
                await self._blobs.answer(path.removeprefix(BLOBS), incoming, scope, receive, send)
                return
            page = self._pages.answer(scope["method"], path)
            answer = render(page) if page else await self._call(scope, path, incoming)
            await send_answer(send, answer, incoming, self._bounds)
        except ClientGone:
            return
        except asyncio.CancelledError:  # the server ends, and its time is out
            # Where an answer has begun this raises, and uvicorn closes the connection.
            await send_whole(send, render(refuse(Unavailable(RETRY_SECONDS))))

    async def _call(self, scope: Scope, path: str, incoming: Incoming) -> Answer:
        """Return the handler's answer, or the door's own refusal. Raises ClientGone."""
        request_id = str(uuid.uuid4())
        try:
            route, ids = resolve(path)
            event = self._events.event(scope, path, route, ids, request_id)
            call = partial(self._handlers[route.group], event, None)
            with Share(self._memory) as share:  # until the handler is done: the event holds the body
                body = b""
                if (incoming.declared_bytes or 0) <= self._max_body_bytes:
                    body = await incoming.collect(self._max_body_bytes + 1, share)
                    put_body(event, body)
                is_push = route.group == "changesets" and scope["method"] == "POST"
                if self._grouping is not None and is_push and len(body) <= self._bounds.max_grouped_body_bytes:
                    return render(await self._grouping.run(call))
                threads = self._threads_of_large if len(body) >= self._bounds.large_body_bytes else self._threads
                return render(await asyncio.get_running_loop().run_in_executor(threads, call))
        except RelayError as error:
            return render(refuse(error))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 -- a defect of a handler, or of the door itself
            self._telemetry.failed(request_id, error)
            return render(refuse(Internal(request_id)))
