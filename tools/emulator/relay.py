"""The relay as it was built, as a process of its own, in the place of the embedded one."""

import sys

from tools.embedded import EmbeddedRelay


class BuiltRelay(EmbeddedRelay):
    """A relay whose every request and whose maintenance the built functions answer, under the runtime's emulator.

    Its variables name the stores.
    """

    def _command(self, command: str) -> list[str]:
        return [sys.executable, "-m", "tools.emulator", command]
