"""Connections over WebSocket, by the library's protocol without I/O."""

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from bench.beside.wire import Connection, RefusedError


class WebSocketConnection(Connection):
    """A WebSocket; requests are frames that `as_frame` made."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(port)
        self._protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}{path}"), max_size=None)
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        while not self._protocol.events_received():
            self._protocol.receive_data(self.read())
        if self._protocol.handshake_exc:
            raise RefusedError("no WebSocket")

    def _flush(self) -> None:
        self.send(b"".join(self._protocol.data_to_send()))

    def receive(self) -> bytes | None:
        """Return a binary message once it is there, and answer pings."""
        self._protocol.receive_data(self.read())
        self._flush()
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.BINARY and event.fin:
                return bytes(event.data)
        return None


def as_frame(message: bytes) -> bytes:
    """Return a message as the frame that a client sends: masking is not on the clock."""
    return bytes(Frame(Opcode.BINARY, message).serialize(mask=True))
