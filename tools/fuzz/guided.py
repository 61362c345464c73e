"""`python -m tools.fuzz.guided TARGET [libFuzzer's options] FOLDER…`: one target under atheris, in its own process.

What the product's modules do with an input tells the fuzzer which inputs to go on with.
"""

import sys

import atheris

INSTRUMENTED = ["relay", "relay_protocol", "local", "http_sf", "starlette", "uvicorn.protocols"]


def main() -> None:
    """Fuzz until the options say that it is enough; libFuzzer ends the process."""
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 -- what is imported here is instrumented
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
