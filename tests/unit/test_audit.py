"""The audit of what is delivered: licences that may be there alone, and no advisory that was not asked for."""

import pytest

from tools.audit.advisories import judge
from tools.audit.licences import is_allowed
from tools.audit.locks import DELIVERED, all_locks, read_lock


@pytest.mark.parametrize("lock", all_locks())
def test_every_line_of_a_lock_is_a_package_with_hashes(lock: str) -> None:
    assert all(package.hashes for package in read_lock(lock))


def test_what_is_delivered_is_what_is_tested() -> None:
    tested = {(package.name, package.version) for package in read_lock("dev")}
    for lock in set(DELIVERED.values()) - {"layer"}:  # whose architecture is another: tests/infra has it
        assert {(package.name, package.version) for package in read_lock(lock)} <= tested


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR AGPL-3.0-only)", False),
        ("GPL-3.0-only", False),
        ("Proprietary", False),
    ],
)
def test_a_licence_has_to_leave_an_allowed_choice(expression: str, allowed: bool) -> None:  # noqa: FBT001 -- a case
    assert is_allowed(expression) is allowed


@pytest.mark.parametrize("expression", ["", "MIT Apache-2.0", "(MIT", "MIT)", "MIT AND"])
def test_what_is_no_expression_is_no_licence(expression: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        is_allowed(expression)


def test_a_package_that_was_not_asked_about_is_told() -> None:
    """No answer is not a good one: a service that can't be reached would pass everything."""
    skipped = {"name": "one", "skip_reason": "not found"}
    answered = {"name": "Two", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    found, unasked = judge([skipped, answered], {"one", "two"})
    assert (len(found), unasked) == (1, {"one"})
    assert judge([], {"one"}) == ([], {"one"})
