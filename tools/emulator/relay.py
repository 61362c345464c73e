"""The relay as it was built, as a process of its own, in the place of the embedded one."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.embedded import EmbeddedRelay
from tools.emulator.functions import function_pools
from tools.events.story import SCHEDULED
from tools.holdings.tables import Tables
from tools.stand_ins.stores import Stores


class BuiltRelay(EmbeddedRelay):
    """A relay whose every request and whose maintenance the built functions answer, under the runtime's emulator.

    It stands on stores that are stand-ins for AWS, and keeps nothing in its folder.
    """

    def __init__(self, folder: Path, stores: Stores, **variables: str) -> None:
        super().__init__(folder, **stores.variables | variables)
        self.holdings = Tables(stores)
        self._maintenance = function_pools(self._environment)["maintenance"]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._maintenance.close()
        super().__exit__(kind, error, tb)

    def maintain(self) -> dict[str, Any]:
        """Call the maintenance function as its schedule does; return the counts."""
        return self._maintenance(SCHEDULED)

    def new_epoch(self) -> None:
        """Call the maintenance function as an operator does after a restore."""
        self._maintenance({"task": "new-epoch"})

    def _command(self, command: str) -> list[str]:
        assert command == "serve", "the maintenance function does the rest"
        return [sys.executable, "-m", "tools.emulator"]
