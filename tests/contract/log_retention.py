"""The contract of `Log.prune`: what goes, what never goes, and what stays of it."""

import pytest

from relay.ports import PruneStep
from relay_protocol.chain import Head, genesis
from tests.contract.log_world import NOW_MS, TestedVault, seqs_in, text_of, uuid

LATER_MS = NOW_MS + 1
"""All that was received at NOW_MS was received before it."""


class TestPrune:
    """`Log.prune`."""

    def prune(self, vault: TestedVault, received_before_ms: int = LATER_MS, max_rows: int = 100) -> PruneStep:
        step = vault.log.prune(vault.vault_id, received_before_ms, max_rows)
        assert step is not None
        return step

    def test_nothing_goes_that_no_snapshot_covers(self, vault: TestedVault) -> None:
        vault.push(1, 2, 3)
        assert self.prune(vault) == PruneStep(genesis(vault.vault_id), more=False)
        assert seqs_in(vault.page()) == [1, 2, 3]

    def test_a_pending_snapshot_covers_nothing(self, vault: TestedVault) -> None:
        vault.push(1, 2, 3)
        vault.announce(3)
        assert self.prune(vault).floor.seq == 0

    def test_another_vaults_snapshot_covers_nothing(self, vault: TestedVault, other: TestedVault) -> None:
        vault.push(1, 2, 3)
        other.push(1, 2, 3)
        other.complete(3)
        assert self.prune(vault).floor.seq == 0

    def test_what_is_covered_goes_and_no_more(self, vault: TestedVault, other: TestedVault) -> None:
        other.push(1, 2, 3)
        receipts = vault.push(1, 2, 3)
        vault.complete(1, b"a")
        vault.complete(2, b"b")
        floor = Head(2, receipts[1].chain)
        assert self.prune(vault) == PruneStep(floor, more=False)
        assert vault.info().floor == vault.page(2).floor == floor
        assert seqs_in(vault.page(2)) == [3]
        assert seqs_in(other.page()) == [1, 2, 3]

    def test_what_was_received_at_the_given_time_stays(self, vault: TestedVault) -> None:
        vault.push(1, now_ms=NOW_MS - 1)
        vault.push(2, now_ms=NOW_MS)
        vault.complete(2)
        assert self.prune(vault, NOW_MS).floor.seq == 1

    def test_it_stops_at_the_first_that_is_not_old_enough(self, vault: TestedVault) -> None:
        """A clock that was set back must not tear a hole into the log."""
        vault.push(1, now_ms=NOW_MS - 2)
        vault.push(2, now_ms=NOW_MS + 5)
        vault.push(3, now_ms=NOW_MS - 2)
        vault.complete(3)
        assert self.prune(vault, NOW_MS) == PruneStep(vault.info().floor, more=False)
        assert vault.info().floor.seq == 1
        assert seqs_in(vault.page(1)) == [2, 3]

    @pytest.mark.parametrize(
        ("max_rows", "steps"), [(10, [(7, False)]), (7, [(7, False)]), (3, [(3, True), (6, True), (7, False)])]
    )
    def test_it_goes_in_steps(self, vault: TestedVault, max_rows: int, steps: list[tuple[int, bool]]) -> None:
        vault.push(*range(1, 10))
        vault.complete(7)
        done = [self.prune(vault, max_rows=max_rows) for _ in steps]
        assert [(step.floor.seq, step.more) for step in done] == steps

    def test_there_is_no_more_where_the_next_is_too_young(self, vault: TestedVault) -> None:
        vault.push(1, 2)
        vault.push(3, now_ms=LATER_MS)
        vault.complete(3)
        assert self.prune(vault, max_rows=2).more is False

    def test_repeating_it_changes_nothing(self, vault: TestedVault) -> None:
        vault.push(1, 2, 3)
        vault.complete(2)
        step, info = self.prune(vault), vault.info()
        assert self.prune(vault) == step
        assert vault.info() == info

    def test_bytes_go_down_by_what_went(self, vault: TestedVault) -> None:
        vault.push(1)
        vault.push_texts({uuid(2): b"x" * 1000})
        snapshot = vault.complete(1)
        self.prune(vault)
        assert vault.info().changeset_bytes == 1000
        assert vault.state().stored_bytes == 1000 + snapshot.size_bytes

    def test_the_floor_stays_when_the_snapshot_goes(self, vault: TestedVault) -> None:
        receipts = vault.push(1, 2, 3)
        snapshot = vault.complete(2)
        self.prune(vault)
        vault.log.drop_snapshots(vault.vault_id, [snapshot.blob_key], NOW_MS)
        assert self.prune(vault) == PruneStep(Head(2, receipts[1].chain), more=False)

    def test_a_log_pruned_to_its_head_goes_on(self, vault: TestedVault) -> None:
        receipts = vault.push(1, 2)
        vault.complete(2)
        self.prune(vault)
        assert vault.info().head == vault.info().floor == Head(2, receipts[1].chain)
        assert vault.page(2).records == []
        assert vault.push(3)[0].seq == 3
        assert seqs_in(vault.page(2)) == [3]
        assert vault.info().changeset_bytes == len(text_of(uuid(3)))

    def test_an_absent_vault_is_told(self, vault: TestedVault) -> None:
        assert vault.log.prune(uuid(9), LATER_MS, 10) is None
