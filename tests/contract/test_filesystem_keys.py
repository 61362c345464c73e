"""What a key of the file store may be, what its URLs are good for, and what lies in its directory beside blobs."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from relay.adapters.filesystem import FilesystemBlobs, Grant
from relay_protocol.errors import SignatureExpired, SignatureInvalid
from tests.contract.blob_worlds import KEY, OTHER_KEY
from tests.contract.log_world import NOW_MS, uuid

BODY = b"a sealed snapshot"
LEADING_ASTRAY = [
    "",
    "..",
    "../secret",
    uuid(1),
    f"{uuid(1)}/",
    f"/{uuid(1)}",
    f"{uuid(1)}/..",
    f"../{uuid(1)}",
    f"{uuid(1)}/../{uuid(1)}",
    f"{uuid(1)}/../../secret",
    f"{uuid(1)}/{uuid(1)}/..",
    f".uploads/{uuid(1)}",
    f"{KEY}\n",
    f"{KEY}\0",
    f"{uuid(1)}/*",
    f"{uuid(0xA).upper()}/{uuid(1)}",
    f"{uuid(1)}\\{uuid(1)}",
]
CALLS: dict[str, Callable[[FilesystemBlobs, str], object]] = {
    "presign_upload": lambda blobs, key: blobs.presign_upload(key, 1, b"", NOW_MS, ""),
    "presign_download": lambda blobs, key: blobs.presign_download(key, NOW_MS, ""),
    "stat": lambda blobs, key: blobs.stat(key),
    "delete": lambda blobs, key: blobs.delete(key),
    "find": lambda blobs, key: blobs.find(key),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(directory: Path) -> FilesystemBlobs:
    return FilesystemBlobs(directory, b"k" * 32)


def store(blobs: FilesystemBlobs, key: str) -> None:
    upload = blobs.begin_upload(Grant("PUT", key, 0, len(BODY), sha256(BODY).digest()))
    upload.write(BODY)
    upload.commit()
    upload.discard()


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("key", LEADING_ASTRAY)
def test_a_key_that_could_lead_out_of_the_directory_is_refused(
    directory: Path, blobs: FilesystemBlobs, call: str, key: str
) -> None:
    secret = directory.parent / "secret"
    secret.write_text("outside")
    store(blobs, KEY)
    with pytest.raises(ValueError, match=r"^not a blob's key$"):
        CALLS[call](blobs, key)
    assert secret.read_text() == "outside"
    assert list(blobs.keys()) == [KEY]


def test_what_others_put_into_the_directory_is_neither_listed_nor_removed(
    directory: Path, blobs: FilesystemBlobs
) -> None:
    store(blobs, KEY)
    vault = directory / uuid(1)
    foreign = [directory / "lost+found", vault / "notes.txt", vault / f"{uuid(3)}.part", vault / f"{uuid(3)}"]
    for path in foreign:
        path.touch()
    assert list(blobs.keys()) == [KEY]
    assert blobs.stat(f"{uuid(1)}/{uuid(3)}") is None
    blobs.delete(KEY)
    assert list(blobs.keys()) == []
    assert all(path.exists() for path in foreign)


def test_a_url_is_good_until_its_millisecond(blobs: FilesystemBlobs) -> None:
    upload = token_of(blobs.presign_upload(KEY, 1, b"digest", NOW_MS, "").url)
    download = token_of(blobs.presign_download(KEY, NOW_MS, ""))
    assert blobs.judge(upload, "PUT", NOW_MS - 1) == Grant("PUT", KEY, NOW_MS, 1, b"digest")
    assert blobs.judge(download, "GET", NOW_MS - 1) == Grant("GET", KEY, NOW_MS)
    with pytest.raises(SignatureExpired):
        blobs.judge(upload, "PUT", NOW_MS)
    with pytest.raises(SignatureExpired):
        blobs.judge(download, "GET", NOW_MS)


def test_a_url_of_a_relay_with_another_key_is_refused(directory: Path, blobs: FilesystemBlobs) -> None:
    other = FilesystemBlobs(directory, b"K" * 32)
    with pytest.raises(SignatureInvalid):
        blobs.judge(token_of(other.presign_download(KEY, NOW_MS, "")), "GET", 0)


def test_a_url_is_still_good_after_a_restart(directory: Path, blobs: FilesystemBlobs) -> None:
    token = token_of(blobs.presign_download(KEY, NOW_MS, ""))
    assert FilesystemBlobs(directory, b"k" * 32).judge(token, "GET", 0).blob_key == KEY


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "{}.", "é.é", "%2e", f"{KEY}.{'A' * 43}", "A" * 10_000])
def test_what_is_no_token_grants_nothing(blobs: FilesystemBlobs, token: str) -> None:
    with pytest.raises(SignatureInvalid):
        blobs.judge(token, "GET", 0)


def test_a_part_of_one_url_does_not_go_with_a_part_of_another(blobs: FilesystemBlobs) -> None:
    tokens = [token_of(blobs.presign_download(key, NOW_MS, "")) for key in (KEY, OTHER_KEY)]
    claims, macs = [token.partition(".")[0] for token in tokens], [token.partition(".")[2] for token in tokens]
    for token in (f"{claims[0]}.{macs[1]}", f"{claims[1]}.{macs[0]}", f"{claims[0]}.{macs[0]}.", claims[0]):
        with pytest.raises(SignatureInvalid):
            blobs.judge(token, "GET", 0)
