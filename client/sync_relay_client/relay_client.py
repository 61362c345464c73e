"""The relay, as a device speaks to it: one method an endpoint (§7). Answers are checked for form, not yet believed."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from relay_protocol import answers
from relay_protocol.requests import Endorsement
from sync_relay_client import requests
from sync_relay_client.address import RelayAddress
from sync_relay_client.answers import Answer, Page, Pushed
from sync_relay_client.envelope import Envelope
from sync_relay_client.exchanges import RelayExchanges, VaultExchanges
from sync_relay_client.flow import Action, Flow, Send, drive
from sync_relay_client.keys import DeviceKey
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext
from sync_relay_client.transport import Transport

R = TypeVar("R")


class RelayClient:
    """One device at one relay. Every method raises RelayUnreachable, RelayRefused or AnswerInvalid.

    `api_key` is for relays that ask for one. `transport` replaces the network in tests; `clock` gives Unix seconds.
    Nothing is retried: `Vault` does that.
    """

    def __init__(
        self,
        relay_url: str,
        device: DeviceKey,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
        api_key: str | None = None,
    ) -> None:
        self._exchanges = RelayExchanges(RelayAddress.parse(relay_url), device)
        self._transport = Transport(transport, timeout_seconds, clock, api_key=api_key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def run(self, flow: Flow[R]) -> R:
        """Run a flow of exchanges."""
        return drive(flow, self._perform)

    def send(self, request: requests.Request, *, signed: bool = True) -> Answer:
        """Send a request and return its answer as it came: the seam for what has no method here."""
        return self.run(self._exchanges.send(request, signed=signed))

    def health(self) -> None:
        """Raise RelayRefused or RelayUnreachable unless the relay is well."""
        self.run(self._exchanges.health())

    def config(self) -> answers.ConfigAnswer:
        """Ask for the relay's limits and rules."""
        return self.run(self._exchanges.config())

    def register(
        self, vault_id: str, endorsement: Endorsement | None = None, creation_token: str | None = None
    ) -> answers.RegistrationAnswer:
        """Found a vault, or with an endorsement join one. Repeating it changes nothing."""
        return self.run(self._exchanges.register(vault_id, endorsement, creation_token))

    def device(self, device_id: str) -> answers.DeviceAnswer:
        """Ask for a device of a vault that this device shares."""
        return self.run(self._exchanges.device(device_id))

    def vault(self, vault_id: str, epoch: str | None = None) -> "VaultEndpoint":
        """Return the vault's endpoints; each answer of another epoch than this raises EpochChanged."""
        return VaultEndpoint(self, self._exchanges.vault(vault_id, epoch))

    def upload(self, upload: answers.Upload, blob: Iterable[bytes], size: int) -> None:
        """Upload an announced snapshot's blob."""
        self._transport.upload(self._exchanges.address, upload, blob, size)

    def download(self, snapshot: answers.DownloadableSnapshot) -> Iterator[bytes]:
        """Yield an available snapshot's blob; it is whole and the announced one only once the iterator has ended."""
        return self._transport.download(self._exchanges.address, snapshot)

    def _perform(self, action: Action) -> Answer:
        assert isinstance(action, Send), "an exchange only sends"
        return self._transport.send(action)


class VaultEndpoint:
    """One vault at one relay. Every method raises RelayUnreachable, RelayRefused, AnswerInvalid or EpochChanged."""

    def __init__(self, client: RelayClient, exchanges: VaultExchanges) -> None:
        self._run = client.run
        self._exchanges = exchanges

    def info(self) -> answers.VaultAnswer:
        """Ask for head, floor, sizes and the latest snapshot."""
        return self._run(self._exchanges.info())

    def erase(self, if_match: bytes) -> None:
        """Erase the vault for ever, if its head still has this chain."""
        self._run(self._exchanges.erase(if_match))

    def roster(self) -> answers.MembersAnswer:
        """Ask for the relay's list of devices: good for public keys, not for who belongs (§11)."""
        return self._run(self._exchanges.roster())

    def revoke(self, device_id: str) -> None:
        """Revoke a device at the relay; push the rekey before (§11 Rotation)."""
        self._run(self._exchanges.revoke(device_id))

    def push(self, envelopes: Sequence[Envelope], if_match: bytes | None = None) -> Pushed:
        """Push changesets, all or none; with `if_match` only if the head still has this chain."""
        return self._run(self._exchanges.push(envelopes, if_match))

    def pull(self, since: int, limit: int | None = None) -> Page:
        """Pull a page of the log after seq `since`."""
        return self._run(self._exchanges.pull(since, limit))

    def announce(self, context: SnapshotContext, blob: ContentMeasure) -> answers.AnnouncementAnswer:
        """Announce a snapshot's sealed blob, measured as it will be uploaded."""
        return self._run(self._exchanges.announce(context, blob))

    def complete(self, sha256: str) -> answers.SnapshotAnswer:
        """Make an uploaded snapshot available."""
        return self._run(self._exchanges.complete(sha256))

    def latest_snapshot(self) -> answers.SnapshotAnswer:
        """Ask for the available snapshot that covers most."""
        return self._run(self._exchanges.latest_snapshot())

    def snapshot(self, sha256: str) -> answers.SnapshotAnswer:
        """Ask for one snapshot, pending ones too."""
        return self._run(self._exchanges.snapshot(sha256))

    def snapshots(self) -> answers.SnapshotsAnswer:
        """Ask for all snapshots, newest first."""
        return self._run(self._exchanges.snapshots())
