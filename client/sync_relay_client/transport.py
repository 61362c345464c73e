"""Doing what flows ask for, blocking, with httpx. With `async_transport` the one place that touches a network."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from http.cookiejar import DefaultCookiePolicy

import httpx

from relay_protocol.answers import DownloadableSnapshot
from relay_protocol.answers import Upload as UploadTarget
from relay_protocol.encoding import base64url
from sync_relay_client.address import RelayAddress, is_host
from sync_relay_client.answers import Answer, check_blob_answer
from sync_relay_client.errors import AnswerInvalid, RelayUnreachable
from sync_relay_client.flow import Action, Download, Pause, Progress, Send, Upload
from sync_relay_client.pacing import begin_body, keep_pace
from sync_relay_client.profile.api_key import FIELD
from sync_relay_client.profile.spool import created, opened
from sync_relay_client.requests import MAX_ANSWER_BYTES, Prepared, prepare

PIECE_BYTES = 64 * 1024
"""How much of a blob is read or sent at a time."""
STORED_SECONDS = 300.0
"""How long a store may take to answer after a blob's last byte: first it has the whole of it on its disk."""
COMMON_FIELDS = {"accept-encoding": "identity"}
"""No content coding is asked for, and none is undone: a few bytes of gzip hold gigabytes."""

