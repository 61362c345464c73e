"""A QR code in a terminal, for a phone's camera, by the library `segno`."""

from io import StringIO

import segno

QUIET_MODULES = 4
"""The light border that ISO/IEC 18004 asks for, on each side."""

_WHITE_ON_BLACK = "\x1b[38;5;231;48;5;16m"  # of the fixed colours: a theme moves the first sixteen
_RESET = "\x1b[0m"


def terminal_code(text: str, columns: int) -> str | None:
    """Return lines of half blocks that show the text as a QR code, light or dark as the terminal may be.

    None if no QR code holds so much text (2,953 bytes), or if it is wider than `columns`.
    """
    try:
        code = segno.make_qr(text)
    except segno.DataOverflowError:
        return None
    if code.symbol_size(border=QUIET_MODULES)[0] > columns:
        return None
    drawn = StringIO()
    code.terminal(drawn, border=QUIET_MODULES, compact=True)
    return "".join(f"{_WHITE_ON_BLACK}{line}{_RESET}\n" for line in drawn.getvalue().splitlines())
