"""The command in a real terminal: pairing by two people, prompts that show no secret, QR codes, Ctrl-C."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from sync_relay_client import DeviceKey, request_code
from sync_relay_client.vault import Vault
from tests.client.cli_world import OPTIONS, CommandLine
from tests.client.terminal import Terminal
from tests.client.test_qr import COLOURED_LINE, read_screen
from tools.embedded import EmbeddedRelay

WIDE = 200
CANONICAL_LINE_BYTES = 4095
"""What a terminal's own line editing takes of a line; the rest it drops."""
MANY_DEVICES = 62
CODE = r"[A-Za-z0-9_-]{43,}"
WORDS = r"(?:[a-z]+ ){5}[a-z]+"
ALTERNATE_SCREEN = re.compile("\x1b\\[\\?1049h(.*?)\x1b\\[\\?1049l", re.DOTALL)


def at(device: CommandLine, *arguments: str, columns: int = 80) -> Terminal:
    return Terminal("--profile", str(device.folder), *arguments, columns=columns)


def sheet_of(device: CommandLine) -> str | None:
    with Vault.open(device.folder, options=OPTIONS) as vault:
        return vault.recovery_words()


def qr_on(screen: str) -> str | None:
    lines = [line for line in screen.split("\r\n") if COLOURED_LINE.fullmatch(line)]
    return read_screen("\n".join(lines))


def shown_words(screen: str, words: str) -> list[str]:
    """Return what of a sheet is on the screen: numbered words, and pairs, as single ones are words of English."""
    text = " ".join(re.findall("[a-z]+", screen))
    listed = words.split()
    numbered = [word for number, word in enumerate(listed, 1) if f"{number}. {word}" in screen]
    return numbered + [f"{one} {two}" for one, two in pairwise(listed) if f" {one} {two} " in f" {text} "]


def test_two_people_pair_and_sync(embedded: EmbeddedRelay, tmp_path: Path) -> None:
    laptop, phone = CommandLine(tmp_path / "laptop"), CommandLine(tmp_path / "phone")
    with at(laptop, "init", embedded.url) as terminal:
        terminal.expect("Show the words now")
        terminal.type("n")
        assert terminal.end() == 0
    with at(phone, "join", columns=WIDE) as joining:
        request = joining.expect(f"({CODE})\r")[1]
        words = joining.expect(f"six words: ({WORDS})")[1]
        joining.expect("Invitation:")
        with at(laptop, "invite", request, columns=WIDE) as inviting:
            assert inviting.expect(WORDS)[0] == words
            inviting.expect("exactly these six words")
            inviting.type("y")
            invitation = inviting.expect(f"\n({CODE})\r")[1]
            assert inviting.end() == 0
        joining.type(invitation)
        joining.expect("This device is in vault")
        assert joining.end() == 0
    assert qr_on(joining.screen) == request
    assert qr_on(inviting.screen) == invitation
    laptop.push("milk")
    with at(phone, "pull") as pulling:
        pulling.expect("upsert note 1  milk")
        assert pulling.end() == 0


def test_a_no_to_the_words_admits_nobody(laptop: CommandLine, tmp_path: Path) -> None:
    newcomer = CommandLine(tmp_path / "newcomer")
    request = newcomer.json("request")[0]["request"]
    for answer in ("n", ""):
        with at(laptop, "invite", request) as terminal:
            terminal.expect("exactly these six words")
            terminal.type(answer)
            terminal.expect("nobody was admitted")
            assert terminal.end() == 1
    assert len(laptop.json("devices")) == 2


