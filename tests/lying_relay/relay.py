"""A relay that lies: it stands before an honest one, hears every request, and answers as it likes."""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx

from tests.lying_relay.wire import HEAD_END, Asked, Pieces, listening

CONNECTION_FIELDS = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


@dataclass
class Answer:
    """What is answered; with `raw` exactly these bytes, whatever the rest says."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    raw: Pieces | None = None
    """As a tuple, the connection goes on after it."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def head(self, *fields: tuple[str, str], reason: str = "Whatever") -> bytes:
        """Return status line and header fields as they go out, those given after its own."""
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {value}" for name, value in (*self.headers, *fields))]
        return "\r\n".join(lines).encode() + HEAD_END

    def pieces(self) -> Pieces:
        if self.raw is not None:
            return self.raw
        if self.status in {204, 304}:
            return (self.head(),)
        return (self.head(("Content-Length", str(len(self.body)))) + self.body,)


class Cut(Exception):
    """Raised by a lie: the connection ends without an answer."""


Ask = Callable[[], Answer]
"""Asks the honest relay."""
Lying = Callable[[Asked, Ask], Answer]


def honest(_: Asked, ask: Ask) -> Answer:
    return ask()


class LyingRelay:
    """Answers by `lying`. `heard` is what it was asked, `over` is set when whoever drips may stop.

    `elsewhere` is what another host was asked, to which no client of this relay should speak; `mistakes` are those of
    the lies, which would else look like a connection that is cut.
    """

    def __init__(self, honest_url: str) -> None:
        self.url = ""
        self.honest_url = honest_url
        self.lying: Lying = honest
        self.heard: list[Asked] = []
        self.elsewhere_url = ""
        self.elsewhere: list[Asked] = []
        self.mistakes: list[Exception] = []
        self.over = Event()

    def be_honest(self) -> None:
        self.lying = honest

    def respond(self, asked: Asked) -> Pieces | None:
        self.heard.append(asked)
        try:
            return self.lying(asked, lambda: self._ask(asked)).pieces()
        except Cut:
            return None
        except Exception as mistake:
            self.mistakes.append(mistake)
            raise

    def _ask(self, asked: Asked) -> Answer:
        """Ask as the client asked: the same bytes, the same `Host`, which is what it signed."""
        with closing(http.client.HTTPConnection(self.honest_url.removeprefix("http://"))) as connection:
            connection.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
            for name, value in asked.headers:
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(asked.body or None)
            response = connection.getresponse()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in CONNECTION_FIELDS]
            return Answer(response.status, response.read(), kept)


class Beside(httpx.HTTPTransport):
    """Carries requests past a lying relay to the honest one, for devices that are not lied to."""

    def __init__(self, liar: LyingRelay) -> None:
        super().__init__(verify=False)
        self._honest = httpx.URL(liar.honest_url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it there; `Host` stays what was signed."""
        request.url = request.url.copy_with(host=self._honest.host, port=self._honest.port)
        return super().handle_request(request)


@contextmanager
def lying_before(honest_url: str) -> Iterator[LyingRelay]:
    """Run a lying relay on a socket."""
    liar = LyingRelay(honest_url)

    def hear(asked: Asked) -> Pieces:
        liar.elsewhere.append(asked)
        return Answer(200, b"{}").pieces()

    with listening(liar.respond) as liar.url, listening(hear, "localhost") as liar.elsewhere_url:
        try:
            yield liar
        finally:
            liar.over.set()


# ---------------------------------------------------------------- what lies are made of

Wanted = tuple[str, str]
"""A request's method, and a pattern of its path."""

CONFIG, PAGE, PUSH = ("GET", "^/config$"), ("GET", "/changesets$"), ("POST", "/changesets$")
REGISTRATION, ROSTER, INFO = ("POST", "^/devices$"), ("GET", "^/vaults/[^/]+/devices$"), ("GET", "^/vaults/[^/]+$")
ANNOUNCEMENT, LATEST = ("POST", "/snapshots$"), ("GET", "/latest$")
SNAPSHOT, SNAPSHOTS = ("GET", "/snapshots/[^/]+$"), ("GET", "/snapshots$")
COMPLETION, BLOB, UPLOAD = ("POST", "/complete$"), ("GET", "^/blobs/"), ("PUT", "^/blobs/")


def is_wanted(asked: Asked, wanted: Wanted) -> bool:
    return asked.method == wanted[0] and re.search(wanted[1], asked.path) is not None


def altering(wanted: Wanted, alter: Callable[[Answer], object]) -> Lying:
    """Alter the good answers to such requests."""

    def lying(asked: Asked, ask: Ask) -> Answer:
        answer = ask()
        if is_wanted(asked, wanted) and answer.is_good:
            alter(answer)
        return answer

    return lying


def altering_json(wanted: Wanted, alter: Callable[[Any], object]) -> Lying:
    """Alter the JSON of the good answers to such requests."""

    def of_json(answer: Answer) -> None:
        value = answer.json
        alter(value)
        answer.json = value

    return altering(wanted, of_json)


def instead(wanted: Wanted, answer: Callable[[Asked], Answer]) -> Lying:
    """Answer such requests in the relay's place, which is not asked."""
    return lambda asked, ask: answer(asked) if is_wanted(asked, wanted) else ask()


def either(*lies: Lying) -> Lying:
    """Tell several lies at once: each may alter what those after it answer."""

    def lying(asked: Asked, ask: Ask) -> Answer:
        def rest(at: int) -> Ask:
            return ask if at == len(lies) else lambda: lies[at](asked, rest(at + 1))

        return rest(0)()

    return lying


def refusal(status: int, headers: list[tuple[str, str]] | None = None, **problem: Any) -> Answer:
    """Return an answer with problem details."""
    return Answer(status, json.dumps({"status": status, **problem}).encode(), headers or [])
