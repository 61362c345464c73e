"""The relay, as a device speaks to it: one method an endpoint (§7). Answers are checked for form, not yet believed."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

import httpx

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
from sync_relay_client.keys import DeviceKey
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext
from sync_relay_client.transport import Transport


class RelayClient:
    """One device at one relay. Every method raises RelayUnreachable, RelayRefused or AnswerInvalid.

    `transport` replaces the network in tests; `clock` gives Unix seconds.
    """

    def __init__(
        self,
        relay_url: str,
        device: DeviceKey,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.address = RelayAddress.parse(relay_url)
        self.device_key = device
        self._transport = Transport(transport, timeout_seconds)
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def send(self, request: requests.Request, *, signed: bool = True) -> Answer:
        """Send a request and return its answer as it came: the seam for what has no method here."""
        signer = self.device_key if signed else None
        return self._transport.send(requests.prepare(request, self.address, signer, int(self._clock())))

    def health(self) -> None:
        """Raise RelayRefused or RelayUnreachable unless the relay is well."""
        read(answers.HealthAnswer, self.send(requests.health(), signed=False))

    def config(self) -> answers.ConfigAnswer:
        """Ask for the relay's limits and rules."""
        return read(answers.ConfigAnswer, self.send(requests.config(), signed=False))

    def register(
        self, vault_id: str, endorsement: Endorsement | None = None, creation_token: str | None = None
    ) -> answers.RegistrationAnswer:
        """Found a vault, or with an endorsement join one. Repeating it changes nothing."""
        public_key = self.device_key.public_key
        request = requests.register(vault_id, public_key, endorsement, creation_token)
        return read_registration(self.send(request), vault_id, public_key)

    def device(self, device_id: str) -> answers.DeviceAnswer:
        """Ask for a device of a vault that this device shares."""
        return read_device(self.send(requests.device(device_id)), device_id)

    def vault(self, vault_id: str, epoch: str | None = None) -> "VaultEndpoint":
        """Return the vault's endpoints; each answer of another epoch than this raises EpochChanged."""
        return VaultEndpoint(self, vault_id, epoch)

    def upload(self, upload: answers.Upload, blob: Iterable[bytes], size: int) -> None:
        """Upload an announced snapshot's blob."""
        self._transport.upload(upload, blob, size)

    def download(self, snapshot: answers.DownloadableSnapshot) -> Iterator[bytes]:
        """Yield an available snapshot's blob; it is whole and the announced one only once the iterator has ended."""
        return self._transport.download(snapshot)


class VaultEndpoint:
    """One vault at one relay. Every method raises RelayUnreachable, RelayRefused, AnswerInvalid or EpochChanged."""

    def __init__(self, client: RelayClient, vault_id: str, epoch: str | None) -> None:
        self._client = client
        self._vault_id = vault_id
        self._epoch = epoch

    def info(self) -> answers.VaultAnswer:
        """Ask for head, floor, sizes and the latest snapshot."""
        found = read_vault(self._client.send(requests.vault_info(self._vault_id)), self._vault_id)
        self._check_epoch(found.epoch)
        return found

    def erase(self, if_match: bytes) -> None:
        """Erase the vault for ever, if its head still has this chain."""
        check_no_content(self._client.send(requests.erase(self._vault_id, if_match)))

    def roster(self) -> answers.MembersAnswer:
        """Ask for the relay's list of devices: good for public keys, not for who belongs (§11)."""
        found = read_roster(self._client.send(requests.roster(self._vault_id)))
        self._check_epoch(found.epoch)
        return found

    def revoke(self, device_id: str) -> None:
        """Revoke a device at the relay; push the rekey before (§11 Rotation)."""
        check_no_content(self._client.send(requests.revoke(self._vault_id, device_id)))

    def push(self, envelopes: Sequence[Envelope], if_match: bytes | None = None) -> Pushed:
        """Push changesets, all or none; with `if_match` only if the head still has this chain."""
        found = read_pushed(self._client.send(requests.push(self._vault_id, envelopes, if_match)), envelopes)
        self._check_epoch(found.epoch)
        return found

    def pull(self, since: int, limit: int | None = None) -> Page:
        """Pull a page of the log after seq `since`."""
        found = read_page(self._client.send(requests.pull(self._vault_id, since, limit)), since)
        self._check_epoch(found.epoch)
        return found

    def announce(self, context: SnapshotContext, blob: ContentMeasure) -> answers.AnnouncementAnswer:
        """Announce a snapshot's sealed blob, measured as it will be uploaded."""
        covers = Covers(seq=context.covers.seq, chain=base64url(context.covers.chain))
        announcement = Announcement(
            sha256=base64url(blob.sha256),
            size=blob.size,
            key_id=context.key_id,
            schema_version=context.schema_version,
            covers=covers,
        )
        answer = self._client.send(requests.announce(self._vault_id, announcement))
        found = read_announcement(answer, announcement.sha256)
        self._check_epoch(found.epoch)
        return found

    def complete(self, sha256: str) -> answers.SnapshotAnswer:
        """Make an uploaded snapshot available."""
        return self._snapshot(requests.complete(self._vault_id, sha256), sha256)

    def latest_snapshot(self) -> answers.SnapshotAnswer:
        """Ask for the available snapshot that covers most."""
        return self._snapshot(requests.latest_snapshot(self._vault_id), None)

    def snapshot(self, sha256: str) -> answers.SnapshotAnswer:
        """Ask for one snapshot, pending ones too."""
        return self._snapshot(requests.snapshot(self._vault_id, sha256), sha256)

    def snapshots(self) -> answers.SnapshotsAnswer:
        """Ask for all snapshots, newest first."""
        found = read(answers.SnapshotsAnswer, self._client.send(requests.snapshots(self._vault_id)))
        self._check_epoch(found.epoch)
        return found

    def _snapshot(self, request: requests.Request, sha256: str | None) -> answers.SnapshotAnswer:
        found = read_snapshot(self._client.send(request), sha256)
        self._check_epoch(found.epoch)
        return found

    def _check_epoch(self, epoch: str) -> None:
        if self._epoch is not None and epoch != self._epoch:
            raise EpochChanged(self._epoch, epoch)
