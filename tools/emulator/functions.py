"""All built functions, each with its instances, by the groups of the routes that they answer."""

from collections.abc import Mapping
from functools import partial

from tools.emulator.built import Built
from tools.emulator.emulator import Emulator
from tools.emulator.pool import FunctionPool

MOST_INSTANCES = 3
"""Of each function: enough for calls to overlap."""


def function_pools(environment: Mapping[str, str]) -> dict[str, FunctionPool]:
    """Return the functions, none of them started. Their variables are the template's, with the values given here."""
    built = Built(VaultCreation="open")
    given = {name: value for name, value in environment.items() if name.startswith(("RELAY_", "AWS_"))}
    return {
        group: FunctionPool(partial(Emulator, function, built.variables(function, given)), MOST_INSTANCES)
        for group, function in built.functions.items()
    }
