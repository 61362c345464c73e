"""Sending requests with httpx: the one place of the client that touches a network."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256

import httpx

from relay_protocol.answers import DownloadableSnapshot, Upload
from relay_protocol.encoding import base64url
from sync_relay_client.answers import Answer, check_no_content
from sync_relay_client.errors import AnswerInvalid, RelayUnreachable
from sync_relay_client.requests import Prepared

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""What is read of an answer at most; a page holds `max_page_bytes` (4 MiB), and an operator may raise that."""
DOWNLOAD_PIECE_BYTES = 64 * 1024


class Transport:
    """A connection pool. `inner` replaces the network in tests. Close it, or use it as a context manager."""

    def __init__(self, inner: httpx.BaseTransport | None = None, timeout_seconds: float = 30.0) -> None:
        self._http = httpx.Client(transport=inner, timeout=timeout_seconds, follow_redirects=False)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, request: Prepared) -> Answer:
        """Send a request and read its answer. Raises RelayUnreachable or AnswerInvalid."""
        with self._answer(request.method, request.url, request.headers, request.body or None) as response:
            return _read(response)

    def upload(self, upload: Upload, blob: Iterable[bytes], size: int) -> None:
        """Send a blob of `size` bytes with exactly the header fields that were asked for (§7.8).

        Raises RelayUnreachable, RelayRefused, AnswerInvalid, and whatever `blob` raises.
        """
        # Without a length httpx would send chunks, which object stores refuse.
        headers = {**_lower(upload.headers), "content-length": str(size)}
        with self._answer(upload.method, upload.url, headers, blob) as response:
            check_no_content(_read(response))

    def download(self, snapshot: DownloadableSnapshot) -> Iterator[bytes]:
        """Yield a snapshot's blob, piece by piece. Raises AnswerInvalid unless it is, whole, the one announced.

        Its size and hash are known to be right only at the end. Also raises RelayUnreachable and RelayRefused,
        and ValueError if the snapshot is not available.
        """
        if snapshot.download is None:
            raise ValueError("the snapshot is not available")
        received, digest = 0, sha256()
        with self._answer("GET", snapshot.download.url, {"accept-encoding": "identity"}) as response:
            if response.status_code != httpx.codes.OK:
                check_no_content(_read(response))
                raise AnswerInvalid("a blob was asked for and not sent")
            for piece in response.iter_raw(DOWNLOAD_PIECE_BYTES):
                received += len(piece)
                digest.update(piece)
                if received > snapshot.size:
                    raise AnswerInvalid("the blob is longer than announced")
                yield piece
        if received != snapshot.size or base64url(digest.digest()) != snapshot.sha256:
            raise AnswerInvalid("the blob is not the one announced")

    @contextmanager
    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | Iterable[bytes] | None = None
    ) -> Iterator[httpx.Response]:
        """Send, and give the answer to read; what httpx raises meanwhile becomes an error of the tree."""
        _check_url(url)
        try:
            with self._http.stream(method, url, headers=dict(headers), content=content) as response:
                yield response
        except httpx.DecodingError:
            raise AnswerInvalid("the answer's content coding is broken") from None
        except httpx.HTTPError as error:
            raise RelayUnreachable(type(error).__name__) from error


def _check_url(url: str) -> None:
    """Raise AnswerInvalid for a URL that can't be asked: those of blobs come from the relay."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise AnswerInvalid("the relay gave a URL that is none") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise AnswerInvalid("the relay gave a URL of another kind")


def _read(response: httpx.Response) -> Answer:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerInvalid("the answer is too large")
    return Answer(response.status_code, _lower(response.headers), bytes(body))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
