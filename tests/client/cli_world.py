"""Devices that are run by the command alone, each with a profile of its own."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner, Result

from sync_relay_client.cli.main import cli
from sync_relay_client.cli.settings import Settings
from sync_relay_client.options import Options
from sync_relay_client.retry import Retry

OPTIONS = Options(keyring="file", retry=Retry(max_attempts=2), sleep=lambda _: None)
WORDS = re.compile(r"(?:[a-z]+ ){5}[a-z]+")


@dataclass
class CommandLine:
    """One device: what is typed goes to its profile. Nothing is a terminal here."""

    folder: Path
    options: Options = OPTIONS

    def __call__(self, *arguments: str, typed: str | bytes | None = None, exits: int | None = 0) -> Result:
        """Run a command, and see that it exits so, unless that is None."""
        settings = Settings(self.folder, options=self.options)
        result = CliRunner().invoke(cli, arguments, input=typed, obj=settings, catch_exceptions=False)
        assert exits in {None, result.exit_code}, result.output
        return result

    def json(self, *arguments: str, typed: str | None = None, exits: int = 0) -> list[dict[str, Any]]:
        """Run a command with --json, and return its results."""
        return [json.loads(line) for line in self("--json", *arguments, typed=typed, exits=exits).stdout.splitlines()]

    def through(self, transport: httpx.BaseTransport) -> "CommandLine":
        """Return the same device behind another network."""
        return CommandLine(self.folder, replace(self.options, transport=transport))

    def invite(self, newcomer: "CommandLine") -> None:
        """Pair as two people do."""
        (request,) = newcomer.json("request")
        (invitation,) = self.json("invite", request["request"], "--yes", request["fingerprint"])
        newcomer("join", "-", typed=invitation["invitation"])

    def push(self, *payloads: str, **members: Any) -> None:
        """Push a change each."""
        self("push", "-", typed="".join(line(payload=payload, **members) for payload in payloads))

    def pulled(self) -> list[str]:
        """Pull, and return the payloads that are new."""
        return [change["payload"] for change in self.json("pull")]


def line(**members: Any) -> str:
    """Return a line of JSON for `push`."""
    return json.dumps({"entity": "note", "entity_id": "1"} | members) + "\n"
