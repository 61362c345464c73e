"""The contract of `Log` about whole vaults: what they are, erasing them, epochs, listing them."""

from itertools import count

from relay.ports import Log, PairingState, Signer, Standing
from relay_protocol.chain import Head
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, key_of, seqs_in, text_of, uuid


class TestVault:
    """`Log.vault`, `Log.vault_ids`, `Log.renew_epochs`, `Log.ping`."""

    def test_a_store_that_works_answers_a_ping(self, log: Log) -> None:
        log.ping()

    def test_there_is_nothing_to_tell_of_an_absent_vault(self, log: Log) -> None:
        assert log.vault(uuid(9), NOW_MS) is None

    def test_a_vault_is_told_whole(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.join("third")
        vault.log.revoke(vault.vault_id, "third", NOW_MS)
        receipts = vault.push(1, 2, 3)
        snapshot = vault.complete(1)
        vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        info = vault.info()
        assert (info.epoch, info.created_at_ms, info.members) == (uuid(0xE), NOW_MS, 2)
        assert (info.head, info.floor) == (Head(3, receipts[2].chain), Head(1, receipts[0].chain))
        assert info.changeset_bytes == len(text_of(uuid(2))) + len(text_of(uuid(3)))
        assert info.snapshots == [snapshot]

    def test_live_vaults_are_listed_in_order_page_by_page(self, log: Log) -> None:
        for number in (5, 3, 1, 4, 2):
            TestedVault(log, uuid(number)).found()
        TestedVault(log, uuid(3)).erase()
        assert log.vault_ids("", 2) == [uuid(1), uuid(2)]
        assert log.vault_ids(uuid(2), 2) == [uuid(4), uuid(5)]
        assert log.vault_ids(uuid(5), 2) == []
        assert log.vault_ids(uuid(3), 9) == [uuid(4), uuid(5)]

    def test_every_vault_gets_an_epoch_of_its_own(self, vault: TestedVault, other: TestedVault) -> None:
        numbers = count(100)
        assert vault.log.renew_epochs(lambda: uuid(next(numbers))) == 2
        assert {vault.info().epoch, other.info().epoch} == {uuid(100), uuid(101)}
        assert vault.page().epoch == vault.state().epoch == vault.info().epoch

    def test_a_new_epoch_changes_nothing_else(self, vault: TestedVault) -> None:
        vault.push(1)
        before = vault.state(1)
        vault.log.renew_epochs(lambda: before.epoch)
        assert vault.state(1) == before

    def test_without_vaults_there_are_no_epochs_to_renew(self, log: Log) -> None:
        assert log.renew_epochs(lambda: uuid(1)) == 0


class TestErase:
    """`Log.erase` and `Log.sweep`: the right to erasure."""

    def test_erasing_with_another_chain_changes_nothing(self, vault: TestedVault) -> None:
        receipt = vault.push(1)[0]
        before = vault.info()
        assert vault.log.erase(vault.vault_id, before.floor.chain) == Head(1, receipt.chain)
        assert vault.info() == before

    def test_erasing_is_for_every_method_at_once(self, vault: TestedVault) -> None:
        vault.push(1)
        snapshot = vault.complete(1)
        log, vault_id = vault.log, vault.vault_id
        assert log.erase(vault_id, vault.info().head.chain) is None
        assert log.vault(vault_id, NOW_MS) is None
        assert log.page(vault_id, 0, 10, 1000) is None
        assert log.roster(vault_id) is None
        assert log.snapshot(vault_id, snapshot.sha256, NOW_MS) is None
        assert log.complete(vault_id, snapshot.blob_key, NOW_MS) is None
        assert log.prune(vault_id, NOW_MS + 1, 10) is None
        assert log.vault_ids("", 10) == []
        assert log.renew_epochs(lambda: uuid(1)) == 0
        log.drop_snapshots(vault_id, [snapshot.blob_key], NOW_MS)

    def test_members_of_an_erased_vault_are_unknown(self, vault: TestedVault) -> None:
        vault.erase()
        assert vault.log.find_signer(FOUNDER, vault.vault_id) is None

    def test_members_of_an_erased_vault_keep_their_other_vaults(self, vault: TestedVault, other: TestedVault) -> None:
        other.join(FOUNDER)
        vault.erase()
        assert vault.log.find_signer(FOUNDER, vault.vault_id) == Signer(key_of(FOUNDER), Standing.STRANGER)
        assert vault.log.find_signer(FOUNDER, other.vault_id) == Signer(key_of(FOUNDER), Standing.MEMBER)

    def test_erasing_again_is_fine(self, vault: TestedVault) -> None:
        vault.push(1)
        vault.erase()
        assert vault.log.erase(vault.vault_id, b"any") is None
        assert vault.log.erase(uuid(9), b"any") is None

    def test_erasing_leaves_other_vaults_alone(self, vault: TestedVault, other: TestedVault) -> None:
        vault.push(*range(1, 10))
        other.push(1, 2)
        other.complete(1)
        before = other.info()
        vault.erase()
        while vault.log.sweep(4):
            pass
        assert other.info() == before
        assert seqs_in(other.page()) == [1, 2]

    def test_sweeping_goes_in_steps_and_ends(self, vault: TestedVault, other: TestedVault) -> None:
        vault.push(*range(1, 8))
        other.push(*range(1, 8))
        vault.erase()
        other.erase()
        steps = 1
        while vault.log.sweep(3):
            steps += 1
            assert steps < 10
        assert vault.log.sweep(3) is False
        assert vault.pairing_state("x") == other.pairing_state("x") == PairingState("erased")

    def test_where_nothing_was_put_aside_there_is_nothing_to_reap(self, vault: TestedVault) -> None:
        vault.push(1, 2)
        assert vault.log.reap("", 10) is None
        assert vault.log.reap(vault.vault_id, 10) is None
        assert seqs_in(vault.page()) == [1, 2]

    def test_a_vault_founded_after_an_erasure_does_not_inherit(self, vault: TestedVault) -> None:
        vault.push(1, 2, 3)
        vault.erase()
        young = TestedVault(vault.log, uuid(8)).found()
        young.push(1)
        while vault.log.sweep(2):
            pass
        assert seqs_in(young.page()) == [1]
        assert young.info().changeset_bytes == len(text_of(uuid(1)))
