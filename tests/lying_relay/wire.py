"""The lying relay's socket: requests read, answers written byte for byte, also such as no HTTP server would give."""

import socketserver
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def field(self, name: str) -> str | None:
        """Return a header field's value."""
        return next((value for found, value in self.headers if found.lower() == name), None)


Pieces = Iterable[bytes]
Respond = Callable[[Asked], Pieces | None]
"""Returns an answer's bytes as they go out, None to close without a word."""


@contextmanager
def listening(respond: Respond, host: str = "127.0.0.1") -> Iterator[str]:
    """Answer on a socket of its own; yield its URL."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        request_queue_size = 64

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True
        timeout = 60  # a client that stays away does not keep the thread for ever

        def handle(self) -> None:
            try:
                while (asked := _read(self.rfile.readline, self.rfile.read)) is not None:
                    pieces = respond(asked)
                    if pieces is None:
                        return
                    for piece in pieces:
                        self.wfile.write(piece)
                    if not isinstance(pieces, tuple):
                        return  # whoever writes raw bytes has no next answer on this connection
            except OSError:
                pass  # the client has enough

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _read(read_line: Callable[[], bytes], read: Callable[[int], bytes]) -> Asked | None:
    """Read a request, None at the connection's end. Our clients send a length where there is a body."""
    line = read_line()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: list[tuple[str, str]] = []
    while (line := read_line()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name.strip(), value.strip()))
    asked = Asked(method, target, headers, b"")
    length = int(asked.field("content-length") or 0)
    return Asked(method, target, headers, read(length)) if length else asked
