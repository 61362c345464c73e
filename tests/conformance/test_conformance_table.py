"""docs/conformance.md maps the protocol's sentences to the kit's checks, and leaves none out."""

from collections import Counter
from pathlib import Path

import pytest

from sync_relay_conformance.registry import Check, all_checks
from tools.conformance.__main__ import document
from tools.conformance.coverage import Covered, coverage, quotes_of_nothing
from tools.conformance.elsewhere import BESIDES, CLIENT, CLIENTS_SECTION, CLIENTS_TESTS, ELSEWHERE
from tools.conformance.sentences import PROTOCOL, Sentence, sentences

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def protocol() -> list[Sentence]:
    return sentences(PROTOCOL.read_text("utf-8"))


@pytest.fixture(scope="module")
def covered(protocol: list[Sentence]) -> list[Covered]:
    return coverage(protocol, all_checks())


def test_the_table_is_what_the_checks_say() -> None:
    assert (ROOT / "docs" / "conformance.md").read_text("utf-8") == document(), "make conformance-table"


def test_no_sentence_is_left_without_check_or_reason(covered: list[Covered]) -> None:
    assert [(one.sentence.section, one.sentence.text) for one in covered if one.is_open] == []


def test_every_must_has_a_check_but_for_the_client_s(covered: list[Covered]) -> None:
    demands = [one for one in covered if "MUST" in one.sentence.text and one.sentence.section != CLIENTS_SECTION]
    unchecked = [one for one in demands if not one.checks]
    assert len(demands) > len(unchecked)
    assert all(one.elsewhere is not None and one.elsewhere.reason == CLIENT for one in unchecked)


def test_checks_quote_what_the_protocol_says(protocol: list[Sentence]) -> None:
    assert list(quotes_of_nothing(protocol, all_checks())) == []


def test_what_is_tested_elsewhere_is_a_sentence_and_its_tests_are_there(protocol: list[Sentence]) -> None:
    for one in (*ELSEWHERE, *BESIDES):
        assert len([s for s in protocol if s.section == one.section and one.begins in s.text]) == 1, one.begins
    named = [one.tests for one in (*ELSEWHERE, *BESIDES) if one.tests] + [tests for _, tests in CLIENTS_TESTS]
    assert [tests for tests in named if not (ROOT / tests).is_file()] == []


@pytest.mark.parametrize(
    "added",
    [
        "A relay MUST sing.",
        "- A relay MUST sing:",
        "| `song` | A relay sings |",
        '    {"song"}',
    ],
)
def test_a_sentence_that_is_added_is_missed(added: str) -> None:
    document = PROTOCOL.read_text("utf-8").replace("## 8. Retention\n", f"## 8. Retention\n\n{added}\n")
    opened = [one for one in coverage(sentences(document), all_checks()) if one.is_open]
    assert [one.sentence.section for one in opened] == ["8"]


def test_each_check_has_a_name_of_its_own_and_quotes_something() -> None:
    checks: list[Check] = all_checks()
    assert [name for name, count in Counter(check.name for check in checks).items() if count > 1] == []
    assert [check.name for check in checks if not check.sentences] == []
