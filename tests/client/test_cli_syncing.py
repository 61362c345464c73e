"""Pushing, pulling, watching and exporting by the command line, against a real relay."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from sync_relay_client.errors import RelayUnreachable
from sync_relay_client.profile import database
from tests.client.cli_world import CommandLine, line
from tools.embedded import EmbeddedRelay


class Offline(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network", request=request)


def test_what_one_device_pushes_the_other_prints_once(laptop: CommandLine, phone: CommandLine) -> None:
    laptop.push("milk", "bread")
    assert phone.pulled() == ["milk", "bread"]
    assert phone.pulled() == []


def test_a_line_says_all_of_a_change(laptop: CommandLine, phone: CommandLine) -> None:
    said = {
        "origin_user": "ana",
        "timestamp": "2026-04-26T09:30:04Z",
        "operation_type": "delete",
        "entity": "transaction",
        "entity_id": "grocer",
        "schema_version": 7,
        "payload": "ünï \n text",
    }
    laptop("push", "-", typed=json.dumps(said))
    (found,) = phone.json("pull")
    assert found | said == found
    assert set(found) == {*said, "seq", "received_at", "id", "author"}


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({"payload": {"b": 1, "a": [None]}}, {"payload": '{"b":1,"a":[null]}'}),
        ({"payload": None}, {"payload": "null"}),
        ({"payload": 1.5}, {"payload": "1.5"}),
        ({"payload": ""}, {"payload": ""}),
        ({"payload_base64url": "_w"}, {"payload_base64url": "_w"}),
        ({"payload_base64url": "aGk"}, {"payload": "hi"}),
    ],
    ids=["object", "null", "number", "empty", "bytes", "text as bytes"],
)
def test_a_payload_is_text_json_or_bytes(
    laptop: CommandLine, members: dict[str, object], shown: dict[str, object]
) -> None:
    laptop("push", "-", typed=line(**members))
    (found,) = laptop.json("pull")
    assert {name: found[name] for name in found if name.startswith("payload")} == shown


def test_a_single_change_needs_no_json(laptop: CommandLine) -> None:
    laptop("push", "--entity", "note", "--entity-id", "1", "--user", "ana", "--payload-file", "-", typed="milk\n")
    (found,) = laptop.json("pull")
    assert (found["entity"], found["entity_id"], found["payload"]) == ("note", "1", "milk\n")
    assert (found["origin_user"], found["operation_type"]) == ("ana", "upsert")


def test_a_file_s_empty_lines_are_skipped(laptop: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    file.write_text(line(payload="a") + "\n  \n" + line(payload="b"))
    assert laptop.json("push", str(file)) == [{"recorded": 2, "sent": 2}]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("canary", "not JSON"),
        (line(), "one of payload and payload_base64url is needed"),
        (line(payload="a", payload_base64url="YQ"), "one of payload and payload_base64url is needed"),
        (line(payload_base64url="canary*"), "not base64url"),
        (json.dumps({"entity": "canary", "payload": "x"}), "entity_id: Field required"),
        (line(payload="x", entity=7), "entity: Input should be a valid string"),
        (line(payload="x", canary=1), "a member: Extra inputs"),
        (line(payload="x", schema_version=0), "schema_version: Input should be greater"),
        (line(payload="x", operation_type="sync-relay/rekey"), "the protocol's own operations"),
        (line(payload="canary" * 10**6), "the change does not fit"),
    ],
    ids=range(10),
)
def test_one_wrong_line_and_nothing_is_recorded(laptop: CommandLine, wrong: str, reason: str) -> None:
    result = laptop("push", "-", typed=line(payload="a") + "\n" + wrong, exits=1)
    assert f"Line 3: {reason}" in result.stderr
    assert "canary" not in result.output
    assert laptop.json("push") == [{"recorded": 0, "sent": 0}]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-", "--entity", "note"],
        ["--entity", "note"],
        ["--entity", "note", "--entity-id", "1"],
        ["--entity-id", "1", "--payload-file", "-"],
    ],
)
def test_half_a_change_is_wrong_usage(laptop: CommandLine, arguments: list[str]) -> None:
    laptop("push", *arguments, typed="", exits=2)


def test_without_network_changes_are_kept_and_sent_later(laptop: CommandLine, phone: CommandLine) -> None:
    offline = laptop.through(Offline())
    result = offline("push", "-", typed=line(payload="milk"), exits=3)
    assert "is kept" in result.stderr
    assert laptop.json("status")[0]["outbox"] == 1
    assert laptop.json("sync")[0]["payload"] == "milk"
    assert phone.pulled() == ["milk"]


def test_an_error_is_json_where_results_are(laptop: CommandLine) -> None:
    error = json.loads(laptop.through(Offline())("pull", "--json", exits=3).stderr)
    assert (error["error"], error["exit_status"]) == (RelayUnreachable.__name__, 3)
    assert "doctor" in error["advice"]


def test_people_see_a_line_a_change_and_scripts_nothing_else(laptop: CommandLine) -> None:
    laptop.push("milk", origin_user="ana")
    result = laptop("--quiet", "pull")
    assert result.stderr == ""
    assert "ana: upsert note 1  milk" in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_another_device_can_t_write_on_this_one_s_terminal(laptop: CommandLine) -> None:
    laptop.push("a\x1b[2J\n\u202eb", entity="\x9b\x07", origin_user="\r")
    result = laptop("pull")
    (row,) = result.stdout.splitlines()
    assert row.isprintable()
    assert "\\x1b[2J\\n\\u202eb" in row


def test_options_may_stand_before_a_command_or_after_it(laptop: CommandLine, phone: CommandLine) -> None:
    before = phone("--profile", str(laptop.folder), "--json", "status").stdout
    assert before == phone("status", "--json", "--profile", str(laptop.folder)).stdout
    assert json.loads(before)["device_id"] == laptop.json("status")[0]["device_id"]


def test_export_prints_all_that_was_pulled_without_asking(laptop: CommandLine) -> None:
    laptop.push("milk", "bread")
    printed = laptop("pull", "--json").stdout
    assert laptop.through(Offline())("export").stdout == printed
    assert laptop.through(Offline())("export").stdout == printed


def test_what_is_exported_can_be_pushed_to_another_vault(
    laptop: CommandLine, embedded: EmbeddedRelay, tmp_path: Path
) -> None:
    laptop.push("milk", "bread")
    laptop.pulled()
    other = CommandLine(tmp_path / "other")
    other("init", embedded.url)
    other("push", "-", typed=laptop("export").stdout)
    assert other.pulled() == ["milk", "bread"]


def test_a_pipe_that_was_cut_gets_it_again(laptop: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop.push("milk", "bread")
    with monkeypatch.context() as patched:
        patched.setattr("click.echo", cut)
        laptop("pull", exits=1)
    assert laptop.pulled() == ["milk", "bread"]


def test_while_a_reader_takes_its_time_others_use_the_profile(
    laptop: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sync-relay pull | less`, and in another window `sync-relay push`."""
    laptop.push("milk")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 0.1)
    echo = click.echo

    def paging(*arguments: Any, **members: Any) -> None:
        monkeypatch.setattr("click.echo", echo)
        laptop.push("bread")
        echo(*arguments, **members)

    monkeypatch.setattr("click.echo", paging)
    assert laptop.pulled() == ["milk"]
    assert laptop.pulled() == ["bread"]


