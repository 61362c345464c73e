"""The contract of `Log` about the records of snapshots."""

from dataclasses import replace

import pytest

from relay.ports import AnnouncePlan, AnnounceState, Log
from relay_protocol.chain import Head, genesis
from tests.contract.log_world import HOUR_MS, NOW_MS, STRANGE, PlanFailed, TestedVault, uuid


class TestAnnounce:
    """`Log.announce` and `Log.snapshot`."""

    def test_a_plan_sees_the_vault(self, vault: TestedVault) -> None:
        receipt = vault.push(1)[0]
        state = vault.announce_state(1)
        assert (state.epoch, state.head) == (uuid(0xE), Head(1, receipt.chain))
        assert (state.existing, state.pending, state.stored_bytes) == (None, 0, vault.info().changeset_bytes)

    def test_a_vault_that_is_not_live_is_told_without_a_plan(self, log: Log, vault: TestedVault) -> None:
        def plan(_: AnnounceState) -> AnnouncePlan[None]:
            raise PlanFailed

        vault.erase()
        for vault_id in (uuid(9), vault.vault_id):
            assert log.announce(vault_id, b"digest", 0, NOW_MS, plan) is None

    def test_a_plan_sees_the_chain_at_any_seq_of_the_log(self, vault: TestedVault, other: TestedVault) -> None:
        receipts = vault.push(1, 2, 3)
        other.push(1, 2, 3, 4, 5)
        vault.complete(2)
        vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        assert vault.announce_state(0).chain_at_covers == genesis(vault.vault_id).chain
        for receipt in receipts:
            assert vault.announce_state(receipt.seq).chain_at_covers == receipt.chain

    @pytest.mark.parametrize("covers_seq", [2, 3, 2**36, 2**63 - 1])
    def test_past_the_head_there_is_no_chain(self, vault: TestedVault, other: TestedVault, covers_seq: int) -> None:
        vault.push(1)
        other.push(1, 2, 3)
        assert vault.announce_state(covers_seq).chain_at_covers is None

    def test_what_is_announced_is_found_until_it_expires(self, vault: TestedVault) -> None:
        record = vault.announce(0)
        assert vault.find(record, record.expires_at_ms - 1) == record
        assert vault.find(record, record.expires_at_ms) is None

    def test_a_snapshot_is_of_one_vault(self, vault: TestedVault, other: TestedVault) -> None:
        record = vault.announce(0)
        assert other.find(record) is None
        assert other.announce_state(0, b"blob").existing is None
        assert other.log.complete(other.vault_id, record.blob_key, NOW_MS) is None

    def test_there_is_no_snapshot_of_a_vault_that_is_not_live(self, log: Log) -> None:
        assert log.snapshot(uuid(9), b"digest", NOW_MS) is None

    def test_a_snapshot_comes_with_the_epoch(self, vault: TestedVault) -> None:
        record = vault.announce(0)
        assert vault.log.snapshot(vault.vault_id, record.sha256, NOW_MS) == (uuid(0xE), record)
        assert vault.log.snapshot(vault.vault_id, b"other", NOW_MS) == (uuid(0xE), None)

    def test_every_field_comes_back_as_it_was(self, vault: TestedVault) -> None:
        vault.push(1)
        odd = replace(
            vault.snapshot_of(1),
            sha256=bytes(range(32)),
            size_bytes=5 * 2**30,
            key_id=STRANGE,
            schema_version=2**31 - 1,
            origin_device=STRANGE + "!",
            expires_at_ms=NOW_MS + 1,
            blob_key=STRANGE + "?",
        )
        vault.log.announce(vault.vault_id, odd.sha256, 1, NOW_MS, lambda _: AnnouncePlan(None, odd))
        assert vault.find(odd) == odd
        assert vault.info().snapshots == [odd]
        assert vault.log.complete(vault.vault_id, odd.blob_key, NOW_MS) == replace(odd, available=True)

    def test_a_plan_sees_the_one_of_the_same_blob(self, vault: TestedVault) -> None:
        record = vault.announce(0)
        vault.announce(0, b"another blob")
        assert vault.announce_state(0, b"blob").existing == record
        assert vault.announce_state(0, b"blob", record.expires_at_ms).existing is None

    def test_a_plan_sees_the_one_of_the_same_blob_for_ever_once_available(self, vault: TestedVault) -> None:
        record = vault.complete(0)
        assert vault.announce_state(0, b"blob", record.expires_at_ms + 1).existing == record

    def test_a_plan_sees_how_many_are_pending(self, vault: TestedVault, other: TestedVault) -> None:
        vault.announce(0, b"1")
        vault.announce(0, b"2", NOW_MS + 1)
        vault.complete(0, b"3")
        other.announce(0, b"4")
        assert vault.announce_state(0).pending == 2
        assert vault.announce_state(0, now_ms=NOW_MS + HOUR_MS).pending == 1

    def test_a_plan_sees_what_is_stored_in_bytes(self, vault: TestedVault) -> None:
        vault.push_texts({uuid(1): b"x" * 100})
        vault.announce(0, b"12")
        vault.complete(0, b"345")
        assert vault.announce_state(0).stored_bytes == 105
        assert vault.announce_state(0, now_ms=NOW_MS + HOUR_MS).stored_bytes == 103

    def test_a_plan_that_adds_nothing_stores_nothing(self, vault: TestedVault) -> None:
        vault.announce_state(0, b"blob")
        assert vault.info().snapshots == []

    def test_a_plan_that_raises_stores_nothing(self, vault: TestedVault) -> None:
        def plan(_: AnnounceState) -> AnnouncePlan[None]:
            raise PlanFailed

        with pytest.raises(PlanFailed):
            vault.log.announce(vault.vault_id, b"digest", 0, NOW_MS, plan)
        assert vault.info().snapshots == []

    def test_a_new_one_takes_the_place_of_an_expired_one(self, vault: TestedVault) -> None:
        expired = vault.announce(0)
        later_ms = expired.expires_at_ms
        fresh = vault.announce(0, now_ms=later_ms)
        assert vault.find(fresh, later_ms) == fresh
        assert vault.info(later_ms).snapshots == [fresh]
        assert vault.log.complete(vault.vault_id, expired.blob_key, later_ms) is None

    def test_a_vault_lists_those_that_are_there_newest_first(self, vault: TestedVault) -> None:
        old = vault.complete(0, b"3", NOW_MS - HOUR_MS)
        middle = vault.announce(0, b"1", NOW_MS - 1)
        new = vault.complete(0, b"2", NOW_MS)
        assert vault.info(NOW_MS).snapshots == [new, middle, old]
        assert vault.info(middle.expires_at_ms).snapshots == [new, old]


