"""Going on after the relay's store was restored from a backup (§1 epoch): only with the user's consent."""

from dataclasses import dataclass, replace

from relay_protocol.changeset import Head
from sync_relay_client.errors import ForkDetected
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import pull
from sync_relay_client.keys import Keyring
from sync_relay_client.membership import Membership
from sync_relay_client.opening import Trust
from sync_relay_client.profile import Profile, Transaction
from sync_relay_client.profile.history import StoredHistory
from sync_relay_client.profile.record import Record, Secrets
from sync_relay_client.profile.sending import send_again
from sync_relay_client.session import VaultSession


@dataclass(frozen=True, slots=True)
class EpochAccepted:
    """What it costs: the relay's log ends at `head`, and this device had verified it up to seq `verified_seq`.

    What other devices pushed in between is lost at the relay, unless they send it again.
    """

    head: Head
    verified_seq: int

    @property
    def lost_changesets(self) -> int:
        """How many changesets that this device had verified are no longer there."""
        return max(0, self.verified_seq - self.head.seq)


def accept_epoch(link: Link) -> Flow[EpochAccepted]:
    """Take the relay's new epoch. The whole log is read and verified anew, aside.

    Where it ends before the verified head, this device goes back to its end, and what it had sent since goes out
    again; changes that the app applied stay applied. Raises ForkDetected if it is not the log that was verified.
    """
    info = yield from link.ask(lambda vault: vault.relay.vault(vault.vault_id, None).info())
    with link.profile.view() as view:
        device, session, passed_over = view.device(), view.session(), view.passed_over()
    aside = Profile.temporary()
    try:
        with aside.transaction() as transaction:
            transaction.records.put(Record("requesting", Secrets(session.device)))
            transaction.records.save(_from_the_start(session, info.epoch), device.relay_url)
            transaction.pass_over(passed_over)
        yield from pull(Link(aside, link.retry, link.clock))
        with aside.view() as view, link.profile.transaction() as transaction:
            return _adopt(view.session(), transaction.session(), transaction)
    finally:
        aside.close()


def _from_the_start(session: VaultSession, epoch: str) -> VaultSession:
    """Return a session that has read nothing of the log yet, and trusts as the given one did at first."""
    known_keys = session.membership.known_keys.values()
    membership = Membership(frozenset({session.founder})).learn(known_keys)
    trust = Trust(session.device, Keyring(session.keys), membership)
    return VaultSession(session.vault_id, epoch, trust, session.founder, session.membership.belonging)


def _adopt(restored: VaultSession, own: VaultSession, transaction: Transaction) -> EpochAccepted:
    verified, end = own.head, restored.head
    common_seq = min(verified.seq, end.seq)
    chains = {own.chain_at(common_seq), restored.chain_at(common_seq)} - {None}
    if len(chains) > 1:
        raise ForkDetected("the restored log is not the one that this device verified", common_seq)
    if end.seq < verified.seq:
        history = StoredHistory(transaction.connection, own.vault_id, verified)
        history.rewind(end)
        transaction.connection.execute("DELETE FROM sync_relay_passed_over WHERE seq > ?", (end.seq,))
        send_again(transaction.connection, end)
        transaction.records.save(_with_keys_of_the_log(restored))
    transaction.connection.execute("UPDATE sync_relay_device SET epoch = ?", (restored.epoch,))
    return EpochAccepted(end, verified.seq)


def _with_keys_of_the_log(session: VaultSession) -> VaultSession:
    """Return the session without vault keys whose rekey the log no longer holds."""
    keyring = session.trust.keyring
    trust = replace(session.trust, keyring=Keyring(keyring.keys[: keyring.in_force + 1], keyring.in_force))
    return VaultSession(session.vault_id, session.epoch, trust, session.founder, session.named_by_invitation)
