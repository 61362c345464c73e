"""Bugs that the conformance kit must see: it looks at an embedded relay that runs from a copy of the checkout."""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sync_relay_conformance.registry import all_checks
from sync_relay_conformance.relay import NoRelay, Relay
from sync_relay_conformance.runner import Outcome, Result, run
from tools.embedded import EmbeddedRelay
from tools.mutate.copies import Copies, python_path
from tools.mutate.relay_mutants import RelayMutant

QUIET = {"RELAY_LOG_LEVEL": "ERROR"}
_BECAME: dict[Outcome, str] = {"passed": "survived", "failed": "caught", "not applicable": "survived"}


class CopiedRelay(EmbeddedRelay):
    """A relay that runs from a copy's sources."""

    def __init__(self, copy: Path, folder: Path, variables: Mapping[str, str]) -> None:
        sources = {"PYTHONPATH": python_path(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        super().__init__(folder, **sources, **QUIET, **variables)

    def _command(self, command: str) -> list[str]:
        # -P: the folder that this process stands in is not looked at, where the checkout's own sources may be
        return [sys.executable, "-P", "-m", "local.cli", command]


def unsound(copies: Copies, mutant: RelayMutant) -> str | None:
    """Return what the check of a bug says without the bug, unless it passes."""
    with copies.sound() as copy:
        result = _checked(copy, mutant)
        return None if result.outcome == "passed" else f"{result.check.title}: {result.reason}"


def tried(copies: Copies, mutant: RelayMutant) -> str:
    """Return what became of a bug: caught, survived, or why it could not be tried. Raises NotThereOnce."""
    with copies.seeded(mutant.path, mutant.old, mutant.new) as copy:
        try:
            return _BECAME[_checked(copy, mutant).outcome]
        except (NoRelay, RuntimeError) as error:
            return f"could not be run ({error})"


def _checked(copy: Path, mutant: RelayMutant) -> Result:
    """Start a relay from the copy, and have the kit look at it by the one check that is expected to fail."""
    (check,) = (one for one in all_checks() if one.title == mutant.check)
    token = mutant.variables.get("RELAY_VAULT_TOKEN")
    with (
        TemporaryDirectory(prefix="mutant-") as folder,
        CopiedRelay(copy, Path(folder), mutant.variables) as server,
        Relay(server.url, token) as relay,
    ):
        return run(relay, [check], lambda _: None)[0]
