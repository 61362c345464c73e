"""Blob transfers as HTTP: how each is refused, what a broken upload leaves, how a download is taken up again.

What a URL grants, and that bytes come back, is the contract of the stores of blobs.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from local.bounds import Bounds
from relay.adapters.filesystem import FilesystemBlobs, Grant, PendingUpload
from relay.ports import StoreUnavailable
from tests.http.device import uuid_of
from tests.http.served import GUARD_SECONDS, Client, Reply, Served, served
from tests.http.world import SettableClock

BLOB = bytes(range(256)) * 2000
KEY = f"{uuid_of('vault')}/{uuid_of('blob')}"
TTL_MS = 900_000


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def blobs(tmp_path: Path) -> FilesystemBlobs:
    return FilesystemBlobs(tmp_path, b"k" * 32)


@pytest.fixture
def server(blobs: FilesystemBlobs, clock: SettableClock) -> Iterator[Served]:
    with served(blobs=blobs, clock=clock) as running:
        yield running


@pytest.fixture
def upload_url(blobs: FilesystemBlobs, clock: SettableClock) -> str:
    return upload_url_of(blobs, clock)


@pytest.fixture
def url(blobs: FilesystemBlobs, clock: SettableClock, server: Served, upload_url: str) -> str:
    """The URL of a blob that is there."""
    assert put(server, upload_url).status == 200
    return blobs.presign_download(KEY, clock.us // 1000 + TTL_MS, "")


def upload_url_of(blobs: FilesystemBlobs, clock: SettableClock) -> str:
    return blobs.presign_upload(KEY, len(BLOB), sha256(BLOB).digest(), clock.us // 1000 + TTL_MS, "").url


def put(server: Served, url: str, blob: bytes = BLOB) -> Reply:
    return server.connect().request("PUT", url, blob, ["Content-Type: application/octet-stream"])


def begin(server: Served, url: str, *fields: str) -> Client:
    client = server.connect()
    client.send("\r\n".join([f"PUT {url} HTTP/1.1", "Host: relay.example", *fields, "", ""]).encode())
    return client


def put_chunked(server: Served, url: str, blob: bytes = BLOB) -> Reply:
    client = begin(server, url, "Transfer-Encoding: chunked")
    for start in range(0, len(blob), 100_000):
        piece = blob[start : start + 100_000]
        client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    client.send(b"0\r\n\r\n")
    return client.reply()


def get(server: Served, url: str, *fields: str) -> Reply:
    return server.connect().request("GET", url, fields=fields)


def files(directory: Path) -> list[bytes]:
    """Return what every file below a directory holds, those of uploads under way too."""
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


# ---------------------------------------------------------------- uploads

WRONG = {
    "one byte more": (BLOB + b"x", 413, "body_too_large"),
    "one byte less": (BLOB[:-1], 409, "upload_incomplete"),
    "one bit changed": (BLOB[:-1] + bytes([BLOB[-1] ^ 1]), 409, "upload_incomplete"),
    "nothing": (b"", 409, "upload_incomplete"),
}


@pytest.mark.parametrize("send", [put, put_chunked])
def test_the_announced_bytes_are_kept(
    server: Served, upload_url: str, tmp_path: Path, send: Callable[[Served, str], Reply]
) -> None:
    reply = send(server, upload_url)
    assert (reply.status, reply.body, reply.headers["cache-control"]) == (200, b"", ["no-store"])
    assert files(tmp_path) == [BLOB]


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("send", [put, put_chunked])
def test_other_bytes_are_refused_and_leave_nothing(
    server: Served, upload_url: str, tmp_path: Path, name: str, send: Callable[[Served, str, bytes], Reply]
) -> None:
    blob, status, code = WRONG[name]
    reply = send(server, upload_url, blob)
    assert (reply.status, reply.code, reply.json.get("limit")) == (status, code, len(BLOB) if status == 413 else None)
    assert files(tmp_path) == []


def test_an_upload_that_breaks_off_leaves_nothing(server: Served, upload_url: str, tmp_path: Path) -> None:
    for sent in (b"", BLOB[:1], BLOB[:-1]):
        client = begin(server, upload_url, f"Content-Length: {len(BLOB)}")
        client.send(sent)
        server.wait_until(lambda: len(files(tmp_path)) == 1)
        client.close()
        server.wait_until(lambda: files(tmp_path) == [])


def test_an_upload_that_does_not_come_on_is_dropped_and_leaves_nothing(
    blobs: FilesystemBlobs, clock: SettableClock, upload_url: str, tmp_path: Path
) -> None:
    with served(blobs=blobs, clock=clock, bounds=Bounds(idle_seconds=0.3)) as server:
        client = begin(server, upload_url, f"Content-Length: {len(BLOB)}")
        client.send(BLOB[:-1])
        assert client.rest() == b""
        server.wait_until(lambda: files(tmp_path) == [])


def before_each_write(monkeypatch: pytest.MonkeyPatch, on_write: Callable[[int], None]) -> None:
    """Have `on_write` told which of the uploads' writes it is, before it is done."""
    write, number = PendingUpload.write, count(1)

    def tell_and_write(upload: PendingUpload, chunk: bytes) -> None:
        if chunk:
            on_write(next(number))
        write(upload, chunk)

    monkeypatch.setattr(PendingUpload, "write", tell_and_write)


