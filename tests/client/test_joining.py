"""Invitations, as two people and a dishonest relay use them: what is refused leaves both sides as they were."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from relay_protocol.limits import MAX_ENDORSEMENT_AHEAD_SECONDS
from sync_relay_client import Invitation, Retry, Vault, VaultKey
from sync_relay_client.errors import (
    EpochChanged,
    InvitationInvalid,
    ProfileMissing,
    ProfileTaken,
    RelayRefused,
    RelayUnreachable,
    RolledBack,
    SyncRelayError,
)
from sync_relay_client.profile import Profile
from tests.client.app import applied, found, pair, record, sync
from tests.client.crash import dump
from tests.client.relay_in_process import RelayInProcess, honest


@pytest.fixture
def this(relay: RelayInProcess, home: Path) -> Iterator[Vault]:
    with found(relay, home / "this") as vault:
        record(vault, [b"1"])
        sync(vault)
        yield vault


class Newcomer:
    """A device that shows its request, and takes what it is given."""

    def __init__(self, relay: RelayInProcess, folder: Path) -> None:
        self.folder = folder
        self._options = relay.options()
        self.request = Vault.request(folder, options=self._options)

    def join(self, code: str) -> Vault:
        return Vault.join(self.folder, code, options=self._options)

    def is_refused(self, code: str, error: type[SyncRelayError]) -> SyncRelayError:
        """Join, and see that this is refused, and that nothing has changed."""
        before = dump(self.folder)
        with pytest.raises(error) as refused:
            self.join(code)
        assert type(refused.value) is error
        assert dump(self.folder) == before
        return refused.value


@pytest.fixture
def new(relay: RelayInProcess, home: Path) -> Newcomer:
    return Newcomer(relay, home / "new")


def test_a_request_is_the_same_until_it_is_answered(relay: RelayInProcess, new: Newcomer, this: Vault) -> None:
    again = Vault.request(new.folder, options=relay.options())
    assert again == new.request
    assert len(new.request) == 43
    new.join(this.invite(new.request)).close()
    assert Vault.request(new.folder, options=relay.options()) == new.request


@pytest.mark.parametrize("request_text", ["", "A", "A" * 43, "not a key", "é" * 43])
def test_a_request_that_is_none(this: Vault, request_text: str) -> None:
    before = this.head
    with pytest.raises(InvitationInvalid):
        this.invite(request_text)
    this.sync()
    assert this.head == before


def test_white_space_around_a_code_does_not_matter(this: Vault, new: Newcomer) -> None:
    code = this.invite(f"  {new.request}\n")
    with new.join(f"\n {code} \n") as vault:
        vault.sync()
        assert vault.status().belongs


def test_an_invitation_for_another_device(relay: RelayInProcess, home: Path, this: Vault, new: Newcomer) -> None:
    new.is_refused(this.invite(Newcomer(relay, home / "another").request), InvitationInvalid)


def test_an_invitation_that_was_changed_anywhere(this: Vault, new: Newcomer) -> None:
    code = this.invite(new.request)
    for at in range(0, len(code), 97):
        other = "A" if code[at] != "A" else "B"
        new.is_refused(code[:at] + other + code[at + 1 :], InvitationInvalid)
    for cut in ("", code[:-1], code[1:], code + "A", "é"):
        new.is_refused(cut, InvitationInvalid)
    new.join(code).close()


def test_an_expired_invitation(relay: RelayInProcess, this: Vault, new: Newcomer) -> None:
    code = this.invite(new.request, valid_seconds=60)
    relay.clock.advance(61)
    refused = new.is_refused(code, RelayRefused)
    assert isinstance(refused, RelayRefused)
    assert refused.code == "endorsement_expired"
    new.join(this.invite(new.request)).close()


@pytest.mark.parametrize("valid_seconds", [-1, 0, MAX_ENDORSEMENT_AHEAD_SECONDS + 1])
def test_an_invitation_that_no_relay_would_take_is_not_made(this: Vault, new: Newcomer, valid_seconds: int) -> None:
    before = this.head
    with pytest.raises(ValueError, match="seven days"):
        this.invite(new.request, valid_seconds=valid_seconds)
    this.sync()
    assert this.head == before, "nobody was admitted"


def test_the_longest_invitation_is_taken(this: Vault, new: Newcomer) -> None:
    new.join(this.invite(new.request, valid_seconds=MAX_ENDORSEMENT_AHEAD_SECONDS)).close()


def test_an_invitation_taken_twice_by_its_device(this: Vault, new: Newcomer, home: Path) -> None:
    """A person who is not sure does it again: no harm, and nothing comes twice."""
    code = this.invite(new.request)
    with new.join(code) as vault:
        sync(vault)
    with new.join(code) as vault:
        sync(vault)
        assert vault.head == this.head
        record(vault, [b"2"])
        sync(vault)
    assert applied(home / "new") == [b"1", b"2"]


def test_an_invitation_taken_twice_by_two_devices(
    relay: RelayInProcess, home: Path, this: Vault, new: Newcomer
) -> None:
    code = this.invite(new.request)
    new.join(code).close()
    Newcomer(relay, home / "another").is_refused(code, InvitationInvalid)


def test_an_invitation_made_twice_admits_once(this: Vault, new: Newcomer) -> None:
    this.invite(new.request)
    before = this.head
    new.join(this.invite(new.request)).close()
    assert this.head == before


def test_an_invitation_without_asking(relay: RelayInProcess, home: Path, this: Vault, new: Newcomer) -> None:
    with pytest.raises(ProfileMissing):
        Vault.join(home / "nothing", this.invite(new.request), options=relay.options())


# ---------------------------------------------------------------- a dishonest relay


def test_a_relay_that_was_rolled_back_before_the_newcomer_came(
    relay: RelayInProcess, this: Vault, new: Newcomer
) -> None:
    """The admit is in the log, or it is not that log."""
    backup = relay.backup()
    code = this.invite(new.request)
    relay.restore(backup)
    with new.join(code) as vault:
        before = dump(new.folder)
        with pytest.raises(RolledBack):
            vault.pull()
        assert dump(new.folder) == before


def test_a_relay_that_put_something_else_in_its_place(
    relay: RelayInProcess, home: Path, this: Vault, new: Newcomer
) -> None:
    with pair(this, home / "other", relay.options()) as other:
        backup = relay.backup()
        code = this.invite(new.request)
        relay.restore(backup)
        record(other, [b"instead", b"and more"])
        sync(other)
    with new.join(code) as vault:
        with pytest.raises(RolledBack) as refused:
            vault.pull()
        assert refused.value.seq == this.head.seq
        assert vault.head.seq == 0


def test_a_relay_of_another_epoch(relay: RelayInProcess, this: Vault, new: Newcomer) -> None:
    code = this.invite(new.request)
    relay.new_epoch()
    new.is_refused(code, EpochChanged)


# ---------------------------------------------------------------- other vaults, other keys


def test_a_device_that_is_in_another_vault(relay: RelayInProcess, home: Path, this: Vault) -> None:
    found(relay, home / "taken").close()
    taken = Newcomer(relay, home / "taken")
    before = dump(taken.folder)
    taken.is_refused(this.invite(taken.request), ProfileTaken)
    with pytest.raises(ProfileTaken):
        Vault.create(taken.folder, relay.url, options=relay.options())
    assert dump(taken.folder) == before


def test_a_vault_is_not_founded_where_a_device_asks_to_join(relay: RelayInProcess, new: Newcomer) -> None:
    with pytest.raises(ProfileTaken):
        found(relay, new.folder)
    assert not relay.world.relay.log.vault_ids("", 10)


@pytest.mark.parametrize("recovery", [True, False])
def test_a_vault_that_was_to_be_elsewhere_is_founded_where_it_is_wanted_now(
    relay: RelayInProcess, home: Path, *, recovery: bool
) -> None:
    """An address that was mistyped answers nothing; the right one is given next, and that is where the vault is."""

    def offline(request: httpx.Request, _: object) -> httpx.Response:
        raise httpx.ConnectError("no such host", request=request)

    options = relay.options(retry=Retry(max_attempts=1))
    relay.meddle = offline
    with pytest.raises(RelayUnreachable):
        Vault.create(home / "this", "http://mistyped.example", options=options)
    relay.meddle = honest
    with Vault.create(home / "this", relay.url, recovery=recovery, options=options) as vault:
        assert vault.status().relay_url == relay.url
        assert (vault.recovery_words() is not None) == recovery


def test_a_device_that_founds_does_not_ask(relay: RelayInProcess, home: Path) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    relay.meddle = cut  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        found(relay, home / "founding")
    with pytest.raises(ProfileTaken):
        Vault.request(home / "founding", options=relay.options())


def forged(code: str, new: Newcomer, forge: Callable[[Invitation], Invitation]) -> str:
    """Let a member hand out an invitation that says something else than the vault."""
    profile = Profile.open(new.folder, "file")
    with closing(profile), profile.view() as view:
        device = view.device().secrets.device
    return forge(Invitation.open(code, device)).seal_for(device.public_key)


FORGERIES: dict[str, Callable[[Invitation], Invitation]] = {
    "another first key": lambda one: replace(one, vault_keys=(VaultKey.generate(), *one.vault_keys)),
    "other keys": lambda one: replace(one, vault_keys=(VaultKey.generate(),)),
    "fewer keys": lambda one: replace(one, vault_keys=one.vault_keys[:1]),
    "another founder": lambda one: replace(one, founder="A" * 43),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_an_invitation_back_with_something_else_than_the_vault_is_refused(
    this: Vault, new: Newcomer, name: str
) -> None:
    with new.join(this.invite(new.request)) as vault:
        this.rotate()
        sync(vault)
    new.is_refused(forged(this.invite(new.request), new, FORGERIES[name]), InvitationInvalid)


def test_an_invitation_back_with_a_head_that_was_never_there(this: Vault, new: Newcomer) -> None:
    with new.join(this.invite(new.request)) as vault:
        sync(vault)

    def forge(invitation: Invitation) -> Invitation:
        return replace(invitation, head=replace(invitation.head, chain=bytes(32)))

    new.is_refused(forged(this.invite(new.request), new, forge), RolledBack)


# ---------------------------------------------------------------- recovery sheets


def test_recovering_into_another_vault_s_profile_admits_no_one(relay: RelayInProcess, home: Path) -> None:
    with found(relay, home / "with a sheet", recovery=True) as vault, found(relay, home / "taken"):
        words = vault.recovery_words()
        vault.sync()
        before = vault.head
        assert words is not None
        with pytest.raises(ProfileTaken):
            Vault.recover(home / "taken", relay.url, words, options=relay.options())
        vault.sync()
        assert vault.head == before
