"""A snapshot's blob goes from the socket to its file and back, and is seen nowhere else on its way."""

from hashlib import sha256
from pathlib import Path

import pytest

from relay.adapters.filesystem import FilesystemBlobs
from tests.http.device import uuid_of
from tests.http.served import served
from tests.http.world import SettableClock
from tests.zk.canary import Canary
from tests.zk.held import held
from tests.zk.places import found_in
from tests.zk.sinks import watched

KEY = f"{uuid_of('vault')}/{uuid_of('blob')}"
BLOB = Canary.draw("blob", 0x10000, 100_003)
ANNOUNCED = frozenset({"its length", "hashed"})
"""What the client itself tells of a blob (§7.8), and its URL carries."""


def test_a_blob_is_seen_in_its_file_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clock = SettableClock()
    blobs = FilesystemBlobs(tmp_path, b"k" * 32)
    later_ms = clock.us // 1000 + 900_000
    upload = blobs.presign_upload(KEY, len(BLOB.raw), sha256(BLOB.raw).digest(), later_ms, "").url
    download = blobs.presign_download(KEY, later_ms, "")
    with watched(tmp_path) as sinks, served(blobs=blobs, clock=clock) as server:
        client = server.connect()
        for body, status in ((BLOB.raw[:-1], 409), (BLOB.raw[::-1], 409), (BLOB.raw + b"x", 413), (BLOB.raw, 200)):
            assert server.connect().request("PUT", upload, body).status == status
        assert client.request("GET", download).body == BLOB.raw
        assert client.request("GET", download, fields=["Range: bytes=0-99"]).body == BLOB.raw[:100]
        sinks.note("telemetry", [repr(one) for one in server.telemetry.told])
        sinks.passed += held(server.server)
    told = capfd.readouterr()
    sinks.note("standard streams", told.out + told.err)
    assert found_in([BLOB], sinks.passed, but=ANNOUNCED) == set()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    holding = [path.relative_to(tmp_path) for path in files if set(BLOB.ways_in(path.read_bytes()))]
    assert [str(path).partition(KEY)[1] for path in holding] == [KEY]