def test_a_block_is_not_written_before_the_one_that_came_before_it(
    server: Served, upload_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, overtaken = Event(), list[bool]()

    def slowly(number: int) -> None:
        if number > 1:
            second.set()
        else:
            overtaken.append(second.wait(0.2))

    before_each_write(monkeypatch, slowly)
    assert put(server, upload_url).status == 200
    assert (second.is_set(), overtaken, files(tmp_path)) == (True, [False], [BLOB])


def test_a_block_that_fails_once_its_sender_has_gone_leaves_nothing(
    server: Served, upload_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go = Event(), Event()

    def fail(_: int) -> None:
        begun.set()
        assert go.wait(GUARD_SECONDS)
        raise StoreUnavailable("a blob can't be written: ENOSPC")

    before_each_write(monkeypatch, fail)
    client = begin(server, upload_url, f"Content-Length: {len(BLOB)}")
    client.send(BLOB[:-1])
    assert begun.wait(GUARD_SECONDS)
    client.close()
    go.set()
    server.wait_until(lambda: files(tmp_path) == [])
    assert put(server, upload_url).status == 503
    assert caplog.messages == []


def test_an_upload_of_another_size_is_refused_before_it_is_sent(server: Served, upload_url: str) -> None:
    for size_bytes, code in ((len(BLOB) + 1, "body_too_large"), (len(BLOB) - 1, "upload_incomplete")):
        client = begin(server, upload_url, f"Content-Length: {size_bytes}", "Expect: 100-continue")
        assert client.reply().code == code


class FailingBlobs(FilesystemBlobs):
    """Can't begin an upload."""

    def __init__(self, directory: Path, error: Exception) -> None:
        super().__init__(directory, b"k" * 32)
        self.error = error

    def begin_upload(self, grant: Grant) -> PendingUpload:
        del grant
        raise self.error


def test_a_full_disk_is_503_and_the_log_says_why(clock: SettableClock, tmp_path: Path) -> None:
    blobs = FailingBlobs(tmp_path, StoreUnavailable("a blob can't be begun: ENOSPC"))
    with served(blobs=blobs, clock=clock) as server:
        reply = put(server, upload_url_of(blobs, clock))
        ((_, reason),) = server.telemetry.of("store_unavailable")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", ["2"])
    assert reason == "a blob can't be begun: ENOSPC"


def test_a_defect_is_a_constant_500_that_the_log_explains(clock: SettableClock, tmp_path: Path) -> None:
    blobs = FailingBlobs(tmp_path, ValueError("secret"))
    with served(blobs=blobs, clock=clock) as server:
        reply = put(server, upload_url_of(blobs, clock))
        ((request_id, _),) = server.telemetry.of("failed")
    assert (reply.status, reply.code, reply.json["id"]) == (500, "internal", request_id)
    assert b"secret" not in reply.body


# ---------------------------------------------------------------- URLs


def test_a_url_that_is_late_or_for_something_else_is_refused(
    server: Served, clock: SettableClock, url: str, upload_url: str
) -> None:
    assert [get(server, upload_url).code, put(server, url).code] == ["signature_invalid"] * 2
    clock.advance(TTL_MS / 1000)
    for reply in (get(server, url), put(server, upload_url)):
        assert (reply.status, reply.code) == (401, "signature_expired")


def test_what_is_no_url_of_the_relay_is_refused(server: Served, url: str) -> None:
    claims, _, mac = url.removeprefix("/blobs/").partition(".")
    tokens = [
        "",
        ".",
        "%2E",
        "/",
        claims,
        mac,
        f"{claims}%2E{mac}",
        f"{claims}.{mac}%00",
        f"{claims}.{mac}/",
        f"../{claims}",
    ]
    replies = [get(server, f"/blobs/{token}") for token in tokens]
    assert [(reply.status, reply.code) for reply in replies] == [(401, "signature_invalid")] * len(tokens)
    assert len({reply.body for reply in replies}) == 1


def test_a_deleted_blob_is_not_found(server: Served, blobs: FilesystemBlobs, url: str) -> None:
    blobs.delete(KEY)
    reply = get(server, url)
    assert (reply.status, reply.code) == (404, "snapshot_not_found")


def test_behind_a_base_path_urls_work_stripped_or_not(blobs: FilesystemBlobs, clock: SettableClock, url: str) -> None:
    with served(blobs=blobs, clock=clock, base_path="/relay") as server:
        assert [get(server, each).body for each in (url, "/relay" + url)] == [BLOB, BLOB]


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "OPTIONS"])
def test_other_methods_are_405_and_change_nothing(server: Served, url: str, method: str) -> None:
    client = server.connect()
    reply = client.request(method, url)
    assert (reply.status, reply.headers["allow"]) == (405, ["GET, PUT"])
    assert client.request("GET", url).body == BLOB, "the connection goes on"


