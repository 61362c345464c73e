"""The contract of `Log` about devices: registering, standing, rosters, revocation."""

from dataclasses import replace

import pytest

from relay.ports import (
    Device,
    Endorsement,
    Log,
    Member,
    PairingPlan,
    PairingState,
    Revocation,
    Roster,
    Signer,
    Standing,
)
from relay_protocol.chain import genesis
from tests.contract.log_world import FOUNDER, NOW_MS, STRANGE, PlanFailed, TestedVault, key_of, member, uuid


class TestRegister:
    """`Log.register`: what it lets the plan see, and what it stores."""

    def test_an_absent_vault_is_seen_as_absent(self, log: Log) -> None:
        assert TestedVault(log, uuid(9)).pairing_state("newcomer") == PairingState("absent")

    def test_founding_creates_the_vault_and_its_first_member(self, log: Log) -> None:
        plan = PairingPlan("the core's word", member("a"), uuid(7))
        assert log.register(uuid(1), "a", None, NOW_MS, lambda _: plan) == "the core's word"
        info = TestedVault(log, uuid(1)).info()
        assert (info.epoch, info.created_at_ms, info.members, info.changeset_bytes) == (uuid(7), NOW_MS, 1, 0)
        assert info.head == info.floor == genesis(uuid(1))
        assert log.roster(uuid(1)) == Roster(uuid(7), [member("a")])

    def test_a_live_vault_is_seen_whole(self, vault: TestedVault) -> None:
        joined = vault.join("second")
        last = vault.push(1, 2)[-1]
        state = vault.pairing_state("second", FOUNDER)
        assert (state.vault, state.epoch, state.members) == ("live", uuid(0xE), 2)
        assert (state.device, state.endorser) == (joined, member(FOUNDER))
        assert state.head is not None
        assert (state.head.seq, state.head.chain) == (2, last.chain)

    def test_a_newcomer_without_a_known_endorser_is_seen_as_such(self, vault: TestedVault) -> None:
        for endorser in (None, "nobody", "newcomer"):
            state = vault.pairing_state("newcomer", endorser)
            assert (state.device, state.endorser, state.members) == (None, None, 1)

    def test_members_of_other_vaults_are_newcomers(self, vault: TestedVault, other: TestedVault) -> None:
        state = vault.pairing_state("another founder", "another founder")
        assert (state.device, state.endorser) == (None, None)
        assert other.pairing_state("x").members == 1

    def test_a_revoked_device_is_seen_but_not_counted(self, vault: TestedVault) -> None:
        joined = vault.join("second")
        vault.log.revoke(vault.vault_id, "second", NOW_MS + 5)
        state = vault.pairing_state("second", "second")
        assert state.device == state.endorser == replace(joined, revoked_at_ms=NOW_MS + 5)
        assert state.members == 1

    def test_an_erased_vault_is_seen_as_erased_for_ever(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.erase()
        assert vault.pairing_state("second", FOUNDER) == PairingState("erased")
        while vault.log.sweep(100):
            pass
        assert vault.pairing_state("second", FOUNDER) == PairingState("erased")

    def test_a_plan_that_adds_nobody_stores_nothing(self, log: Log, vault: TestedVault) -> None:
        vault.pairing_state("newcomer", FOUNDER)
        assert TestedVault(log, uuid(9)).pairing_state("newcomer") == PairingState("absent")
        assert log.find_signer("newcomer", vault.vault_id) is None

    def test_a_plan_that_raises_stores_nothing(self, log: Log) -> None:
        def plan(_: PairingState) -> PairingPlan[None]:
            raise PlanFailed

        with pytest.raises(PlanFailed):
            log.register(uuid(9), "newcomer", None, NOW_MS, plan)
        assert TestedVault(log, uuid(9)).pairing_state("newcomer") == PairingState("absent")
        TestedVault(log, uuid(9)).found()  # and nothing is left locked

    def test_every_field_comes_back_as_it_was(self, vault: TestedVault) -> None:
        odd = Member(STRANGE, bytes(range(32)), 1, None, Endorsement(STRANGE, -(2**63), STRANGE + "!"))
        vault.log.register(vault.vault_id, STRANGE, None, NOW_MS, lambda _: PairingPlan(None, odd))
        assert vault.log.roster(vault.vault_id) == Roster(uuid(0xE), [member(FOUNDER), odd])
        assert vault.pairing_state(STRANGE).device == odd
        assert vault.log.find_signer(STRANGE, vault.vault_id) == Signer(bytes(range(32)), Standing.MEMBER)


class TestStanding:
    """`Log.find_signer` and `Log.companion`: what a device is, and which devices it may see."""

    def test_a_device_that_was_never_registered_is_unknown(self, vault: TestedVault) -> None:
        assert vault.log.find_signer("nobody", vault.vault_id) is None
        assert vault.log.find_signer("nobody", None) is None

    def test_a_member_is_known_by_its_key(self, vault: TestedVault) -> None:
        assert vault.log.find_signer(FOUNDER, vault.vault_id) == Signer(key_of(FOUNDER), Standing.MEMBER)

    def test_a_revoked_device_is_known_as_revoked(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.log.revoke(vault.vault_id, "second", NOW_MS)
        assert vault.log.find_signer("second", vault.vault_id) == Signer(key_of("second"), Standing.REVOKED)

    def test_a_stranger_cannot_tell_an_absent_vault_from_one_it_is_not_in(
        self, vault: TestedVault, other: TestedVault
    ) -> None:
        stranger = Signer(key_of(FOUNDER), Standing.STRANGER)
        assert vault.log.find_signer(FOUNDER, other.vault_id) == stranger
        assert vault.log.find_signer(FOUNDER, uuid(9)) == stranger
        assert vault.log.find_signer(FOUNDER, None) == stranger

    def test_a_device_revoked_elsewhere_is_a_stranger_here(self, vault: TestedVault, other: TestedVault) -> None:
        vault.join("second")
        vault.log.revoke(vault.vault_id, "second", NOW_MS)
        assert vault.log.find_signer("second", other.vault_id) == Signer(key_of("second"), Standing.STRANGER)

    def test_a_device_sees_itself_and_its_first_registration(self, vault: TestedVault, other: TestedVault) -> None:
        other.join(FOUNDER, NOW_MS - 10)
        assert vault.log.companion(FOUNDER, FOUNDER) == Device(FOUNDER, key_of(FOUNDER), NOW_MS - 10)

    def test_a_device_sees_itself_also_when_it_is_revoked(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.log.revoke(vault.vault_id, "second", NOW_MS)
        assert vault.log.companion("second", "second") == Device("second", key_of("second"), NOW_MS)

    def test_nobody_sees_a_device_that_is_not_registered(self, vault: TestedVault) -> None:
        assert vault.log.companion("nobody", "nobody") is None
        assert vault.log.companion(FOUNDER, "nobody") is None

    def test_a_member_sees_those_who_are_and_were_members_with_it(self, vault: TestedVault) -> None:
        vault.join("second", NOW_MS + 1)
        seen = Device("second", key_of("second"), NOW_MS + 1)
        assert vault.log.companion(FOUNDER, "second") == seen
        vault.log.revoke(vault.vault_id, "second", NOW_MS)
        assert vault.log.companion(FOUNDER, "second") == seen

    def test_a_revoked_device_sees_nobody_else(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.log.revoke(vault.vault_id, "second", NOW_MS)
        assert vault.log.companion("second", FOUNDER) is None

    def test_members_of_different_vaults_do_not_see_each_other(self, vault: TestedVault, other: TestedVault) -> None:
        assert other.log.companion(FOUNDER, "another founder") is None
        assert vault.log.companion("another founder", FOUNDER) is None

    def test_an_erased_vault_makes_nobody_companions(self, vault: TestedVault, other: TestedVault) -> None:
        vault.join("second", NOW_MS - 10)
        other.join("second", NOW_MS)
        vault.erase()
        assert vault.log.companion(FOUNDER, "second") is None
        assert vault.log.companion("second", "second") == Device("second", key_of("second"), NOW_MS)


class TestRoster:
    """`Log.roster` and `Log.revoke`."""

    def test_the_roster_stays_in_order_where_devices_were_revoked(self, vault: TestedVault) -> None:
        for name in ("zulu", "bravo"):
            vault.join(name)
        for name in (FOUNDER, "zulu"):
            vault.log.revoke(vault.vault_id, name, NOW_MS)
        vault.join("alpha")
        roster = vault.log.roster(vault.vault_id)
        assert roster is not None
        assert [one.device_id for one in roster.members] == [FOUNDER, "zulu", "bravo", "alpha"]

    def test_the_roster_is_in_order_of_registration(self, vault: TestedVault) -> None:
        late_clock = vault.join("z", NOW_MS + 10)
        early_clock = vault.join("a", NOW_MS - 10)
        assert vault.log.roster(vault.vault_id) == Roster(uuid(0xE), [member(FOUNDER), late_clock, early_clock])

    def test_the_roster_keeps_revoked_devices_in_their_place(self, vault: TestedVault) -> None:
        joined = vault.join("second")
        assert vault.log.revoke(vault.vault_id, FOUNDER, NOW_MS + 1) is Revocation.REVOKED
        revoked = replace(member(FOUNDER), revoked_at_ms=NOW_MS + 1)
        assert vault.log.roster(vault.vault_id) == Roster(uuid(0xE), [revoked, joined])

    def test_there_is_no_roster_of_a_vault_that_is_not_live(self, vault: TestedVault) -> None:
        assert vault.log.roster(uuid(9)) is None
        vault.erase()
        assert vault.log.roster(vault.vault_id) is None

    def test_revoking_again_keeps_the_first_time(self, vault: TestedVault) -> None:
        vault.join("second")
        for now_ms in (NOW_MS + 1, NOW_MS + 2):
            assert vault.log.revoke(vault.vault_id, "second", now_ms) is Revocation.REVOKED
        state = vault.pairing_state("second")
        assert state.device is not None
        assert state.device.revoked_at_ms == NOW_MS + 1

    def test_what_is_not_there_is_not_revoked(self, vault: TestedVault, other: TestedVault) -> None:
        for vault_id, device_id in (
            (vault.vault_id, "nobody"),
            (vault.vault_id, "another founder"),
            (uuid(9), FOUNDER),
        ):
            assert vault.log.revoke(vault_id, device_id, NOW_MS) is Revocation.NOT_FOUND
        other.erase()
        assert other.log.revoke(other.vault_id, "another founder", NOW_MS) is Revocation.NOT_FOUND

    def test_the_last_member_stays(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.log.revoke(vault.vault_id, FOUNDER, NOW_MS)
        assert vault.log.revoke(vault.vault_id, "second", NOW_MS) is Revocation.LAST_MEMBER
        assert vault.log.find_signer("second", vault.vault_id) == Signer(key_of("second"), Standing.MEMBER)

    def test_revoking_a_revoked_device_does_not_touch_the_last_member(self, vault: TestedVault) -> None:
        vault.join("second")
        for _ in range(2):
            assert vault.log.revoke(vault.vault_id, "second", NOW_MS) is Revocation.REVOKED
        assert vault.info().members == 1

    def test_a_revocation_is_of_one_vault(self, vault: TestedVault, other: TestedVault) -> None:
        vault.join("second")
        other.join("second")
        vault.log.revoke(vault.vault_id, "second", NOW_MS)
        assert other.log.find_signer("second", other.vault_id) == Signer(key_of("second"), Standing.MEMBER)
