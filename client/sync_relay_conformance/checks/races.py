"""Races: several clients at once, and still one log, one order, each changeset once (§1, §7.6)."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from threading import Barrier
from typing import TypeVar

from sync_relay_conformance.answer import Answer
from sync_relay_conformance.device import Device
from sync_relay_conformance.log_verified import verify_log
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must, must_equal

T = TypeVar("T")

THREADS = 12
ROUNDS = 5
UNAVAILABLE, MOST_TRIES = 503, 10


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make all calls at the same time; return what they gave, in their order."""
    listed = list(calls)
    barrier = Barrier(len(listed))

    def started(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(listed)) as pool:
        return list(pool.map(started, listed))


def persistent(call: Callable[[], Answer]) -> Answer:
    """Make a call, again where it is answered 503, which is safe to retry (§6)."""
    for _ in range(MOST_TRIES):
        answer = call()
        if answer.status != UNAVAILABLE:
            break
    return answer


def answers_at_once(calls: Iterable[Callable[[], Answer]]) -> list[Answer]:
    """Send requests at the same time; return the answers, in their order."""
    return at_once(partial(persistent, call) for call in calls)


def statuses(answers: Iterable[Answer]) -> dict[int, int]:
    """Count the answers by their status."""
    return dict(Counter(answer.status for answer in answers))


@check("1", "The relay gives it in the atomic step that stores the changeset;")
def devices_that_push_at_once_make_one_log(relay: Relay) -> None:
    vault = relay.found()
    devices = [vault.founder, *(vault.join() for _ in range(min(THREADS, relay.limit("max_devices")) - 1))]
    answers = list(chain.from_iterable(at_once(partial(pushes, vault, device) for device in devices)))
    log = vault.log()
    must_equal(vault.head, verify_log(vault.id, log).as_json(), "the head")
    receipts = {one["seq"]: one for answer in answers for one in answer.json["receipts"]}
    must_equal(sorted(receipts), list(range(1, len(log) + 1)), "the receipts' seqs")
    for pulled in log:
        receipt = receipts[pulled["seq"]]
        must_equal((pulled["id"], pulled["chain"]), (receipt["id"], receipt["chain"]), "id and chain of a receipt")
    for answer in answers:
        seqs = [one["seq"] for one in answer.json["receipts"]]
        must_equal(seqs, list(range(seqs[0], seqs[0] + len(seqs))), "a batch's seqs, in one piece")


def pushes(vault: Vault, device: Device) -> list[Answer]:
    """Push some batches, one after the other."""
    size = min(10, vault.relay.limit("max_batch"))
    batches = [[device.changeset() for _ in range(size)] for _ in range(ROUNDS)]
    answers = [persistent(partial(vault.push, *batch, by=device)).must_be(201) for batch in batches]
    for batch, answer in zip(batches, answers, strict=True):
        ids = [one["id"] for one in answer.json["receipts"]]
        must_equal(ids, [one["id"] for one in batch], "the receipts' ids, those that were sent")
    return answers


@check("7.6", "An `id` that is in the log with the same digest is a `duplicate`, and its first receipt comes back.")
def the_same_push_at_once_is_stored_once(relay: Relay) -> None:
    vault = relay.found()
    for _ in range(ROUNDS):
        push = partial(vault.push, vault.founder.changeset())
        answers = answers_at_once([push] * THREADS)
        must_equal(statuses(answers), {200: THREADS - 1, 201: 1}, "the answers")
        seqs = {answer.json["receipts"][0]["seq"] for answer in answers}
        must_equal(len(seqs), 1, "seqs of one changeset")
    must_equal(len(vault.log()), ROUNDS, "changesets in the log")


@check("7.6", "store only if the head still has this chain, else 412.")
def of_pushes_on_one_head_one_is_stored(relay: Relay) -> None:
    vault = relay.found()
    for seq in range(1, ROUNDS + 1):
        tag = f'"{vault.head["chain"]}"'
        rivals = [partial(vault.push, vault.founder.changeset(), if_match=tag) for _ in range(THREADS)]
        must_equal(statuses(answers_at_once(rivals)), {201: 1, 412: THREADS - 1}, "the answers")
        must_equal(vault.head["seq"], seq, "the head's seq")


@check("7.4", "The last member can't be revoked: 409 `last_device`.")
def two_members_who_revoke_each_other_leave_one(relay: Relay) -> None:
    for _ in range(ROUNDS):
        vault = relay.found()
        second = vault.join()
        answers_at_once([partial(vault.revoke, second), partial(vault.revoke, vault.founder, by=second)])
        standing = [vault.ask("GET", by=device).status for device in (vault.founder, second)]
        must(200 in standing, "a member who is left", standing)


@check("5", "**Without `endorsement`** it creates the vault and makes the device its founder.")
def of_devices_that_found_a_vault_at_once_one_does(relay: Relay) -> None:
    relay.needs_new_vaults()
    for _ in range(ROUNDS):
        drawn = relay.keep(Vault.drawn(relay, Device()))
        devices = [Device() for _ in range(4)]
        answers = answers_at_once(partial(drawn.register, device) for device in devices)
        drawn.members[:] = [device for device, answer in zip(devices, answers, strict=True) if answer.status == 201]
        must_equal(statuses(answers), {201: 1, 403: len(devices) - 1}, "the answers")


@check("7.8", "Answers 201, or 200 for one that is already announced:")
def a_blob_that_is_announced_at_once_is_one_snapshot(relay: Relay) -> None:
    vault = relay.found()
    answers = answers_at_once([partial(vault.announce, b"a blob")] * THREADS)
    must_equal(statuses(answers), {200: THREADS - 1, 201: 1}, "the answers")
    must_equal(len(vault.ask("GET", "/snapshots").must_be(200).json["snapshots"]), 1, "snapshots in the list")


@check("7.7", "Changesets with seq > `since`, ascending, contiguous from `since` + 1.")
def a_reader_never_sees_a_gap_while_others_push(relay: Relay) -> None:
    vault = relay.found()

    def write() -> None:
        for _ in range(4 * ROUNDS):
            batch = [vault.founder.changeset() for _ in range(min(2, relay.limit("max_batch")))]
            persistent(partial(vault.push, *batch)).must_be(201)

    def read() -> None:
        seen = 0
        while seen < 4 * ROUNDS:
            page = vault.pull(since=0).must_be(200).json
            seqs = [one["seq"] for one in page["changesets"]]
            must_equal(seqs, list(range(1, len(seqs) + 1)), "the seqs of a page")
            must(page["head"]["seq"] >= seen, "a head that never goes down", page["head"])
            must(
                page["head"]["seq"] % min(2, relay.limit("max_batch")) == 0, "a batch that is seen whole", page["head"]
            )
            seen = page["head"]["seq"]

    at_once([write, read, read])
