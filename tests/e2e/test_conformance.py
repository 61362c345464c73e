"""The conformance kit finds nothing wrong with our relay: embedded, with everything visible, and as it is deployed."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync_relay_conformance.registry import all_checks
from tests.e2e.conformance_run import conformance
from tests.e2e.relays import BuiltRelays
from tools.embedded import EmbeddedRelay

EMBEDDED = pytest.mark.not_as_built("the functions as built have a test of their own, below")
TOKEN = "an operator's token"
QUIET = {"RELAY_LOG_LEVEL": "ERROR"}
"""A line for each of some thousand requests says nothing here."""
QUICK = {
    "RELAY_CHANGESET_DAYS": "0",
    "RELAY_MAINTAIN_INTERVAL_SECONDS": "1",
    "RELAY_UPLOAD_TTL_SECONDS": "3",
    "RELAY_URL_TTL_SECONDS": "2",
    "RELAY_CLOCK_SKEW_SECONDS": "30",
}
"""What is over while one looks: pruning, announcements, URLs."""
SMALL = {
    "RELAY_MAX_BATCH": "7",
    "RELAY_MAX_PAGE": "20",
    "RELAY_MAX_BODY_BYTES": "300000",
    "RELAY_MAX_PAGE_BYTES": "200000",
    "RELAY_MAX_SNAPSHOT_BYTES": "500000",
    "RELAY_MAX_VAULT_BYTES": "1200000",
    "RELAY_MAX_DEVICES": "5",
    "RELAY_MAX_PENDING_SNAPSHOTS": "4",
    "RELAY_RATE_LIMIT": "200/10",
}
"""No limit is the default."""
LEAST = {
    **dict.fromkeys(("RELAY_MAX_BATCH", "RELAY_MAX_PAGE", "RELAY_MAX_DEVICES", "RELAY_MAX_PENDING_SNAPSHOTS"), "1"),
    "RELAY_MAX_BODY_BYTES": "5000",
    "RELAY_MAX_PAGE_BYTES": "3000",
    "RELAY_MAX_SNAPSHOT_BYTES": "2000",
    "RELAY_MAX_VAULT_BYTES": "20000",
    "RELAY_KEEP_SNAPSHOTS": "1",
    "RELAY_RATE_LIMIT": "off",
}
BY_DEFAULT = {
    "vault_creation is open",
    "upload_ttl_seconds is 3600, too long to wait for",
    "url_ttl_seconds is 900, too long to wait for",
    "retention.changeset_days is 30",
}

ON_AWS = {
    "the store serves its URLs itself",
    "rate_limit is null",
    "a quota of 600 in 60 s comes back faster than it is used up here",
}


@EMBEDDED
def test_the_embedded_relay_conforms(tmp_path: Path) -> None:
    with EmbeddedRelay(tmp_path / "relay", **QUIET) as relay:
        found = conformance(relay.url, tmp_path)
    assert (found.failed, found.status) == ([], 0)
    assert found.not_applicable == BY_DEFAULT
    assert len(found.checks) == len(all_checks())


@EMBEDDED
def test_a_relay_with_other_limits_behind_a_base_path_conforms_and_shows_what_others_do_not(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/a/base"
    variables = {"RELAY_PORT": str(port), "RELAY_PUBLIC_URL": url}
    token = {"RELAY_VAULT_CREATION": "token", "RELAY_VAULT_TOKEN": TOKEN}
    with EmbeddedRelay(tmp_path / "relay", **QUIET, **variables, **token, **QUICK, **SMALL):
        found = conformance(url, tmp_path, "--vault-token", TOKEN)
    assert (found.failed, found.status) == ([], 0)
    assert found.not_applicable == {
        "max_batch is 7: 4999 changesets are too many pushes",
        "retention.changeset_days is 0",
        "there is no answer to the Host relay.example: 401 signature_invalid",
        "there is no answer to the Host 127.0.0.1: 401 signature_invalid",
    }


@EMBEDDED
def test_a_relay_that_allows_next_to_nothing_is_not_blamed_for_it(tmp_path: Path) -> None:
    with EmbeddedRelay(tmp_path / "relay", **QUIET, **LEAST) as relay:
        found = conformance(relay.url, tmp_path)
    assert (found.failed, found.status) == ([], 0)
    assert {"max_devices is 1", "max_batch is 1", "max_page is 1", "rate_limit is null"} < found.not_applicable


@pytest.mark.as_built
def test_the_functions_as_built_conform(built_relays: BuiltRelays, tmp_path: Path) -> None:
    """Without a rate limit: to use it up takes longer here than all the rest. The next test has one that is used up."""
    with ExitStack() as stack:
        relay = built_relays.start(stack, tmp_path / "relay", QUIET | {"RELAY_RATE_LIMIT": "off"})
        found = conformance(relay.url, tmp_path)
    assert (found.failed, found.status) == ([], 0)
    assert found.not_applicable <= BY_DEFAULT | ON_AWS


@pytest.mark.as_built
def test_the_functions_as_built_count_requests(built_relays: BuiltRelays, tmp_path: Path) -> None:
    """A quota that comes back slowly, and is soon used up: all that section 9 says is seen."""
    with ExitStack() as stack:
        relay = built_relays.start(stack, tmp_path / "relay", QUIET | {"RELAY_RATE_LIMIT": "30/30"})
        found = conformance(relay.url, tmp_path, "--only", "9 *")
    assert (found.failed, found.status) == ([], 0)
    assert len(found.checks) > 5
    assert found.not_applicable == set()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
