"""A proxy between a device and where its blobs are kept that cuts their transfers where a test says."""

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from types import TracebackType
from typing import Literal, Self

ALWAYS = 1_000_000
TRANSFERS = ("PUT", "GET")
_REQUEST = re.compile(rb"([A-Z]+) (/\S*) HTTP/1.1\r\n")
_BLOB = re.compile(rb"(/bucket-[^/]*)?/blobs/")
"""What the embedded relay keeps, or S3."""


@dataclass
class Cut:
    """Cut each such transfer once so many of its bytes went that way, its head included.

    What is done `meanwhile` is through before the device notices.
    """

    method: Literal["PUT", "GET"]
    way: Literal["up", "down"]
    after_bytes: int
    times: int = 1
    meanwhile: Callable[[], object] = lambda: None


class CuttingProxy:
    """Passes everything on, but for what `cut` says. `transfers` are the methods of all blobs' transfers that came.

    Where `is_down` it takes no connection, as where the relay behind it is gone.
    """

    def __init__(self) -> None:
        self.cut: Cut | None = None
        self.transfers: list[str] = []
        self.is_down = False
        self._port = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = Lock()
        self._threads = [Thread(target=self._accept)]
        self._connections: list[_Connection] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.end()
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def lead_to(self, port: int) -> None:
        """Pass on what comes to a port of this machine."""
        self._port = port

    def begin_anew(self) -> None:
        """Forget what one test said, and what came."""
        self.cut, self.is_down = None, False
        self.transfers.clear()

    def allowed(self, method: str, way: str, passed: int, coming: int) -> int | None:
        """Return how many of the coming bytes may still pass before the cut; None for all, and no cut."""
        with self._lock:
            cut = self.cut
            if cut is None or (cut.method, cut.way) != (method, way) or not cut.times:
                return None
            if passed + coming <= cut.after_bytes:
                return None
            cut.times -= 1
            return max(0, cut.after_bytes - passed)

    def _accept(self) -> None:
        while True:
            try:
                device, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.is_down:
                    raise ConnectionRefusedError
                relay = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                device.close()
                continue
            connection = _Connection(self, device, relay)
            self._connections.append(connection)
            for pump in (connection.pump_up, connection.pump_down):
                thread = Thread(target=pump)
                self._threads.append(thread)
                thread.start()


class _Connection:
    def __init__(self, proxy: CuttingProxy, device: socket.socket, relay: socket.socket) -> None:
        self._proxy = proxy
        self._device = device
        self._relay = relay
        self._blob_method = ""
        self._passed = {"up": 0, "down": 0}
        self._is_cutting = False

    def pump_up(self) -> None:
        self._pump("up", self._device, self._relay)

    def pump_down(self) -> None:
        self._pump("down", self._relay, self._device)

    def end(self) -> None:
        for one in (self._device, self._relay):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._device.close()
        self._relay.close()

    def _pump(self, way: Literal["up", "down"], source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if way == "up" and (request := _REQUEST.match(data)):
                    self._begin(request[1].decode(), request[2])
                left = self._proxy.allowed(self._blob_method, way, self._passed[way], len(data))
                if left is not None:
                    sink.sendall(data[:left])
                    self._is_cutting = True
                    cut = self._proxy.cut
                    assert cut is not None
                    cut.meanwhile()
                    self._is_cutting = False
                    break
                self._passed[way] += len(data)
                sink.sendall(data)
        if not self._is_cutting:
            self.end()

    def _begin(self, method: str, target: bytes) -> None:
        is_transfer = _BLOB.match(target) is not None and method in TRANSFERS
        self._blob_method = method if is_transfer else ""
        self._passed = {"up": 0, "down": 0}
        if is_transfer:
            self._proxy.transfers.append(method)
