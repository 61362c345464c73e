"""The steps that make the layer's folder, which becomes /opt in a function."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from tools.layer.descriptions import write_descriptions
from tools.layer.lambda_python import VERSION

Architecture = Literal["arm64", "x86_64"]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "layers" / "relay"
LOCK = ROOT / "requirements" / "layer.lock"
SDK_LOCK = ROOT / "requirements" / "aws.lock"
PACKAGES = ("relay", "relay_protocol")
BUILT_AT_SECONDS = 315_532_800
"""1980-01-01, the first day that a zip can name."""
IN_FUNCTION = "/opt/python"
"""Where a function finds the packages; what tracebacks name."""

GLIBC_MINORS = range(17, 35)
"""The Lambda runtime's machine is Amazon Linux 2023, with glibc 2.34: it takes wheels for that and older ones."""
MACHINES: dict[Architecture, str] = {"arm64": "aarch64", "x86_64": "x86_64"}

UNUSED = (
    "bin",
    "aws_lambda_powertools/event_handler",  # we have a router of our own (ADR 0005)
    "cffi",  # compiles; to call what is compiled takes _cffi_backend alone
    "pycparser",
    "pydantic/mypy.py",
    "pydantic/v1",
)
"""What no function imports, of the installed packages."""
NOT_TO_RUN = ("__pycache__", "tests", "test", "docs", "*.pyi", "*.md", "*.rst", "py.typed")
"""Names of files and folders that are not there to run."""


def build_layer(layer: Path, architecture: Architecture, python: Path) -> None:
    """Fill an empty folder with the layer. `python` is of the runtime's version; any Python may run this itself.

    Raises CalledProcessError where a step fails: no such wheel, another hash than the lock's.
    """
    packages = layer / "python"
    _install_wheels(packages, architecture, LOCK)
    _keep_licenses(packages, layer / "licenses")
    _prune(packages)
    for name in PACKAGES:
        shutil.copytree(SOURCE / name, packages / name, ignore=shutil.ignore_patterns(*NOT_TO_RUN))
    _describe_aws(packages / "relay" / "descriptions", layer / "licenses", architecture)
    _compile(packages, python)
    _forget_when_and_who(layer)


def _install_wheels(packages: Path, architecture: Architecture, lock: Path) -> None:
    platforms = [f"manylinux_2_{minor}_{MACHINES[architecture]}" for minor in reversed(GLIBC_MINORS)]
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(packages)]
    command += ["--no-deps", "--require-hashes", "--no-compile", "--only-binary", ":all:"]
    command += ["--implementation", "cp", "--python-version", "{}.{}".format(*VERSION)]
    for platform in [*platforms, f"manylinux2014_{MACHINES[architecture]}"]:
        command += ["--platform", platform]
    subprocess.run([*command, "-r", str(lock)], check=True)


def _describe_aws(descriptions: Path, licenses: Path, architecture: Architecture) -> None:
    """Write what is needed of botocore's descriptions. botocore itself is the runtime's."""
    with tempfile.TemporaryDirectory() as folder:
        sdk = Path(folder)
        _install_wheels(sdk, architecture, SDK_LOCK)
        write_descriptions(sdk / "botocore" / "data", descriptions)
        _keep_licenses(sdk, licenses, "botocore")


def _keep_licenses(packages: Path, licenses: Path, distribution: str = "*") -> None:
    """Take away what installers note of each distribution, but for its licence."""
    for notes in packages.glob(f"{distribution}-*.dist-info"):
        for file in [path for path in notes.rglob("*") if path.name.upper().startswith(("LICEN", "COPYING", "NOTICE"))]:
            if file.is_file():
                kept = licenses / notes.name.removesuffix(".dist-info") / file.name
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, kept)
        shutil.rmtree(notes)


def _prune(packages: Path) -> None:
    for path in [packages / name for name in UNUSED] + [found for name in NOT_TO_RUN for found in packages.rglob(name)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _compile(packages: Path, python: Path) -> None:
    """Write the byte code of every module. Its hash is not checked against the source when it is imported."""
    command = [str(python), "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    subprocess.run([*command, "-s", str(packages), "-p", IN_FUNCTION, str(packages)], check=True, env=environment)


def _forget_when_and_who(layer: Path) -> None:
    """Give every file the same time and mode: whoever builds these sources, whenever, gets the same bytes in a zip."""
    for path in [layer, *layer.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (BUILT_AT_SECONDS, BUILT_AT_SECONDS))