_NOT_THE_RELAY_S = frozenset(
    {
        "authorization",
        "connection",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Header fields of an upload that say where it goes, how it is framed, or who we are."""
_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[\x20-\x7e]*")  # RFC 9110 §5.1, §5.5


class Transport:
    """A connection pool. `inner` replaces the network in tests, `clock` (Unix seconds) and `sleep` the time."""

    def __init__(
        self,
        inner: httpx.BaseTransport | None = None,
        timeout_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        api_key: str | None = None,
    ) -> None:
        self._http = httpx.Client(
            transport=inner, timeout=timeout_seconds, follow_redirects=False, headers=COMMON_FIELDS
        )
        take_no_cookies(self._http)
        keep_pace(self._http)
        self._clock = clock
        self._sleep = sleep
        self._api_key = api_key

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def perform(self, action: Action) -> Answer | None:
        """Do what a flow asks for. Raises RelayUnreachable, RelayRefused, AnswerInvalid or ProfileUnavailable."""
        match action:
            case Send():
                return self.send(action)
            case Pause():
                self._sleep(action.seconds)
            case Upload():
                with opened(action.blob) as file:
                    size = os.fstat(file.fileno()).st_size
                    self.upload(
                        action.relay, action.target, told(pieces_of(file.read, size), size, action.progress), size
                    )
            case Download():
                with created(action.blob) as file:
                    for piece in told(
                        self.download(action.relay, action.snapshot), action.snapshot.size, action.progress
                    ):
                        file.write(piece)
        return None

    def send(self, action: Send) -> Answer:
        """Sign a request, send it and read its answer. Raises RelayUnreachable or AnswerInvalid."""
        request = prepared(action, self._clock, self._api_key)
        with self._answer(request.method, request.url, request.headers, request.body or None) as response:
            return _read(response, action.request.max_answer_bytes)

    def upload(self, relay: RelayAddress, target: UploadTarget, blob: Iterable[bytes], size: int) -> None:
        """Send a blob of `size` bytes with exactly the header fields that were asked for (§7.8).

        Raises RelayUnreachable, RelayRefused, AnswerInvalid, and whatever `blob` raises.
        """
        check_blob_url(target.url, relay)
        fields, waits = upload_fields(target, size), upload_timeout(self._http.timeout)
        with self._answer(target.method, target.url, fields, blob, waits) as response:
            check_blob_answer(_read(response))

    def download(self, relay: RelayAddress, snapshot: DownloadableSnapshot) -> Iterator[bytes]:
        """Yield a snapshot's blob, piece by piece. Raises AnswerInvalid unless it is, whole, the one announced.

        Its size and hash are known to be right only at the end. Also raises RelayUnreachable and RelayRefused,
        and ValueError if the snapshot is not available.
        """
        check = BlobCheck(snapshot)
        check_blob_url(check.url, relay)
        with self._answer("GET", check.url, {}) as response:
            if response.status_code != httpx.codes.OK:
                check_blob_answer(_read(response))
                raise AnswerInvalid("a blob was asked for and not sent")
            for piece in response.iter_raw(PIECE_BYTES):
                check.add(piece)
                yield piece
        check.finish()

    @contextmanager
    def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | Iterable[bytes] | None = None,
        waits: httpx.Timeout | None = None,
    ) -> Iterator[httpx.Response]:
        """Send, and give the answer to read."""
        stream = self._http.stream(
            method, url, headers=dict(headers), content=content, timeout=waits or self._http.timeout
        )
        with http_errors(), stream as response:
            begin_body(response)
            yield response


def _read(response: httpx.Response, max_bytes: int = MAX_ANSWER_BYTES) -> Answer:
    reader = AnswerReader(response, max_bytes)
    for piece in response.iter_bytes():
        reader.add(piece)
    return reader.answer()


# ---------------------------------------------------------------- what both transports share


def prepared(action: Send, clock: Callable[[], float], api_key: str | None) -> Prepared:
    """Return the request as it is sent, signed at this very time. Stores of blobs never see the API key.

    It is not signed: what asks for it stands before the relay, and a relay refuses signatures over fields of others.
    """
    request = prepare(action.request, action.address, action.signer, int(clock()))
    if api_key is None:
        return request
    return replace(request, headers={**request.headers, FIELD: api_key})


def upload_fields(target: UploadTarget, size: int) -> dict[str, str]:
    """Return an upload's header fields. Without a length httpx would send chunks, which object stores refuse.

    Raises AnswerInvalid where the relay asks for fields that are none, or that are ours.
    """
    if not all(_FIELD.fullmatch(f"{name}:{value}") for name, value in target.headers.items()):
        raise AnswerInvalid("the relay asks for a header field that is none")
    fields = _lower(target.headers)
    if not _NOT_THE_RELAY_S.isdisjoint(fields) or fields.get("content-length", str(size)) != str(size):
        raise AnswerInvalid("the relay asks for a header field that is not its to set")
    return {**fields, "content-length": str(size)}


def upload_timeout(usual: httpx.Timeout) -> httpx.Timeout:
    """Return an upload's times. To give up on a store that still writes is to send it all again."""
    return httpx.Timeout(connect=usual.connect, read=STORED_SECONDS, write=usual.write, pool=usual.pool)


@contextmanager
def http_errors() -> Iterator[None]:
    """Turn what httpx raises into errors of the tree."""
    try:
        yield
    except httpx.HTTPError as error:
        raise RelayUnreachable(type(error).__name__) from error


class AnswerReader:
    """An answer's body as it comes, bounded. Raises AnswerInvalid where it has a content coding."""

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise AnswerInvalid("the answer has a content coding, which was not asked for")
        self._response = response
        self._max_bytes = max_bytes
        self._body = bytearray()

    def add(self, piece: bytes) -> None:
        """Take more of it. Raises AnswerInvalid if it is too much."""
        self._body += piece
        if len(self._body) > self._max_bytes:
            raise AnswerInvalid("the answer is too large")

    def answer(self) -> Answer:
        """Return the whole answer."""
        return Answer(self._response.status_code, _lower(self._response.headers), bytes(self._body))


class BlobCheck:
    """Holds a blob that comes in pieces against the snapshot that it should be. Raises ValueError if it has no URL."""

    def __init__(self, snapshot: DownloadableSnapshot) -> None:
        if snapshot.download is None:
            raise ValueError("the snapshot is not available")
        self.url = snapshot.download.url
        self._snapshot = snapshot
        self._received = 0
        self._digest = sha256()

    def add(self, piece: bytes) -> None:
        """Take more of it. Raises AnswerInvalid past the announced size."""
        self._received += len(piece)
        self._digest.update(piece)
        if self._received > self._snapshot.size:
            raise AnswerInvalid("the blob is longer than announced")

    def finish(self) -> None:
        """Raise AnswerInvalid unless this was the blob."""
        if self._received != self._snapshot.size or base64url(self._digest.digest()) != self._snapshot.sha256:
            raise AnswerInvalid("the blob is not the one announced")


def pieces_of(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    """Yield `size` bytes of what `read` gives, in pieces."""
    left = size
    while left and (piece := read(min(PIECE_BYTES, left))):
        left -= len(piece)
        yield piece


def told(pieces: Iterable[bytes], size: int, progress: Progress | None) -> Iterator[bytes]:
    """Yield the pieces, and tell how far they are."""
    through = 0
    for piece in pieces:
        yield piece
        through += len(piece)
        if progress is not None:
            progress(through, size)


def check_blob_url(url: str, relay: RelayAddress) -> None:
    """Raise AnswerInvalid for a URL of the relay's that is not to be asked.

    Stores of blobs have names of their own; so any host is asked by https. By http only the relay's own host is,
    and only if the relay is, too: whatever else is in reach of a device is not a relay's to ask.
    """
    try:
        parsed, own = httpx.URL(url), httpx.URL(str(relay))
    except httpx.InvalidURL:
        raise AnswerInvalid("the relay gave a URL that is none") from None
    if parsed.scheme not in ("http", "https") or parsed.userinfo or not is_host(parsed.raw_host.decode()):
        raise AnswerInvalid("the relay gave a URL of another kind")
    if parsed.scheme == "http" and (own.scheme, own.host) != ("http", parsed.host):
        raise AnswerInvalid("the relay gave a URL of another host, in clear text")


def take_no_cookies(client: httpx.Client | httpx.AsyncClient) -> None:
    """Let no answer set a cookie: it would be sent with each request from then on, and grow."""
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
