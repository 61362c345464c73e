"""Help that teaches, completion that completes."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from sync_relay_client.cli import failures
from sync_relay_client.cli.main import cli
from tests.client.cli_world import CommandLine


def commands(group: click.Group, *names: str) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found += commands(command, *names, name) if isinstance(command, click.Group) else [(*names, name)]
    return found


@pytest.fixture
def nobody(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "nobody")


@pytest.mark.parametrize("names", commands(cli), ids=" ".join)
def test_every_command_teaches_itself_by_an_example(nobody: CommandLine, names: tuple[str, ...]) -> None:
    _, examples = nobody(*names, "--help").stdout.split("Example:\n")
    assert f"sync-relay {' '.join(names)}" in examples


def test_the_list_of_commands_is_readable(nobody: CommandLine) -> None:
    listed = nobody("--help").stdout.partition("Commands:\n")[2]
    assert [name for name in cli.commands if f"  {name} " not in listed] == []
    assert "..." not in listed


def test_every_exit_status_is_documented(nobody: CommandLine) -> None:
    documented = set(map(int, re.findall(r"(?m)^ +(\d+)  ", nobody("--help").stdout.partition("Exit status:")[2])))
    assert documented == {0, 2, *(value for name, value in vars(failures).items() if re.fullmatch("EXIT_[A-Z]+", name))}


def test_it_says_which_version_it_is(nobody: CommandLine) -> None:
    assert nobody("--version").stdout == f"sync-relay {version('sync-relay-client')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_be_taught_to_complete(nobody: CommandLine, shell: str) -> None:
    assert "_SYNC_RELAY_COMPLETE" in nobody("completion", shell).stdout


def test_the_installed_command_completes() -> None:
    asked = {"_SYNC_RELAY_COMPLETE": "bash_complete", "COMP_WORDS": "sync-relay pu", "COMP_CWORD": "1"}
    command = Path(sys.executable).with_name("sync-relay")
    found = subprocess.run([command], env=os.environ | asked, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["plain,push", "plain,pull"]


def test_a_profile_may_be_named_by_the_environment(laptop: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = CommandLine(laptop.folder.parent / "elsewhere")
    monkeypatch.setenv("SYNC_RELAY_PROFILE", str(laptop.folder))
    assert elsewhere.json("status") == laptop.json("status")
