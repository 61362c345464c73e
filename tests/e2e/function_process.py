"""One instance of a function, as Lambda runs it: `python -m tests.e2e.function_process GROUP` calls the very handler.

An event a line on its standard input, a response a line on its standard output; what the handler logs goes to the
standard error. It ends with its standard input.
"""

import json
import sys
from importlib import import_module


def main(group: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    handler = import_module(f"functions.{group}.app").handler
    for line in sys.stdin:
        try:
            response = handler(json.loads(line), None)
        except Exception as error:  # noqa: BLE001 -- told as Lambda tells it
            response = {"errorType": type(error).__name__}
        answers.write(json.dumps(response) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
