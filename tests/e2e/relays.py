"""The relays that the tests' devices use: embedded ones, and what `sam build` made, on stand-ins for AWS."""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tools.embedded import EmbeddedRelay
from tools.emulator.relay import BuiltRelay
from tools.stand_ins.stores import Stores

KINDS = ("embedded", "emulated")


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
        relay = self.start(stack, folder, {"RELAY_RATE_LIMIT": "off"})
        proxy.lead_to(relay.port)
        return relay, proxy.url


class BuiltRelays:
    """Those that ask for what most tests ask for are one relay: functions start slowly."""

    SHARED: tuple[Mapping[str, str], ...] = ({}, {"RELAY_RATE_LIMIT": "off"})

    def __init__(self, stack: ExitStack, folder: Path, dynamodb_url: str, s3_url: str) -> None:
        self._stack = stack
        self._folder = folder
        self._dynamodb_url, self._s3_url = dynamodb_url, s3_url
        self._shared: BuiltRelay | None = None

    def start(self, stack: ExitStack, folder: Path, variables: Mapping[str, str]) -> EmbeddedRelay:
        """See `Relays.start`."""
        if variables not in self.SHARED:
            return self._started(stack, folder, variables)
        if self._shared is None:
            self._shared = self._started(self._stack, self._folder, self.SHARED[1])
        elif not self._shared.is_running:  # a test that killed it has failed
            self._shared.start()
        return self._shared

    def start_behind(self, stack: ExitStack, folder: Path, proxy: Proxy) -> tuple[EmbeddedRelay, str]:
        """See `Relays.start_behind`. Blob URLs are of the store, as the relay knows it."""
        port = urlsplit(self._s3_url).port
        assert port is not None
        proxy.lead_to(port)
        relay = self._started(stack, folder, {"RELAY_RATE_LIMIT": "off", "RELAY_S3_ENDPOINT": proxy.url})
        return relay, relay.url

    def stores(self, stack: ExitStack) -> Stores:
        """Return empty tables and an empty bucket."""
        return stack.enter_context(closing(Stores(self._dynamodb_url, self._s3_url)))

    def _started(self, stack: ExitStack, folder: Path, variables: Mapping[str, str]) -> BuiltRelay:
        return stack.enter_context(BuiltRelay(folder, self.stores(stack), **variables))
