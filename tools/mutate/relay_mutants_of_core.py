"""Bugs in the core's rules: pushing, pulling, pairing, snapshots, erasing, retention."""

from collections.abc import Iterator

from tools.mutate.relay_mutants import QUICK, RELAY, SMALL, TOKEN, RelayMutant

CORE = RELAY / "core"


def mutants() -> Iterator[RelayMutant]:
    """Yield them."""
    yield from _pushing()
    yield from _pulling()
    yield from _pairing()
    yield from _announcing()
    yield from _snapshots()
    yield from _vaults()


def _pushing() -> Iterator[RelayMutant]:
    origin = "if any(changeset.origin_device != self.device_id"
    condition = "if records and self.if_match not in {None, state.head.chain}"
    quota = "sum(r.size_bytes for r in records) > self"
    digest = "state.known[changeset.id].digest != digest"
    created = "frozenset(record.receipt.id for record in records)"
    of_all = "frozenset(changeset.id for changeset in self.changesets)"
    for name, old, new, check in (
        (
            "one right changeset lets others' pass",
            origin,
            origin.replace("any", "all"),
            "the origin device must be the signer",
        ),
        (
            "If-Match of a push is not looked at",
            condition,
            "if False",
            "a push with if match is stored on that head only",
        ),
        (
            "If-Match hinders a retry",
            condition,
            condition.replace("records and ", ""),
            "if match does not matter where all are duplicates",
        ),
        (
            "a full vault is one byte short",
            quota,
            quota.replace(">", ">="),
            "a vault may hold max vault bytes and no more",
        ),
        (
            "a vault has no quota",
            quota,
            quota.replace("> self", "> 99 * self"),
            "a vault may hold max vault bytes and no more",
        ),
        (
            "an id is enough for a duplicate",
            digest,
            "False",
            "an id that is taken is a conflict whichever field differs",
        ),
        (
            "one conflict is named of several",
            "ChangesetConflict(conflicts) if",
            "ChangesetConflict(conflicts[:1]) if",
            "a conflict names every id",
        ),
        (
            "a duplicate says it was created",
            created,
            of_all,
            "a changeset that is there is a duplicate with its first receipt",
        ),
        (
            "a covered log still asks for a snapshot",
            "head.seq - state.covered_seq",
            "head.seq",
            "it is asked for urgently once 5000 are until one covers them",
        ),
    ):
        yield RelayMutant(name, CORE / "push.py", old, new, check)


def _pulling() -> Iterator[RelayMutant]:
    path = CORE / "pull.py"
    floor, head, latest = "since < page.floor.seq", "since > page.head.seq", "as_json(latest) if latest else None"
    gone = "what is before the floor is gone"
    yield RelayMutant("the floor itself is gone", path, floor, floor.replace("<", "<="), gone, QUICK)
    yield RelayMutant("a 410 names no snapshot", path, latest, "None", gone, QUICK)
    yield RelayMutant("what was pruned is an empty page", path, floor, "False", gone, QUICK)
    yield RelayMutant(
        "the head is ahead of itself", path, head, head.replace(">", ">="), "a cursor past the head is refused"
    )
    yield RelayMutant("a cursor ahead is an empty page", path, head, "False", "a cursor past the head is refused")


def _pairing() -> Iterator[RelayMutant]:
    path = CORE / "pairing.py"
    past = "endorsement.expires_at < now_seconds"
    ahead = "endorsement.expires_at > now_seconds + MAX_"
    known = "return None if state.device.revoked_at_ms is None else DeviceRevoked()"
    quota = "if refusal is None and state.members >="
    bearer = 'hmac.compare_digest((bearer or "").encode(), (self.token or "").encode())'
    last = "if outcome is Revocation.LAST_MEMBER"
    closed = "return None if admission.admits_founder(self.bearer) else VaultCreationClosed()"
    for name, old, new, check in (
        (
            "a revoked device endorses",
            " or endorser.revoked_at_ms is not None",
            "",
            "an endorser is a member of this vault",
        ),
        (
            "an endorsement is not verified",
            "if not verifies(",
            "if False and not verifies(",
            "an endorsement is for one device one vault and one time",
        ),
        (
            "an endorsement is over at its last second",
            past,
            past.replace("<", "<="),
            "an endorsement that is past has expired",
        ),
        ("an endorsement never expires", past, "False", "an endorsement that is past has expired"),
        ("seven days ahead is too far", ahead, ahead.replace(">", ">="), "an endorsement is at most 7 days ahead"),
        ("an endorsement may be years ahead", ahead, "0 > MAX_", "an endorsement is at most 7 days ahead"),
        ("a revoked device comes back", known, "return None", "a revoked device stays out for ever"),
        (
            "a founder can't retry",
            known,
            "return EndorsementRequired() if self.endorsement is None else None",
            "a founder who lost the answer sends again",
        ),
        (
            "an erased vault is founded again",
            'if state.vault == "erased":',
            "if False:",
            "an erased vault's id is spent",
        ),
        (
            "an endorsement founds a vault",
            "if self.endorsement is not None:\n            return VaultNotFound()",
            "",
            "an endorsement never creates a vault",
        ),
        (
            "an existing vault is joined by anyone",
            "return EndorsementRequired()",
            "return None",
            "a vault that exists is joined with an endorsement only",
        ),
        ("the last member is let go", last, "if False", "the last member can't be revoked"),
    ):
        yield RelayMutant(name, path, old, new, check)
    full = "the quota of devices comes last"
    yield RelayMutant("a vault takes one device too many", path, "state.members >=", "state.members >", full, SMALL)
    yield RelayMutant("a full vault does not look at endorsements", path, quota, "if state.members >=", full, SMALL)
    refused = "new vaults are refused where they are not allowed"
    yield RelayMutant("any token opens the door", path, bearer, "bearer is not None", refused, TOKEN)
    yield RelayMutant("nobody asks for the token", path, closed, "return None", refused, TOKEN)


