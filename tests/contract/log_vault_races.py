"""The contract of `Log` when devices come and go, and vaults are erased, all at once: real threads on one store."""

from collections.abc import Callable
from functools import partial
from itertools import count

from relay.ports import (
    AnnouncePlan,
    AnnounceState,
    AppendPlan,
    Log,
    LogState,
    PairingPlan,
    PairingState,
    Revocation,
    SnapshotRecord,
    Standing,
)
from relay_protocol.chain import Head
from tests.contract.at_once import at_once
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, member, new_records, uuid

THREADS = 8
ROUNDS = 10
QUOTA = 4
TRIES = 4

_busy_vaults = count(0xB000)


def found_if_absent(log: Log, vault_id: str, device_id: str) -> str:
    """Try to found a vault; return what was there."""

    def plan(state: PairingState) -> PairingPlan[str]:
        if state.vault != "absent":
            return PairingPlan(state.vault)
        return PairingPlan("absent", member(device_id), uuid(0xE))

    return log.register(vault_id, device_id, None, NOW_MS, plan)


def join_if_live(log: Log, vault_id: str, device_id: str, max_devices: int = 1000) -> bool:
    """Try to join a vault that is live and has room; return whether the device is new."""

    def plan(state: PairingState) -> PairingPlan[bool]:
        if state.vault != "live" or state.device is not None or state.members >= max_devices:
            return PairingPlan(outcome=False)
        return PairingPlan(outcome=True, add=member(device_id))

    return log.register(vault_id, device_id, FOUNDER, NOW_MS, plan)


def push_if_member(log: Log, vault_id: str, device_id: str, number: int) -> bool:
    """Try to push a changeset; return whether it was stored."""

    def plan(state: LogState) -> AppendPlan[bool]:
        if state.standing is not Standing.MEMBER:
            return AppendPlan(outcome=False)
        return AppendPlan(outcome=True, records=new_records(state.head, {uuid(number): b"x"}, NOW_MS))

    stored = log.append(vault_id, device_id, [uuid(number)], NOW_MS, plan)
    return stored is True


def push_some(log: Log, vault_id: str, device_id: str, first: int) -> int:
    """Try to push some changesets; return how many were stored."""
    return sum(push_if_member(log, vault_id, device_id, first + n) for n in range(TRIES))


def traffic(log: Log) -> list[Callable[[], int]]:
    """Threads that write to another vault meanwhile: a store may let those who wait share a commit."""
    busy = TestedVault(log, uuid(next(_busy_vaults))).found("busy founder")
    return [partial(push_some, log, busy.vault_id, "busy founder", first) for first in (1000, 2000)]


class TestPairingRaces:
    """`Log.register`: a quota holds, and nobody is added twice."""

    def test_of_those_who_found_one_vault_at_once_one_does(self, log: Log) -> None:
        for number in range(ROUNDS):
            vault_id = uuid(100 + number)
            founders = [f"founder {thread}" for thread in range(THREADS)]
            seen = at_once(*(partial(found_if_absent, log, vault_id, founder) for founder in founders))
            assert sorted(seen) == ["absent"] + ["live"] * (THREADS - 1)
            roster = log.roster(vault_id)
            assert roster is not None
            assert [one.device_id for one in roster.members] == [founders[seen.index("absent")]]

    def test_a_device_that_registers_several_times_at_once_is_added_once(self, vault: TestedVault) -> None:
        for number in range(ROUNDS):
            join = partial(join_if_live, vault.log, vault.vault_id, f"device {number}")
            assert sum(at_once(*[join] * THREADS)) == 1
        assert vault.info().members == 1 + ROUNDS

    def test_no_more_devices_join_than_there_is_room_for(self, log: Log) -> None:
        for number in range(1, ROUNDS + 1):
            vault = TestedVault(log, uuid(number)).found()
            joins = [partial(join_if_live, log, uuid(number), f"device {n}", QUOTA) for n in range(THREADS)]
            assert sum(at_once(*joins)) == QUOTA - 1
            assert vault.info().members == QUOTA


