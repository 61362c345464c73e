"""Rate limits (§9): who is counted with whom, what the header fields say, and that its failure locks no one out."""

import pytest

from relay.ports import Quota, StoreUnavailable, Ticket
from relay_protocol.limits import RateLimit
from tests.http.device import Device, uuid_of
from tests.http.documented import Answer
from tests.http.world import Vault, World

THREE_A_MINUTE = RateLimit(requests=3, window_seconds=60)


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def limited(vault: Vault) -> Vault:
    """A vault in a relay that takes three requests a minute."""
    vault.world.configure(rate_limit=THREE_A_MINUTE)
    return vault


def _get(vault: Vault, address: str = "203.0.113.7") -> Answer:
    return vault.call("GET", address=address)


def _exhaust(vault: Vault, address: str = "203.0.113.7") -> None:
    for _ in range(3):
        assert _get(vault, address).status == 200


# ---------------------------------------------------------------- header fields


def test_the_default_limit_reads_as_the_protocol_says(vault: Vault) -> None:
    vault.world.configure(rate_limit=RateLimit(requests=600, window_seconds=60))
    answer = _get(vault)
    assert answer.headers["ratelimit-policy"] == '"vault";q=600;w=60'
    assert answer.headers["ratelimit"] == '"vault";r=599;t=1'


def test_what_names_no_vault_counts_against_the_address(limited: Vault) -> None:
    for answer in (
        limited.world.call(limited.founder, "GET", f"/devices/{limited.founder.id}"),
        limited.register(limited.founder),
    ):
        assert answer.headers["ratelimit-policy"] == '"address";q=3;w=60'
        assert answer.headers["ratelimit"].startswith('"address";r=')


def test_the_fields_count_down(limited: Vault) -> None:
    fields = [_get(limited).headers["ratelimit"] for _ in range(3)]
    assert fields == ['"vault";r=2;t=20', '"vault";r=1;t=40', '"vault";r=0;t=60']


@pytest.mark.parametrize("path", ["/health", "/config", "/nowhere", "/vaults/NOT-A-UUID"])
def test_what_is_not_counted_carries_no_field(limited: Vault, path: str) -> None:
    for _ in range(5):
        answer = limited.world.call(None, "GET", path)
        assert answer.status in {200, 404}
        assert not {"ratelimit", "ratelimit-policy"} & answer.headers.keys()


def test_a_method_that_is_not_allowed_is_not_counted(limited: Vault) -> None:
    for _ in range(5):
        limited.call("PATCH")
    assert _get(limited).headers["ratelimit"] == '"vault";r=2;t=20'


def test_a_body_too_large_is_not_counted(limited: Vault) -> None:
    limited.world.configure(max_body_bytes=10)
    for _ in range(5):
        assert limited.call("POST", "/changesets", b"x" * 11).status == 413
    assert _get(limited).headers["ratelimit"] == '"vault";r=2;t=20'


def test_an_unsigned_request_is_counted(limited: Vault) -> None:
    assert limited.world.call(None, "GET", limited.path).headers["ratelimit"] == '"vault";r=2;t=20'


def test_a_limiter_that_is_off_carries_no_field_and_refuses_no_one(vault: Vault) -> None:
    answers = [_get(vault) for _ in range(700)]
    assert {answer.status for answer in answers} == {200}
    assert not {"ratelimit", "ratelimit-policy"} & answers[-1].headers.keys()


# ---------------------------------------------------------------- GCRA


def test_the_whole_quota_may_come_at_once_and_not_one_more(limited: Vault) -> None:
    _exhaust(limited)
    refused = _get(limited)
    assert refused.outcome == (429, "rate_limited")
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["ratelimit"] == '"vault";r=0;t=60'


def test_who_waits_as_told_is_served(limited: Vault) -> None:
    _exhaust(limited)
    limited.world.clock.advance(int(_get(limited).headers["retry-after"]))
    assert _get(limited).status == 200
    assert _get(limited).status == 429


def test_who_comes_a_moment_early_is_not(limited: Vault) -> None:
    _exhaust(limited)
    limited.world.clock.advance(19.9)
    refused = _get(limited)
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")


def test_refused_requests_do_not_prolong_the_wait(limited: Vault) -> None:
    _exhaust(limited)
    for _ in range(100):
        assert _get(limited).status == 429
    limited.world.clock.advance(20)
    assert _get(limited).status == 200


def test_the_quota_is_whole_again_after_its_window(limited: Vault) -> None:
    _exhaust(limited)
    limited.world.clock.advance(60)
    _exhaust(limited)


