"""The frames of a snapshot: every way to cut, swap, grow or mislabel them is noticed, in bounded memory."""

import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
    crypto_secretstream_xchacha20poly1305_TAG_FINAL,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    crypto_secretstream_xchacha20poly1305_TAG_PUSH,
    crypto_secretstream_xchacha20poly1305_TAG_REKEY,
)

from sync_relay_client.errors import SnapshotInvalid
from sync_relay_client.secretstream import FRAME_BYTES, open_frames, seal_frames

KEY, AAD, FIRST = b"k" * 32, b"bound", b"manifest"
MESSAGE = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
FINAL = crypto_secretstream_xchacha20poly1305_TAG_FINAL


def opened(*pieces: bytes, key: bytes = KEY, aad: bytes = AAD) -> list[bytes]:
    return [frame.plaintext for frame in open_frames(key, aad, pieces)]


def sealed(content: bytes) -> list[bytes]:
    """Return header and frames."""
    return list(seal_frames(KEY, AAD, FIRST, [content]))


def handmade(*frames: tuple[bytes, int]) -> bytes:
    """Seal frames with any tags and lengths."""
    state = crypto_secretstream_xchacha20poly1305_state()
    blob = crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    for index, (plaintext, tag) in enumerate(frames):
        frame = crypto_secretstream_xchacha20poly1305_push(state, plaintext, AAD if index == 0 else None, tag)
        blob += len(frame).to_bytes(8, "little") + frame
    return blob


@pytest.mark.parametrize(
    ("size", "frames"),
    [
        (0, []),
        (1, [1]),
        (FRAME_BYTES - 1, [FRAME_BYTES - 1]),
        (FRAME_BYTES, [FRAME_BYTES]),
        (FRAME_BYTES + 1, [FRAME_BYTES, 1]),
        (2 * FRAME_BYTES, [FRAME_BYTES, FRAME_BYTES]),
    ],
)
def test_content_is_cut_into_full_frames(size: int, frames: list[int]) -> None:
    pieces = sealed(bytes(size))
    assert [len(piece) - 8 - 17 for piece in pieces[2:]] == frames
    assert b"".join(opened(*pieces)[1:]) == bytes(size)


def test_the_pieces_of_the_source_do_not_matter() -> None:
    content = [b"a" * 700_000, b"", b"b" * 2_000_000, b"c"]
    assert opened(*seal_frames(KEY, AAD, FIRST, content))[1:] == opened(*sealed(b"".join(content)))[1:]


def test_a_first_frame_holds_at_most_a_mebibyte() -> None:
    assert opened(*seal_frames(KEY, AAD, bytes(FRAME_BYTES), []))[0] == bytes(FRAME_BYTES)
    with pytest.raises(ValueError, match="at most 1 MiB"):
        list(seal_frames(KEY, AAD, bytes(FRAME_BYTES + 1), []))


def test_another_key_or_context_opens_nothing() -> None:
    blob = b"".join(sealed(b"content"))
    with pytest.raises(SnapshotInvalid):
        opened(blob, key=b"o" * 32)
    with pytest.raises(SnapshotInvalid):
        opened(blob, aad=b"other")


def test_a_blob_cut_short_anywhere() -> None:
    blob = b"".join(sealed(b"content"))
    for length in range(len(blob)):
        with pytest.raises(SnapshotInvalid):
            opened(blob[:length])


def test_a_blob_with_a_bit_changed_anywhere() -> None:
    blob = b"".join(sealed(b"content"))
    for at in range(len(blob)):
        with pytest.raises(SnapshotInvalid):
            opened(blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :])


@pytest.mark.parametrize("rest", [b"\0", bytes(8), b"more"])
def test_a_blob_that_goes_on_after_its_end(rest: bytes) -> None:
    with pytest.raises(SnapshotInvalid):
        opened(*sealed(b"content"), rest)


def test_a_frame_repeated_after_the_end() -> None:
    pieces = sealed(b"content")
    with pytest.raises(SnapshotInvalid):
        opened(*pieces, pieces[-1])


def test_empty_pieces_after_the_end_are_nothing() -> None:
    assert opened(*sealed(b"content"), b"", b"") == [FIRST, b"content"]


@pytest.mark.parametrize("order", [(0, 1, 3, 2, 4), (0, 2, 1, 3, 4), (0, 1, 3, 4), (0, 1, 2, 2, 3, 4), (0, 1, 4)])
def test_frames_swapped_dropped_or_doubled(order: tuple[int, ...]) -> None:
    pieces = sealed(b"a" * FRAME_BYTES + b"b" * FRAME_BYTES + b"c")
    with pytest.raises(SnapshotInvalid):
        opened(*(pieces[index] for index in order))


def test_no_frame_says_that_it_is_the_last() -> None:
    with pytest.raises(SnapshotInvalid):
        opened(handmade((FIRST, MESSAGE), (bytes(FRAME_BYTES), MESSAGE)))


def test_a_frame_before_the_last_that_is_not_full() -> None:
    with pytest.raises(SnapshotInvalid):
        opened(handmade((FIRST, MESSAGE), (b"short", MESSAGE), (b"end", FINAL)))


@pytest.mark.parametrize(
    "tag", [crypto_secretstream_xchacha20poly1305_TAG_PUSH, crypto_secretstream_xchacha20poly1305_TAG_REKEY]
)
def test_a_tag_that_the_protocol_does_not_use(tag: int) -> None:
    with pytest.raises(SnapshotInvalid):
        opened(handmade((FIRST, tag), (b"end", FINAL)))


def test_a_frame_over_a_mebibyte() -> None:
    with pytest.raises(SnapshotInvalid):
        opened(handmade((FIRST, MESSAGE), (bytes(FRAME_BYTES + 1), FINAL)))


@pytest.mark.parametrize("length", [0, 16, FRAME_BYTES + 18, 1 << 40, (1 << 64) - 1])
def test_a_length_that_no_frame_has_is_refused_before_it_is_read(length: int) -> None:
    pieces = sealed(b"content")

    def endless() -> Iterator[bytes]:
        yield pieces[0] + length.to_bytes(8, "little")
        for _ in range(100):
            yield bytes(FRAME_BYTES)
        pytest.fail("the reader swallows what it should refuse")

    with pytest.raises(SnapshotInvalid):
        list(open_frames(KEY, AAD, endless()))


def test_both_directions_hold_a_few_frames_at_most() -> None:
    """A vault of gigabytes must not need gigabytes of memory."""

    def content() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(FRAME_BYTES)

    def peak(run: Callable[[], object]) -> int:
        tracemalloc.start()
        run()
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    def both() -> None:
        for _ in open_frames(KEY, AAD, seal_frames(KEY, AAD, FIRST, content())):
            pass

    assert peak(both) < 16 * FRAME_BYTES
