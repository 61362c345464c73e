"""HTTP itself: redirects, bombs, floods, answers that drip, and bytes that are no HTTP at all."""

import gzip
import zlib
from collections.abc import Callable, Iterator

from sync_relay_client import errors
from tests.lying_relay.registry import Lay, Trap, caught, harmless, told
from tests.lying_relay.relay import PAGE, Answer, Ask, LyingRelay, altering, is_wanted
from tests.lying_relay.scene import Scene
from tests.lying_relay.wire import Asked

MIB = 1024 * 1024
IMPATIENT_SECONDS = 0.5


def on_a_page(name: str, what: str, alter: Callable[[Answer, LyingRelay], object]) -> Lay:
    """Alter the answer to the victim's pull."""

    def lay(scene: Scene) -> Trap:
        scene.insider_writes(b"secret 2")
        scene.liar.lying = altering(PAGE, lambda answer: alter(answer, scene.liar))
        return scene.victim.pull

    return told(name, what, lay)


# ---------------------------------------------------------------- sent on to others


def sent_on(status: int, path: str = "/vaults") -> Callable[[Answer, LyingRelay], None]:
    def alter(answer: Answer, liar: LyingRelay) -> None:
        answer.status = status
        answer.headers.append(("Location", liar.elsewhere_url + path))

    return alter


for _status in (301, 302, 303, 307, 308):
    caught(errors.AnswerInvalid, "nobody is asked there, so nobody gets the signature")(
        on_a_page(f"a_redirect_by_{_status}", f"redirects to another host, by {_status}", sent_on(_status))
    )


def _advertised(answer: Answer, liar: LyingRelay) -> None:
    host = liar.elsewhere_url.removeprefix("http://")
    answer.headers += [
        ("Alt-Svc", f'http/1.1="{host}"'),
        ("Refresh", f"0; url={liar.elsewhere_url}"),
        ("Link", f"<{liar.elsewhere_url}/x>; rel=preload"),
        ("Content-Location", liar.elsewhere_url),
    ]


harmless("no such field is looked at")(
    on_a_page("another_host_is_advertised", "names another host in `Alt-Svc`, `Link`, `Refresh`", _advertised)
)


@harmless("answers set no cookies: nothing is kept, nothing is sent back")
def cookies(scene: Scene) -> Trap:
    """sets cookies, to know a device again and to make its requests longer each time"""

    def lying(_: Asked, ask: Ask) -> Answer:
        answer = ask()
        answer.headers += [("Set-Cookie", f"c{number}={'x' * 1000}; Max-Age=99999999") for number in range(20)]
        return answer

    scene.liar.lying = lying

    def trap() -> None:
        for _ in range(3):
            scene.victim.pull()
        assert not [asked for asked in scene.liar.heard if asked.field("cookie")]

    return trap


# ---------------------------------------------------------------- bombs and floods


def bomb(levels: int) -> bytes:
    """Return a gigabyte of spaces, packed so many times."""
    packer = zlib.compressobj(9, wbits=31)
    start = packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = start + 1024 * block + packer.flush()
    for _ in range(levels - 1):
        packed = gzip.compress(packed)
    return packed


def coded(coding: str, body: Callable[[bytes], bytes]) -> Callable[[Answer, LyingRelay], None]:
    def alter(answer: Answer, _: LyingRelay) -> None:
        answer.headers.append(("Content-Encoding", coding))
        answer.body = body(answer.body)

    return alter


def exploding(levels: int) -> Callable[[bytes], bytes]:
    return lambda _: bomb(levels)


_NOT_ASKED = "no content coding was asked for, and none is undone"
for _name, _what, _coding, _body in (
    ("a_bomb_in_gzip", "sends a gigabyte, packed by gzip", "gzip", exploding(1)),
    ("a_bomb_in_a_bomb", "sends a gigabyte, packed by gzip twice", "gzip, gzip", exploding(2)),
    ("a_bomb_in_deflate", "sends deflated data", "deflate", zlib.compress),
    ("a_coding_that_is_none", "names a content coding that nobody knows", "canary", bytes),
    ("a_coding_that_is_broken", "calls plain JSON gzip", "gzip", bytes),
):
    caught(errors.AnswerInvalid, _NOT_ASKED, peak_bytes=16 * MIB)(on_a_page(_name, _what, coded(_coding, _body)))


def chunked(piece: bytes) -> Iterator[bytes]:
    """Yield an endless body."""
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    while True:
        yield chunk


