"""One flow per endpoint (§7): the request, its answer read and held against it. Nothing is retried here.

Every flow raises RelayUnreachable, RelayRefused or AnswerInvalid; those of a vault EpochChanged too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from relay_protocol import answers
from relay_protocol.encoding import base64url
from relay_protocol.requests import Announcement, Covers, Endorsement
from sync_relay_client import requests
from sync_relay_client.address import RelayAddress
from sync_relay_client.answers import (
    Answer,
    Page,
    Pushed,
    check_no_content,
    read,
    read_announcement,
    read_device,
    read_page,
    read_pushed,
    read_registration,
    read_roster,
    read_snapshot,
    read_vault,
)
from sync_relay_client.envelope import Envelope
from sync_relay_client.errors import EpochChanged
from sync_relay_client.flow import Flow, Send
from sync_relay_client.keys import DeviceKey
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext


@dataclass(frozen=True, slots=True)
class RelayExchanges:
    """What one device asks one relay."""

    address: RelayAddress
    device_key: DeviceKey = field(repr=False)

    def send(self, request: requests.Request, *, signed: bool = True) -> Flow[Answer]:
        """Send a request and return its answer as it came."""
        answer = yield Send(self.address, request, self.device_key if signed else None)
        assert answer is not None, "a Send has an answer"
        return answer

    def health(self) -> Flow[None]:
        """Ask whether the relay is well."""
        read(answers.HealthAnswer, (yield from self.send(requests.health(), signed=False)))

    def config(self) -> Flow[answers.ConfigAnswer]:
        """Ask for the relay's limits and rules."""
        return read(answers.ConfigAnswer, (yield from self.send(requests.config(), signed=False)))

    def register(
        self, vault_id: str, endorsement: Endorsement | None = None, creation_token: str | None = None
    ) -> Flow[answers.RegistrationAnswer]:
        """Found a vault, or with an endorsement join one."""
        public_key = self.device_key.public_key
        request = requests.register(vault_id, public_key, endorsement, creation_token)
        return read_registration((yield from self.send(request)), vault_id, public_key)

    def device(self, device_id: str) -> Flow[answers.DeviceAnswer]:
        """Ask for a device of a vault that this device shares."""
        return read_device((yield from self.send(requests.device(device_id))), device_id)

    def vault(self, vault_id: str, epoch: str | None) -> "VaultExchanges":
        """Return a vault's endpoints; with an epoch, answers of another one raise EpochChanged."""
        return VaultExchanges(self, vault_id, epoch)


@dataclass(frozen=True, slots=True)
class VaultExchanges:
    """What one device asks about one vault."""

    relay: RelayExchanges
    vault_id: str
    epoch: str | None

    def info(self) -> Flow[answers.VaultAnswer]:
        """Ask for head, floor, sizes and the latest snapshot."""
        found = read_vault((yield from self.relay.send(requests.vault_info(self.vault_id))), self.vault_id)
        self._check_epoch(found.epoch)
        return found

    def erase(self, if_match: bytes) -> Flow[None]:
        """Erase the vault for ever, if its head still has this chain."""
        check_no_content((yield from self.relay.send(requests.erase(self.vault_id, if_match))))

    def roster(self) -> Flow[answers.MembersAnswer]:
        """Ask for the relay's list of devices: good for public keys, not for who belongs (§11)."""
        found = read_roster((yield from self.relay.send(requests.roster(self.vault_id))))
        self._check_epoch(found.epoch)
        return found

    def revoke(self, device_id: str) -> Flow[None]:
        """Revoke a device at the relay; push the rekey before (§11 Rotation)."""
        check_no_content((yield from self.relay.send(requests.revoke(self.vault_id, device_id))))

    def push(self, envelopes: Sequence[Envelope], if_match: bytes | None = None) -> Flow[Pushed]:
        """Push changesets, all or none; with `if_match` only if the head still has this chain."""
        answer = yield from self.relay.send(requests.push(self.vault_id, envelopes, if_match))
        found = read_pushed(answer, envelopes)
        self._check_epoch(found.epoch)
        return found

    def pull(self, since: int, limit: int | None = None) -> Flow[Page]:
        """Pull a page of the log after seq `since`."""
        found = read_page((yield from self.relay.send(requests.pull(self.vault_id, since, limit))), since)
        self._check_epoch(found.epoch)
        return found

    def announce(self, context: SnapshotContext, blob: ContentMeasure) -> Flow[answers.AnnouncementAnswer]:
        """Announce a snapshot's sealed blob, measured as it will be uploaded."""
        announcement = Announcement(
            sha256=base64url(blob.sha256),
            size=blob.size,
            key_id=context.key_id,
            schema_version=context.schema_version,
            covers=Covers(seq=context.covers.seq, chain=base64url(context.covers.chain)),
        )
        answer = yield from self.relay.send(requests.announce(self.vault_id, announcement))
        found = read_announcement(answer, announcement.sha256)
        self._check_epoch(found.epoch)
        return found

    def complete(self, sha256: str) -> Flow[answers.SnapshotAnswer]:
        """Make an uploaded snapshot available."""
        return (yield from self._snapshot(requests.complete(self.vault_id, sha256), sha256))

    def latest_snapshot(self) -> Flow[answers.SnapshotAnswer]:
        """Ask for the available snapshot that covers most."""
        return (yield from self._snapshot(requests.latest_snapshot(self.vault_id), None))

    def snapshot(self, sha256: str) -> Flow[answers.SnapshotAnswer]:
        """Ask for one snapshot, pending ones too."""
        return (yield from self._snapshot(requests.snapshot(self.vault_id, sha256), sha256))

    def snapshots(self) -> Flow[answers.SnapshotsAnswer]:
        """Ask for all snapshots, newest first."""
        found = read(answers.SnapshotsAnswer, (yield from self.relay.send(requests.snapshots(self.vault_id))))
        self._check_epoch(found.epoch)
        return found

    def _snapshot(self, request: requests.Request, sha256: str | None) -> Flow[answers.SnapshotAnswer]:
        found = read_snapshot((yield from self.relay.send(request)), sha256)
        self._check_epoch(found.epoch)
        return found

    def _check_epoch(self, epoch: str) -> None:
        if self.epoch is not None and epoch != self.epoch:
            raise EpochChanged(self.epoch, epoch)
