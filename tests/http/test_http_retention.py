"""Retention (§8) end to end: what goes, when, and never before a snapshot holds it; and new epochs after a restore."""

import pytest

from relay_protocol.limits import Retention
from tests.http.world import Vault, World

DAY_SECONDS = 24 * 3600


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def vault(world: World) -> Vault:
    """A vault whose log has five changesets."""
    vault = world.found()
    vault.fill(range(5))
    return vault


def _floor(vault: Vault) -> int:
    return int(vault.info()["floor"]["seq"])


def _blob_count(vault: Vault) -> int:
    return len(list(vault.world.blobs.keys()))


# ---------------------------------------------------------------- changesets


def test_what_no_snapshot_holds_stays_for_ever(vault: Vault) -> None:
    vault.world.clock.advance(10_000 * DAY_SECONDS)
    assert vault.world.maintain().pruned_changesets == 0
    assert vault.pull().json["cursor"] == 5


def test_a_pending_snapshot_holds_nothing(vault: Vault) -> None:
    vault.world.configure(upload_ttl_seconds=400 * DAY_SECONDS)
    vault.world.clock.advance(31 * DAY_SECONDS)
    vault.world.upload(vault.announce(b"blob", covers=5), b"blob")
    vault.world.maintain()
    assert _floor(vault) == 0


@pytest.mark.parametrize("covers", [0, 1, 4, 5])
def test_pruning_never_passes_what_is_covered(vault: Vault, covers: int) -> None:
    vault.snapshot(b"blob", covers)
    vault.world.clock.advance(31 * DAY_SECONDS)
    assert vault.world.maintain().pruned_changesets == covers
    assert _floor(vault) == covers
    assert [one["seq"] for one in vault.pull(since=covers).json["changesets"]] == list(range(covers + 1, 6))


def test_changesets_stay_for_changeset_days(vault: Vault) -> None:
    vault.snapshot(b"blob", covers=5)
    vault.world.clock.advance(30 * DAY_SECONDS)
    vault.world.maintain()
    assert _floor(vault) == 0, "thirty days old is not older than thirty days"
    vault.world.clock.advance(0.001)
    vault.world.maintain()
    assert _floor(vault) == 5


def test_each_changeset_goes_when_its_own_time_has_come(vault: Vault) -> None:
    vault.world.clock.advance(10 * DAY_SECONDS)
    vault.push(vault.founder.changeset("later"))
    vault.snapshot(b"blob", covers=6)
    vault.world.clock.advance(21 * DAY_SECONDS)
    vault.world.maintain()
    assert _floor(vault) == 5


def test_zero_days_prune_whatever_is_covered(vault: Vault) -> None:
    vault.world.configure(retention=Retention(changeset_days=0))
    vault.snapshot(b"blob", covers=3)
    vault.world.clock.advance(1)
    vault.world.maintain()
    assert _floor(vault) == 3


def test_head_and_seq_stay_where_they_are(vault: Vault) -> None:
    before = vault.head()
    vault.snapshot(b"blob", covers=5)
    vault.world.clock.advance(31 * DAY_SECONDS)
    vault.world.maintain()
    assert vault.head() == before == vault.info()["floor"]


def test_a_long_log_is_pruned_whole(vault: Vault) -> None:
    vault.world.configure(max_batch=2_500)
    vault.push(*(vault.founder.changeset(f"more {number}") for number in range(2_500)))
    vault.snapshot(b"blob", covers=2_501)
    vault.world.clock.advance(31 * DAY_SECONDS)
    assert vault.world.maintain().pruned_changesets == 2_501
    assert _floor(vault) == 2_501


def test_a_second_run_has_nothing_to_do(vault: Vault) -> None:
    for number in range(5):
        vault.snapshot(b"blob %d" % number, covers=number)
    vault.world.clock.advance(31 * DAY_SECONDS)
    vault.world.maintain()
    before = (vault.info(), vault.call("GET", "/snapshots").json)
    again = vault.world.maintain()
    assert (again.pruned_changesets, again.dropped_snapshots, again.orphaned_blobs) == (0, 0, 0)
    assert (vault.info(), vault.call("GET", "/snapshots").json) == before


# ---------------------------------------------------------------- snapshots


def _make(vault: Vault, *covers: int) -> None:
    for number, seq in enumerate(covers):
        vault.snapshot(b"snapshot %d" % number, covers=seq)
        vault.world.clock.advance(1)


def _kept(vault: Vault) -> list[int]:
    return [one["covers"]["seq"] for one in vault.call("GET", "/snapshots").json["snapshots"]]


