"""The contract of `Log` about changesets: appending and paging."""

import pytest

from relay.ports import AppendPlan, Log, LogState, Standing, StoreUnavailable
from relay_protocol.chain import Head, genesis
from tests.contract.log_world import (
    FOUNDER,
    NOW_MS,
    STRANGE,
    PlanFailed,
    TestedVault,
    new_records,
    seqs_in,
    text_of,
    texts_in,
    uuid,
)


class TestAppend:
    """`Log.append`: one atomic step."""

    def test_what_is_appended_is_paged_with_its_place_in_the_log(self, vault: TestedVault) -> None:
        first, second = vault.push(1, 2, now_ms=NOW_MS + 3)
        page = vault.page()
        assert [(record.seq, record.chain, record.received_at_ms, record.size_bytes) for record in page.records] == [
            (1, first.chain, NOW_MS + 3, len(text_of(uuid(1)))),
            (2, second.chain, NOW_MS + 3, len(text_of(uuid(2)))),
        ]
        assert texts_in(page) == [text_of(uuid(1)), text_of(uuid(2))]
        assert page.head == Head(2, second.chain)

    def test_a_vault_that_is_not_live_is_told_without_a_plan(self, log: Log, vault: TestedVault) -> None:
        def plan(_: LogState) -> AppendPlan[None]:
            raise PlanFailed

        vault.erase()
        for vault_id in (uuid(9), vault.vault_id):
            assert log.append(vault_id, FOUNDER, [uuid(1)], NOW_MS, plan) is None

    def test_a_plan_sees_an_empty_log(self, vault: TestedVault) -> None:
        assert vault.state(1) == LogState(uuid(0xE), genesis(vault.vault_id), 0, 0, Standing.MEMBER, {})

    def test_a_plan_sees_the_head_that_the_one_before_left(self, vault: TestedVault) -> None:
        for number in (1, 2, 3):
            receipt = vault.push(number)[0]
            assert vault.state().head == Head(number, receipt.chain)

    def test_a_plan_that_raises_stores_nothing(self, vault: TestedVault) -> None:
        def plan(_: LogState) -> AppendPlan[None]:
            raise PlanFailed

        before = vault.state(1)
        with pytest.raises(PlanFailed):
            vault.log.append(vault.vault_id, FOUNDER, [uuid(1)], NOW_MS, plan)
        assert vault.state(1) == before
        assert vault.push(1)[0].seq == 1  # and nothing is left locked

    def test_a_plan_without_records_stores_nothing(self, vault: TestedVault) -> None:
        before = vault.state(1)
        outcome = vault.log.append(vault.vault_id, FOUNDER, [uuid(1)], NOW_MS, lambda _: AppendPlan("refused"))
        assert outcome == "refused"
        assert vault.state(1) == before

    @pytest.mark.parametrize("taken", [0, 2, 4])
    def test_a_batch_with_an_id_that_is_taken_is_stored_in_no_part(self, vault: TestedVault, taken: int) -> None:
        """The core never plans it: a store that took it would hold two changesets of one id."""
        vault.push(100)
        before = vault.state(1, 2, 3, 4, 100)
        batch = [uuid(number) for number in (1, 2, 3, 4)]
        batch.insert(taken, uuid(100))
        with pytest.raises(Exception) as raised:  # noqa: PT011 -- a defect shows as whatever the store says
            vault.push_texts(dict.fromkeys(batch, b"other"))
        assert not isinstance(raised.value, StoreUnavailable)
        assert vault.state(1, 2, 3, 4, 100) == before
        assert len(vault.page().records) == 1

    def test_a_plan_sees_the_receipts_of_the_asked_ids(self, vault: TestedVault) -> None:
        receipts = vault.push(1, 2, 3)
        assert vault.state(3, 1, 4).known == {uuid(1): receipts[0], uuid(3): receipts[2]}

    def test_a_plan_sees_the_receipts_of_a_whole_batch(self, vault: TestedVault) -> None:
        receipts = vault.push(*range(1, 301))
        assert vault.state(*range(1, 402)).known == {receipt.id: receipt for receipt in receipts}

    def test_receipts_are_known_also_after_pruning(self, vault: TestedVault) -> None:
        receipt = vault.push(1)[0]
        vault.complete(1)
        vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        assert vault.state(1).known == {uuid(1): receipt}

    def test_an_id_is_of_one_vault(self, vault: TestedVault, other: TestedVault) -> None:
        vault.push(1)
        assert other.state(1).known == {}
        assert other.push(1)[0].seq == 1
        assert seqs_in(vault.page()) == seqs_in(other.page()) == [1]

    def test_a_plan_sees_the_pushers_standing(self, vault: TestedVault) -> None:
        vault.join("second")
        vault.join("third")
        vault.log.revoke(vault.vault_id, "third", NOW_MS)
        standings = {name: vault.state(device_id=name).standing for name in ("second", "third", "nobody")}
        assert standings == {"second": Standing.MEMBER, "third": Standing.REVOKED, "nobody": Standing.STRANGER}

    def test_a_plan_sees_what_is_stored_in_bytes(self, vault: TestedVault, other: TestedVault) -> None:
        vault.push_texts({uuid(1): b"x" * 100, uuid(2): b"y" * 11})
        vault.announce(1, b"pending")
        vault.complete(2, b"available!")
        other.push(3)
        assert vault.state().stored_bytes == 111 + 7 + 10

    def test_an_expired_snapshot_no_longer_counts(self, vault: TestedVault) -> None:
        record = vault.announce(0, b"pending")
        vault.complete(0, b"available!")
        assert vault.state(now_ms=record.expires_at_ms - 1).stored_bytes == 17
        assert vault.state(now_ms=record.expires_at_ms).stored_bytes == 10

    def test_a_plan_sees_the_highest_seq_that_an_available_snapshot_covers(self, vault: TestedVault) -> None:
        vault.push(1, 2, 3)
        vault.complete(2, b"a")
        vault.complete(1, b"b")
        vault.announce(3, b"pending")
        assert vault.state().covered_seq == 2

    @pytest.mark.parametrize(
        "text",
        [b"", bytes(range(256)), STRANGE.encode(), b"\xff\xfe lone \xed\xa0\x80", b"x" * 3_000_000],
        ids=["empty", "every byte", "strange", "not UTF-8", "3 MB"],
    )
    def test_a_sealed_text_comes_back_byte_for_byte(self, vault: TestedVault, text: bytes) -> None:
        vault.push_texts({uuid(1): text})
        page = vault.page()
        assert texts_in(page) == [text]
        assert page.records[0].size_bytes == len(text)

    def test_ids_at_the_ends_of_their_range_are_told_apart(self, vault: TestedVault) -> None:
        ids = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
        receipts = vault.push_texts({changeset_id: text_of(changeset_id) for changeset_id in ids})
        state = vault.log.append(vault.vault_id, FOUNDER, ids, NOW_MS, AppendPlan)
        assert state is not None
        assert dict(state.known) == dict(zip(ids, receipts, strict=True))

    def test_vaults_have_logs_of_their_own(self, vault: TestedVault, other: TestedVault) -> None:
        for number in range(1, 6):
            vault.push(number)
            other.push(number + 100)
        assert texts_in(vault.page()) == [text_of(uuid(number)) for number in range(1, 6)]
        assert texts_in(other.page()) == [text_of(uuid(number + 100)) for number in range(1, 6)]

    def test_records_out_of_place_are_refused(self, vault: TestedVault) -> None:
        """A gap would be for ever: a store takes only what follows the head."""

        def plan(_: LogState) -> AppendPlan[None]:
            return AppendPlan(None, new_records(Head(1, b"elsewhere"), {uuid(1): b"x"}, NOW_MS))

        with pytest.raises(AssertionError):
            vault.log.append(vault.vault_id, FOUNDER, [uuid(1)], NOW_MS, plan)
        assert vault.state().head == genesis(vault.vault_id)