def test_a_clock_set_back_locks_no_one_out_for_longer_than_the_window(limited: Vault) -> None:
    _exhaust(limited)
    limited.world.clock.advance(-3600)
    assert _get(limited).headers["ratelimit"] == '"vault";r=0;t=60'
    limited.world.clock.advance(60)
    _exhaust(limited)


# ---------------------------------------------------------------- who is counted with whom


def test_each_vault_has_its_own_quota(limited: Vault) -> None:
    limited.world.configure(rate_limit=None)
    other = limited.world.found(limited.founder)
    limited.world.configure(rate_limit=THREE_A_MINUTE)
    _exhaust(limited)
    assert _get(other).status == 200


def test_a_vault_that_does_not_exist_has_one_too(limited: Vault) -> None:
    path = f"/vaults/{uuid_of('nowhere')}"
    statuses = [limited.world.call(limited.founder, "GET", path).status for _ in range(4)]
    assert statuses == [404, 404, 404, 429]


def test_the_address_quota_is_apart_from_the_vaults(limited: Vault) -> None:
    _exhaust(limited)
    assert limited.register(limited.founder).status == 200


@pytest.mark.parametrize("address", ["203.0.113.8", "2001:db8::1", "not an address"])
def test_each_address_has_its_own_quota(limited: Vault, address: str) -> None:
    _exhaust(limited)
    assert _get(limited, address).status == 200


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002::0001"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_addresses_of_one_client_share_a_quota(limited: Vault, first: str, second: str) -> None:
    _exhaust(limited, first)
    assert _get(limited, second).status == 429


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8:1:2::1", "2001:db8:1:3::1"), ("::ffff:203.0.113.7", "::ffff:203.0.113.8")],
)
def test_addresses_of_two_clients_do_not(limited: Vault, first: str, second: str) -> None:
    _exhaust(limited, first)
    assert _get(limited, second).status == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"])
def test_a_header_that_anyone_can_send_changes_nothing(limited: Vault, name: str) -> None:
    _exhaust(limited)
    value = "for=198.51.100.1" if name == "Forwarded" else "198.51.100.1"
    assert limited.call("GET", headers={name: value}).status == 429


def test_devices_behind_one_address_share_a_vaults_quota(limited: Vault) -> None:
    _exhaust(limited)
    assert limited.call("GET", by=Device.named("another")).status == 429


# ---------------------------------------------------------------- failure and secrecy


class _DownLimiter:
    def take(self, *_: object) -> Ticket:
        raise StoreUnavailable("table is gone")

    def forget(self, now_us: int) -> None:  # noqa: ARG002 -- the port's
        raise StoreUnavailable("table is gone")


def test_a_limiter_that_is_down_lets_requests_pass_and_they_are_counted(limited: Vault) -> None:
    limited.world.replace(limiter=_DownLimiter())
    for _ in range(5):
        assert _get(limited).status == 200
    told = limited.world.telemetry.of("limiter_failed")
    assert [reason for _, reason in told] == ["table is gone"] * 5


def test_the_fields_are_there_even_if_the_limiter_is_down(limited: Vault) -> None:
    limited.world.replace(limiter=_DownLimiter())
    assert _get(limited).headers["ratelimit"] == '"vault";r=3;t=0'


class _RecordingLimiter:
    def __init__(self) -> None:
        self.keys: list[bytes] = []

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: object) -> Ticket:  # noqa: ARG002 -- the port's
        self.keys.append(key)
        return quota.take(None, now_us)[0]

    def forget(self, now_us: int) -> None:
        raise NotImplementedError


def test_the_limiter_sees_keyed_hashes_and_no_address(limited: Vault) -> None:
    limiter = _RecordingLimiter()
    limited.world.replace(limiter=limiter)
    _get(limited)
    limited.world.replace(address_key=b"another key".ljust(32))
    _get(limited)
    first, second = limiter.keys
    assert first != second, "who has not the relay's key cannot find out an address by trying all"
    assert len(first) == 32


def test_keys_whose_quota_is_whole_are_forgotten(limited: Vault, world: World) -> None:
    _exhaust(limited)
    world.clock.advance(3600)
    world.maintain()
    assert _get(limited).headers["ratelimit"] == '"vault";r=2;t=20'


def test_retention_lets_no_one_have_more(limited: Vault, world: World) -> None:
    _exhaust(limited)
    world.maintain()
    assert _get(limited).status == 429
