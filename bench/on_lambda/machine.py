"""What a run was made on, for those who read its figures later. It names neither the machine nor a path of it."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tools.emulator.emulator import RUNTIME

_VERSIONS = """
import importlib.metadata as m, platform
print("Python", platform.python_version())
for name in ("botocore", "awslambdaric"):
    print(name, m.version(name))
"""


def described() -> dict[str, str | int]:
    """Return date, processor, kernel, and the versions that functions ran with."""
    told = subprocess.run([RUNTIME, "-c", _VERSIONS], capture_output=True, text=True, check=True).stdout
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "processors": os.cpu_count() or 0,
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "runtime": ", ".join(told.splitlines()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return "unknown"
