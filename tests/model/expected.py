"""What the plain relay answers: each request of the protocol, its refusals in the order of §6."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.model.plain import (
    Announcement,
    Json,
    PlainVault,
    Registration,
    digest_of,
    rfc3339,
    size_of,
)

WEEK_SECONDS = 7 * 24 * 3600
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Bounds:
    """The limits that the runs meet, smaller than any operator would set them."""

    max_batch: int = 4
    max_page: int = 7
    max_page_bytes: int = 2_500
    max_vault_bytes: int = 25_000
    max_devices: int = 4
    max_pending_snapshots: int = 2
    upload_ttl_seconds: int = 3600
    url_ttl_seconds: int = 900
    changeset_days: int = 1
    keep_snapshots: int = 2


@dataclass(frozen=True)
class Expected:
    """An answer. `told` holds members of the body; those of a refusal are some of it, those of a success are all."""

    status: int
    code: str | None = None
    told: Json | None = None
    made: object = None
    """What came to be in the model."""


@dataclass
class PlainRelay:
    """All vaults. `now_ms` is the relay's clock."""

    bounds: Bounds
    now_ms: int = 0
    vaults: dict[str, PlainVault] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def refusal_of(self, device_id: str, vault_id: str) -> Expected | None:
        """Why a device may not ask about a vault."""
        if not any(device_id in vault.devices for vault in self.vaults.values()):
            return Expected(401, "unknown_device")
        vault = self.vaults.get(vault_id)
        if vault is None or device_id not in vault.devices:
            return Expected(404, "vault_not_found")
        return None if vault.devices[device_id].is_member else Expected(403, "device_revoked")

    # -------- devices

    def register(
        self, vault_id: str, device_id: str, public_key: str, endorsement: Json | None, fault: str
    ) -> Expected:
        """`fault` is the code by which a false endorsement is refused, or empty."""
        vault = self.vaults.get(vault_id)
        if vault is None:
            if endorsement is not None or vault_id in self.erased:
                return Expected(409, "vault_erased") if endorsement is None else Expected(404, "vault_not_found")
            vault = self.vaults[vault_id] = PlainVault(vault_id, "", self.now_ms)
        elif device_id in vault.devices:
            known = vault.devices[device_id]
            return self._registered(200, vault, device_id) if known.is_member else Expected(403, "device_revoked")
        elif endorsement is None:
            return Expected(403, "endorsement_required")
        elif fault or (fault := self._fault_of(vault, endorsement)):
            return Expected(403, fault)
        elif len(vault.members) >= self.bounds.max_devices:
            return Expected(507, "quota_exceeded", {"quota": "max_devices", "limit": self.bounds.max_devices})
        vault.devices[device_id] = Registration(public_key, self.now_ms, endorsement)
        return self._registered(201, vault, device_id)

    def _fault_of(self, vault: PlainVault, endorsement: Json) -> str:
        if endorsement["endorser"] not in vault.members:
            return "endorsement_invalid"
        ahead_seconds = endorsement["expires_at"] - self.now_ms // 1000
        if ahead_seconds < 0:
            return "endorsement_expired"
        return "endorsement_invalid" if ahead_seconds > WEEK_SECONDS else ""

    def _registered(self, status: int, vault: PlainVault, device_id: str) -> Expected:
        known = vault.devices[device_id]
        told: Json = {"device_id": device_id, "vault_id": vault.id, "public_key": known.public_key, "head": vault.head}
        told |= {"registered_at": rfc3339(known.registered_at_ms), "epoch": vault.epoch}
        return Expected(status, None, told, vault)

    def revoke(self, vault_id: str, by: str, device_id: str) -> Expected:
        if refusal := self.refusal_of(by, vault_id):
            return refusal
        vault = self.vaults[vault_id]
        if device_id not in vault.devices:
            return Expected(404, "device_not_found")
        if vault.devices[device_id].is_member:
            if len(vault.members) == 1:
                return Expected(409, "last_device")
            vault.devices[device_id].revoked_at_ms = self.now_ms
        return Expected(204)

    def device(self, by: str, device_id: str) -> Expected:
        registrations = [vault.devices[device_id] for vault in self.vaults.values() if device_id in vault.devices]
        if not any(by in vault.devices for vault in self.vaults.values()):
            return Expected(401, "unknown_device")
        has_met = any(by in vault.members and device_id in vault.devices for vault in self.vaults.values())
        if not registrations or not (by == device_id or has_met):
            return Expected(404, "device_not_found")
        first_ms = min(one.registered_at_ms for one in registrations)
        told = {"device_id": device_id, "public_key": registrations[0].public_key, "algorithm": "ed25519"}
        return Expected(200, None, told | {"registered_at": rfc3339(first_ms)})

    # -------- changesets

    def push(self, vault_id: str, by: str, changesets: Sequence[Json], if_match: str | None) -> Expected:
        if refusal := self.refusal_of(by, vault_id) or self._refusal_of_batch(by, changesets):
            return refusal
        vault = self.vaults[vault_id]
        known = {one["id"]: entry for one in changesets if (entry := vault.entry(one["id"]))}
        taken = [one["id"] for one in changesets if one["id"] in known and self._differs(vault, one)]
        if taken:
            return Expected(409, "changeset_conflict", {"ids": taken})
        fresh = [one for one in changesets if one["id"] not in known]
        if fresh and if_match not in {None, vault.head["chain"]}:
            return Expected(412, "head_moved", {"head": vault.head})
        if fresh and vault.stored_bytes(self.now_ms) + sum(map(size_of, fresh)) > self.bounds.max_vault_bytes:
            return Expected(507, "quota_exceeded", {"quota": "max_vault_bytes", "limit": self.bounds.max_vault_bytes})
        receipts = vault.store(changesets, self.now_ms)
        told = {"epoch": vault.epoch, "head": vault.head, "receipts": receipts}
        return Expected(201 if fresh else 200, None, told)

    def _refusal_of_batch(self, by: str, changesets: Sequence[Json]) -> Expected | None:
        if len({one["id"] for one in changesets}) < len(changesets):
            return Expected(422, "invalid_field")
        is_foreign = any(one["origin_device"] != by for one in changesets)
        return Expected(403, "origin_mismatch") if is_foreign else None

    def _differs(self, vault: PlainVault, changeset: Json) -> bool:
        entry = vault.entry(changeset["id"])
        return entry is not None and entry.digest != digest_of(vault.id, changeset)

    def pull(self, vault_id: str, by: str, since: int, limit: int) -> Expected:
        """Return the longest page that the answer may hold; it may end early, see `pages_end_early`."""
        if refusal := self.refusal_of(by, vault_id):
            return refusal
        vault = self.vaults[vault_id]
        if since < vault.floor_seq:
            snapshot = vault.latest.told() if vault.latest else None
            return Expected(410, "history_pruned", {"floor": vault.floor, "snapshot": snapshot})
        if since > len(vault.log):
            return Expected(409, "cursor_ahead", {"head": vault.head})
        found = [entry.pulled() for entry in vault.log[since : since + limit]]
        return Expected(200, None, {"epoch": vault.epoch, "changesets": found, "head": vault.head})

    # -------- snapshots

    def announce(self, vault_id: str, by: str, body: Json, blob: bytes) -> Expected:
        if refusal := self.refusal_of(by, vault_id):
            return refusal
        vault = self.vaults[vault_id]
        existing = vault.snapshot(body["sha256"], self.now_ms)
        if existing is not None:
            if existing.body != body:
                return Expected(409, "snapshot_conflict")
            return Expected(200, None, {"epoch": vault.epoch, "snapshot": existing.told()}, existing)
        if refusal := self._refusal_to_announce(vault, body):
            return refusal
        expires_at_ms = self.now_ms + self.bounds.upload_ttl_seconds * 1000
        made = Announcement(body, by, self.now_ms, expires_at_ms, blob)
        vault.snapshots = [one for one in vault.snapshots if one.body["sha256"] != body["sha256"]] + [made]
        return Expected(201, None, {"epoch": vault.epoch, "snapshot": made.told()}, made)

    def _refusal_to_announce(self, vault: PlainVault, body: Json) -> Expected | None:
        there, bounds = vault.snapshots_there(self.now_ms), self.bounds
        if body["covers"]["seq"] > len(vault.log):
            return Expected(409, "cursor_ahead", {"head": vault.head})
        if body["covers"] != vault.place(body["covers"]["seq"]):
            return Expected(422, "covers_mismatch")
        if sum(not one.available for one in there) >= bounds.max_pending_snapshots:
            return Expected(507, "quota_exceeded", {"quota": "max_pending_snapshots"})
        if vault.stored_bytes(self.now_ms) + body["size"] > bounds.max_vault_bytes:
            return Expected(507, "quota_exceeded", {"quota": "max_vault_bytes", "limit": bounds.max_vault_bytes})
        return None

    def complete(self, vault_id: str, by: str, sha256: str) -> Expected:
        expected = self.snapshot(vault_id, by, sha256)
        if not isinstance(expected.made, Announcement) or expected.made.available:
            return expected
        if not expected.made.uploaded:
            return Expected(409, "upload_incomplete")
        expected.made.available = True
        return self.snapshot(vault_id, by, sha256)

    def snapshot(self, vault_id: str, by: str, sha256: str | None) -> Expected:
        """`sha256` None asks for the latest."""
        if refusal := self.refusal_of(by, vault_id):
            return refusal
        vault = self.vaults[vault_id]
        found = vault.latest if sha256 is None else vault.snapshot(sha256, self.now_ms)
        if found is None:
            return Expected(404, "snapshot_not_found")
        return Expected(200, None, {"epoch": vault.epoch, "snapshot": found.told()}, found)

    def snapshots(self, vault_id: str, by: str) -> Expected:
        if refusal := self.refusal_of(by, vault_id):
            return refusal
        vault = self.vaults[vault_id]
        found = [one.told() for one in vault.snapshots_there(self.now_ms)]
        return Expected(200, None, {"epoch": vault.epoch, "snapshots": found})

    # -------- the vault

    def vault(self, vault_id: str, by: str) -> Expected:
        return self.refusal_of(by, vault_id) or Expected(200, None, self.vaults[vault_id].told(self.now_ms))

    def roster(self, vault_id: str, by: str) -> Expected:
        return self.refusal_of(by, vault_id) or Expected(200, None, self.vaults[vault_id].roster())

    def erase(self, vault_id: str, by: str, if_match: str | None) -> Expected:
        if refusal := self.refusal_of(by, vault_id):
            return refusal
        if if_match is None:
            return Expected(428, "precondition_required")
        if if_match != self.vaults[vault_id].head["chain"]:
            return Expected(412, "head_moved", {"head": self.vaults[vault_id].head})
        del self.vaults[vault_id]
        self.erased.add(vault_id)
        return Expected(204)

    def maintain(self) -> None:
        for vault in self.vaults.values():
            received_before_ms = self.now_ms - self.bounds.changeset_days * DAY_MS
            vault.retain(self.bounds.keep_snapshots, received_before_ms, self.now_ms)
