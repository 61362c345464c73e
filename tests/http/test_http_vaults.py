"""The vault as a whole (§7.1, §7.5): what its members see of it, and its erasure for ever."""

import json
from typing import Any

import pytest

from relay.config import Settings
from relay_protocol.chain import genesis
from relay_protocol.encoding import rfc3339
from tests.http.device import Device, Json, uuid_of
from tests.http.world import Vault, World

DAY_SECONDS = 24 * 3600


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _size(changesets: list[Json]) -> int:
    return sum(len(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()) for one in changesets)


def _tag(chain: str) -> dict[str, Any]:
    return {"headers": {"If-Match": f'"{chain}"'}}


# ---------------------------------------------------------------- the relay itself


@pytest.mark.parametrize("path", ["/health", "/config"])
def test_health_and_config_need_no_signature(world: World, path: str) -> None:
    assert world.call(None, "GET", path).status == 200


def test_a_relay_that_is_there_says_ok(world: World) -> None:
    assert world.call(None, "GET", "/health").json == {"status": "ok"}


def test_config_tells_what_is_configured(world: World) -> None:
    world.configure(max_batch=7, vault_creation="closed")
    answer = world.call(None, "GET", "/config").json
    assert (answer["protocol"], answer["limits"]["max_batch"], answer["vault_creation"]) == (1, 7, "closed")
    assert answer["limits"]["rate_limit"] is None
    assert answer["retention"] == {"changeset_days": 30, "snapshots": 3}


def test_a_relay_that_was_told_nothing_has_the_protocols_limits(world: World) -> None:
    world.replace(settings=Settings.from_environment({}))
    assert world.call(None, "GET", "/config").json == {
        "protocol": 1,
        "limits": {
            "max_body_bytes": 4 * 2**20,
            "max_batch": 100,
            "max_page": 500,
            "max_page_bytes": 4 * 2**20,
            "max_snapshot_bytes": 5 * 2**30,
            "max_vault_bytes": 10 * 2**30,
            "max_devices": 64,
            "max_pending_snapshots": 4,
            "clock_skew_seconds": 300,
            "upload_ttl_seconds": 3600,
            "url_ttl_seconds": 900,
            "rate_limit": {"requests": 600, "window_seconds": 60},
        },
        "retention": {"changeset_days": 30, "snapshots": 3},
        "vault_creation": "open",
    }


def test_config_never_tells_the_token(world: World) -> None:
    world.configure(vault_creation="token", vault_token="an operator's secret")
    assert "secret" not in world.call(None, "GET", "/config").text


# ---------------------------------------------------------------- what members see


def test_a_new_vault_is_empty(vault: Vault) -> None:
    beginning = genesis(vault.id).as_json()
    assert vault.info() | {"epoch": ""} == {
        "vault_id": vault.id,
        "epoch": "",
        "created_at": rfc3339(vault.world.relay.now_ms()),
        "head": beginning,
        "floor": beginning,
        "devices": 1,
        "bytes": 0,
        "snapshot": None,
    }


def test_devices_counts_members_alone(vault: Vault) -> None:
    vault.join("second")
    vault.revoke(vault.join("third"))
    assert vault.info()["devices"] == 2


def test_bytes_counts_each_changesets_json_text_once(vault: Vault) -> None:
    pushed = [*vault.fill(range(3)), vault.founder.changeset("é", entity="é😀\u2028", ciphertext='"\\\n\x00')]
    vault.push(pushed[-1])
    vault.push(*pushed)
    assert vault.info()["bytes"] == _size(pushed)


def test_bytes_counts_a_snapshot_from_its_announcement_until_it_goes(vault: Vault) -> None:
    vault.announce(b"pending", size=1_000)
    assert vault.info()["bytes"] == 1_000
    vault.snapshot(b"available")
    assert vault.info()["bytes"] == 1_009
    vault.world.clock.advance(3600)
    assert vault.info()["bytes"] == 9


def test_pruning_gives_bytes_back(vault: Vault) -> None:
    pushed = vault.fill(range(3))
    vault.snapshot(b"blob", covers=2)
    vault.world.clock.advance(31 * DAY_SECONDS)
    vault.world.maintain()
    assert vault.info()["bytes"] == _size(pushed[2:]) + 4


def test_the_vault_shows_its_latest_snapshot_without_download(vault: Vault) -> None:
    snapshot = vault.snapshot(b"blob")
    assert vault.info()["snapshot"] == {name: value for name, value in snapshot.items() if name != "download"}


# ---------------------------------------------------------------- erasure


def test_who_has_seen_the_head_may_erase(vault: Vault) -> None:
    vault.fill(range(3))
    second = vault.join("second")
    assert vault.erase(by=second).status == 204


