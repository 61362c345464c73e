"""The stand-in for Lambda's runtime that functions ran with."""

import subprocess

from tools.emulator.emulator import RUNTIME

_VERSIONS = """
import importlib.metadata as m, platform
print("Python", platform.python_version())
for name in ("botocore", "awslambdaric"):
    print(name, m.version(name))
"""


def runtime() -> str:
    """Return its versions."""
    told = subprocess.run([RUNTIME, "-c", _VERSIONS], capture_output=True, text=True, check=True).stdout
    return ", ".join(told.splitlines())