class TestComplete:
    """`Log.complete` and `Log.drop_snapshots`."""

    def test_a_completed_one_is_available_and_does_not_expire(self, vault: TestedVault) -> None:
        record = vault.announce(0)
        completed = vault.log.complete(vault.vault_id, record.blob_key, record.expires_at_ms - 1)
        assert completed == replace(record, available=True)
        assert vault.find(record, record.expires_at_ms + 1) == completed

    def test_completing_again_changes_nothing(self, vault: TestedVault) -> None:
        completed = vault.complete(0)
        late_ms = completed.expires_at_ms + 1
        assert vault.log.complete(vault.vault_id, completed.blob_key, late_ms) == completed
        assert vault.info(late_ms).snapshots == [completed]

    def test_an_expired_one_is_not_completed(self, vault: TestedVault) -> None:
        record = vault.announce(0)
        assert vault.log.complete(vault.vault_id, record.blob_key, record.expires_at_ms) is None
        assert vault.find(record, record.expires_at_ms - 1) == record

    def test_one_that_is_not_there_is_not_completed(self, vault: TestedVault) -> None:
        assert vault.log.complete(vault.vault_id, "no such blob", NOW_MS) is None
        assert vault.log.complete(uuid(9), "no such blob", NOW_MS) is None

    def test_completing_one_leaves_the_others_pending(self, vault: TestedVault) -> None:
        pending = vault.announce(0, b"1")
        vault.complete(0, b"2")
        assert vault.find(pending) == pending

    def test_dropping_takes_the_named_ones(self, vault: TestedVault) -> None:
        going = [vault.complete(0, b"1"), vault.announce(0, b"2")]
        staying = vault.complete(0, b"3", NOW_MS + 1)
        vault.log.drop_snapshots(vault.vault_id, [record.blob_key for record in going], NOW_MS)
        assert vault.info().snapshots == [staying]
        assert vault.log.complete(vault.vault_id, going[1].blob_key, NOW_MS) is None

    def test_dropping_takes_expired_ones_for_good(self, vault: TestedVault) -> None:
        expired = vault.announce(0, b"1")
        available = vault.complete(0, b"2")
        pending = vault.announce(0, b"3", NOW_MS + 1)
        vault.log.drop_snapshots(vault.vault_id, [], expired.expires_at_ms)
        assert vault.info(NOW_MS).snapshots == [pending, available]

    def test_dropping_is_of_one_vault(self, vault: TestedVault, other: TestedVault) -> None:
        kept = other.announce(0)
        vault.log.drop_snapshots(vault.vault_id, [kept.blob_key], kept.expires_at_ms)
        assert other.find(kept) == kept

    def test_dropping_what_is_not_there_is_fine(self, vault: TestedVault) -> None:
        vault.log.drop_snapshots(vault.vault_id, ["no such blob"], NOW_MS)
        vault.log.drop_snapshots(uuid(9), ["no such blob"], NOW_MS)
        assert vault.info().snapshots == []