def test_nothing_is_erased_without_if_match(vault: Vault) -> None:
    assert vault.call("DELETE").outcome == (428, "precondition_required")
    assert vault.info()["devices"] == 1


def test_nobody_erases_what_they_have_not_seen(vault: Vault) -> None:
    seen = vault.head()["chain"]
    vault.fill([1])
    answer = vault.call("DELETE", **_tag(seen))
    assert answer.outcome == (412, "head_moved")
    assert answer.json["head"] == vault.head()


@pytest.mark.parametrize("field", ["*", 'W/"{}"', "{}", '"{}", "{}"', ""])
def test_an_erasure_needs_one_strong_tag(vault: Vault, field: str) -> None:
    headers = {"If-Match": field.replace("{}", vault.head()["chain"])}
    assert vault.call("DELETE", headers=headers).outcome == (400, "malformed_request")
    assert vault.info()["devices"] == 1


def test_an_empty_log_is_erased_by_its_genesis_chain(vault: Vault) -> None:
    assert vault.call("DELETE", **_tag(vault.chain_at(0))).status == 204


def test_a_pruned_log_is_erased_by_its_heads_chain(vault: Vault) -> None:
    vault.fill(range(3))
    vault.snapshot(b"blob", covers=3)
    vault.world.clock.advance(31 * DAY_SECONDS)
    vault.world.maintain()
    assert vault.erase().status == 204


def test_a_stranger_and_a_revoked_device_erase_nothing(vault: Vault) -> None:
    revoked = vault.join("revoked")
    vault.revoke(revoked)
    chain = vault.head()["chain"]
    assert vault.call("DELETE", by=revoked, **_tag(chain)).code == "device_revoked"
    assert vault.call("DELETE", by=vault.world.found().founder, **_tag(chain)).code == "vault_not_found"
    assert vault.info()["devices"] == 1


EVERY_REQUEST = [
    ("GET", "", None),
    ("DELETE", "", None),
    ("GET", "/devices", None),
    ("DELETE", f"/devices/{'A' * 43}", None),
    ("GET", "/changesets", None),
    ("POST", "/changesets", {"not": "valid"}),
    ("GET", "/snapshots", None),
    ("POST", "/snapshots", {"not": "valid"}),
    ("GET", "/snapshots/latest", None),
    ("GET", f"/snapshots/{'A' * 43}", None),
    ("POST", f"/snapshots/{'A' * 43}/complete", None),
]


@pytest.mark.parametrize(("method", "below", "body"), EVERY_REQUEST)
def test_an_erased_vault_is_as_if_it_had_never_been(world: World, method: str, below: str, body: Any) -> None:
    vault = world.found()
    world.found(vault.founder)  # the device is known elsewhere, too
    vault.fill(range(3))
    chain = vault.head()["chain"]
    assert vault.erase().status == 204
    erased = vault.call(method, below, body, **_tag(chain))
    never = world.call(vault.founder, method, f"/vaults/{uuid_of('never')}{below}", body, **_tag(chain))
    assert erased.outcome == (404, "vault_not_found")
    assert erased == never


def test_a_device_of_the_erased_vault_alone_is_unknown(vault: Vault) -> None:
    chain = vault.head()["chain"]
    assert vault.call("DELETE", **_tag(chain)).status == 204
    again = vault.call("DELETE", **_tag(chain))
    assert again.outcome == (401, "unknown_device")
    assert vault.world.call(vault.founder, "GET", f"/devices/{vault.founder.id}").code == "unknown_device"


def test_the_other_vault_of_the_same_devices_stays_as_it_was(vault: Vault) -> None:
    other = vault.world.found(vault.founder)
    second = Device.named("second")
    for each in (vault, other):
        each.register(second, each.endorsement(second))
        each.fill(range(2))
        each.snapshot(b"blob", covers=1)
    before = (other.info(), other.pull().json, other.call("GET", "/devices").json)
    vault.erase()
    vault.world.maintain()
    assert (other.info(), other.pull().json, other.call("GET", "/devices").json) == before
    assert vault.world.download(other.call("GET", "/snapshots/latest").json["snapshot"]) == b"blob"


def test_an_erasure_takes_the_blobs(vault: Vault) -> None:
    vault.snapshot(b"available")
    pending = vault.announce(b"pending")
    vault.world.upload(pending, b"pending")
    vault.erase()
    assert list(vault.world.blobs.keys()) == []


def test_a_blob_that_arrives_after_the_erasure_goes_with_the_next_retention(vault: Vault) -> None:
    pending = vault.announce(b"pending")
    vault.erase()
    assert vault.world.upload(pending, b"pending")
    assert vault.world.maintain().orphaned_blobs == 1
    assert list(vault.world.blobs.keys()) == []


def test_an_erased_vault_is_no_longer_maintained(vault: Vault) -> None:
    vault.erase()
    assert vault.world.maintain().vaults == 0
