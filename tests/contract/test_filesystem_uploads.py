"""Uploads to the file store under way: not seen before they are whole, cleaned up after a kill, never by mistake."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Event

import pytest

from relay.adapters.filesystem import FilesystemBlobs, Grant
from relay.ports import BlobStat
from relay_protocol.errors import BodyTooLarge, UploadIncomplete
from tests.contract.at_once import at_once, beside
from tests.contract.blob_worlds import KEY, OTHER_KEY, key_of

BODY = bytes(range(256)) * 100
HALF = BODY[: len(BODY) // 2]
UPLOADER = """
import sys
from pathlib import Path
from relay.adapters.filesystem import FilesystemBlobs, Grant

directory, key, size_bytes, sha256, part = sys.argv[1:]
grant = Grant("PUT", key, 0, int(size_bytes), bytes.fromhex(sha256))
upload = FilesystemBlobs(Path(directory), b"k" * 32).begin_upload(grant)
upload.write(bytes.fromhex(part))
print("written", flush=True)
sys.stdin.read()
upload.commit()
"""
"""A process that receives these bytes, says so, and would commit them once its standard input ends."""


@pytest.fixture
def blobs(tmp_path: Path) -> FilesystemBlobs:
    return FilesystemBlobs(tmp_path / "blobs", b"k" * 32)


@pytest.fixture
def aside(tmp_path: Path, blobs: FilesystemBlobs) -> Path:  # noqa: ARG001 -- it makes the directory
    return tmp_path / "blobs" / ".uploads"


def grant_of(key: str, body: bytes = BODY) -> Grant:
    return Grant("PUT", key, 0, len(body), sha256(body).digest())


def store(blobs: FilesystemBlobs, key: str, body: bytes = BODY) -> None:
    upload = blobs.begin_upload(grant_of(key, body))
    try:
        upload.write(body)
        upload.commit()
    finally:
        upload.discard()


@contextmanager
def uploading_process(blobs: FilesystemBlobs, part: bytes) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has received a part of a blob."""
    arguments = [str(blobs._directory), KEY, str(len(BODY)), sha256(BODY).hexdigest(), part.hex()]
    command = [sys.executable, "-c", UPLOADER, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        try:
            yield process
        finally:
            process.kill()


def test_an_upload_under_way_is_not_seen(blobs: FilesystemBlobs) -> None:
    upload = blobs.begin_upload(grant_of(KEY))
    upload.write(BODY)
    assert (blobs.stat(KEY), blobs.find(KEY), list(blobs.keys())) == (None, None, [])
    upload.commit()
    assert (blobs.stat(KEY), list(blobs.keys())) == (BlobStat(len(BODY), sha256(BODY).digest()), [KEY])
    upload.discard()


def test_a_blob_may_come_in_any_pieces(blobs: FilesystemBlobs) -> None:
    upload = blobs.begin_upload(grant_of(KEY))
    for piece in (BODY[:1], b"", BODY[1:1000], BODY[1000:]):
        upload.write(piece)
    upload.commit()
    upload.discard()
    path = blobs.find(KEY)
    assert path is not None
    assert path.read_bytes() == BODY


def test_a_byte_too_many_is_refused_when_it_comes(blobs: FilesystemBlobs) -> None:
    """Not at the end: the sender of a thousand times as much must not fill the disk first."""
    upload = blobs.begin_upload(grant_of(KEY))
    upload.write(BODY)
    with pytest.raises(BodyTooLarge) as refused:
        upload.write(b"x")
    assert refused.value.members == {"limit": len(BODY)}
    upload.discard()


def test_bytes_of_the_granted_hash_that_are_too_few_are_not_kept(blobs: FilesystemBlobs) -> None:
    upload = blobs.begin_upload(Grant("PUT", KEY, 0, len(BODY) + 1, sha256(BODY).digest()))
    upload.write(BODY)
    with pytest.raises(UploadIncomplete):
        upload.commit()
    upload.discard()
    assert list(blobs.keys()) == []


def test_a_discarded_upload_leaves_nothing(blobs: FilesystemBlobs, aside: Path) -> None:
    upload = blobs.begin_upload(grant_of(KEY))
    upload.write(HALF)
    with pytest.raises(UploadIncomplete):
        upload.commit()
    upload.discard()
    upload.discard()
    assert list(aside.iterdir()) == []
    assert list(blobs.keys()) == []


def test_nobody_else_can_read_a_blob_or_its_name(blobs: FilesystemBlobs, aside: Path) -> None:
    upload = blobs.begin_upload(grant_of(KEY))
    (part,) = aside.iterdir()
    assert part.stat().st_mode & 0o077 == 0
    upload.write(BODY)
    upload.commit()
    upload.discard()
    path = blobs.find(KEY)
    assert path is not None
    assert [where.stat().st_mode & 0o077 for where in (aside, path.parent, path)] == [0, 0, 0]


@pytest.mark.parametrize("part", [HALF, BODY], ids=["half written", "written, not renamed"])
def test_what_a_killed_upload_leaves_is_not_seen_and_is_cleaned_up(
    blobs: FilesystemBlobs, aside: Path, part: bytes
) -> None:
    with uploading_process(blobs, part) as process:
        process.send_signal(signal.SIGKILL)
    assert len(list(aside.iterdir())) == 1
    assert (blobs.stat(KEY), list(blobs.keys())) == (None, [])
    assert blobs.clean_stale_uploads() == 1
    assert list(aside.iterdir()) == []
    store(blobs, KEY)  # and the client's next try succeeds


def test_an_upload_that_another_process_receives_is_not_cleaned_up(blobs: FilesystemBlobs) -> None:
    with uploading_process(blobs, BODY) as process:
        own = blobs.begin_upload(grant_of(OTHER_KEY))
        own.write(BODY)
        assert blobs.clean_stale_uploads() == 0
        process.communicate("")
    assert process.returncode == 0
    own.commit()
    own.discard()
    assert list(blobs.keys()) == [KEY, OTHER_KEY]


def test_cleaning_up_disturbs_no_upload_and_is_disturbed_by_none(blobs: FilesystemBlobs, aside: Path) -> None:
    def upload_many(number: int) -> None:
        for blob in range(60):
            store(blobs, key_of(number, blob), b"small")

    def clean(ended: Event) -> None:
        while not ended.is_set():
            blobs.clean_stale_uploads()

    with beside(clean):
        at_once(*(partial(upload_many, number) for number in range(1, 5)))
    assert len(list(blobs.keys())) == 4 * 60
    assert list(aside.iterdir()) == []


def test_uploads_and_deletions_in_one_vault_do_not_disturb_each_other(blobs: FilesystemBlobs) -> None:
    """The vault's directory comes with its first blob and goes with its last: at any time, for others."""

    def come_and_go(number: int) -> None:
        for blob in range(60):
            store(blobs, key_of(1, number * 100 + blob), b"small")
            blobs.delete(key_of(1, number * 100 + blob))

    at_once(*(partial(come_and_go, number) for number in range(6)))
    assert list(blobs.keys()) == []


def test_a_blob_that_is_deleted_as_it_comes_disturbs_nobody(blobs: FilesystemBlobs) -> None:
    """A vault is erased while its snapshot is being uploaded."""

    def upload_again_and_again() -> None:
        for _ in range(100):
            store(blobs, KEY, b"small")

    def delete(ended: Event) -> None:
        while not ended.is_set():
            blobs.delete(KEY)

    def look(ended: Event) -> None:
        while not ended.is_set():
            assert blobs.stat(KEY) in {None, BlobStat(5, sha256(b"small").digest())}

    with beside(delete, delete, look):
        at_once(*[upload_again_and_again] * 2)
    blobs.delete(KEY)
    assert list(blobs.keys()) == []