def endless(answer: Answer, _: LyingRelay) -> None:
    answer.raw = chunked(b" " * 65536)


def huge(answer: Answer, _: LyingRelay) -> None:
    def pieces() -> Iterator[bytes]:
        yield answer.head(("Content-Length", str(2**60)))
        yield from (b" " * 65536 for _ in range(2**30))

    answer.raw = pieces()


def of_many(members: bytes) -> Callable[[Answer, LyingRelay], None]:
    """Answer with a page of 48 MiB, whose members take many times as much once they are read."""

    def alter(answer: Answer, _: LyingRelay) -> None:
        count = 48 * MIB // (len(members) + 1)

        def pieces() -> Iterator[bytes]:
            start, end = b'{"changesets":[' + members, b"]}"
            yield answer.head(("Content-Length", str(len(start) + count * (len(members) + 1) + len(end))))
            yield start
            block = (b"," + members) * 1000
            yield from (block for _ in range(count // 1000))
            yield (b"," + members) * (count % 1000) + end

        answer.raw = pieces()

    return alter


caught(errors.AnswerInvalid, "64 MiB are read of a page at most", peak_bytes=192 * MIB)(
    on_a_page("an_answer_without_end", "answers without end", endless)
)
caught(errors.AnswerInvalid, "64 MiB are read of a page at most", peak_bytes=192 * MIB)(
    on_a_page("an_answer_that_is_huge", "announces an answer of an exabyte", huge)
)
_COUNTED = "values are counted before they are read: a million at most"
caught(errors.AnswerInvalid, _COUNTED, peak_bytes=192 * MIB)(
    on_a_page("an_answer_of_many_objects", "answers with sixteen million empty objects", of_many(b"{}"))
)
caught(errors.AnswerInvalid, _COUNTED, peak_bytes=192 * MIB)(
    on_a_page("an_answer_of_many_numbers", "answers with a list of 25 million numbers", of_many(b"secret 1"))
)


def of_wrong_changesets(answer: Answer, _: LyingRelay) -> None:
    answer.body = b'{"changesets":[' + b",".join([b"{}"] * 300_000) + b"]}"


caught(errors.AnswerInvalid, "the first that is wrong ends the reading", peak_bytes=64 * MIB)(
    on_a_page(
        "an_answer_of_many_faults", "answers with 300,000 changesets, each wrong in fourteen ways", of_wrong_changesets
    )
)


def raw(*pieces: bytes) -> Callable[[Answer, LyingRelay], None]:
    def alter(answer: Answer, _: LyingRelay) -> None:
        answer.raw = iter(pieces)

    return alter


def repeated(line: bytes, start: bytes = b"HTTP/1.1 200 OK\r\n") -> Callable[[Answer, LyingRelay], None]:
    def alter(answer: Answer, _: LyingRelay) -> None:
        def pieces() -> Iterator[bytes]:
            yield start
            while True:
                yield line * 100

        answer.raw = pieces()

    return alter


caught(errors.RelayUnreachable, "100 KiB of header fields are read at most", peak_bytes=16 * MIB)(
    on_a_page("a_head_without_end", "sends header fields without end", repeated(b"X-Canary: canary\r\n"))
)
caught(errors.RelayUnreachable, peak_bytes=16 * MIB)(
    on_a_page(
        "a_line_without_end", "sends one header field without end", repeated(b"canary" * 100, b"HTTP/1.1 200 OK\r\nX: ")
    )
)
caught(errors.RelayUnreachable, "an answer has to begin in time", timeout_seconds=IMPATIENT_SECONDS)(
    on_a_page(
        "early_hints_for_ever",
        "announces an answer for ever, by 103s",
        repeated(b"HTTP/1.1 103 Early Hints\r\n\r\n", b""),
    )
)


# ---------------------------------------------------------------- slowly


def dripping(start: bytes, drop: bytes) -> Callable[[Answer, LyingRelay], None]:
    """Answer so slowly that no single wait is long, and the whole never ends."""

    def alter(answer: Answer, liar: LyingRelay) -> None:
        def pieces() -> Iterator[bytes]:
            yield start
            while not liar.over.wait(IMPATIENT_SECONDS / 10):
                yield drop

        answer.raw = pieces()

    return alter


_TOO_SLOW = "an answer has to begin in time, and then to come at 1 KiB/s"
for _name, _what, _start, _drop in (
    ("a_body_that_drips", "lets the body drip", b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b" "),
    ("chunks_that_drip", "lets chunks drip", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ("a_head_that_drips", "lets header fields drip", b"HTTP/1.1 200 OK\r\n", b"X-Canary: canary\r\n"),
    ("a_status_that_drips", "lets the status line drip", b"HTTP/1.1 200 ", b"a"),
):
    caught(errors.RelayUnreachable, _TOO_SLOW, timeout_seconds=IMPATIENT_SECONDS)(
        on_a_page(_name, _what, dripping(_start, _drop))
    )


def _silent(answer: Answer, liar: LyingRelay) -> None:
    def pieces() -> Iterator[bytes]:
        liar.over.wait(IMPATIENT_SECONDS * 6)
        yield b""

    answer.raw = pieces()


caught(errors.RelayUnreachable, timeout_seconds=IMPATIENT_SECONDS)(on_a_page("silence", "says nothing", _silent))


# ---------------------------------------------------------------- no HTTP

for _name, _what, _pieces in (
    ("a_status_line_that_is_none", "sends a status line that is none", (b"HTP/9 hello\r\n\r\n",)),
    ("a_status_of_four_digits", "sends a status of four digits", (b"HTTP/1.1 2000 OK\r\n\r\n",)),
    ("another_protocol_s_greeting", "greets as a mail server does", (b"220 canary ESMTP\r\n",)),
    ("a_body_without_a_head", "answers by HTTP/0.9", (b'{"epoch": "canary"}',)),
    ("a_field_without_a_name", "sends a header field without a name", (b"HTTP/1.1 200 OK\r\n: canary\r\n\r\n",)),
    ("a_field_with_a_zero_byte", "puts a zero byte into a header field", (b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",)),
    (
        "two_lengths",
        "sends two lengths that differ",
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",),
    ),
    ("a_negative_length", "sends a negative length", (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",)),
    (
        "a_chunk_that_is_none",
        "sends a chunk of no length",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",),
    ),
    (
        "a_chunk_that_is_cut_off",
        "ends within a chunk",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",),
    ),
    (
        "a_transfer_coding_that_is_none",
        "names a transfer coding that nobody knows",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",),
    ),
    ("a_body_that_is_cut_off", "closes early", (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{}",)),
    ("nothing_at_all", "closes without a word", ()),
):
    caught(errors.RelayUnreachable)(on_a_page(_name, _what, raw(*_pieces)))


def _smuggled(answer: Answer, _: LyingRelay) -> None:
    forged = Answer(200, b'{"status":"ok"}')
    (first,), (second,) = answer.pieces(), forged.pieces()
    answer.raw = (first + second,)


@caught(errors.AnswerInvalid, "it does not fit the request; the connection is given up, so what comes next fits again")
def an_answer_behind_an_answer(scene: Scene) -> Trap:
    """sends a second answer behind the first, for the request that comes next"""
    scene.insider_writes(b"secret 2")
    scene.reopen()

    def lying(asked: Asked, ask: Ask) -> Answer:
        answer = ask()
        if is_wanted(asked, ("GET", "^/config$")):
            _smuggled(answer, scene.liar)
        return answer

    scene.liar.lying = lying
    return scene.victim.pull


def _doubled(answer: Answer, _: LyingRelay) -> None:
    answer.headers += [(name, "canary") for name, _ in answer.headers]
    answer.headers += [("Sync-Relay-Snapshot", "high"), ("Sync-Relay-Snapshot", "low")]


harmless("nothing rests on a header field but when to come back")(
    on_a_page("header_fields_twice", "sends each header field twice, with another value", _doubled)
)


def _both_lengths(answer: Answer, _: LyingRelay) -> None:
    body = b"%x\r\n%s\r\n0\r\nX-Canary: trailer\r\n\r\n" % (len(answer.body), answer.body)
    answer.raw = iter((answer.head(("Content-Length", "3"), ("Transfer-Encoding", "chunked")) + body,))


harmless("chunks count (RFC 9112 §6.3), and trailers are dropped")(
    on_a_page("a_length_and_chunks", "sends a length and chunks, and a trailer", _both_lengths)
)


def _until_the_end(answer: Answer, _: LyingRelay) -> None:
    answer.raw = iter((answer.head(("Connection", "close")) + answer.body,))


harmless("the form says whether it is whole")(
    on_a_page("a_body_without_a_length", "sends no length, and ends with the connection", _until_the_end)
)