def _announcing() -> Iterator[RelayMutant]:
    size = "self.size_bytes > limits.max_snapshot_bytes"
    ahead = "self.covers.seq > state.head.seq"
    pending = "state.pending >= limits"
    stored = "self.size_bytes > limits.max_vault_bytes"
    for name, old, new, check in (
        (
            "a snapshot is one byte short",
            size,
            size.replace(">", ">="),
            "a snapshot may have max snapshot bytes and no more",
        ),
        ("a snapshot has no bound", size, "False", "a snapshot may have max snapshot bytes and no more"),
        ("the head can't be covered", ahead, ahead.replace(">", ">="), "covers is a place in the log"),
        ("any chain is covered", "self.covers.chain != state.chain_at_covers", "False", "the covered chain is checked"),
        (
            "one pending snapshot too many",
            pending,
            "state.pending > limits",
            "so many snapshots may be pending and no more",
        ),
        ("a snapshot can't fill the vault", stored, stored.replace(">", ">="), "a full vault takes no snapshot"),
        (
            "a snapshot's key does not matter",
            "record.key_id, record.schema",
            "self.key_id, record.schema",
            "a blob that is announced otherwise is a conflict",
        ),
        (
            "a snapshot's cover does not matter",
            "record.schema_version, record.covers)",
            "record.schema_version, self.covers)",
            "a blob that is announced otherwise is a conflict",
        ),
    ):
        yield RelayMutant(name, CORE / "snapshots.py", old, new, check)


def _snapshots() -> Iterator[RelayMutant]:
    path = CORE / "snapshots.py"
    key = "(record.covers.seq, record.created_at_ms)"
    stat = "stat is None or (stat.size_bytes, stat.sha256) != (record.size_bytes, record.sha256)"
    for name, old, new, check in (
        (
            "the newest is the latest",
            key,
            "(record.created_at_ms, record.covers.seq)",
            "latest is the one that covers most",
        ),
        (
            "among equals the oldest is the latest",
            key,
            "(record.covers.seq, -record.created_at_ms)",
            "latest is the one that covers most",
        ),
        (
            "a pending snapshot is the latest",
            "[record for record in snapshots if record.available]\n    return",
            "list(snapshots)\n    return",
            "a pending snapshot is not the latest",
        ),
        ("a snapshot is complete without its blob", stat, "False", "a snapshot is not complete without its blob"),
        (
            "a snapshot never becomes available",
            '"available" if record.available else "pending"',
            '"pending"',
            "completing makes a snapshot available",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)
    ttl = "self.now_ms + upload_ttl_seconds * 1000"
    expired = "an announcement that expired is as if it had never been"
    yield RelayMutant("an announcement is good for too long", path, ttl, f"{ttl}0", expired, QUICK)


def _vaults() -> Iterator[RelayMutant]:
    path = CORE / "vaults.py"
    sizes = " + sum(record.size_bytes for record in info.snapshots)"
    for name, old, new, check in (
        ("snapshots are not counted", sizes, "", "bytes counts snapshots from their announcement"),
        ("an erasure leaves the blobs", "blobs.delete(record.blob_key)", "pass", "an erased vault's blobs are gone"),
        ("a refused erasure looks done", "if head is not None:", "if False:", "an erasure needs the head's chain"),
    ):
        yield RelayMutant(name, path, old, new, check)
    path = CORE / "retention.py"
    staying = "older snapshots go but the one that covers most"
    yield RelayMutant("the snapshot that covers most is dropped", path, " if record is not most", "", staying, QUICK)
    yield RelayMutant("one snapshot too few is kept", path, "available[keep:]", "available[keep - 1 :]", staying, QUICK)
    yield RelayMutant("the oldest snapshots are kept", path, "reverse=True", "reverse=False", staying, QUICK)
