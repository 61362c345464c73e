"""`python -m tools.conformance`: write docs/conformance.md to the standard output."""

from collections.abc import Iterator
from itertools import groupby

from sync_relay_conformance.registry import all_checks
from tools.conformance.coverage import Covered, coverage
from tools.conformance.elsewhere import BESIDES, CLIENTS_SECTION, CLIENTS_TESTS
from tools.conformance.sentences import PROTOCOL, sentences

SHOWN_CHARACTERS = 160

_OPENING = """# What the conformance kit checks

Each sentence of [protocol.md](protocol.md), and the checks of `sync-relay-conformance` that are about it. This page is
written by `make conformance-table` from what the checks themselves quote; a test fails when it is stale, when a check
quotes what the protocol does not say, and when a sentence is added that no check quotes and that is not listed here as
tested elsewhere. The command is explained in [operations.md](operations.md#checking-a-relay).

{checks} checks, {covered} sentences checked. {elsewhere} are not: those say why, and where they are tested instead.
Sentences that only introduce what follows are left out.
"""


def document() -> str:
    """Return the page."""
    checks = all_checks()
    rows = [one for one in coverage(sentences(PROTOCOL.read_text("utf-8")), checks) if one.checks or one.elsewhere]
    covered = sum(bool(one.checks) for one in rows)
    parts = [_OPENING.format(checks=len(checks), covered=covered, elsewhere=len(rows) - covered)]
    for section, found in groupby(rows, key=lambda one: one.sentence.section):
        if section != CLIENTS_SECTION:
            parts.append("\n".join([f"## §{section}", "", "| sentence | checks |", "|---|---|", *map(_row, found), ""]))
    return "\n".join([*parts, *_clients()])


def _row(covered: Covered) -> str:
    told = [check.title for check in covered.checks]
    if covered.elsewhere is not None:
        told.append(_said(covered.elsewhere.reason, covered.elsewhere.tests))
    text = covered.sentence.text
    told += [
        _said("in part " + one.reason, one.tests)
        for one in BESIDES
        if one.section == covered.sentence.section and one.begins in text
    ]
    shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS].rsplit(" ", 1)[0] + " …"
    return f"| {_cell(shown)} | {'<br>'.join(told)} |"


def _cell(text: str) -> str:
    """Return a text that can't end its cell, nor be taken for markup."""
    written = text.removeprefix("| ").removesuffix(" |").replace("|", "¦").replace("<", "&lt;").replace("**", "")
    return written if written.count("`") % 2 == 0 else written.replace("`", "'")


def _said(reason: str, tests: str) -> str:
    return f"*{reason}*" + (f": `{tests}`" if tests else "")


def _clients() -> Iterator[str]:
    yield f"## §{CLIENTS_SECTION}\n"
    yield "Binds clients alone; a relay knows nothing of it. Our client's tests of it, by its headings:\n"
    yield "| | tests |\n|---|---|"
    yield from (f"| {heading} | `{tests}` |" for heading, tests in CLIENTS_TESTS)
    yield ""


if __name__ == "__main__":
    print(document(), end="")
