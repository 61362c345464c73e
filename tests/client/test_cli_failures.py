"""How a command fails: an exit status for each kind of error, one line that names it, and nothing changed."""

import itertools
import json
import re
from pathlib import Path

import httpx
import pytest

from sync_relay_client import errors
from sync_relay_client.cli.failures import advice, exit_status
from tests.client.cli_world import CommandLine, line
from tools.embedded import EmbeddedRelay

OTHER = "A" * 43


def leaves(kind: type[errors.SyncRelayError]) -> list[type[errors.SyncRelayError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in leaves(sub))]


def made(kind: type[errors.SyncRelayError]) -> errors.SyncRelayError:
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("root", "status"),
    [
        (errors.RelayUnreachable, 3),
        (errors.RelayRefused, 4),
        (errors.AnswerInvalid, 5),
        (errors.HistoryInvalid, 5),
        (errors.ChangesetInvalid, 5),
        (errors.SnapshotInvalid, 5),
        (errors.EpochChanged, 6),
        (errors.ProfileError, 7),
        (errors.InvitationInvalid, 1),
        (errors.RecoveryWordsInvalid, 1),
        (errors.NotCaughtUp, 1),
        (errors.ChangeTooLarge, 1),
    ],
)
def test_scripts_tell_kinds_of_errors_apart(root: type[errors.SyncRelayError], status: int) -> None:
    assert {exit_status(made(kind)) for kind in leaves(root)} == {status}


def test_a_restored_relay_stops_every_device_until_it_is_asked(tmp_path: Path) -> None:
    laptop = CommandLine(tmp_path / "laptop")
    with EmbeddedRelay(tmp_path / "data") as relay:
        laptop("init", relay.url)
        laptop.push("milk")
        relay.new_epoch()
        for command in (["pull"], ["push", "-"], ["verify"], ["devices"]):
            assert "accept-epoch" in laptop(*command, typed=line(payload="bread"), exits=6).stderr
        laptop("accept-epoch", typed="y\n", exits=2)
        laptop("pull", exits=6)
        assert laptop.json("accept-epoch", "--yes")[0]["lost_changesets"] == 0
        assert [change["payload"] for change in laptop.json("sync")] == ["milk", "bread"]


def test_where_no_relay_is_it_is_said_to_be_unreachable(tmp_path: Path) -> None:
    laptop = CommandLine(tmp_path / "laptop")
    with EmbeddedRelay(tmp_path / "data") as relay:
        laptop("init", relay.url)
    for command in ("pull", "verify", "devices", "sync"):
        laptop(command, exits=3)


def test_without_a_profile_one_hears_how_to_begin(tmp_path: Path) -> None:
    nobody = CommandLine(tmp_path / "nobody")
    for command in ("pull", "push", "status", "export", "devices", "verify", "sheet"):
        assert "sync-relay init" in nobody(command, exits=7).stderr
    assert not nobody.folder.exists()


def test_a_profile_that_asked_to_be_invited_is_in_no_vault_yet(tmp_path: Path) -> None:
    newcomer = CommandLine(tmp_path / "newcomer")
    newcomer("request")
    assert "sync-relay join" in newcomer("pull", exits=7).stderr


@pytest.mark.parametrize("name", ["profile.key", "state.sqlite3"])
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_profile_that_others_can_read_is_refused(laptop: CommandLine, name: str, mode: int) -> None:
    laptop.push("milk")
    (laptop.folder / name).chmod(mode)
    for command in (["pull"], ["push"], ["status"], ["export"], ["request"]):
        result = laptop(*command, exits=7)
        assert "ProfileUnsafe" in result.stderr
        assert result.stdout == ""
    (laptop.folder / name).chmod(0o600)
    assert laptop.pulled() == ["milk"]


def test_a_profile_that_is_no_database_is_refused(laptop: CommandLine) -> None:
    for path in laptop.folder.glob("state.sqlite3*"):
        path.write_bytes(b"canary" * 1000)
    result = laptop("pull", exits=7)
    assert "canary" not in result.output


def test_what_a_relay_says_is_shown_and_does_nothing_else(laptop: CommandLine) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"type": "about:blank", "title": "", "status": 400, "code": "\x1b[2J\nx"})

    result = laptop.through(httpx.MockTransport(refuse))("pull", exits=4)
    assert "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_scripts_are_told_of_a_failure_as_of_an_error(laptop: CommandLine, tmp_path: Path) -> None:
    """No line of text among lines of JSON, be it the command that refuses or the system."""
    refused = json.loads(laptop("--json", "push", "-", typed="no JSON", exits=1).stderr)
    assert refused == {
        "error": "Failure",
        "message": "Line 1: not JSON. Nothing was recorded.",
        "advice": None,
        "exit_status": 1,
    }
    (tmp_path / "file").touch()
    elsewhere = CommandLine(tmp_path / "file" / "profile")
    assert json.loads(elsewhere("--json", "init", "http://127.0.0.1:9", exits=7).stderr)["exit_status"] == 7


