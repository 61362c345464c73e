"""Every lie, by what it is about."""

from collections.abc import Mapping, Sequence
from types import ModuleType

from tests.lying_relay import (
    about_answers,
    about_blobs,
    about_changesets,
    about_http,
    about_members,
    about_receipts,
    about_snapshots,
    about_the_log,
)
from tests.lying_relay.registry import LIES, Lie


def _of(module: ModuleType) -> list[Lie]:
    return [lie for lie in LIES if lie.lay.__module__ == module.__name__]


ABOUT: Mapping[str, Sequence[Lie]] = {
    "The log": _of(about_the_log),
    "Changesets": _of(about_changesets),
    "Receipts": _of(about_receipts),
    "Devices, epochs, invitations": _of(about_members),
    "Snapshots": _of(about_snapshots),
    "Blobs": _of(about_blobs),
    "Answers and limits": _of(about_answers),
    "HTTP": _of(about_http),
}
