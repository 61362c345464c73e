"""A log that was pulled, verified as a client does it (§3): seqs without gaps, and every link of the chain."""

from collections.abc import Sequence

from relay_protocol.chain import Head, extend, genesis
from relay_protocol.changeset import Changeset
from relay_protocol.encoding import base64url
from sync_relay_conformance.device import Device, Json
from sync_relay_conformance.verdicts import must_equal

FIELDS = tuple(Device().changeset())
"""The eleven fields of a changeset, by name."""


def fields_of(pulled: Json) -> Json:
    """Return a changeset as it was pushed, without its place."""
    return {name: pulled[name] for name in FIELDS}


def digest(vault_id: str, changeset: Json) -> bytes:
    """Return what makes two changesets the same (§3)."""
    return Changeset.model_validate(fields_of(changeset)).digest(vault_id)


def verify_log(vault_id: str, log: Sequence[Json], after: Head | None = None) -> Head:
    """Raise Failed unless the log goes on from a place (its beginning, if none is given); return where it ends."""
    head = after or genesis(vault_id)
    for pulled in log:
        head = extend(head, digest(vault_id, pulled))
        must_equal(pulled["seq"], head.seq, "the next seq")
        must_equal(pulled["chain"], base64url(head.chain), f"the chain at seq {head.seq}")
    return head
