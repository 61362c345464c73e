"""Every method of the log as a test can call it, with what holds once it is done: for the enumeration of faults.

A vault is prepared with two members, three changesets, a snapshot of two, and one that is announced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from relay.ports import AnnouncePlan, AppendPlan, Log, LogState, PairingPlan, PairingState, Receipt, Revocation
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, member, new_records, seqs_in, text_of, uuid


def prepare(log: Log, vault_id: str) -> TestedVault:
    vault = TestedVault(log, vault_id).found()
    vault.join("second")
    vault.push(1, 2)
    vault.push(3)
    vault.complete(2, b"covers two")
    vault.announce(0, b"pending")
    return vault


def pushed(vault: TestedVault, *numbers: int) -> list[Receipt]:
    """Push as the core does: what is known is not stored again."""

    def plan(state: LogState) -> AppendPlan[list[Receipt]]:
        fresh = {uuid(number): text_of(uuid(number)) for number in numbers if uuid(number) not in state.known}
        records = new_records(state.head, fresh, NOW_MS)
        receipts = {**state.known, **{record.receipt.id: record.receipt for record in records}}
        return AppendPlan([receipts[uuid(number)] for number in numbers], records)

    vault.log.find_signer(FOUNDER, vault.vault_id)
    receipts = vault.log.append(vault.vault_id, FOUNDER, [uuid(number) for number in numbers], NOW_MS, plan)
    assert receipts is not None
    return receipts


def joined(vault: TestedVault) -> str:
    def plan(state: PairingState) -> PairingPlan[str]:
        return PairingPlan("member", None if state.device else member("third"))

    return vault.log.register(vault.vault_id, "third", FOUNDER, NOW_MS, plan)


def beside(vault: TestedVault) -> str:
    """Return the id of another vault, that this one's log does not hold yet."""
    return "1" + vault.vault_id[1:]


def founded(vault: TestedVault, device_id: str = FOUNDER) -> str:
    """Found the other vault."""

    def plan(state: PairingState) -> PairingPlan[str]:
        if state.vault == "absent":
            return PairingPlan("founder", member(device_id), new_epoch=uuid(9))
        return PairingPlan("founder")

    return vault.log.register(beside(vault), device_id, None, NOW_MS, plan)


def members_beside(vault: TestedVault) -> int:
    info = vault.log.vault(beside(vault), NOW_MS)
    return info.members if info else 0


def announced(vault: TestedVault) -> object:
    record = vault.snapshot_of(3, b"new")

    def plan(state: Any) -> AnnouncePlan[str]:
        return AnnouncePlan("announced", None if state.existing else record)

    return vault.log.announce(vault.vault_id, record.sha256, 3, NOW_MS, plan)


def completed(vault: TestedVault) -> object:
    (pending,) = [one for one in vault.info().snapshots if one.sha256 == vault.snapshot_of(0, b"pending").sha256]
    return vault.log.complete(vault.vault_id, pending.blob_key, NOW_MS) is not None


def erased(vault: TestedVault) -> object:
    info = vault.log.vault(vault.vault_id, NOW_MS)
    return vault.log.erase(vault.vault_id, info.head.chain if info else b"")


def swept(vault: TestedVault, max_rows: int = 1000) -> None:
    while vault.log.sweep(max_rows):
        pass


def nothing(_: TestedVault) -> None:
    """Leave the vault as it is."""


@dataclass(frozen=True)
class Case:
    """A method, what holds once it is done, and what is done before. `is_read`: it changes nothing."""

    method: Callable[[TestedVault], object]
    holds: Callable[[TestedVault], bool] = lambda _: True
    prepare: Callable[[TestedVault], object] = nothing
    is_read: bool = False


METHODS: dict[str, Case] = {
    "push": Case(
        lambda vault: [receipt.seq for receipt in pushed(vault, 4)],
        lambda vault: seqs_in(vault.page()) == [1, 2, 3, 4],
    ),
    "push a batch": Case(
        lambda vault: [receipt.seq for receipt in pushed(vault, 3, 4, 5)],
        lambda vault: seqs_in(vault.page()) == [1, 2, 3, 4, 5],
    ),
    "page": Case(lambda vault: seqs_in(vault.page()), lambda vault: seqs_in(vault.page()) == [1, 2, 3], is_read=True),
    "register": Case(joined, lambda vault: vault.info().members == 3),
    "register a founder": Case(founded, lambda vault: members_beside(vault) == 1),
    "revoke": Case(
        lambda vault: vault.log.revoke(vault.vault_id, "second", NOW_MS),
        lambda vault: vault.log.revoke(vault.vault_id, FOUNDER, NOW_MS) is Revocation.LAST_MEMBER,
    ),
    "roster": Case(
        lambda vault: vault.log.roster(vault.vault_id), lambda vault: vault.info().members == 2, is_read=True
    ),
    "companion": Case(lambda vault: vault.log.companion(FOUNDER, "second") is not None, is_read=True),
    "announce": Case(announced, lambda vault: vault.announce_state(0).pending == 2),
    "complete": Case(completed, lambda vault: vault.announce_state(0).pending == 0 and vault.info().head.seq == 3),
    "drop": Case(
        lambda vault: vault.log.drop_snapshots(
            vault.vault_id, [one.blob_key for one in vault.info().snapshots], NOW_MS
        ),
        lambda vault: vault.info().snapshots == [] and vault.state().stored_bytes == vault.info().changeset_bytes,
    ),
    "prune": Case(
        lambda vault: vault.log.prune(vault.vault_id, NOW_MS + 1, 10),
        lambda vault: seqs_in(vault.page(2)) == [3] and vault.info().changeset_bytes == len(text_of(uuid(3))),
    ),
    "erase": Case(erased, lambda vault: vault.log.page(vault.vault_id, 0, 10, 10) is None),
    "vault_ids": Case(lambda vault: vault.vault_id in vault.log.vault_ids("", 10**6), is_read=True),
    "find_signer": Case(lambda vault: vault.log.find_signer("second", vault.vault_id), is_read=True),
    "find_signer of another vault": Case(
        lambda vault: vault.log.find_signer("stranger", vault.vault_id),
        prepare=lambda vault: founded(vault, "stranger"),
        is_read=True,
    ),
    "ping": Case(lambda vault: vault.log.ping(), is_read=True),
    "vault": Case(lambda vault: vault.log.vault(vault.vault_id, NOW_MS), is_read=True),
    "snapshot": Case(
        lambda vault: vault.log.snapshot(vault.vault_id, sha256(b"pending").digest(), NOW_MS), is_read=True
    ),
    "renew_epochs": Case(lambda vault: vault.log.renew_epochs(lambda: uuid(7)), is_read=True),
    "sweep": Case(swept, lambda vault: vault.log.page(vault.vault_id, 0, 10, 10) is None, prepare=erased),
    "sweep in parts": Case(
        lambda vault: swept(vault, 6), lambda vault: vault.log.page(vault.vault_id, 0, 10, 10) is None, prepare=erased
    ),
}
