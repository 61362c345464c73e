"""The tour, played in two real terminals: every command is typed, and what the page shows is on the screen."""

import re
import select
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client.terminal import AGAIN_SECONDS, Terminal
from tests.e2e.conftest import StartRelay
from tests.e2e.documented import ROOT, SHOWN_URL, blocks_of

TOUR = "docs/tour.md"
COLUMNS = 200
PROMPT = re.compile(r"<exit (\d+)> ")
ENTER = "⏎"
ANSWER = re.compile(r"(?P<question>.*(?:\[[Yy]/[Nn]\]|Invitation|characters of its id): )(?P<answer>.+)")

SHOWN_ELSEWHERE = {
    "REQUEST": ("terminal 2", r"sync-relay invite ([A-Za-z0-9_-]{43})"),
    "INVITATION": ("terminal 1", r"\n([A-Za-z0-9_-]{200,})\r"),
    "DEVICE": ("terminal 1", r"([A-Za-z0-9_-]{8})  belongs"),
    "VAULT": ("terminal 1", r"in vault ([0-9a-f]{8})"),
}
"""What the reader puts in: the word that stands for it, where it is shown, and how it looks."""


class Shell(Terminal):
    """A terminal with a shell, which tells each command's exit status."""

    command = "/bin/bash"

    def __init__(self, home: Path) -> None:
        super().__init__("--norc", "--noprofile", columns=COLUMNS, HOME=str(home), PS1="<exit $?> ")
        self._typed = 0
        self._block_start = 0
        self._block_status = 0

    def run(self, commands: str, status: int | None = 0) -> None:
        """Type commands, each when the one before it has ended well; the last one is left running.

        `status` is how that is to end, None if it is to fail.
        """
        self.finish()
        self._block_start = len(self.screen)
        for number, line in enumerate(commands.splitlines()):
            if number:
                self.finish()
            self.type(line)
            self._typed += 1
        self._block_status = -1 if status is None else status

    def show(self, text: str) -> None:
        """See each line of a text on the screen, in order, and type the answers in it."""
        self._seen = max(self._seen, self._block_start)
        for line in filter(None, map(str.strip, text.splitlines())):
            asked = ANSWER.fullmatch(line)
            question = asked["question"] if asked else line.removesuffix(ENTER)
            self.expect("[^\n]*?".join(map(re.escape, question.split("…"))))
            if asked or line.endswith(ENTER):
                self.type(asked["answer"] if asked else "")

    def find(self, pattern: str) -> str:
        """Return what was shown last of a form, once it is there."""
        while not (found := re.findall(pattern, self.screen)):
            assert self._read(), self.screen
        return str(found[-1])

    def finish(self) -> None:
        """Wait for the shell's prompt, and see how the last command has ended."""
        while len(ended := PROMPT.findall(self.screen)) <= self._typed:
            assert self._read(), self.screen
        assert (ended[-1] != "0") if self._block_status < 0 else (int(ended[-1]) == self._block_status), self.screen
        self._block_status = 0

    def interrupt_command(self) -> None:
        """Press Ctrl-C until the command that runs has ended."""
        while len(PROMPT.findall(self.screen)) <= self._typed:
            self.press("\x03")
            while select.select([self._master], [], [], AGAIN_SECONDS)[0]:
                assert self._read(), self.screen
        self._block_status = 130


@pytest.fixture
def terminals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Shell]]:
    monkeypatch.chdir(ROOT)
    with ExitStack() as stack:
        yield {name: stack.enter_context(Shell(tmp_path)) for name in ("terminal 1", "terminal 2")}


def test_two_terminals_play_the_tour(start_relay: StartRelay, terminals: dict[str, Shell]) -> None:
    url = start_relay().url

    def filled_in(text: str) -> str:
        for word, (where, pattern) in SHOWN_ELSEWHERE.items():
            if re.search(rf"\b{word}\b", text):
                text = re.sub(rf"\b{word}\b", terminals[where].find(pattern), text)
        return text.replace(SHOWN_URL, url)

    for block in blocks_of(TOUR):
        name = block.title[: len("terminal 1")]
        if block.kind == "sh" and block.title == "relay":
            assert block.text == "make run\n"
            continue
        shell = terminals[name]
        if block.title.endswith("^C"):
            shell.interrupt_command()
        if block.kind == "sh":
            shell.run(filled_in(block.text), None if block.title.endswith("fails") else 0)
        else:
            shell.show(filled_in(block.text))
    for shell in terminals.values():
        shell.finish()
