"""The contract of `Log` when many append, page and prune at once: real threads on one store."""

import random
from functools import partial
from hashlib import sha256
from threading import Event

from relay.ports import AppendPlan, Log, LogState, Receipt
from relay_protocol.chain import Head, extend, genesis
from relay_protocol.sealed import into_store
from tests.contract.at_once import at_once, beside
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, new_records, seqs_in, text_of, texts_in, uuid

WRITERS = 8
ROUNDS = 10
PAGE = 30


def send(vault: TestedVault, number: int, text: bytes = b"") -> Receipt:
    """Push one changeset as the core does: one that is known gets its first receipt again."""
    changeset_id = uuid(number)

    def plan(state: LogState) -> AppendPlan[Receipt]:
        if changeset_id in state.known:
            return AppendPlan(state.known[changeset_id])
        records = new_records(state.head, {changeset_id: text or text_of(changeset_id)}, NOW_MS)
        return AppendPlan(records[0].receipt, records)

    receipt = vault.log.append(vault.vault_id, FOUNDER, [changeset_id], NOW_MS, plan)
    assert receipt is not None
    return receipt


def send_losing_answers(vault: TestedVault, numbers: range) -> list[Receipt]:
    """Push one by one; of every third the answer is lost, so it is sent again, some time later too."""
    chance, receipts = random.Random(numbers.start), []
    for number in numbers:
        receipt = send(vault, number)
        receipts.append(receipt)
        if chance.random() < 1 / 3:
            assert send(vault, number) == receipt
            assert send(vault, numbers.start) == receipts[0]
    return receipts


def read_on(vault: TestedVault, head: Head) -> Head:
    """Pull the page after a head and check it by recomputing the chain; return the head it leads to."""
    page = vault.page(head.seq, PAGE)
    assert len(page.records) == min(PAGE, page.head.seq - head.seq)
    for record in page.records:
        head = extend(head, sha256(into_store(record.text)).digest())
        assert (record.seq, record.chain) == (head.seq, head.chain)
    assert page.head.seq > head.seq or page.head == head
    return head


class TestAppendRaces:
    """`Log.append` and `Log.page`: serial, gap-free, seen at once."""

    def test_each_changeset_is_stored_once_in_one_chain_without_a_gap(
        self, vault: TestedVault, pushes_each: int
    ) -> None:
        """While readers follow: each sees a prefix of that chain, never a hole."""

        def follow(ended: Event) -> None:
            head = genesis(vault.vault_id)
            while not ended.is_set() or vault.info().head != head:
                head = read_on(vault, head)

        ranges = [range(1000 * writer, 1000 * writer + pushes_each) for writer in range(1, WRITERS + 1)]
        with beside(follow, follow):
            written = at_once(*(partial(send_losing_answers, vault, numbers) for numbers in ranges))
        receipts = {receipt.id: receipt for receipts in written for receipt in receipts}
        assert sorted(receipt.seq for receipt in receipts.values()) == list(range(1, WRITERS * pushes_each + 1))
        for numbers, own in zip(ranges, written, strict=True):
            assert [receipt.id for receipt in own] == [uuid(number) for number in numbers]
            assert [receipt.seq for receipt in own] == sorted(receipt.seq for receipt in own)
        head = genesis(vault.vault_id)
        while head != vault.info().head:
            head = read_on(vault, head)
        assert head.seq == WRITERS * pushes_each

    def test_what_is_acknowledged_is_in_every_page_from_then_on(self, vault: TestedVault) -> None:
        def push_and_look(writer: int) -> None:
            for number in range(15):
                receipt = send(vault, 1000 * writer + number)
                page = vault.page(receipt.seq - 1, 1)
                assert [(record.seq, record.chain) for record in page.records] == [(receipt.seq, receipt.chain)]

        at_once(*(partial(push_and_look, writer) for writer in range(1, WRITERS + 1)))

    def test_of_one_id_sent_at_once_the_first_is_stored_and_all_are_told_of_it(self, vault: TestedVault) -> None:
        for number in range(1, ROUNDS + 1):
            texts = [b"%d" % writer for writer in range(WRITERS)]
            receipts = at_once(*(partial(send, vault, number, text) for text in texts))
            assert len(set(receipts)) == 1
            assert receipts[0].seq == number
            assert into_store(vault.page(number - 1).records[0].text) in texts
        assert vault.info().head.seq == ROUNDS

    def test_of_those_who_saw_the_same_head_one_wins(self, vault: TestedVault) -> None:
        def push_if_match(changeset: int, if_match: bytes) -> bool:
            def plan(state: LogState) -> AppendPlan[bool]:
                if state.head.chain != if_match:
                    return AppendPlan(outcome=False)
                return AppendPlan(outcome=True, records=new_records(state.head, {uuid(changeset): b"x"}, NOW_MS))

            won = vault.log.append(vault.vault_id, FOUNDER, [uuid(changeset)], NOW_MS, plan)
            assert won is not None
            return won

        for number in range(ROUNDS):
            head = vault.info().head
            changesets = range(number * WRITERS, (number + 1) * WRITERS)
            outcomes = at_once(*(partial(push_if_match, changeset, head.chain) for changeset in changesets))
            assert sum(outcomes) == 1
            assert vault.info().head.seq == number + 1

    def test_a_batch_is_not_torn_apart_by_others(self, vault: TestedVault) -> None:
        def push_batches(writer: int) -> None:
            for batch in range(10):
                first = 1000 * writer + 10 * batch
                receipts = vault.push(*range(first, first + 5))
                seqs = [receipt.seq for receipt in receipts]
                assert seqs == list(range(seqs[0], seqs[0] + 5))

        at_once(*(partial(push_batches, writer) for writer in range(1, WRITERS + 1)))
        assert seqs_in(vault.page(limit=1000)) == list(range(1, 50 * WRITERS + 1))

    def test_vaults_written_at_once_do_not_mix(self, log: Log) -> None:
        vaults = [TestedVault(log, uuid(number)).found() for number in range(1, WRITERS + 1)]
        numbers = [range(100 * number, 100 * number + 20) for number in range(WRITERS)]
        written = at_once(*map(partial, [send_losing_answers] * WRITERS, vaults, numbers))
        for vault, receipts in zip(vaults, written, strict=True):
            assert [receipt.seq for receipt in receipts] == list(range(1, 21))
            assert read_on(vault, genesis(vault.vault_id)).seq == 20

    def test_a_page_taken_while_the_log_is_pruned_is_whole_or_empty(self, vault: TestedVault, pushes_each: int) -> None:
        length = min(200, 8 * pushes_each)
        for first in range(1, length + 1, 10):
            vault.push(*range(first, first + 10))
        vault.complete(length)

        def look(ended: Event) -> None:
            since = 0
            while not ended.is_set():
                page = vault.page(since, PAGE)
                end = min(since + PAGE, length) if page.floor.seq <= since else since
                assert texts_in(page) == [text_of(uuid(seq)) for seq in range(since + 1, end + 1)]
                since = page.floor.seq  # the next to go

        with beside(look, look):
            while (step := vault.log.prune(vault.vault_id, NOW_MS + 1, 3)) and step.more:
                pass
        assert vault.info().floor.seq == length
