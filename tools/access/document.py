"""The matrix as a page of the docs."""

from collections.abc import Iterator, Mapping

from tools.access.callers import WHAT, WHEN, WHO
from tools.access.matrix import ROWS

_INTRODUCTION = """\
# Who may do what

Every request of the [protocol](protocol.md#7-endpoints), every kind of caller, and the answer: a status, and the code
of [§6](protocol.md#6-errors). The page is written from `tools/access/matrix.py` (`make access`), and the tests send
each request of it as each caller: to the handlers, and through a socket to the embedded server
(`tests/http/test_http_access.py`, `test_server_access.py`). A route without a row fails them.

A request is one that a member sends with success: the vault holds a changeset, an available snapshot and a pending one
whose blob is there. An erasure carries the head in `If-Match`. A revocation names another member. `GET
/devices/{device_id}` asks about the founder; in the column *nowhere* about a device that nobody registered, in the
column *erased* about one that was only in the erased vault. In `POST /devices` each caller registers its own key in the
vault, with an endorsement by its founder, or with none.

*nowhere* and *elsewhere* get the same answer, byte for byte, and the relay does the same work for both: see the
[threat model](threat-model.md#an-outsider-who-guesses-ids).

Not in the table: the embedded relay's `/blobs/<token>`, for whoever has the URL ([§7.8](protocol.md#78-snapshots)), and
its `/docs` and `/openapi.json`, for everyone.
"""
_PARTS: Mapping[str, Mapping[str, str]] = {
    "Who asks": WHO,
    "When it was signed, and when it comes": WHEN,
    "What was signed, and by which key": WHAT,
}


def document() -> str:
    """Return the page, in Markdown."""
    return "\n".join([_INTRODUCTION, *(_part(title, callers) for title, callers in _PARTS.items())])


def _part(title: str, callers: Mapping[str, str]) -> str:
    return "\n".join([f"## {title}", "", *_glossary(callers), "", *_table(callers), ""])


def _glossary(callers: Mapping[str, str]) -> Iterator[str]:
    return (f"- *{name}*: {meaning}" for name, meaning in callers.items())


def _table(callers: Mapping[str, str]) -> Iterator[str]:
    yield _line(["request", *callers])
    yield _line(["---"] * (len(callers) + 1))
    for row in ROWS:
        about = f", {row.about}" if row.about else ""
        yield _line([f"`{row.method} {row.resource}`{about}", *(_cell(row.answers[name]) for name in callers)])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(answer: str) -> str:
    status, _, code = answer.partition(" ")
    return f"{status} `{code}`" if code else f"**{status}**"
