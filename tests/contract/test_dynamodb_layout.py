"""What lies in the table and the bucket, and what no longer does; and pushes that others overtake."""

from collections.abc import Iterator
from typing import Any

import pytest

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.s3 import S3Texts
from relay.ports import AppendPlan, LogState, Revocation, Standing, StoreUnavailable
from relay_protocol.sealed import Sealed
from tests.contract.faulty_wire import FaultyWire, throttled
from tests.contract.log_world import FOUNDER, HOUR_MS, NOW_MS, TestedVault, new_records, seqs_in, texts_in, uuid
from tests.contract.opened_stores import LARGE, MARK, OpenLog


@pytest.fixture
def opened(dynamodb_url: str, s3_url: str) -> Iterator[OpenLog]:
    opened = OpenLog(dynamodb_url, s3_url)
    yield opened
    opened.log.close()
    opened.client.close()


@pytest.fixture
def log(opened: OpenLog) -> DynamoLog:
    return opened.log


def places_of(value: Any, path: str = "") -> Iterator[str]:
    """Yield the names of the attributes that hold the mark."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places_of(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from places_of(inner, path)
    elif MARK in (value if isinstance(value, bytes) else str(value).encode()):
        yield path


class TestErased:
    """Nothing is left but the id."""

    @pytest.mark.parametrize("max_rows", [1, 7, 1000])
    def test_only_the_id_of_an_erased_vault_is_left(self, opened: OpenLog, vault: TestedVault, max_rows: int) -> None:
        vault.join("second")
        vault.push_texts({uuid(1): LARGE, uuid(2): LARGE, uuid(3): b"small"})
        vault.push(4, 5)
        vault.complete(2)
        vault.announce(0, b"pending")
        vault.erase()
        opened.sweep(max_rows)
        opened.set_clock(HOUR_MS)
        opened.sweep(max_rows)
        assert opened.items() == [{"pk": {"S": f"V#{vault.vault_id}"}, "sk": {"S": "M"}, "erased": {"BOOL": True}}]
        assert opened.texts() == []

    def test_what_a_push_left_that_the_erasure_overtook_goes_too(self, opened: OpenLog, vault: TestedVault) -> None:
        """It had claimed its ids, and put a text into the bucket, when the sweep had already been."""
        vault.erase()
        opened.sweep()
        late = {"pk": {"S": f"V#{vault.vault_id}"}, "sk": {"S": f"R#{uuid(1)}"}, "slot": {"N": "1"}}
        opened.client.put_item(TableName=opened.table, Item=late)
        S3Texts(opened.bucket).put_text(f"{vault.vault_id}/{1:016x}-00-0", Sealed(MARK))
        opened.set_clock(HOUR_MS)
        opened.sweep()
        assert len(opened.items()) == 1
        assert opened.texts() == []

    def test_a_push_that_erasure_and_sweep_overtook_is_not_acknowledged(
        self, opened: OpenLog, vault: TestedVault
    ) -> None:
        """Else a device is told that a changeset is stored which the eraser, who names the head, had never seen."""
        vault.push(1)
        other = opened.another()

        def plan(state: LogState) -> AppendPlan[str]:
            assert other.erase(vault.vault_id, state.head.chain) is None
            while other.sweep(100):
                pass
            return AppendPlan("stored", new_records(state.head, {uuid(2): b"x"}, NOW_MS))

        assert vault.log.append(vault.vault_id, FOUNDER, [uuid(2)], NOW_MS, plan) is None
        opened.set_clock(HOUR_MS)
        opened.sweep()
        assert len(opened.items()) == 1

    def test_two_sweeps_at_once_do_the_same_work_and_no_harm(self, opened: OpenLog, vault: TestedVault) -> None:
        other = TestedVault(opened.log, uuid(2)).found("another founder")
        other.push(1, 2)
        vault.push(*range(1, 30))
        vault.erase()
        one, two = opened.log, opened.another()
        while one.sweep(3) | two.sweep(3):
            pass
        assert {pk for pk, _ in opened.all_keys()} & {f"V#{vault.vault_id}", "D#founder"} == {f"V#{vault.vault_id}"}
        assert seqs_in(other.page()) == [1, 2]


class TestRestored:
    """Backups promise no one instant across items."""

    def test_a_vault_whose_items_are_of_two_instants_works_again_after_a_new_epoch(
        self, opened: OpenLog, vault: TestedVault
    ) -> None:
        """Else it would be unavailable for ever, and no vault after it would get its new epoch."""
        other = TestedVault(opened.log, uuid(2)).found("another founder")
        vault.push(1, 2)
        opened.client.update_item(
            TableName=opened.table,
            Key={"pk": {"S": f"V#{vault.vault_id}"}, "sk": {"S": "M"}},
            UpdateExpression="SET fence = :later",
            ExpressionAttributeValues={":later": {"B": b"later"}},
        )
        with pytest.raises(StoreUnavailable, match="contended"):
            vault.info()
        epochs = iter([uuid(0xA), uuid(0xB)])
        assert opened.log.renew_epochs(lambda: next(epochs)) == 2
        vault.push(3)
        assert (vault.info().epoch, other.info().epoch) == (uuid(0xA), uuid(0xB))
        assert seqs_in(vault.page()) == [1, 2, 3]


class TestPruned:
    """Texts are gone, receipts stay."""

    def test_no_pruned_text_is_left_in_table_or_bucket(self, opened: OpenLog, vault: TestedVault) -> None:
        vault.push_texts({uuid(1): LARGE, uuid(2): LARGE, uuid(3): MARK})
        vault.push_texts({uuid(number): MARK for number in range(4, 10)})
        vault.push_texts({uuid(10): b"stays"})
        vault.complete(9)
        while (step := vault.log.prune(vault.vault_id, NOW_MS + 1, 2)) and step.more:
            pass
        assert [place for item in opened.items() for place in places_of(item)] == []
        assert opened.texts() == []
        assert texts_in(vault.page(9)) == [b"stays"]

    def test_a_floor_within_a_batch_takes_its_texts_and_leaves_the_others(
        self, opened: OpenLog, vault: TestedVault
    ) -> None:
        vault.push_texts({uuid(1): LARGE, uuid(2): LARGE, uuid(3): LARGE})
        vault.complete(2)
        vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        assert texts_in(vault.page(2)) == [LARGE]
        assert vault.info().changeset_bytes == len(LARGE)
        held = len(opened.texts()) + len([place for item in opened.items() for place in places_of(item)])
        assert held == 1

    def test_a_run_that_is_cut_short_is_finished_by_the_next(self, opened: OpenLog, vault: TestedVault) -> None:
        """The function may be killed after the floor was raised, and before any text went."""
        vault.push_texts({uuid(1): MARK, uuid(2): MARK})
        vault.complete(2)
        wire = FaultyWire(opened.client)
        with wire.failing(None):
            vault.log.prune(uuid(9), NOW_MS + 1, 10)
        real = opened.client.update_item
        opened.client.update_item = None
        with pytest.raises(TypeError):
            vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        opened.client.update_item = real
        page = vault.page()
        assert (page.records, page.floor.seq) == ([], 2)
        vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
        assert [place for item in opened.items() for place in places_of(item)] == []


class TestLarge:
    """Texts that do not fit into an item."""

    def test_a_push_of_any_size_is_stored_whole_and_in_order(self, opened: OpenLog, vault: TestedVault) -> None:
        sizes = [1, 300_000, 40_000, 0, 260_000, 5_000, 100_000, 2_000_000]
        texts = {uuid(number): bytes([number]) * size for number, size in enumerate(sizes, 1)}
        vault.push_texts(texts)
        assert opened.texts()
        assert texts_in(vault.page(max_bytes=10**7)) == list(texts.values())
        assert texts_in(vault.page(since=3, limit=2, max_bytes=10**7)) == list(texts.values())[3:5]

    def test_where_the_bucket_fails_nothing_of_the_push_is_stored(self, opened: OpenLog, vault: TestedVault) -> None:
        before = vault.state(1, 2)
        real, opened.bucket.name = opened.bucket.name, "no-such-bucket"
        with pytest.raises(StoreUnavailable, match="bucket missing"):
            vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
        opened.bucket.name = real
        assert vault.state(1, 2) == before
        vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
        assert texts_in(vault.page()) == [LARGE, LARGE]

    def test_a_text_whose_push_was_cut_short_goes_after_an_hour(self, opened: OpenLog, vault: TestedVault) -> None:
        """A function that is killed between the text and the entry; the client sends again."""
        wire = FaultyWire(opened.client)
        with wire.failing(None):
            vault.state(1)
            reads = wire.sent
        with wire.failing(throttled, reads + 2, 10**6), pytest.raises(StoreUnavailable):
            vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
        (orphan,) = opened.texts()
        assert vault.page().records == []
        vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
        opened.sweep()
        assert orphan in opened.texts()
        opened.set_clock(HOUR_MS)
        opened.sweep()
        assert orphan not in opened.texts()
        assert texts_in(vault.page()) == [LARGE, LARGE]

    def test_a_page_of_texts_that_are_pruned_meanwhile_tells_the_new_floor(
        self, opened: OpenLog, vault: TestedVault
    ) -> None:
        vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
        vault.complete(2)
        texts = vault.log._store.texts  # type: ignore[attr-defined]
        real, other = texts.get_text, opened.another()

        def prune_first(key: str) -> Sealed[bytes]:
            other.prune(vault.vault_id, NOW_MS + 1, 10)
            found: Sealed[bytes] = real(key)
            return found

        texts.get_text = prune_first
        page = vault.page()
        assert (page.records, page.floor.seq) == ([], 2)


class TestSealedInPlace:
    """§10: what was sealed lies in one attribute, and in the objects for it."""

    def test_a_sealed_text_lies_in_one_attribute(self, opened: OpenLog, vault: TestedVault) -> None:
        vault.push_texts({uuid(1): MARK})
        vault.push_texts({uuid(2): MARK, uuid(3): MARK})
        places = {place for item in opened.items() for place in places_of(item)}
        assert places == {".r.L.M.x.B"}


class TestOvertaken:
    """What happens between the reading of an append and its write."""

    def push_while(self, vault: TestedVault, happens: Any) -> list[LogState]:
        """Push one changeset, if its device is a member; something happens when it is first planned."""
        seen: list[LogState] = []

        def plan(state: LogState) -> AppendPlan[None]:
            seen.append(state)
            if len(seen) == 1:
                happens()
            is_member = state.standing is Standing.MEMBER
            return AppendPlan(None, new_records(state.head, {uuid(1): MARK}, NOW_MS) if is_member else [])

        vault.log.append(vault.vault_id, "second", [uuid(1)], NOW_MS, plan)
        return seen

    @pytest.fixture(autouse=True)
    def _second(self, vault: TestedVault) -> None:
        vault.join("second")

    @pytest.fixture(params=["read anew", "seen with the signer"])
    def beside(self, opened: OpenLog, vault: TestedVault, request: pytest.FixtureRequest) -> TestedVault:
        """The same vault, as another process has it."""
        if request.param == "seen with the signer":
            vault.log.find_signer("second", vault.vault_id)
        return TestedVault(opened.another(), vault.vault_id)

    def test_by_a_revocation(self, vault: TestedVault, beside: TestedVault) -> None:
        seen = self.push_while(vault, lambda: beside.log.revoke(vault.vault_id, "second", NOW_MS))
        assert [state.standing for state in seen] == [Standing.MEMBER, Standing.REVOKED]
        assert vault.page().records == []

    def test_by_an_erasure(self, vault: TestedVault, beside: TestedVault) -> None:
        seen = self.push_while(vault, beside.erase)
        assert len(seen) == 1
        assert vault.log.page(vault.vault_id, 0, 1, 1) is None

    def test_by_an_announcement_that_takes_the_space(self, vault: TestedVault, beside: TestedVault) -> None:
        seen = self.push_while(vault, lambda: beside.announce(0, b"large"))
        assert [state.stored_bytes for state in seen] == [0, 5]

    def test_by_a_new_epoch(self, vault: TestedVault, beside: TestedVault) -> None:
        seen = self.push_while(vault, lambda: beside.log.renew_epochs(lambda: uuid(77)))
        assert [state.epoch for state in seen] == [uuid(0xE), uuid(77)]

    def test_by_another_push(self, vault: TestedVault, beside: TestedVault) -> None:
        seen = self.push_while(vault, lambda: beside.push(2, 3))
        assert [state.head.seq for state in seen] == [0, 2]
        assert seqs_in(vault.page()) == [1, 2, 3]

    @pytest.mark.parametrize("numbers", [[1], [2, 1]], ids=["in its own place", "in a later place"])
    def test_by_the_same_push(self, vault: TestedVault, beside: TestedVault, numbers: list[int]) -> None:
        """The client lost patience and sent again: the first one finds its changeset stored."""
        known: list[int] = []

        def plan(state: LogState) -> AppendPlan[None]:
            known.append(len(state.known))
            for number in numbers if len(known) == 1 else ():
                beside.push(number)
            return AppendPlan(None, [] if state.known else new_records(state.head, {uuid(1): MARK}, NOW_MS))

        vault.log.append(vault.vault_id, "second", [uuid(1)], NOW_MS, plan)
        assert known[-1] == 1
        assert len(vault.page().records) == len(numbers)

    def test_a_refusal_is_never_of_what_was_seen_before(self, opened: OpenLog, vault: TestedVault) -> None:
        """The signer's view is old: another joined it with a changeset of this very id since."""
        vault.log.find_signer(FOUNDER, vault.vault_id)
        TestedVault(opened.another(), vault.vault_id).push(1)
        assert vault.state(1).known.keys() == {uuid(1)}
        assert vault.log.revoke(vault.vault_id, "second", NOW_MS) is Revocation.REVOKED
