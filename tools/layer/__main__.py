"""`python -m tools.layer FOLDER --architecture arm64`: what layers/relay/Makefile runs for `sam build`."""

import argparse
import subprocess
import sys
from pathlib import Path

from tools.layer.build import MACHINES, build_layer
from tools.layer.lambda_python import PythonMissingError, lambda_python


def main() -> str | None:
    """Build the layer; return what stood in the way, in one line."""
    parser = argparse.ArgumentParser(prog="tools.layer", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to; empty")
    parser.add_argument("--architecture", choices=list(MACHINES), required=True)
    arguments = parser.parse_args()
    try:
        build_layer(arguments.folder, arguments.architecture, lambda_python())
    except PythonMissingError as error:
        return str(error)
    except subprocess.CalledProcessError as error:
        return f"a step of the layer's build failed: {error.cmd[0]} ended with {error.returncode}"
    return None


if __name__ == "__main__":
    sys.exit(main())
