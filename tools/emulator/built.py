"""The folder that `sam build` made, as its template describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.emulator.intrinsics import NO_VALUE, ONLY_DEPLOYED, Parameters

BUILT = Path(__file__).parents[2] / ".aws-sam" / "emulated"
FUNCTION_TYPE = "AWS::Serverless::Function"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
ONLY_HERE = ("RELAY_DYNAMODB_ENDPOINT", "RELAY_S3_ENDPOINT", *CREDENTIALS)
"""Where the stand-ins for AWS listen, which no deployment has, and what Lambda gives a function itself."""


@dataclass(frozen=True, slots=True)
class BuiltFunction:
    """One function. `environment` are its variables as the template has them, intrinsic functions included."""

    name: str
    folder: Path
    handler: str
    memory_mib: int
    layer: Path
    environment: Mapping[str, Any]


class Built:
    """All that was built; `parameters` are the template's, with their defaults for those that are not named."""

    def __init__(self, folder: Path = BUILT, **parameters: str) -> None:
        """Read the folder. Raises OSError where there is none, KeyError for a parameter that the template lacks."""
        template = yaml.safe_load((folder / "template.yaml").read_text("utf-8"))
        self._parameters = Parameters(template, parameters, stack_name="sync-relay-here")
        self._folder = folder
        self._globals: Mapping[str, Any] = template.get("Globals", {}).get("Function", {})
        self.layer = folder / "RelayLayer"
        self.functions = {
            name.removesuffix("Function").lower(): self._function(name, resource["Properties"])
            for name, resource in template["Resources"].items()
            if resource["Type"] == FUNCTION_TYPE
        }
        """By group: changesets, devices, vaults, snapshots, maintenance."""

    def variables(self, function: BuiltFunction, given: Mapping[str, str]) -> dict[str, str]:
        """Return a function's variables: those that the template gives it, with the values given here if there are any.

        Raises KeyError for one whose value only a deployment knows, and that was not given.
        """
        variables = {name: value for name, value in given.items() if name in ONLY_HERE}
        for name, written in function.environment.items():
            value = self._parameters.evaluate(written)
            if value is not NO_VALUE:
                variables[name] = given[name] if name in given or value is ONLY_DEPLOYED else value
        return variables

    def _function(self, name: str, properties: Mapping[str, Any]) -> BuiltFunction:
        merged = {**self._globals, **properties}
        variables: dict[str, Any] = {}
        for one in (self._globals, properties):
            variables |= one.get("Environment", {}).get("Variables", {})
        memory_mib = int(self._parameters.evaluate(merged["MemorySize"]))
        folder = self._folder / properties["CodeUri"]
        return BuiltFunction(name, folder, merged["Handler"], memory_mib, self.layer, variables)
