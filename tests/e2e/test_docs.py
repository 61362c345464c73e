"""What the documents show is what happens."""

from pathlib import Path

import pytest

from sync_relay_client import Vault
from tests.e2e.conftest import StartRelay
from tests.e2e.documented import run_python

NO_KEYRING = "keyring.backends.fail.Keyring"


@pytest.mark.parametrize("name", ["README.md", "docs/sdk.md"])
def test_its_python_runs_as_it_stands(
    name: str, start_relay: StartRelay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", NO_KEYRING)
    relay = start_relay(RELAY_CHANGESET_DAYS="0")
    names: dict[str, object] = {"relay": relay}
    try:
        assert run_python(name, relay.url, names) > 0
    finally:
        for vault in names.values():
            if isinstance(vault, Vault):
                vault.close()