def test_a_long_transfer_shows_how_far_it_is(laptop: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(bytes(3_000_000))
    with at(laptop, "snapshot", "create", "--file", str(tmp_path / "content")) as terminal:
        terminal.expect("Sending +\\[#+-*\\]")
        terminal.expect("100%")
        terminal.expect("The snapshot covers")
        assert terminal.end() == 0
    assert "Sending" not in laptop("snapshot", "create", "--file", str(tmp_path / "content")).output


def test_a_narrow_window_shows_the_text_alone(tmp_path: Path) -> None:
    with at(CommandLine(tmp_path / "newcomer"), "request", columns=30) as terminal:
        terminal.expect(CODE)
        terminal.expect("too narrow")
        assert terminal.end() == 0
    assert "█" not in terminal.screen


def test_the_words_of_a_sheet_leave_the_screen_and_the_device(laptop: CommandLine) -> None:
    words = sheet_of(laptop)
    assert words is not None
    with at(laptop, "sheet") as terminal:
        terminal.expect("Show the words now")
        terminal.type("y")
        terminal.expect("Press Enter")
        terminal.type("")
        terminal.expect("on paper")
        terminal.type("y")
        assert terminal.end() == 0
    (hidden,) = ALTERNATE_SCREEN.findall(terminal.screen)
    numbered = sorted((int(number), word) for number, word in re.findall(r"(\d+)\. ([a-z]+)", hidden))
    assert [word for _, word in numbered] == words.split()
    assert not shown_words(ALTERNATE_SCREEN.sub(" ", terminal.screen), words)
    assert sheet_of(laptop) is None


def test_words_that_are_not_on_paper_are_kept(laptop: CommandLine) -> None:
    with at(laptop, "sheet") as terminal:
        terminal.expect("Show the words now")
        terminal.type("y")
        terminal.expect("Press Enter")
        terminal.type("")
        terminal.expect("on paper")
        terminal.type("n")
        assert terminal.end() == 0
    assert sheet_of(laptop)


def test_ctrl_c_takes_the_words_off_the_screen_and_keeps_them(laptop: CommandLine) -> None:
    words = sheet_of(laptop)
    assert words is not None
    with at(laptop, "sheet") as terminal:
        terminal.expect("Show the words now")
        terminal.type("y")
        terminal.expect("Press Enter")
        assert terminal.interrupt() == 130
    assert not shown_words(ALTERNATE_SCREEN.sub(" ", terminal.screen), words)
    assert sheet_of(laptop) == words


def test_words_that_are_typed_are_not_shown(laptop: CommandLine, embedded: EmbeddedRelay, tmp_path: Path) -> None:
    words = sheet_of(laptop)
    assert words is not None
    with at(CommandLine(tmp_path / "newcomer"), "recover", embedded.url) as terminal:
        terminal.expect("24 words:")
        terminal.type(words)
        terminal.expect("This device is in vault")
        assert terminal.end() == 0
    assert not shown_words(terminal.screen, words)
    assert words.split()[0] not in terminal.screen.partition("24 words:")[2].splitlines()[0]


def test_a_sheet_is_pasted_as_it_stands_in_its_file(
    laptop: CommandLine, embedded: EmbeddedRelay, tmp_path: Path
) -> None:
    """It has 24 lines there. What a prompt of one line leaves unread, a shell would run, and remember."""
    words = sheet_of(laptop)
    assert words is not None
    laptop("sheet", "--output", str(tmp_path / "sheet"))
    with at(CommandLine(tmp_path / "newcomer"), "recover", embedded.url) as terminal:
        terminal.expect("24 words:")
        terminal.press((tmp_path / "sheet").read_text().replace("\n", "\r"))
        terminal.expect("24 of 24")
        terminal.expect("This device is in vault")
        assert terminal.end() == 0
    assert not shown_words(terminal.screen, words)


def test_a_vault_is_erased_by_typing_its_id(laptop: CommandLine) -> None:
    vault_id = laptop.json("status")[0]["vault_id"]
    with at(laptop, "erase") as terminal:
        terminal.expect("Type the first 8 characters")
        terminal.type("no")
        terminal.expect("nothing was erased")
        assert terminal.end() == 1
    with at(laptop, "erase") as terminal:
        terminal.expect("Type the first 8 characters")
        terminal.type(vault_id[:8])
        terminal.expect("is erased")
        assert terminal.end() == 0


@pytest.mark.parametrize(
    ("arguments", "prompt"),
    [(["join"], "Invitation:"), (["watch"], "Watching"), (["erase"], "Type the first")],
    ids=["join", "watch", "erase"],
)
def test_ctrl_c_is_one_line_and_nothing_has_changed(laptop: CommandLine, arguments: list[str], prompt: str) -> None:
    before = laptop.json("status")
    with at(laptop, *arguments) as terminal:
        terminal.expect(prompt)
        assert terminal.interrupt() == 130
    assert "Traceback" not in terminal.screen
    assert "stopped" in terminal.screen
    assert laptop.json("status")[0] | {"head": 0} == before[0] | {"head": 0}


def test_an_invitation_longer_than_a_terminal_s_line_arrives_whole(laptop: CommandLine, tmp_path: Path) -> None:
    newcomer = CommandLine(tmp_path / "newcomer")
    with Vault.open(laptop.folder, options=OPTIONS) as vault:
        for _ in range(MANY_DEVICES):
            vault.invite(request_code(DeviceKey.generate()))
        invitation = vault.invite(newcomer.json("request")[0]["request"])
    assert len(invitation) > CANONICAL_LINE_BYTES
    with at(newcomer, "join") as terminal:
        terminal.expect("Invitation:")
        terminal.type(invitation)
        terminal.expect("This device is in vault")
        assert terminal.end() == 0
