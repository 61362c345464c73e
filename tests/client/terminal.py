"""The installed command in a real pseudo-terminal, as a person has it: what is typed, what is on the screen."""

import codecs
import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import TracebackType
from typing import Self

GUARD_SECONDS = 60
"""After which a text that does not come is a failure; nothing waits for it otherwise."""

AGAIN_SECONDS = 2
"""After which people press Ctrl-C again. Python misses it between writing a prompt and waiting for the answer."""

_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Ctrl-C and prompts without echo need a terminal that controls the process."""


class Terminal:
    """A terminal in which one command runs. `screen` is all that was written on it, as it came."""

    command = str(Path(sys.executable).with_name("sync-relay"))

    def __init__(self, *arguments: str, columns: int = 80, **variables: str) -> None:
        environment = os.environ | {"TERM": "xterm", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, self.command, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment | variables,
            start_new_session=True,
        )
        os.close(slave)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.screen = ""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, pattern: str) -> re.Match[str]:
        """Read on until the pattern is on the screen, after what was expected before."""
        while True:
            match = re.compile(pattern).search(self.screen, self._seen)
            if match is not None:
                self._seen = match.end()
                return match
            assert self._read(), f"{pattern!r} did not come; on the screen is:\n{self.screen}"

    def type(self, text: str) -> None:
        """Type a line, and Enter."""
        self.press(text + "\r")

    def press(self, keys: str) -> None:
        """Press keys."""
        for place in range(0, len(keys), 256):
            os.write(self._master, keys[place : place + 256].encode())

    def interrupt(self) -> int:
        """Press Ctrl-C, and again where it fell into the instant before a prompt waits; return the exit status."""
        for _ in range(GUARD_SECONDS // AGAIN_SECONDS):
            self.press("\x03")
            while select.select([self._master], [], [], AGAIN_SECONDS)[0]:
                if not self._read():
                    return self._process.wait(GUARD_SECONDS)
        raise AssertionError(f"nothing ends it; on the screen is:\n{self.screen}")

    def end(self) -> int:
        """Read to the end; return the command's exit status."""
        while self._read():
            pass
        return self._process.wait(GUARD_SECONDS)

    def _read(self) -> bool:
        """Read what comes next; False at the end. Raises AssertionError when nothing comes for too long."""
        ready, _, _ = select.select([self._master], [], [], GUARD_SECONDS)
        assert ready, f"nothing more came; on the screen is:\n{self.screen}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux says that nobody has the other side any more
            return False
        self.screen += self._decoder.decode(data)
        return bool(data)
