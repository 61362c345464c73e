"""A small S3 that holds clients to its rules, in memory, on a socket of the loopback.

Kept as S3 documents them: Signature Version 4 in the header and in the query of a presigned URL (the whole canonical
request: method, path, query, signed headers, payload hash), `host` and every `x-amz-` field must be signed, an expiry
of 1 to 604,800 seconds and its end, 15 minutes of skew, the bucket's region told to who signs for another,
`x-amz-content-sha256`, a length that is known, BadDigest for a `x-amz-checksum-sha256` that is not the body's (and
nothing is stored), objects that appear whole, HeadObject with `x-amz-checksum-mode`, deletions that succeed twice, and
listings in order, page by page, from `start-after` on.
Not kept: virtual-hosted buckets, multipart uploads, ranges, conditions, versions, policies, TLS.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

MAX_KEYS = 5
"""Of a page of a listing. S3's own is 1,000."""
MAX_EXPIRES_SECONDS = 7 * 24 * 3600
SKEW_SECONDS = 15 * 60
UNSIGNED = "UNSIGNED-PAYLOAD"
ALGORITHM = "AWS4-HMAC-SHA256"


class S3Error(Exception):
    """An error by its status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Stored:
    """An object: its bytes, and their SHA-256 in base64 where the upload told it."""

    body: bytes
    checksum: str | None
    stored_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Signed:
    """What a request says of its signature, from its header or its query."""

    credential: str
    date: str
    headers: str
    signature: str
    payload: str
    expires: str | None

    @classmethod
    def of(cls, headers: Message, query: dict[str, str]) -> "Signed":
        """Read the signature from a URL's query or the Authorization header. Raises S3Error."""
        try:
            if "X-Amz-Signature" in query:
                if query["X-Amz-Algorithm"] != ALGORITHM:
                    raise S3Error(400, "AuthorizationQueryParametersError")
                names = ("Credential", "Date", "SignedHeaders", "Signature", "Expires")
                credential, date, signed, signature, expires = (query[f"X-Amz-{name}"] for name in names)
                return cls(credential, date, signed, signature, UNSIGNED, expires)
            algorithm, _, rest = headers["Authorization"].partition(" ")
            parts = dict(part.strip().split("=", 1) for part in rest.split(","))
            if algorithm != ALGORITHM:
                raise S3Error(400, "InvalidArgument")
            date, payload = headers["x-amz-date"], headers["x-amz-content-sha256"]
            return cls(parts["Credential"], date, parts["SignedHeaders"], parts["Signature"], payload, None)
        except (KeyError, AttributeError, ValueError):
            raise S3Error(403, "AccessDenied") from None


