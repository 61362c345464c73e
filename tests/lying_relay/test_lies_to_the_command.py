"""What a lying relay does to people and scripts: the command names it, exits so, and goes on once it is honest."""

from dataclasses import replace
from pathlib import Path

import pytest

from sync_relay_client import Retry
from sync_relay_client.cli.failures import EXIT_EPOCH, EXIT_REFUSED, EXIT_TAMPERED, EXIT_UNREACHABLE
from tests.client.cli_world import OPTIONS, CommandLine
from tests.lying_relay.about_http import MIB, chunked, raw
from tests.lying_relay.about_members import another_epoch
from tests.lying_relay.about_receipts import swallowing
from tests.lying_relay.memory import at_most
from tests.lying_relay.relay import (
    PAGE,
    Answer,
    Beside,
    Lying,
    LyingRelay,
    altering,
    altering_json,
    refusal,
)

OTHER = "A" * 43


@pytest.fixture
def laptop(liar: LyingRelay, tmp_path: Path) -> CommandLine:
    """A device that is not lied to."""
    liar.be_honest()
    laptop = CommandLine(tmp_path / "laptop", replace(OPTIONS, transport=Beside(liar)))
    laptop("init", liar.url)
    return laptop


@pytest.fixture
def phone(laptop: CommandLine, tmp_path: Path) -> CommandLine:
    """The device that is."""
    phone = CommandLine(tmp_path / "phone", replace(OPTIONS, retry=Retry(max_attempts=2, first_pause_seconds=0)))
    laptop.invite(phone)
    phone.pulled()
    return phone


def of_changesets(**members: str) -> Lying:
    def alter(page: dict[str, list[dict[str, str]]]) -> None:
        for changeset in page["changesets"]:
            changeset.update(members)

    return altering_json(PAGE, alter)


def drowning(answer: Answer) -> None:
    answer.raw = chunked(b" " * 65536)


def garbling(answer: Answer) -> None:
    raw(b"HTP/9 canary\r\n\r\n")(answer, LyingRelay(""))


def sending_on(answer: Answer) -> None:
    answer.status, answer.headers = 307, [("Location", "http://localhost:1/")]


@pytest.mark.parametrize(
    ("lying", "status", "name"),
    [
        pytest.param(of_changesets(ciphertext=OTHER), EXIT_TAMPERED, "ChainBroken", id="edited"),
        pytest.param(of_changesets(chain=OTHER), EXIT_TAMPERED, "ChainBroken", id="relinked"),
        pytest.param(altering_json(PAGE, another_epoch), EXIT_EPOCH, "EpochChanged", id="epoch"),
        pytest.param(altering(PAGE, sending_on), EXIT_TAMPERED, "AnswerInvalid", id="redirected"),
        pytest.param(altering(PAGE, drowning), EXIT_TAMPERED, "AnswerInvalid", id="endless"),
        pytest.param(altering(PAGE, garbling), EXIT_UNREACHABLE, "RelayUnreachable", id="garbled"),
        pytest.param(
            lambda *_: refusal(403, code="\x1b[2Jcanary", title="canary"), EXIT_REFUSED, "RelayRefused", id="refused"
        ),
    ],
)
def test_a_lie_is_named_nothing_of_it_is_shown_and_the_next_pull_goes_on(
    liar: LyingRelay, laptop: CommandLine, phone: CommandLine, lying: Lying, status: int, name: str
) -> None:
    laptop.push("milk")
    liar.lying = lying
    with at_most(256 * MIB):
        result = phone("pull", exits=status)
    assert name in result.stderr
    assert ("Do not trust this relay" in result.stderr) == (status == EXIT_TAMPERED)
    for secret in ("milk", "canary", "\x1b"):
        assert secret not in result.output
    liar.be_honest()
    assert phone.pulled() == ["milk"]


def test_a_change_that_was_acknowledged_and_forgotten_is_sent_again(
    liar: LyingRelay, laptop: CommandLine, phone: CommandLine
) -> None:
    (status,) = phone.json("status")
    liar.lying = swallowing(status["epoch"], status["head"]["seq"] + 1)
    phone.push("swallowed")
    assert "ReceiptBroken" in phone("sync", exits=EXIT_TAMPERED).stderr
    liar.be_honest()
    phone("sync")
    assert laptop.pulled() == ["swallowed"]


def test_people_can_compare_what_two_devices_hold(laptop: CommandLine, phone: CommandLine) -> None:
    """A fork shows so: at one seq there is one chain."""
    heads = []
    for device in (laptop, phone):
        device("pull")
        (status,) = device.json("status")
        assert status["head"]["chain"] in device("status").stdout
        heads.append(status["head"])
    assert heads[0] == heads[1]
