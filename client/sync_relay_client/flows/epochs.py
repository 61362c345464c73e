"""Going on after the relay's store was restored from a backup (§1 epoch): only with the user's consent."""

from dataclasses import dataclass, replace

from relay_protocol.chain import Head
from sync_relay_client.errors import ForkDetected, MembershipInvalid, RotatedOut
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import pull
from sync_relay_client.keys import Keyring, VaultKey
from sync_relay_client.membership import Membership
from sync_relay_client.opening import Trust
from sync_relay_client.profile import Profile, Transaction
from sync_relay_client.profile.history import StoredHistory
from sync_relay_client.profile.queues import put_into_inbox, waiting_after
from sync_relay_client.profile.record import Record, Secrets
from sync_relay_client.profile.sending import seal_anew, send_again
from sync_relay_client.session import VaultSession


@dataclass(frozen=True, slots=True)
class EpochAccepted:
    """What it costs: this device had verified the log up to `verified_seq`; the relay's is another one after `common`.

    What was pushed in between is lost at the relay; the apps that applied it still have it.
    """

    head: Head
    """Where the relay's log ends."""
    common: Head
    verified_seq: int

    @property
    def lost_changesets(self) -> int:
        """How many changesets that this device had verified are no longer there."""
        return self.verified_seq - self.common.seq


def accept_epoch(link: Link) -> Flow[EpochAccepted]:
    """Take the relay's new epoch. The whole log is read and verified anew, aside.

    Where it is not the one that this device verified, the device goes back to the last changeset that both hold, and
    on from there: others may have pushed before this one agreed. What it had sent and not seen in the log goes out
    again; changes that the app was given stay, and are not given again. Raises ForkDetected if the logs have nothing
    in common.
    """
    info = yield from link.ask(lambda vault: vault.relay.vault(vault.vault_id, None).info())
    with link.profile.view() as view:
        keys = view.session().keys
    while True:
        aside = link.profile.aside()
        try:
            _begin(link.profile, aside, info.epoch, keys)
            yield from pull(Link(aside, link.retry, link.clock))
            with aside.view() as restored, link.profile.transaction() as own:
                return _adopt(restored, own)
        except MembershipInvalid as error:
            if isinstance(error, RotatedOut) or len(keys) == 1:
                raise
            keys = keys[:-1]  # the rekey that brought it may be lost, and another device may have made another one
        finally:
            aside.close()


def _begin(profile: Profile, aside: Profile, epoch: str, keys: tuple[VaultKey, ...]) -> None:
    """Let a device that has read nothing of the log, and trusts as the profile's did at first, begin aside."""
    with profile.view() as view:
        device, session = view.device(), view.session()
        passed_over = view.passed_over()
    membership = Membership(frozenset({session.founder})).learn(session.membership.known_keys.values())
    trust = Trust(session.device, Keyring(keys), membership)
    anew = VaultSession(session.vault_id, epoch, trust, session.founder, session.membership.belonging)
    with aside.transaction() as transaction:
        transaction.records.put(Record("requesting", Secrets(session.device)))
        transaction.records.save(anew, device.relay_url)
        transaction.pass_over(passed_over)


def _adopt(restored: Transaction, own: Transaction) -> EpochAccepted:
    session, found = own.session(), restored.session()
    verified, common = session.head, _last_in_common(session, found)
    send_again(own.connection, common)
    if common.seq < verified.seq:
        history = StoredHistory(own.connection, session.vault_id, verified)
        history.rewind(common)
        history.follow(restored.connection, found.head)
        own.connection.execute("DELETE FROM sync_relay_passed_over WHERE seq > ?", (common.seq,))
        seal_anew(own.connection)
        own.records.save(_with_keys_of_the_log(found))
        put_into_inbox(own.connection, waiting_after(restored.connection, common.seq))
    own.connection.execute("UPDATE sync_relay_device SET epoch = ?", (found.epoch,))
    return EpochAccepted(found.head, common, verified.seq)


def _last_in_common(own: VaultSession, restored: VaultSession) -> Head:
    """Return the last changeset that both logs hold. Raises ForkDetected where they part, and none is known."""
    shorter = min(own.head, restored.head, key=lambda head: head.seq)
    parted_seq = None
    for seq in range(shorter.seq, 0, -1):
        ours, theirs = own.chain_at(seq), restored.chain_at(seq)
        if ours is None or theirs is None:
            continue  # one of them began at a snapshot
        if ours != theirs:
            parted_seq = seq
        elif parted_seq is None:
            break
        elif parted_seq == seq + 1:
            return Head(seq, ours)
    if parted_seq is not None:
        raise ForkDetected("the restored log is not the one that this device verified", parted_seq)
    return shorter


def _with_keys_of_the_log(session: VaultSession) -> VaultSession:
    """Return the session without vault keys whose rekey the log no longer holds."""
    keyring = session.trust.keyring
    trust = replace(session.trust, keyring=Keyring(keyring.keys[: keyring.in_force + 1], keyring.in_force))
    return VaultSession(session.vault_id, session.epoch, trust, session.founder, session.named_by_invitation)
