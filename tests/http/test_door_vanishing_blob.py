"""A blob that retention, or an erasure, deletes just as somebody asks for it: 404, as a moment later."""

from hashlib import sha256
from pathlib import Path, PosixPath
from typing import Any

import pytest

from relay.adapters.filesystem import FilesystemBlobs, Grant
from tests.http.served import served
from tests.http.world import SettableClock

KEY = "00000001-0000-4000-8000-000000000001/00000002-0000-4000-8000-000000000002"
BODY = b"a sealed snapshot"


class VanishingOnceMeasured(PosixPath):
    """A file that is deleted once its length is known."""

    def stat(self, *args: Any, **knobs: Any) -> Any:
        found = super().stat(*args, **knobs)
        self.unlink(missing_ok=True)
        return found


class VanishingBlobs(FilesystemBlobs):
    """Blobs that are deleted once they are found: at once, or a step later."""

    def __init__(self, directory: Path, *, later: bool) -> None:
        super().__init__(directory, b"k" * 32)
        self._later = later

    def find(self, blob_key: str) -> Path | None:
        path = super().find(blob_key)
        assert path is not None
        if self._later:
            return VanishingOnceMeasured(path)
        path.unlink()
        return path


@pytest.mark.parametrize("later", [False, True], ids=["before it is measured", "before it is opened"])
@pytest.mark.parametrize("fields", [[], ["Range: bytes=2-5"]], ids=["whole", "a range"])
def test_it_is_not_found_and_told_so_once(tmp_path: Path, fields: list[str], *, later: bool) -> None:
    blobs, clock = VanishingBlobs(tmp_path / "blobs", later=later), SettableClock()
    upload = blobs.begin_upload(Grant("PUT", KEY, 0, len(BODY), sha256(BODY).digest()))
    upload.write(BODY)
    upload.commit()
    upload.discard()
    url = blobs.presign_download(KEY, clock.us // 1000 + 1, "")
    with served(blobs=blobs, clock=clock) as running:
        reply = running.connect().request("GET", url, fields=fields)
    assert (reply.status, reply.code) == (404, "snapshot_not_found")
    ((told,),) = running.telemetry.of("answered")
    assert (told.route, told.status, told.code) == ("GET /blobs/{token}", 404, "snapshot_not_found")