# ---------------------------------------------------------------- ranges


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("0-0", 0, 0),
        ("0-99", 0, 99),
        ("300000-", 300_000, len(BLOB) - 1),
        ("-10", len(BLOB) - 10, len(BLOB) - 1),
        (f"{len(BLOB) - 1}-", len(BLOB) - 1, len(BLOB) - 1),
        (f"100-{len(BLOB) * 2}", 100, len(BLOB) - 1),
        (f"-{len(BLOB) * 2}", 0, len(BLOB) - 1),
    ],
)
def test_a_broken_download_is_taken_up_again(server: Served, url: str, asked: str, first: int, last: int) -> None:
    reply = get(server, url, f"Range: bytes={asked}")
    assert (reply.status, reply.body) == (206, BLOB[first : last + 1])
    assert reply.headers["content-range"] == [f"bytes {first}-{last}/{len(BLOB)}"]


@pytest.mark.parametrize("asked", [f"{len(BLOB)}-", f"{len(BLOB) + 5}-{len(BLOB) + 9}", "-0"])
def test_a_range_that_is_not_there_is_416(server: Served, url: str, asked: str) -> None:
    client = server.connect()
    reply = client.request("GET", url, fields=[f"Range: bytes={asked}"])
    assert (reply.status, reply.headers["content-range"]) == (416, [f"bytes */{len(BLOB)}"])
    assert client.request("GET", url).body == BLOB, "the connection goes on"


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=a-b", "bytes=9-1", "bytes=0-1,5-6", "bytes=0-" + ",0-" * 1000, "lines=0-1", "0-1", ""],
)
def test_a_range_that_is_not_understood_is_ignored(server: Served, url: str, asked: str) -> None:
    reply = get(server, url, f"Range: {asked}")
    assert (reply.status, reply.body) == (200, BLOB)


def test_of_a_range_of_another_version_the_whole_is_sent(server: Served, url: str) -> None:
    (tag,) = get(server, url).headers["etag"]
    assert get(server, url, "Range: bytes=0-9", f"If-Range: {tag}").body == BLOB[:10]
    assert get(server, url, "Range: bytes=0-9", 'If-Range: "another"').body == BLOB