class TestPage:
    """`Log.page`: contiguous runs of the log."""

    @pytest.mark.parametrize(
        ("count", "limit", "sizes"),
        [(0, 5, []), (3, 5, [3]), (5, 5, [5]), (6, 5, [5, 1]), (17, 5, [5, 5, 5, 2]), (3, 1, [1, 1, 1])],
        ids=["empty", "partial", "exact", "one more", "several", "one at a time"],
    )
    def test_pages_are_contiguous_and_end_at_the_head(
        self, vault: TestedVault, other: TestedVault, count: int, limit: int, sizes: list[int]
    ) -> None:
        other.push(*range(1, 8))
        if count:
            vault.push(*range(1, count + 1))
        seqs: list[int] = []
        found: list[int] = []
        while (page := vault.page(len(seqs), limit)).records:
            found.append(len(page.records))
            seqs += seqs_in(page)
            assert page.head.seq == count
        assert found == sizes
        assert seqs == list(range(1, count + 1))

    def test_a_page_tells_epoch_head_and_floor_also_if_it_is_empty(self, vault: TestedVault) -> None:
        page = vault.page()
        assert (page.epoch, page.head, page.floor) == (uuid(0xE), genesis(vault.vault_id), genesis(vault.vault_id))

    @pytest.mark.parametrize("since", [3, 4, 2**36, 2**63 - 1])
    def test_at_and_past_the_head_it_is_empty(self, vault: TestedVault, other: TestedVault, since: int) -> None:
        vault.push(1, 2, 3)
        other.push(1, 2, 3, 4, 5, 6)
        page = vault.page(since)
        assert page.records == []
        assert page.head.seq == 3

    def test_before_the_floor_it_is_empty_and_at_the_floor_it_is_not(self, vault: TestedVault) -> None:
        receipts = vault.push(1, 2, 3)
        vault.complete(2)
        vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        for since in (0, 1):
            page = vault.page(since)
            assert page.records == []
            assert page.floor == Head(2, receipts[1].chain)
        assert seqs_in(vault.page(2)) == [3]

    @pytest.mark.parametrize(("max_bytes", "count"), [(300, 3), (299, 2), (200, 2), (101, 1), (100, 1), (1, 1)])
    def test_it_ends_before_it_passes_its_bytes_but_holds_one(
        self, vault: TestedVault, max_bytes: int, count: int
    ) -> None:
        vault.push_texts({uuid(number): b"x" * 100 for number in (1, 2, 3)})
        assert seqs_in(vault.page(max_bytes=max_bytes)) == [1, 2, 3][:count]

    def test_a_small_changeset_after_a_large_one_does_not_slip_in(self, vault: TestedVault) -> None:
        vault.push_texts({uuid(1): b"x" * 10, uuid(2): b"x" * 100, uuid(3): b"x"})
        assert seqs_in(vault.page(max_bytes=50)) == [1]

    def test_there_is_no_page_of_a_vault_that_is_not_live(self, vault: TestedVault) -> None:
        vault.push(1)
        assert vault.log.page(uuid(9), 0, 10, 1000) is None
        vault.erase()
        assert vault.log.page(vault.vault_id, 0, 10, 1000) is None
