"""All built functions, each with its instances, by the groups of the routes that they answer."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tools.emulator.built import Built, BuiltFunction
from tools.emulator.emulator import Emulator
from tools.emulator.pool import FunctionPool

MOST_INSTANCES = 2
"""Of each function: enough for calls to overlap."""


CLOCK = "EMULATOR_CLOCK"
"""Names the file, if there is one, that says how many seconds the functions' clocks are ahead."""
CLOCK_FOLDER = Path(__file__).parent / "clock"


def function_pools(environment: Mapping[str, str]) -> dict[str, FunctionPool]:
    """Return the functions, none of them started. Their variables are the template's, with the values given here."""
    built = Built(VaultCreation="open")
    given = {name: value for name, value in environment.items() if name.startswith(("RELAY_", "AWS_"))}
    clock = {CLOCK: environment[CLOCK]} if CLOCK in environment else {}

    def pool(function: BuiltFunction) -> FunctionPool:
        variables = built.variables(function, given) | clock
        if clock:
            variables["PYTHONPATH"] = f"{CLOCK_FOLDER}:{function.layer / 'python'}"
        return FunctionPool(partial(Emulator, function, variables), MOST_INSTANCES)

    return {group: pool(function) for group, function in built.functions.items()}
