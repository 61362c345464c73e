"""A snapshot's frames (§11): libsodium's secretstream on the wire, in bounded memory, in both directions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_ABYTES,
    crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
    crypto_secretstream_xchacha20poly1305_TAG_FINAL,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
)
from nacl.exceptions import CryptoError

from sync_relay_client.errors import SnapshotInvalid

FRAME_BYTES = 1024 * 1024
"""What a frame seals at most, and every content frame but the last exactly."""

_OVERHEAD_BYTES = crypto_secretstream_xchacha20poly1305_ABYTES
_LENGTH_BYTES = 8


def seal_frames(key: bytes, aad: bytes, first: bytes, content: Iterable[bytes]) -> Iterator[bytes]:
    """Seal `first`, bound to `aad`, and the content; yield the header and the frames.

    Raises ValueError if `first` is over 1 MiB.
    """
    if len(first) > FRAME_BYTES:
        raise ValueError("the first frame holds at most 1 MiB")
    state = crypto_secretstream_xchacha20poly1305_state()
    yield crypto_secretstream_xchacha20poly1305_init_push(state, key)
    plaintext, bound = first, aad
    for piece in _rechunk(content):
        yield _sealed(state, plaintext, bound, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
        plaintext, bound = piece, b""
    yield _sealed(state, plaintext, bound, crypto_secretstream_xchacha20poly1305_TAG_FINAL)


@dataclass(frozen=True, slots=True)
class Frame:
    """An opened frame."""

    plaintext: bytes = field(repr=False)
    is_final: bool


def open_frames(key: bytes, aad: bytes, blob: Iterable[bytes]) -> Iterator[Frame]:
    """Open a blob that comes in pieces of any size; the first frame is the one bound to `aad`.

    Raises SnapshotInvalid where a frame is changed, swapped, of the wrong length or tag, where the blob ends
    without the final frame, or goes on after it.
    """
    source = _Source(blob)
    state = crypto_secretstream_xchacha20poly1305_state()
    header = source.read(crypto_secretstream_xchacha20poly1305_HEADERBYTES)
    crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    frame = _opened(state, source, aad)
    yield frame
    while not frame.is_final:
        frame = _opened(state, source, b"")
        if not frame.is_final and len(frame.plaintext) != FRAME_BYTES:
            raise SnapshotInvalid("a frame before the last is not full")
        yield frame
    if not source.is_at_end():
        raise SnapshotInvalid("the blob goes on after its final frame")


def _sealed(state: crypto_secretstream_xchacha20poly1305_state, plaintext: bytes, aad: bytes, tag: int) -> bytes:
    sealed = crypto_secretstream_xchacha20poly1305_push(state, plaintext, aad, tag)
    return len(sealed).to_bytes(_LENGTH_BYTES, "little") + sealed


def _opened(state: crypto_secretstream_xchacha20poly1305_state, source: "_Source", aad: bytes) -> Frame:
    length = int.from_bytes(source.read(_LENGTH_BYTES), "little")
    if length > FRAME_BYTES + _OVERHEAD_BYTES:
        raise SnapshotInvalid("a frame has an impossible length")
    sealed = source.read(length)
    try:
        plaintext, tag = crypto_secretstream_xchacha20poly1305_pull(state, sealed, aad)
    except CryptoError:
        raise SnapshotInvalid("a frame is not authentic in its place") from None
    if tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL:
        return Frame(plaintext, is_final=True)
    if tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE:
        raise SnapshotInvalid("a frame has a tag that the protocol does not use")
    return Frame(plaintext, is_final=False)


def _rechunk(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content in full frames, and what is left at last; nothing for no content."""
    buffer = bytearray()
    for piece in content:
        rest = memoryview(piece)
        while rest:
            taken = rest[: FRAME_BYTES - len(buffer)]
            buffer += taken
            rest = rest[len(taken) :]
            if len(buffer) == FRAME_BYTES:
                yield bytes(buffer)
                buffer.clear()
    if buffer:
        yield bytes(buffer)


class _Source:
    """Bytes that come in pieces, read by exact lengths."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = bytearray()

    def read(self, length: int) -> bytes:
        """Return exactly so many bytes. Raises SnapshotInvalid if the blob ends before."""
        while len(self._buffer) < length:
            piece = next(self._pieces, None)
            if piece is None:
                raise SnapshotInvalid("the blob is cut short")
            self._buffer += piece
        with memoryview(self._buffer) as buffer:  # a slice of the buffer itself would be copied twice
            data = bytes(buffer[:length])
        del self._buffer[:length]
        return data

    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return not self._buffer and all(not piece for piece in self._pieces)
