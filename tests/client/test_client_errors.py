"""The drawing of the exception tree is the tree."""

import re

from sync_relay_client import errors


def drawn() -> set[tuple[str, str]]:
    """Read (parent, child) pairs off the drawing."""
    pairs, parents = set(), ["SyncRelayError"]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│ ]*)[├└]── (\w+)", line)
        if found:
            depth = len(found[1]) // 4 + 1
            del parents[depth:]
            pairs.add((parents[-1], found[2]))
            parents.append(found[2])
    return pairs


def test_the_drawing_is_the_tree() -> None:
    found = set()
    pending: list[type[Exception]] = [errors.SyncRelayError]
    while pending:
        kind = pending.pop()
        for child in kind.__subclasses__():
            shown = next(one for one in child.__mro__[1:] if not one.__name__.startswith("_"))
            if not child.__name__.startswith("_"):
                found.add((shown.__name__, child.__name__))
            pending.append(child)
    assert drawn() == found
    assert len(found) == 32


def test_a_refusal_without_a_code_reads_well() -> None:
    assert str(errors.RelayRefused(502, None, {})) == "the relay refused: 502 without a code"
    assert str(errors.RelayRefused(412, "head_moved", {})) == "the relay refused: 412 head_moved"
