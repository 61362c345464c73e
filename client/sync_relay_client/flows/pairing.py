"""Pairing (§5, §11 Invitation): founding a vault, inviting a device, joining, and coming back from a recovery sheet."""

from collections.abc import Collection
from uuid import uuid4

from relay_protocol.answers import RegistrationAnswer
from relay_protocol.devices import thumbprint
from relay_protocol.limits import MAX_ENDORSEMENT_AHEAD_SECONDS
from relay_protocol.requests import Endorsement
from sync_relay_client.address import RelayAddress
from sync_relay_client.errors import EpochChanged, InvitationInvalid, ProfileTaken
from sync_relay_client.exchanges import RelayExchanges
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import pull
from sync_relay_client.invitation import Invitation, read_request, request_code
from sync_relay_client.keys import DeviceKey, VaultKey
from sync_relay_client.profile import Profile
from sync_relay_client.profile.record import Record, Secrets
from sync_relay_client.recovery import RecoverySheet
from sync_relay_client.session import VaultSession

INVITATION_SECONDS = 24 * 3600


def request(profile: Profile) -> str:
    """Return what this device shows to be invited; its key pair is drawn at the first call. Raises ProfileTaken."""
    with profile.transaction() as transaction:
        record = transaction.records.find()
        if record is None:
            record = Record("requesting", Secrets(DeviceKey.generate()))
            transaction.records.put(record)
    if record.stage == "founding":
        raise ProfileTaken("the profile is founding a vault")
    return request_code(record.secrets.device)


def create(link: Link, relay_url: str, creation_token: str | None, *, recovery: bool) -> Flow[None]:
    """Found a vault, and be in it. Repeated after a crash it goes on where it was. Raises ProfileTaken."""
    record = _founding(link.profile, str(RelayAddress.parse(relay_url)), recovery=recovery)
    device = record.secrets.device
    assert record.relay_url is not None, "what is being founded has an address"
    if record.secrets.recovery is not None:
        sheet = RecoverySheet(record.secrets.recovery)
        registered = yield from _register(
            link, record.relay_url, sheet.founder, sheet.vault_id, creation_token=creation_token
        )
        yield from _invite_by_sheet(link, sheet, record.relay_url, registered.epoch)
        return
    assert record.vault_id is not None, "what is being founded has an id"
    registered = yield from _register(link, record.relay_url, device, record.vault_id, creation_token=creation_token)
    session = VaultSession.found(device, record.vault_id, registered.epoch, record.secrets.vault_keys[0])
    with link.profile.transaction() as transaction:
        _check_vault(transaction.device(), record.vault_id)  # another process may have begun anew
        transaction.records.save(session, record.relay_url)


def recover(link: Link, relay_url: str, sheet: RecoverySheet, pass_over: Collection[int] = ()) -> Flow[None]:
    """Bring a vault back by its sheet: the founder on paper admits this device. The sheet stays good.

    `pass_over` are seqs that were refused as RotatedOut before, and are left out with the user's consent.
    """
    request(link.profile)
    with link.profile.view() as view:
        _check_vault(view.device(), sheet.vault_id)
    with link.profile.transaction() as transaction:
        transaction.pass_over(pass_over)
    address = str(RelayAddress.parse(relay_url))
    vault = RelayExchanges(RelayAddress.parse(address), sheet.founder).vault(sheet.vault_id, None)
    info = yield from link.retry.run(vault.info)
    yield from _invite_by_sheet(link, sheet, address, info.epoch)


def invite(link: Link, code: str, valid_seconds: int) -> Flow[str]:
    """Admit the device of a request code in the log, and return the invitation for it alone.

    Raises InvitationInvalid also for a device that was revoked, RotatedOut, ValueError for a time that no relay takes,
    and what pulling and asking raise.
    """
    if not 0 < valid_seconds <= MAX_ENDORSEMENT_AHEAD_SECONDS:
        raise ValueError("an invitation is good for seven days at most")
    public_key = read_request(code)
    yield from pull(link)
    yield from _check_not_revoked(link, thumbprint(public_key))
    with link.profile.view() as view:
        session = view.session()
        admit = None if thumbprint(public_key) in session.membership.belonging else session.admit(public_key)
    if admit is not None:
        yield from link.ask(lambda vault: vault.push([admit]))
        yield from pull(link)
    with link.profile.view() as view:
        relay_url = view.device().relay_url
    assert relay_url is not None, "a vault has a relay"
    expires_at = int(link.clock()) + valid_seconds
    return (yield from link.look(lambda session: session.invite(public_key, relay_url, expires_at)))


