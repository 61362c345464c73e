"""Devices and the vaults they are in."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Any, TypeVar

from relay.adapters.sqlite.database import Database
from relay.ports import (
    Device,
    Endorsement,
    Member,
    PairingPlan,
    PairingState,
    Revocation,
    Roster,
    Signer,
    Standing,
)
from relay_protocol.chain import Head, genesis

R = TypeVar("R")

_MEMBERS = (
    "SELECT device_id, public_key, registered_at_ms, revoked_at_ms, endorser, endorsement_expires_at,"
    " endorsement_signature FROM members WHERE vault_no = ?"
)


class Members:
    """The part of `relay.ports.Log` that is about devices; see there for what each method guarantees."""

    _database: Database

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """See `Log.find_signer`. No vault is looked up as number 0, so that it takes as long as one of others."""

        def work(db: Connection) -> Signer | None:
            row = db.execute(
                "SELECT public_key, revoked_at_ms FROM members"
                " WHERE device_id = ? AND vault_no = coalesce((SELECT no FROM vaults WHERE vault_id = ?), 0)",
                (device_id, vault_id),
            ).fetchone()
            if row is not None:
                return Signer(row[0], Standing.MEMBER if row[1] is None else Standing.REVOKED)
            row = db.execute("SELECT public_key FROM members WHERE device_id = ? LIMIT 1", (device_id,)).fetchone()
            return row and Signer(row[0], Standing.STRANGER)

        return self._database.read(work)

    def register(
        self,
        vault_id: str,
        device_id: str,
        endorser_id: str | None,
        now_ms: int,
        plan: Callable[[PairingState], PairingPlan[R]],
    ) -> R:
        """See `Log.register`."""

        def work(db: Connection) -> R:
            vault_no, state = _pairing_state(db, vault_id, device_id, endorser_id)
            decided = plan(state)
            if decided.new_epoch is not None:
                assert state.vault == "absent"
                vault_no = _create_vault(db, vault_id, decided.new_epoch, now_ms)
            if decided.add is not None:
                assert vault_no is not None
                _insert_member(db, vault_no, decided.add)
            return decided.outcome

        return self._database.write(work)

    def companion(self, signer_id: str, device_id: str) -> Device | None:
        """See `Log.companion`."""

        def work(db: Connection) -> Device | None:
            row = db.execute(
                "SELECT public_key, min(registered_at_ms) FROM members WHERE device_id = ?2 AND (?1 = ?2 OR EXISTS"
                " (SELECT 1 FROM members theirs JOIN members mine ON mine.vault_no = theirs.vault_no"
                " WHERE theirs.device_id = ?2 AND mine.device_id = ?1 AND mine.revoked_at_ms IS NULL))",
                (signer_id, device_id),
            ).fetchone()
            return None if row[0] is None else Device(device_id, row[0], row[1])

        return self._database.read(work)

    def roster(self, vault_id: str) -> Roster | None:
        """See `Log.roster`."""

        def work(db: Connection) -> Roster | None:
            vault = db.execute("SELECT no, epoch FROM vaults WHERE vault_id = ?", (vault_id,)).fetchone()
            if vault is None:
                return None
            rows = db.execute(_MEMBERS + " ORDER BY position", vault[:1])
            return Roster(vault[1], [_member(row) for row in rows])

        return self._database.read(work)

    def revoke(self, vault_id: str, device_id: str, now_ms: int) -> Revocation:
        """See `Log.revoke`."""

        def work(db: Connection) -> Revocation:
            row = db.execute(
                "SELECT vault_no, revoked_at_ms FROM members"
                " WHERE device_id = ? AND vault_no = (SELECT no FROM vaults WHERE vault_id = ?)",
                (device_id, vault_id),
            ).fetchone()
            if row is None:
                return Revocation.NOT_FOUND
            vault_no, revoked_at_ms = row
            if revoked_at_ms is not None:
                return Revocation.REVOKED
            if count_members(db, vault_no) == 1:
                return Revocation.LAST_MEMBER
            db.execute(
                "UPDATE members SET revoked_at_ms = ? WHERE device_id = ? AND vault_no = ?",
                (now_ms, device_id, vault_no),
            )
            return Revocation.REVOKED

        return self._database.write(work)


def count_members(db: Connection, vault_no: int) -> int:
    """Return how many of a vault's devices are not revoked."""
    query = "SELECT count(*) FROM members WHERE vault_no = ? AND revoked_at_ms IS NULL"
    return int(db.execute(query, (vault_no,)).fetchone()[0])


def _pairing_state(
    db: Connection, vault_id: str, device_id: str, endorser_id: str | None
) -> tuple[int | None, PairingState]:
    vault = db.execute("SELECT no, epoch, head_seq, head_chain FROM vaults WHERE vault_id = ?", (vault_id,)).fetchone()
    if vault is None:
        erased = db.execute("SELECT 1 FROM erased WHERE vault_id = ?", (vault_id,)).fetchone()
        return None, PairingState("erased" if erased else "absent")
    vault_no, epoch, head_seq, head_chain = vault
    rows = db.execute(_MEMBERS + " AND device_id IN (?, ?)", (vault_no, device_id, endorser_id))
    members = {row[0]: _member(row) for row in rows}
    state = PairingState(
        vault="live",
        epoch=epoch,
        head=Head(head_seq, head_chain),
        device=members.get(device_id),
        endorser=members.get(endorser_id or ""),
        members=count_members(db, vault_no),
    )
    return vault_no, state


def _create_vault(db: Connection, vault_id: str, epoch: str, now_ms: int) -> int | None:
    start = genesis(vault_id)
    return db.execute(
        "INSERT INTO vaults (vault_id, epoch, created_at_ms, head_seq, head_chain, floor_seq, floor_chain,"
        " changeset_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (vault_id, epoch, now_ms, start.seq, start.chain, start.seq, start.chain),
    ).lastrowid


def _insert_member(db: Connection, vault_no: int, member: Member) -> None:
    signed = member.endorsement
    db.execute(
        "INSERT INTO members (vault_no, position, device_id, public_key, registered_at_ms, revoked_at_ms,"
        " endorser, endorsement_expires_at, endorsement_signature)"
        " VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM members WHERE vault_no = ?1), ?, ?, ?, ?, ?, ?, ?)",
        (
            vault_no,
            member.device_id,
            member.public_key,
            member.registered_at_ms,
            member.revoked_at_ms,
            signed and signed.endorser,
            signed and signed.expires_at,
            signed and signed.signature,
        ),
    )


def _member(row: tuple[Any, ...]) -> Member:
    device_id, public_key, registered_at_ms, revoked_at_ms, endorser, expires_at, signature = row
    endorsement = None if endorser is None else Endorsement(endorser, expires_at, signature)
    return Member(device_id, public_key, registered_at_ms, revoked_at_ms, endorsement)
