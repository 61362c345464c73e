"""The command tells by its exit status and its reports what it found, whatever it was pointed at."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn
from xml.etree import ElementTree as ET

import httpx
import pytest
from click.testing import CliRunner, Result

from sync_relay_conformance.command import main
from sync_relay_conformance.relay import Relay

CONFIG = {"limits": {"rate_limit": None, "max_body_bytes": 10}, "retention": {}, "vault_creation": "closed"}


class Liar(BaseHTTPRequestHandler):
    """Has a configuration that could be a relay's, and answers everything with it."""

    def do_GET(self) -> None:
        body = json.dumps(CONFIG | {"bell": "\a"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 -- names of the standard library

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(*options: str) -> Result:
    return CliRunner().invoke(main, options)


def test_what_is_not_as_the_protocol_says_fails_and_is_told(url: str) -> None:
    ended = run("--url", url, "--only", "health is ok")
    assert ended.exit_code == 1
    assert (
        "FAILED          §7.1  health is ok: expected the body of /health = {'status': 'ok'}, got {'limits'"
        in ended.output
    )
    assert "0 passed, 1 failed, 0 not applicable" in ended.output


def test_what_cannot_be_seen_is_not_applicable_and_no_failure(url: str) -> None:
    ended = run("--url", url, "--only", "*empty log*")
    assert ended.exit_code == 0
    assert "not applicable  §1    an empty log's head is the genesis chain: vault_creation is closed" in ended.output


def test_the_reports_hold_every_check(url: str, tmp_path: Path) -> None:
    junit, results = tmp_path / "junit.xml", tmp_path / "results.json"
    run("--url", url, "--only", "7.1", "--junit", str(junit), "--json", str(results))
    checks = json.loads(results.read_text())["checks"]
    suite = ET.fromstring(junit.read_text())
    assert [case.get("name") for case in suite] == [check["title"] for check in checks]
    outcomes = {"passed": None, "failed": "failure", "not applicable": "skipped"}
    told = [case[0].tag if len(case) else None for case in suite]
    assert told == [outcomes[check["outcome"]] for check in checks]
    assert {"failure", "skipped"} <= set(told)
    assert all(check["sentences"] and check["section"] for check in checks)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--url", "http://127.0.0.1:1"),
        ("--url", "no url"),
        ("--url", "http://127.0.0.1:1", "--only", "nothing of that name"),
        ("--url", "http://127.0.0.1:1", "--api-key-file", "no such file"),
    ],
)
def test_what_cannot_be_run_is_told_apart_from_a_failure(options: tuple[str, ...]) -> None:
    ended = run(*options)
    assert ended.exit_code == 2
    assert ended.output.startswith("sync-relay-conformance: ")


def test_what_is_no_relay_is_not_checked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(CONFIG, "limits")
    assert run("--url", url).exit_code == 2


@pytest.mark.parametrize(
    "raised",
    [httpx.InvalidURL("no URL"), OverflowError("too large"), RecursionError("too deep"), KeyError("a member")],
    ids=lambda raised: type(raised).__name__,
)
def test_whatever_a_relay_answers_fails_a_check_and_does_not_end_the_run(
    url: str, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    """A URL that is none, a number beyond all, JSON without end."""

    def sent(*_: object, **__: object) -> NoReturn:
        raise raised

    monkeypatch.setattr(Relay, "ask", sent)
    ended = run("--url", url, "--only", "health is ok")
    assert ended.exit_code == 1
    assert "0 passed, 1 failed" in ended.output


def test_a_run_that_is_interrupted_erases_what_it_founded_and_tells_of_the_checks_before(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cleaned: list[bool] = []
    answered = Relay.ask

    def clean_up(_: Relay) -> list[str]:
        cleaned.append(True)
        return []

    def interrupt_the_second(relay: Relay, *asked: Any, **more: Any) -> Any:
        if cleaned:
            raise KeyboardInterrupt
        return answered(relay, *asked, **more)

    monkeypatch.setattr(Relay, "ask", interrupt_the_second)
    monkeypatch.setattr(Relay, "clean_up", clean_up)
    junit, json_file = tmp_path / "results.xml", tmp_path / "results.json"
    ended = run("--url", url, "--only", "7.1", "--junit", str(junit), "--json", str(json_file))
    assert (ended.exit_code, cleaned) == (2, [True, True])
    assert "interrupted; what was founded is erased" in ended.output
    first, second = (check["outcome"] for check in json.loads(json_file.read_text())["checks"])
    assert first != second == "interrupted"
    suite = ET.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("errors"), suite[1][0].tag) == ("2", "1", "error")


def test_who_interrupts_the_cleaning_up_is_told_what_is_left(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(Relay, "clean_up", interrupt)
    ended = run("--url", url, "--only", "health is ok")
    assert ended.exit_code == 2
    assert "vaults that were founded are left" in ended.output


def test_checks_can_be_listed_without_a_relay() -> None:
    ended = run("--list", "--only", "duplicate")
    assert ended.exit_code == 0
    assert "§7.6  a duplicate of a pruned changeset is still one" in ended.output