def join(link: Link, code: str) -> Flow[None]:
    """Take an invitation: register, and begin at the log's start. Raises InvitationInvalid, ProfileTaken, EpochChanged.

    A device that is in the vault already takes its keys and members anew, and its verified history stays: so one
    that missed a rekey comes back.
    """
    with link.profile.view() as view:
        record = view.device()
    invitation = Invitation.open(code, record.secrets.device)
    _check_vault(record, invitation.vault_id)
    registered = yield from _register(
        link, invitation.relay_url, record.secrets.device, invitation.vault_id, invitation.endorsement
    )
    if registered.epoch != invitation.epoch:
        raise EpochChanged(invitation.epoch, registered.epoch)
    with link.profile.transaction() as transaction:
        _check_vault(transaction.device(), invitation.vault_id)
        if transaction.device().stage == "active":
            transaction.records.save(transaction.session().rejoin(invitation))
        else:
            transaction.records.save(VaultSession.join(record.secrets.device, invitation), invitation.relay_url)


def _founding(profile: Profile, relay_url: str, *, recovery: bool) -> Record:
    """Return the vault that is being founded; drawn, and kept, before the relay hears of it.

    One that was to be at another address, or to be another way, and came to nothing, is drawn anew.
    """
    with profile.transaction() as transaction:
        record = transaction.records.find()
        if record is not None and record.stage != "founding":
            raise ProfileTaken("the profile is in a vault, or asks to be")
        if record is None or (record.relay_url, record.secrets.recovery is not None) != (relay_url, recovery):
            sheet = RecoverySheet.draw() if recovery else None
            keys = () if sheet else (VaultKey.generate(),)
            secrets = Secrets(DeviceKey.generate(), keys, sheet.entropy if sheet else None)
            record = Record("founding", secrets, relay_url, sheet.vault_id if sheet else str(uuid4()))
            transaction.records.put(record)
    return record


def _check_vault(record: Record, vault_id: str) -> None:
    if record.vault_id not in {None, vault_id}:
        raise ProfileTaken("the profile is in another vault")


def _check_not_revoked(link: Link, device_id: str) -> Flow[None]:
    """Raise InvitationInvalid for a device that the relay has revoked.

    It is out for ever (§5): admitted again in the log, it would be given keys and could do nothing with them here.
    """
    roster = yield from link.ask(lambda vault: vault.roster())
    if any(member.device_id == device_id and member.revoked_at is not None for member in roster.devices):
        raise InvitationInvalid("the device was revoked, for ever: in a new folder it is a new device")


def _invite_by_sheet(link: Link, sheet: RecoverySheet, relay_url: str, epoch: str) -> Flow[None]:
    """Be the founder for as long as it takes to invite this device, and join."""
    with link.profile.view() as view:
        code, passed_over = request_code(view.device().secrets.device), view.passed_over()
    paper = link.profile.aside()
    try:
        with paper.transaction() as transaction:
            transaction.records.put(Record("founding", Secrets(sheet.founder)))
            founder = VaultSession.found(sheet.founder, sheet.vault_id, epoch, sheet.vault_key)
            transaction.records.save(founder, relay_url)
            transaction.pass_over(passed_over)
        invitation = yield from invite(Link(paper, link.retry, link.clock), code, INVITATION_SECONDS)
    finally:
        paper.close()
    yield from join(link, invitation)


def _register(
    link: Link,
    relay_url: str,
    device: DeviceKey,
    vault_id: str,
    endorsement: Endorsement | None = None,
    creation_token: str | None = None,
) -> Flow[RegistrationAnswer]:
    relay = RelayExchanges(RelayAddress.parse(relay_url), device)
    return (yield from link.retry.run(lambda: relay.register(vault_id, endorsement, creation_token)))