def test_the_newest_three_stay_and_the_rest_go_blob_and_all(vault: Vault) -> None:
    _make(vault, 1, 2, 3, 4, 5)
    assert vault.world.maintain().dropped_snapshots == 2
    assert _kept(vault) == [5, 4, 3]
    assert _blob_count(vault) == 3


def test_the_one_that_covers_most_stays_however_old_it_is(vault: Vault) -> None:
    _make(vault, 5, 1, 2, 3, 4)
    vault.world.maintain()
    assert _kept(vault) == [4, 3, 2, 5]
    assert vault.world.download(vault.call("GET", "/snapshots/latest").json["snapshot"]) == b"snapshot 0"


def test_an_operator_may_keep_but_one(vault: Vault) -> None:
    vault.world.configure(retention=Retention(snapshots=1))
    _make(vault, 1, 5, 3)
    vault.world.maintain()
    assert _kept(vault) == [3, 5]


def test_pending_snapshots_take_no_place_among_the_newest(vault: Vault) -> None:
    _make(vault, 1, 2, 3)
    vault.announce(b"pending", covers=5)
    assert vault.world.maintain().dropped_snapshots == 0
    assert len(_kept(vault)) == 4


def test_an_upload_that_was_never_completed_is_reaped_blob_and_all(vault: Vault) -> None:
    vault.world.upload(vault.announce(b"blob"), b"blob")
    vault.world.clock.advance(3600)
    vault.world.maintain()
    assert _blob_count(vault) == 0
    assert vault.complete(b"blob").code == "snapshot_not_found"


def test_an_upload_that_may_still_be_completed_stays(vault: Vault) -> None:
    vault.world.upload(vault.announce(b"blob"), b"blob")
    vault.world.clock.advance(3599)
    vault.world.maintain()
    assert vault.complete(b"blob").status == 200


def test_a_snapshot_that_was_completed_never_expires(vault: Vault) -> None:
    vault.snapshot(b"blob", covers=5)
    vault.world.clock.advance(365 * DAY_SECONDS)
    vault.world.maintain()
    assert vault.world.download(vault.call("GET", "/snapshots/latest").json["snapshot"]) == b"blob"


def test_a_dropped_snapshots_blob_may_be_announced_anew(vault: Vault) -> None:
    _make(vault, 1, 2, 3, 4)
    vault.world.maintain()
    assert vault.announce(b"snapshot 0", covers=5).status == 201


def test_refused_snapshots_change_nothing(vault: Vault) -> None:
    vault.world.clock.advance(31 * DAY_SECONDS)
    chain = vault.chain_at(2)
    for covers in ({"seq": 5, "chain": chain}, {"seq": 9, "chain": chain}):
        assert vault.announce(b"blob", covers=covers).status in {409, 422}
    vault.world.maintain()
    assert _floor(vault) == 0


def test_a_blob_that_no_record_names_goes(vault: Vault) -> None:
    _make(vault, 1)
    vault.world.blobs._blobs[f"{vault.id}/stray"] = b"left by a crash"
    assert vault.world.maintain().orphaned_blobs == 1
    assert _blob_count(vault) == 1


# ---------------------------------------------------------------- vaults


def test_every_vault_is_maintained_and_none_for_another(world: World) -> None:
    vaults = [world.found() for _ in range(3)]
    for vault in vaults:
        vault.fill(range(2))
    vaults[1].snapshot(b"blob", covers=2)
    world.clock.advance(31 * DAY_SECONDS)
    assert world.maintain().vaults == 3
    assert [_floor(vault) for vault in vaults] == [0, 2, 0]


def test_after_a_restore_every_answer_carries_a_new_epoch(vault: Vault) -> None:
    other = vault.world.found()
    old = {vault.info()["epoch"], other.info()["epoch"]}
    assert vault.world.relay.log.renew_epochs(vault.world.relay.ids.uuid) == 2
    new = {vault.info()["epoch"], other.info()["epoch"]}
    assert len(old | new) == 4
    answers = [
        vault.pull(),
        vault.push(vault.founder.changeset(0)),
        vault.call("GET", "/devices"),
        vault.announce(b"blob"),
        vault.call("GET", "/snapshots"),
        vault.register(vault.founder),
    ]
    assert {answer.json["epoch"] for answer in answers} == {vault.info()["epoch"]}


def test_a_new_epoch_changes_nothing_else(vault: Vault) -> None:
    before = vault.info(), vault.pull().json["changesets"]
    vault.world.relay.log.renew_epochs(vault.world.relay.ids.uuid)
    after = vault.info(), vault.pull().json["changesets"]
    assert (before[0] | {"epoch": ""}, before[1]) == (after[0] | {"epoch": ""}, after[1])