class TestRevocationRaces:
    """`Log.revoke`: a vault keeps a member, and a revoked device is stopped at that very step."""

    def test_when_all_members_revoke_each_other_one_stays(self, log: Log) -> None:
        names = [FOUNDER, "second", "third", "fourth"]
        for number in range(1, ROUNDS + 1):
            vault = TestedVault(log, uuid(number)).found()
            for name in names[1:]:
                vault.join(name)
            outcomes = at_once(*(partial(log.revoke, vault.vault_id, name, NOW_MS) for name in names))
            assert [outcomes.count(one) for one in (Revocation.REVOKED, Revocation.LAST_MEMBER)] == [3, 1]
            assert vault.info().members == 1

    def test_a_device_that_is_revoked_while_it_pushes_stores_nothing_after_that(self, log: Log) -> None:
        for number in range(1, ROUNDS + 1):
            vault = TestedVault(log, uuid(number)).found()
            vault.join("second")

            def push_while_member(first: int, vault: TestedVault = vault) -> int:
                return next(n for n in range(1000) if not push_if_member(log, vault.vault_id, "second", first + n))

            def revoke(vault: TestedVault = vault) -> int:
                assert log.revoke(vault.vault_id, "second", NOW_MS) is Revocation.REVOKED
                return vault.info().head.seq

            *stored, seq_when_revoked = at_once(*(partial(push_while_member, 1000 * n) for n in (1, 2, 3)), revoke)
            assert sum(stored) == seq_when_revoked == vault.info().head.seq


class TestErasureRaces:
    """`Log.erase`: all that was acknowledged before it is gone, and after it nothing is acknowledged."""

    def test_an_erasure_amid_pushes_takes_all_that_was_acknowledged(self, log: Log) -> None:
        for number in range(1, ROUNDS + 1):
            vault = TestedVault(log, uuid(number)).found()

            def erase(head: Head, vault_id: str = vault.vault_id) -> int:
                while moved := log.erase(vault_id, head.chain):
                    head = moved
                return head.seq

            pushers = [partial(push_some, log, vault.vault_id, FOUNDER, first) for first in (1000, 2000, 3000)]
            erased_seq, *stored = at_once(partial(erase, vault.info().head), *pushers, *traffic(log))
            assert sum(stored[: len(pushers)]) == erased_seq
            assert log.page(vault.vault_id, 0, 1, 1) is None

    def test_after_an_erasure_nobody_is_in_the_vault_and_its_id_is_spent(self, log: Log) -> None:
        for number in range(1, ROUNDS + 1):
            vault = TestedVault(log, uuid(number)).found()
            names = [f"{thread} {number} {n}" for thread in range(3) for n in range(TRIES)]

            def join_some(thread: int, vault_id: str = vault.vault_id, names: list[str] = names) -> None:
                for name in names[thread::3]:
                    join_if_live(log, vault_id, name)

            def erase(vault: TestedVault = vault) -> None:
                vault.erase()

            def found(vault_id: str = vault.vault_id) -> None:
                for _ in range(TRIES):
                    assert found_if_absent(log, vault_id, "usurper") in {"live", "erased"}

            at_once(*(partial(join_some, thread) for thread in range(3)), erase, found)
            assert vault.pairing_state("usurper") == PairingState("erased")
            assert [name for name in (*names, FOUNDER, "usurper") if log.find_signer(name, vault.vault_id)] == []
            assert log.roster(vault.vault_id) is None


class TestAnnounceRaces:
    """`Log.announce`: a quota holds, and a blob is announced once."""

    def test_no_more_snapshots_are_pending_than_there_is_room_for(self, vault: TestedVault, other: TestedVault) -> None:
        for number, one in enumerate((vault, other)):
            records = [one.snapshot_of(0, b"%d %d" % (number, n)) for n in range(THREADS)]

            def announce(n: int, one: TestedVault = one, records: list[SnapshotRecord] = records) -> bool:
                def plan(state: AnnounceState) -> AnnouncePlan[bool]:
                    room = state.pending < QUOTA
                    return AnnouncePlan(room, records[n] if room else None)

                announced = one.log.announce(one.vault_id, records[n].sha256, 0, NOW_MS, plan)
                return announced is True

            assert sum(at_once(*(partial(announce, n) for n in range(THREADS)))) == QUOTA
            assert len(one.info().snapshots) == QUOTA

    def test_a_blob_that_is_announced_several_times_at_once_gets_one_key(self, vault: TestedVault) -> None:
        for number in range(ROUNDS):

            def announce(record: SnapshotRecord) -> str | None:
                def plan(state: AnnounceState) -> AnnouncePlan[str]:
                    if state.existing is not None:
                        return AnnouncePlan(state.existing.blob_key)
                    return AnnouncePlan(record.blob_key, record)

                return vault.log.announce(vault.vault_id, record.sha256, 0, NOW_MS, plan)

            records = [vault.snapshot_of(0, b"%d" % number) for _ in range(THREADS)]
            keys = at_once(*(partial(announce, record) for record in records))
            assert len(set(keys)) == 1
            assert [one.blob_key for one in vault.info().snapshots].count(str(keys[0])) == 1
        assert len(vault.info().snapshots) == ROUNDS
