"""A device's link to its relay: the profile, and how requests are repeated."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from relay_protocol.encoding import from_base64url
from relay_protocol.limits import Limits
from sync_relay_client.address import RelayAddress
from sync_relay_client.errors import AuthorKeyUnknown
from sync_relay_client.exchanges import RelayExchanges, VaultExchanges
from sync_relay_client.flow import Flow
from sync_relay_client.profile import Profile
from sync_relay_client.retry import Retry
from sync_relay_client.session import VaultSession

R = TypeVar("R")


@dataclass
class Link:
    """What flows work with. `clock` gives Unix seconds."""

    profile: Profile
    retry: Retry = field(default_factory=Retry)
    clock: Callable[[], float] = time.time
    _limits: Limits | None = None

    def ask(self, exchange: Callable[[VaultExchanges], Flow[R]]) -> Flow[R]:
        """Ask about the profile's vault, again where that may help. Raises what the exchange raises."""
        return (yield from self.retry.run(lambda: self.ask_once(exchange)))

    def ask_once(self, exchange: Callable[[VaultExchanges], Flow[R]]) -> Flow[R]:
        """Ask about the profile's vault, as one step of something that is repeated as a whole."""
        with self.profile.view() as view:
            device, session = view.device(), view.session()
        assert device.relay_url is not None, "a vault has a relay"
        relay = RelayExchanges(RelayAddress.parse(device.relay_url), device.secrets.device)
        return (yield from exchange(relay.vault(session.vault_id, session.epoch)))

    def address(self) -> RelayAddress:
        """Return where the profile's relay is."""
        with self.profile.view() as view:
            relay_url = view.device().relay_url
        assert relay_url is not None, "a vault has a relay"
        return RelayAddress.parse(relay_url)

    def limits(self) -> Flow[Limits]:
        """Return the relay's limits, asked for once."""
        if self._limits is None:
            self._limits = (yield from self.ask(lambda vault: vault.relay.config())).limits
        return self._limits

    def fresh_limits(self) -> Flow[Limits]:
        """Ask for the relay's limits anew: it may have been given others."""
        self._limits = None
        return (yield from self.limits())

    def look(self, work: Callable[[VaultSession], R]) -> Flow[R]:
        """Return what `work` makes of the session; where a public key is missing, it is learnt first."""
        try:
            with self.profile.view() as view:
                return work(view.session())
        except AuthorKeyUnknown:
            yield from self.learn_keys()
        with self.profile.view() as view:
            return work(view.session())

    def learn_keys(self) -> Flow[None]:
        """Take public keys from the relay's roster, for an author who left long ago: an id certifies its key."""
        roster = yield from self.ask(lambda vault: vault.roster())
        with self.profile.transaction() as transaction:
            session = transaction.session()
            session.learn(from_base64url(member.public_key) for member in roster.devices)
            transaction.records.save(session)
