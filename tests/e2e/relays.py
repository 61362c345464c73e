"""The relays that the tests' devices use: embedded ones, and what `sam build` made, on stand-ins for AWS."""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tools.embedded import EmbeddedRelay
from tools.emulator.relay import BuiltRelay
from tools.stand_ins.stores import Stores


class Relays(Protocol):
    """One kind of relays."""

    def start(self, stack: ExitStack, folder: Path, variables: Mapping[str, str]) -> EmbeddedRelay:
        """Return a running relay, which ends with the stack at the latest. Others may use it, too, in other vaults."""

    def start_behind(self, stack: ExitStack, folder: Path, proxy: "Proxy") -> tuple[EmbeddedRelay, str]:
        """Return a relay whose blobs pass through a proxy on their way to and from devices, and where they reach it."""


class Proxy(Protocol):
    """Stands between devices and what it leads to."""

    @property
    def url(self) -> str:
        """Where it listens."""

    def lead_to(self, port: int) -> None:
        """Pass on what comes to a port of this machine."""


class EmbeddedRelays:
    """Each is on stores of its own, in the folder."""

    def start(self, stack: ExitStack, folder: Path, variables: Mapping[str, str]) -> EmbeddedRelay:
        """See `Relays.start`."""
        return stack.enter_context(EmbeddedRelay(folder, **variables))

    def start_behind(self, stack: ExitStack, folder: Path, proxy: Proxy) -> tuple[EmbeddedRelay, str]:
        """See `Relays.start_behind`. Blob URLs begin with the host that a device speaks to."""
        relay = self.start(stack, folder, UNLIMITED)
        proxy.lead_to(relay.port)
        return relay, proxy.url


UNLIMITED = {"RELAY_RATE_LIMIT": "off"}
PRUNING = {"RELAY_CHANGESET_DAYS": "0"}


class BuiltRelays:
    """Those that ask for what many tests ask for get the same relay: functions start slowly."""

    def __init__(self, stack: ExitStack, folder: Path, dynamodb_url: str, s3_url: str) -> None:
        self._stack = stack
        self._folder = folder
        self._dynamodb_url, self._s3_url = dynamodb_url, s3_url
        self._shared: dict[str, BuiltRelay] = {}

    def start(self, stack: ExitStack, folder: Path, variables: Mapping[str, str]) -> EmbeddedRelay:
        """See `Relays.start`."""
        if variables in ({}, UNLIMITED):
            return self._sharing("unlimited", UNLIMITED)
        if variables in (PRUNING, UNLIMITED | PRUNING):
            relay = self._sharing("pruning", UNLIMITED | PRUNING)
            relay.maintain()  # what other tests left would else be counted with this one's
            return relay
        return self._started(stack, folder, variables)

    def start_behind(self, stack: ExitStack, folder: Path, proxy: Proxy) -> tuple[EmbeddedRelay, str]:
        """See `Relays.start_behind`. Blob URLs are of the store, as the relay knows it."""
        port = urlsplit(self._s3_url).port
        assert port is not None
        proxy.lead_to(port)
        relay = self._started(stack, folder, UNLIMITED | {"RELAY_S3_ENDPOINT": proxy.url})
        return relay, relay.url

    def stores(self, stack: ExitStack) -> Stores:
        """Return empty tables and an empty bucket."""
        return stack.enter_context(closing(Stores(self._dynamodb_url, self._s3_url)))

    def _sharing(self, name: str, variables: Mapping[str, str]) -> BuiltRelay:
        """Return the relay of a name, and start it where it is not there yet, or a test has left it dead."""
        if name not in self._shared:
            self._shared[name] = self._started(self._stack, self._folder / name, variables)
        elif not self._shared[name].is_running:
            self._shared[name].start()
        return self._shared[name]

    def _started(self, stack: ExitStack, folder: Path, variables: Mapping[str, str]) -> BuiltRelay:
        return stack.enter_context(BuiltRelay(folder, self.stores(stack), **variables))
