"""Every row of the error table (§6), once: its status, its code, its members and header fields, and nothing more."""

import pytest

from relay_protocol.errors import all_errors
from tests.http.error_rows import ROWS
from tests.http.world import Vault

COMMON = {"type", "title", "status", "code"}


def test_every_error_has_a_row() -> None:
    assert ROWS.keys() == {kind.code for kind in all_errors()}


@pytest.mark.parametrize("code", ROWS)
def test_an_error_has_its_status_and_its_members(vault: Vault, code: str) -> None:
    status, members, make = ROWS[code]
    answer = make(vault)
    assert answer.outcome == (status, code)
    assert answer.json.keys() == COMMON | members
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/health", "GET"),
        ("/devices", "POST"),
        (f"/devices/{'A' * 43}", "GET"),
        ("/vaults/{}", "GET, DELETE"),
        ("/vaults/{}/devices", "GET"),
        (f"/vaults/{{}}/devices/{'A' * 43}", "DELETE"),
        ("/vaults/{}/changesets", "GET, POST"),
        ("/vaults/{}/snapshots", "GET, POST"),
        ("/vaults/{}/snapshots/latest", "GET"),
        (f"/vaults/{{}}/snapshots/{'A' * 43}", "GET"),
        (f"/vaults/{{}}/snapshots/{'A' * 43}/complete", "POST"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS", "get", "TRACE", ""])
def test_a_method_that_is_not_allowed_is_told_which_are(vault: Vault, path: str, allow: str, method: str) -> None:
    answer = vault.world.call(None, method, path.format(vault.id))
    assert answer.outcome == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("code", ["rate_limited", "unavailable"])
def test_who_should_come_again_is_told_when(vault: Vault, code: str) -> None:
    assert int(ROWS[code][2](vault).headers["retry-after"]) > 0
