"""Pairing: how a device founds a vault or joins one (§5), and how members see and revoke devices."""

import hmac
from dataclasses import dataclass

from relay.ports import Device, Endorsement, Log, Member, PairingPlan, PairingState, Revocation, Roster
from relay_protocol.chain import Head, genesis
from relay_protocol.devices import endorsement_message, thumbprint, verifies
from relay_protocol.encoding import from_base64url
from relay_protocol.errors import (
    DeviceNotFound,
    DeviceRevoked,
    EndorsementExpired,
    EndorsementInvalid,
    EndorsementRequired,
    LastDevice,
    QuotaExceeded,
    RelayError,
    VaultCreationClosed,
    VaultErased,
    VaultNotFound,
)
from relay_protocol.limits import MAX_ENDORSEMENT_AHEAD_SECONDS, VaultCreation


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may found a vault here: anyone, no one, or whoever brings the operator's token."""

    vault_creation: VaultCreation
    token: str | None
    max_devices: int

    def admits_founder(self, bearer: str | None) -> bool:
        """Whether a request with this bearer token may create a vault. Takes the same time for any token."""
        if self.vault_creation == "token":
            return hmac.compare_digest((bearer or "").encode(), (self.token or "").encode())
        return self.vault_creation == "open"


@dataclass(frozen=True, slots=True)
class Paired:
    """The member a registration ended with; `created` tells whether it is a new one."""

    epoch: str
    head: Head
    member: Member
    created: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """A device's request, its signature checked, to be a member of a vault."""

    vault_id: str
    public_key: bytes
    endorsement: Endorsement | None
    bearer: str | None
    now_ms: int

    @property
    def device_id(self) -> str:
        """The key's thumbprint."""
        return thumbprint(self.public_key)

    def run(self, log: Log, admission: Admission, new_epoch: str) -> Paired:
        """Found the vault (`new_epoch` becomes its epoch) or join it.

        Raises DeviceRevoked, EndorsementRequired, EndorsementInvalid, EndorsementExpired, VaultCreationClosed,
        VaultErased, VaultNotFound or QuotaExceeded; then nothing has changed.
        """

        def plan(state: PairingState) -> PairingPlan[Paired | RelayError]:
            refusal = self._refusal(state, admission)
            if refusal is not None:
                return PairingPlan(refusal)
            head = state.head or genesis(self.vault_id)
            if state.device is not None:
                return PairingPlan(Paired(state.epoch or "", head, state.device, created=False))
            member = Member(self.device_id, self.public_key, self.now_ms, endorsement=self.endorsement)
            founded = None if state.vault == "live" else new_epoch
            paired = Paired(founded or state.epoch or "", head, member, created=True)
            return PairingPlan(paired, add=member, new_epoch=founded)

        endorser = self.endorsement.endorser if self.endorsement else None
        outcome = log.register(self.vault_id, self.device_id, endorser, self.now_ms, plan)
        if isinstance(outcome, RelayError):
            raise outcome
        return outcome

    def _refusal(self, state: PairingState, admission: Admission) -> RelayError | None:
        if state.vault != "live":
            return self._refusal_to_found(state, admission)
        if state.device is not None:
            return None if state.device.revoked_at_ms is None else DeviceRevoked()
        if self.endorsement is None:
            return EndorsementRequired()
        refusal = self._refusal_of(self.endorsement, state.endorser)
        if refusal is None and state.members >= admission.max_devices:
            return QuotaExceeded("max_devices", admission.max_devices)
        return refusal

    def _refusal_to_found(self, state: PairingState, admission: Admission) -> RelayError | None:
        if self.endorsement is not None:
            return VaultNotFound()
        if state.vault == "erased":
            return VaultErased()
        return None if admission.admits_founder(self.bearer) else VaultCreationClosed()

    def _refusal_of(self, endorsement: Endorsement, endorser: Member | None) -> RelayError | None:
        if endorser is None or endorser.revoked_at_ms is not None:
            return EndorsementInvalid()
        message = endorsement_message(self.vault_id, self.device_id, endorsement.expires_at)
        if not verifies(endorser.public_key, message, from_base64url(endorsement.signature)):
            return EndorsementInvalid()
        now_seconds = self.now_ms // 1000
        if endorsement.expires_at < now_seconds:
            return EndorsementExpired()
        if endorsement.expires_at > now_seconds + MAX_ENDORSEMENT_AHEAD_SECONDS:
            return EndorsementInvalid()
        return None


def device(log: Log, signer_id: str, device_id: str) -> Device:
    """Return a device that the signer may know of (§7.3). Raises DeviceNotFound."""
    found = log.companion(signer_id, device_id)
    if found is None:
        raise DeviceNotFound
    return found


def roster(log: Log, vault_id: str) -> Roster:
    """Return all devices of a vault (§7.4). Raises VaultNotFound."""
    found = log.roster(vault_id)
    if found is None:
        raise VaultNotFound
    return found


def revoke(log: Log, vault_id: str, device_id: str, now_ms: int) -> None:
    """Revoke a device for ever; again is fine (§7.4). Raises DeviceNotFound or LastDevice."""
    outcome = log.revoke(vault_id, device_id, now_ms)
    if outcome is Revocation.NOT_FOUND:
        raise DeviceNotFound
    if outcome is Revocation.LAST_MEMBER:
        raise LastDevice
