"""Finds the Lambda runtime's Python on this machine: byte code is good for one minor version only.

`python -m tools.layer.lambda_python` prints where it is.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSION = (3, 13)
"""Of the runtime that template.yaml names, python3.13."""
NAME = "python{}.{}".format(*VERSION)
VARIABLE = "LAMBDA_PYTHON"
_PRINT_VERSION = "import sys; print(*sys.version_info[:2])"


class PythonMissingError(Exception):
    """No Python of that version is on this machine. The message says what to do."""


def lambda_python() -> Path:
    """Return the interpreter: the one that `LAMBDA_PYTHON` names, else the first found. Raises PythonMissingError."""
    named = os.environ.get(VARIABLE)
    for candidate in [Path(named)] if named else _candidates():
        if _runs(candidate):
            return candidate
    raise PythonMissingError(
        f"the layer's byte code needs Python {VERSION[0]}.{VERSION[1]}, as the Lambda runtime has it: "
        f"install it, or set {VARIABLE} to its path"
    )


def _candidates() -> Iterator[Path]:
    """Yield where it may be: on the path, then where pyenv and uv keep theirs."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(folder) / NAME
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{VERSION[0]}.{VERSION[1]}*/bin/{NAME}"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python"))
    yield from sorted(uv.glob(f"cpython-{VERSION[0]}.{VERSION[1]}*/bin/{NAME}"))


def _runs(candidate: Path) -> bool:
    """Whether it is there and of the version: a shim may stand for one that is not."""
    try:
        told = subprocess.run([candidate, "-c", _PRINT_VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return told.returncode == 0 and tuple(map(int, told.stdout.split())) == VERSION


if __name__ == "__main__":
    try:
        print(lambda_python())
    except PythonMissingError as error:
        sys.exit(str(error))
