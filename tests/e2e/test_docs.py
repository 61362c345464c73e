"""What the documents show is what happens, and nothing that an app may call or meet is left out."""

from dataclasses import fields
from pathlib import Path

import pytest

from sync_relay_client import Options, Status, Vault, errors
from tests.e2e.conftest import StartRelay
from tests.e2e.documented import ROOT, run_python

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


@pytest.fixture
def sdk() -> str:
    return (ROOT / "docs" / "sdk.md").read_text("utf-8")


@pytest.mark.not_as_built("it reads a page, and no relay")
def test_every_method_of_a_vault_has_its_place(sdk: str) -> None:
    headings = " ".join(line for line in sdk.splitlines() if line.startswith("### "))
    assert [
        name for name in vars(Vault) if name[0] != "_" and f"{name}(" not in headings and f"`{name}`" not in headings
    ] == []


@pytest.mark.not_as_built("it reads a page, and no relay")
@pytest.mark.parametrize("kind", [Options, Status])
def test_every_member_is_explained(sdk: str, kind: type) -> None:
    explained = " ".join(first_cells(sdk))
    assert [field.name for field in fields(kind) if f"`{field.name}`" not in explained] == []


@pytest.mark.not_as_built("it reads a page, and no relay")
def test_every_error_says_what_to_do(sdk: str) -> None:
    listed = first_cells(sdk)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__name__[0] != "_"]
    found = {kind.__name__ for kind in kinds if issubclass(kind, errors.SyncRelayError)}
    assert len(found) > 25
    assert {name for name in found if not any(f"`{name}`" in cell for cell in listed)} == {"SyncRelayError"}


def first_cells(document: str) -> list[str]:
    """Return the first cell of each row of each table."""
    return [line.split("|")[1] for line in document.splitlines() if line.startswith("|")]
