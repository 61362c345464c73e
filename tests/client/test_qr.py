"""The QR code on a terminal: a camera that sees the lines as a terminal draws them reads the text again."""

import re

import pytest
import zxingcpp

from sync_relay_client.qr import terminal_code

REQUEST = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
WIDE = 1000
WHITE, BLACK = b"\xff", b"\x00"
COLOURED_LINE = re.compile("\x1b\\[38;5;231;48;5;16m([ ▀▄█]+)\x1b\\[0m")
DRAWN = {" ": (BLACK, BLACK), "▀": (WHITE, BLACK), "▄": (BLACK, WHITE), "█": (WHITE, WHITE)}
"""What the upper and the lower half of a character show, in the colours that each line sets."""

PIXELS = 4


def read_screen(screen: str) -> str | None:
    """Take a picture of a terminal and decode the QR code in it."""
    rows = []
    for line in screen.splitlines():
        characters = COLOURED_LINE.fullmatch(line)
        assert characters is not None
        for half in (0, 1):
            rows += [b"".join(DRAWN[each][half] * PIXELS for each in characters[1])] * PIXELS
    picture = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
    found = zxingcpp.read_barcode(picture, try_invert=False)
    return None if found is None else found.text


@pytest.mark.parametrize("text", [REQUEST, "x" * 900, "Ab-_9" * 180], ids=["request", "repeated", "invitation"])
def test_a_camera_reads_the_text(text: str) -> None:
    screen = terminal_code(text, WIDE)
    assert screen is not None
    assert read_screen(screen) == text


def test_a_request_fits_a_common_terminal() -> None:
    assert terminal_code(REQUEST, 80) is not None


def test_what_a_window_is_too_narrow_for_is_not_drawn() -> None:
    screen = terminal_code(REQUEST, WIDE)
    assert screen is not None
    match = COLOURED_LINE.match(screen)
    assert match is not None
    width = len(match[1])
    assert terminal_code(REQUEST, width) is not None
    assert terminal_code(REQUEST, width - 1) is None


def test_what_no_code_holds_is_not_drawn() -> None:
    assert terminal_code("x" * 2953, WIDE) is not None
    assert terminal_code("x" * 2954, WIDE) is None
