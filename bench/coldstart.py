"""How long the built functions take to start under the Lambda runtime's emulator: `make bench-coldstart`.

INIT is the emulator's own report: the interpreter, the runtime's client, and importing the handler. The stores' clients
are made by the first request, so its time counts, too; a second one shows what remains. `bare` is a handler that does
nothing: what no function can go below on this machine. Stores are stand-ins on this machine, and quick.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tools.emulator.built import Built, BuiltFunction
from tools.emulator.emulator import RUNTIME, Emulator
from tools.events.story import SCHEDULED, examples
from tools.stand_ins.aws import dynamodb_served, s3_served
from tools.stand_ins.stores import Stores

MEASURED = {"changesets": "pull", "devices": "list", "snapshots": "list", "vaults": "show"}
"""By group: the example whose request is timed. It changes nothing, so every start gets the same answer."""
SETTING_UP = ("register", "register-second", "push", "announce")


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="bench.coldstart", description=__doc__)
    parser.add_argument("--starts", type=int, default=20, help="of each function")
    parser.add_argument("--imports", default="changesets", help="the function whose imports are told")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        urls = stack.enter_context(dynamodb_served()), stack.enter_context(s3_served())
        stores = stack.enter_context(closing(Stores(*urls)))
        built = Built(VaultCreation="open")
        variables = {group: built.variables(one, stores.variables) for group, one in built.functions.items()}

        def start(group: str) -> Emulator:
            return Emulator(built.functions[group], variables[group])

        _set_up(start)
        bare = replace(built.functions["vaults"], folder=Path(stack.enter_context(tempfile.TemporaryDirectory())))
        (bare.folder / "app.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
        print(f"{'milliseconds, least/median':<28}{'INIT':>16}{'first request':>16}{'INIT + first':>16}{'second':>16}")
        _measure("bare", lambda: Emulator(bare, {}), SCHEDULED, arguments.starts)
        for group in (*MEASURED, "maintenance"):
            _measure(group, partial(start, group), _event(group), arguments.starts)
        _tell_imports(built.functions[arguments.imports])


def _set_up(start: Callable[[str], Emulator]) -> None:
    """Found the vault that the events are about."""
    for example in examples(int(time.time())):
        if example.name.partition("-")[2].partition("-")[2] in SETTING_UP:
            with closing(start(example.group)) as instance:
                assert instance.invoke(example.event)["statusCode"] == example.status


def _event(group: str) -> Mapping[str, Any]:
    """Return the event that is timed, signed now."""
    ending = f"{group}-{MEASURED.get(group, '')}".removesuffix("-")
    return next(one.event for one in examples(int(time.time())) if one.name.endswith(ending))


def _measure(name: str, start: Callable[[], Emulator], event: Mapping[str, Any], starts: int) -> None:
    rows = []
    for _ in range(starts):
        with closing(start()) as instance:
            assert instance.invoke(event).get("statusCode", 200) == 200
            instance.invoke(event)
        assert instance.init_ms is not None
        first_ms, second_ms = instance.request_ms
        rows.append((instance.init_ms, first_ms, instance.init_ms + first_ms, second_ms))
    print(
        f"{name:<28}"
        + "".join(f"{min(column):>8.1f}/{statistics.median(column):<7.1f}" for column in zip(*rows, strict=True))
    )


def _tell_imports(function: BuiltFunction) -> None:
    """Print what importing the handler is made of, by package, from `python -X importtime`."""
    environment = {"PYTHONPATH": str(function.layer / "python")}
    told = subprocess.run(
        [RUNTIME, "-X", "importtime", "-c", "import app"],
        cwd=function.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    by_package: dict[str, float] = defaultdict(float)
    for line in told.splitlines()[1:]:
        own_us, _, module = line.removeprefix("import time:").split("|")
        package = module.strip().partition(".")[0]
        by_package[package if package in _PACKAGES else "the standard library"] += int(own_us) / 1000
    print(f"\nimports of {function.name}, milliseconds")
    for package, ms in sorted(by_package.items(), key=lambda entry: -entry[1]):
        print(f"{package:<28}{ms:>8.1f}")


_PACKAGES = {
    *("app", "relay", "relay_protocol", "pydantic", "pydantic_core", "annotated_types", "typing_inspection"),
    *("typing_extensions", "aws_lambda_powertools", "jmespath", "nacl", "_cffi_backend", "http_sf", "orjson"),
}

if __name__ == "__main__":
    main()