def test_a_user_without_a_name_pushes_too(laptop: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container often runs as a number that no account has."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    laptop.push("milk")
    (change,) = laptop.json("pull")
    assert change["origin_user"] == "-"


def test_a_line_that_this_relay_does_not_take_does_not_stand_before_the_others(tmp_path: Path) -> None:
    device = CommandLine(tmp_path / "device")
    with EmbeddedRelay(tmp_path / "data", RELAY_MAX_BODY_BYTES="4096") as relay:
        device("init", relay.url)
        lines = [line(payload="milk"), line(payload="x" * 5000), line(payload="bread")]
        result = device("push", "-", typed="".join(lines), exits=1)
        assert result.stderr.startswith("Error: Line 2: the change does not fit into a request of 4096 bytes.")
        device("push")
        assert device.pulled() == ["milk", "bread"]


@pytest.mark.parametrize(
    "number", ["3.20", "123456789012345678901234567890", "0.1234567890123456789012", "1e400", "1E2", "-0", "-0.0"]
)
def test_a_number_is_kept_digit_by_digit(laptop: CommandLine, number: str) -> None:
    """An amount is no float, and what is pushed is what is pulled."""
    payload = f'{{"amounts":[{number}],"text":"ü"}}'
    laptop("push", "-", typed=f'{{"entity": "note", "entity_id": "1", "payload": {payload}}}')
    assert laptop.pulled() == [payload]


@pytest.mark.parametrize("depth", [300, 1_000, 100_000])
def test_a_payload_that_is_nested_beyond_reason_is_refused(laptop: CommandLine, depth: int) -> None:
    payload = "[" * depth + "]" * depth
    result = laptop("push", "-", typed=f'{{"entity": "note", "entity_id": "1", "payload": {payload}}}', exits=1)
    assert "Nothing was recorded" in result.stderr


def cut(*_: object, **__: object) -> None:
    raise BrokenPipeError(errno.EPIPE, "")


def test_watching_prints_what_waits_and_what_comes(laptop: CommandLine, phone: CommandLine) -> None:
    phone.push("milk")
    pushes = iter(["bread"])

    def sleep(_: float) -> None:
        """Let the phone push while the laptop waits; then press Ctrl-C."""
        payload = next(pushes, None)
        if payload is None:
            raise KeyboardInterrupt
        phone.push(payload)

    watching = CommandLine(laptop.folder, replace(laptop.options, sleep=sleep))
    result = watching("watch", "--json", exits=130)
    assert [json.loads(one)["payload"] for one in result.stdout.splitlines()] == ["milk", "bread"]