def test_a_device_that_was_left_out_hears_so_and_not_of_tampering() -> None:
    assert "was revoked" in str(advice(errors.RotatedOut(OTHER)))
    assert advice(_at(errors.RotatedOut(OTHER), 17)) == (
        "A revoked device wrote it. To leave it out on this device: --pass-over 17, to pull or recover"
    )


def _at(error: errors.ChangesetInvalid, seq: int) -> errors.SyncRelayError:
    error.seq = seq
    return error


class Writing(httpx.HTTPTransport):
    """Lets a device write something just before it is revoked at the relay."""

    def __init__(self, device: CommandLine) -> None:
        super().__init__()
        self._device = device

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            self._device.push("too late")
        return super().handle_request(request)


def test_what_a_device_wrote_as_it_was_revoked_is_left_out_once_somebody_says_so(
    laptop: CommandLine, phone: CommandLine
) -> None:
    laptop.push("before")
    phone.pulled()
    laptop.through(Writing(phone))("revoke", phone.json("status")[0]["device_id"], "--yes", exits=None)
    laptop("push", "-", typed=line(payload="after"))
    refused = laptop("pull", exits=5)
    assert "RotatedOut" in refused.stderr
    advised = re.search(r"--pass-over (\d+)", refused.stderr)
    assert advised is not None
    passed = laptop.json("pull", *advised[0].split())
    assert [change["payload"] for change in passed] == ["before", "after"]
    assert laptop.pulled() == []


class Interrupted(httpx.HTTPTransport):
    """Ctrl-C at the n-th request: before it is sent, or before its answer is read."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__()
        self.left = at
        self._after = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left == 0 and not self._after:
            raise KeyboardInterrupt
        response = super().handle_request(request)
        if self.left == 0:
            response.read()
            raise KeyboardInterrupt
        return response


def interrupt_everywhere(device: CommandLine, *command: str, after: bool) -> int:
    """Run a command again and again, each time interrupted one request later, until it ends; return how often."""
    for at in itertools.count(1):
        typed = line(payload=f"{at}") if command[0] == "push" else None
        result = device.through(Interrupted(at, after=after))(*command, typed=typed, exits=None)
        if result.exit_code == 0:
            return at
        assert result.exit_code == 130
        assert "Traceback" not in result.output
    raise AssertionError


AFTER = pytest.mark.parametrize("after", [False, True], ids=["before sending", "before reading"])


@AFTER
@pytest.mark.parametrize("command", [["push", "-"], ["sync"], ["snapshot", "create"], ["revoke", "--yes"]])
def test_ctrl_c_at_any_request_loses_nothing(
    laptop: CommandLine, phone: CommandLine, command: list[str], *, after: bool
) -> None:
    phone.push("of the phone")
    if command[0] == "revoke":
        command = [*command, phone.json("status")[0]["device_id"]]
    runs = interrupt_everywhere(laptop, *command, after=after)
    assert runs > 1
    laptop("sync")
    pushed = [f"{number}" for number in range(1, runs + 1)] if command[0] == "push" else []
    payloads = [json.loads(one)["payload"] for one in laptop("export").stdout.splitlines()]
    assert payloads == ["of the phone", *pushed]
    (status,) = laptop.json("status")
    assert {status[name] for name in ("outbox", "unverified", "revoking", "uploads")} == {0}
    assert laptop.json("verify")[0]["compared"] == status["head"]["seq"]


@AFTER
def test_ctrl_c_while_founding_and_pairing_is_safe(embedded: EmbeddedRelay, tmp_path: Path, *, after: bool) -> None:
    laptop, phone = CommandLine(tmp_path / "laptop"), CommandLine(tmp_path / "phone")
    interrupt_everywhere(laptop, "init", embedded.url, after=after)
    (shown,) = phone.json("request")
    interrupt_everywhere(laptop, "invite", shown["request"], "--yes", shown["fingerprint"], after=after)
    (invited,) = laptop.json("invite", shown["request"], "--yes", shown["fingerprint"])
    interrupt_everywhere(phone, "join", invited["invitation"], after=after)
    laptop.push("milk")
    assert phone.pulled() == ["milk"]
    assert len(phone.json("devices")) == 3