class S3Server(ThreadingHTTPServer):
    """Serves the buckets of one account."""

    daemon_threads = True

    def __init__(self, access_key: str, secret_key: str, region: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.access_key, self.secret_key, self.region = access_key, secret_key, region
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.lock = Lock()
        self.seconds_ahead = 0
        """By which its clock is ahead of the machine's."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away."""

    def judge(self, method: str, path: str, query: str, headers: Message, body: bytes) -> None:
        """Check a request's signature and its time. Raises S3Error."""
        signed = Signed.of(headers, dict(parse_qsl(query, keep_blank_values=True)))
        self._judge_time(signed)
        names = signed.headers.split(";")
        sent = {name.lower() for name in headers}
        if "host" not in names or {name for name in sent if name.startswith("x-amz-")} - set(names):
            raise S3Error(403, "AccessDenied")
        pairs = sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair)
        canonical = "\n".join(
            (
                method,
                path,
                "&".join(pair for pair in pairs if not pair.startswith("X-Amz-Signature=")),
                *(f"{name}:{' '.join((headers[name] or '').split())}" for name in names),
                "",
                signed.headers,
                signed.payload,
            )
        )
        if not hmac.compare_digest(self._signature(signed, canonical), signed.signature):
            raise S3Error(403, "SignatureDoesNotMatch")
        if signed.payload not in {UNSIGNED, sha256(body).hexdigest()}:
            raise S3Error(400, "XAmzContentSHA256Mismatch")

    def _judge_time(self, signed: Signed) -> None:
        try:
            age = (datetime.now(UTC) - datetime.strptime(signed.date, "%Y%m%dT%H%M%S%z")).total_seconds()
            age += self.seconds_ahead
            expires = int(signed.expires or 1)
        except ValueError:
            raise S3Error(403, "AccessDenied") from None
        if signed.expires is None and abs(age) > SKEW_SECONDS:
            raise S3Error(403, "RequestTimeTooSkewed")
        if not 1 <= expires <= MAX_EXPIRES_SECONDS:
            raise S3Error(400, "AuthorizationQueryParametersError")
        if signed.expires is not None and not -SKEW_SECONDS <= age < expires:
            raise S3Error(403, "AccessDenied")

    def _signature(self, signed: Signed, canonical: str) -> str:
        region = signed.credential.split("/")[2:3]
        if region != [self.region]:
            raise S3Error(400, "AuthorizationHeaderMalformed")
        scope = f"{signed.date[:8]}/{self.region}/s3/aws4_request"
        if signed.credential != f"{self.access_key}/{scope}":
            raise S3Error(403, "InvalidAccessKeyId")
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), sha256)
        text = f"{ALGORITHM}\n{signed.date}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        return hmac.new(key, text.encode(), sha256).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """One request. Path-style: `/bucket/key`."""

    protocol_version = "HTTP/1.1"
    server: S3Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if not self.raw_requestline or not self.parse_request():
            return
        try:
            status, headers, body = self._answer()
        except S3Error as error:
            region = self.server.region if error.code == "AuthorizationHeaderMalformed" else None
            status, headers = error.status, {"Content-Type": "application/xml"}
            headers |= {"x-amz-bucket-region": region} if region else {}
            told = f"<Code>{error.code}</Code>" + (f"<Region>{region}</Region>" if region else "")
            body = f"<Error>{told}</Error>".encode()
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        path, _, query = self.path.partition("?")
        length = self.headers.get("Content-Length")
        if self.command == "PUT" and length is None:
            raise S3Error(411, "MissingContentLength")
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(length or 0))
        self.server.judge(self.command, path, query, self.headers, body)
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        with self.server.lock:
            if self.command == "PUT" and not key:
                self.server.buckets[bucket] = {}
                return 200, {}, b""
            if bucket not in self.server.buckets:
                raise S3Error(404, "NoSuchBucket")
            objects = self.server.buckets[bucket]
            if not key:
                return 200, {"Content-Type": "application/xml"}, _listing(objects, dict(parse_qsl(query)))
            return self._object(objects, key, body)

    def _object(self, objects: dict[str, Stored], key: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        match self.command:
            case "PUT":
                checksum = self.headers.get("x-amz-checksum-sha256")
                if checksum not in {None, b64encode(sha256(body).digest()).decode()}:
                    raise S3Error(400, "BadDigest")
                objects[key] = Stored(body, checksum)
                return 200, {}, b""
            case "DELETE":
                objects.pop(key, None)
                return 204, {}, b""
            case "GET" | "HEAD":
                if key not in objects:
                    raise S3Error(404, "NoSuchKey")
                stored = objects[key]
                asked = self.headers.get("x-amz-checksum-mode") == "ENABLED"
                told = {"x-amz-checksum-sha256": stored.checksum} if asked and stored.checksum else {}
                return 200, {"Content-Length": str(len(stored.body)), **told}, stored.body
            case _:
                raise S3Error(405, "MethodNotAllowed")


def _listing(objects: dict[str, Stored], query: dict[str, str]) -> bytes:
    if query.get("list-type") != "2":
        raise S3Error(405, "MethodNotAllowed")
    after, prefix = query.get("continuation-token") or query.get("start-after", ""), query.get("prefix", "")
    keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
    page = keys[:MAX_KEYS]
    contents = "".join(
        f"<Contents><Key>{escape(quote(key))}</Key><Size>{len(objects[key].body)}</Size>"
        f"<LastModified>{objects[key].stored_at.isoformat()}</LastModified></Contents>"
        for key in page
    )
    more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(keys) > len(page) else ""
    truncated = "true" if more else "false"
    return (
        f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>{more}{contents}"
        "</ListBucketResult>"
    ).encode()


@contextmanager
def running(access_key: str, secret_key: str, region: str) -> Iterator[S3Server]:
    """Run the server in a thread."""
    with S3Server(access_key, secret_key, region) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
