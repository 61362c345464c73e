"""The layer that `sam build` made: what is in it, and what is not."""

import re
import struct
import subprocess
from pathlib import Path

import pytest

from tools.emulator.built import Built
from tools.emulator.emulator import ROOT, RUNTIME

MIB = 1024 * 1024
UNCHECKED_HASH = 1
SOURCES = ROOT / "layers" / "relay"


@pytest.fixture(scope="module")
def packages(built: Built) -> Path:
    return built.layer / "python"


def test_nothing_is_in_it_that_does_not_run(packages: Path) -> None:
    found = [
        path for path in packages.rglob("*") if re.search(r"/(tests?|docs)(/|$)|\.dist-info|\.(md|rst|pyi)$", str(path))
    ]
    assert found == []
    assert not {"boto3", "botocore", "s3transfer", "pip", "pytest", "bin"} & {path.name for path in packages.iterdir()}


def test_every_module_is_compiled_for_the_runtime_and_not_compared_with_its_source(packages: Path) -> None:
    print_magic = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    magic = bytes.fromhex(
        subprocess.run([RUNTIME, "-c", print_magic], capture_output=True, text=True, check=True).stdout
    )
    modules = list(packages.rglob("*.py"))
    assert len(modules) > 100
    for module in modules:
        code = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        assert code.read_bytes()[:8] == magic + struct.pack("<I", UNCHECKED_HASH), module


def test_it_is_of_the_sources_that_are_here(packages: Path) -> None:
    """A folder that was built before the last change would prove nothing."""
    for name in ("relay", "relay_protocol"):
        kept = {path.relative_to(packages): path.read_bytes() for path in (packages / name).rglob("*.py")}
        assert kept == {path.relative_to(SOURCES): path.read_bytes() for path in (SOURCES / name).rglob("*.py")}


def test_the_migrations_of_sqlite_are_in_it(packages: Path) -> None:
    there = (path.relative_to(packages / "relay/adapters/migrations") for path in packages.rglob("*.sql"))
    assert (
        set(there)
        == {path.relative_to(ROOT / "schema/sqlite") for path in (ROOT / "schema/sqlite").rglob("*.sql")}
        != set()
    )


def test_each_package_brings_its_licence(built: Built) -> None:
    licensed = {path.name.rpartition("-")[0] for path in (built.layer / "licenses").iterdir()}
    assert licensed >= set(_locked("layer").keys() - {"pycparser"})


def test_it_is_small(built: Built) -> None:
    assert sum(path.stat().st_size for path in built.layer.rglob("*") if path.is_file()) < 25 * MIB


def test_what_is_tested_is_what_is_deployed() -> None:
    tested = _locked("dev")
    for name in ("layer", "runtime"):
        assert {package: tested.get(package, version) for package, version in _locked(name).items()} == _locked(name)


def test_it_is_built_for_the_architecture_that_the_template_has() -> None:
    makefile = (SOURCES / "Makefile").read_text("utf-8")
    assert re.findall(r"ARCHITECTURE \?= (\w+)", makefile) == [_template_default("Architecture")]


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
    return {
        package.replace("-", "_"): version for package, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    }


def _template_default(parameter: str) -> str | None:
    text = (ROOT / "template.yaml").read_text("utf-8")
    found = re.search(rf"^  {parameter}:\n(?:    .*\n)*?    Default: (\S+)", text, re.MULTILINE)
    return found[1] if found else None
