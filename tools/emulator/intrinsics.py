"""The intrinsic functions of a template, as far as parameters decide them: what stands in a function's environment."""

from collections.abc import Mapping
from typing import Any

NO_VALUE = object()
"""What `Ref: AWS::NoValue` gives: the member is not there."""
ONLY_DEPLOYED = object()
"""A value that only a deployment knows: a resource's name, a secret."""


class Parameters:
    """A template's parameters, with these values or their defaults, and its conditions."""

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, str], stack_name: str) -> None:
        declared: Mapping[str, Any] = template.get("Parameters", {})
        unknown = values.keys() - declared.keys()
        if unknown:
            raise KeyError(*sorted(unknown))
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._refs: dict[str, Any] = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
        self._refs |= {**values, "AWS::NoValue": NO_VALUE, "AWS::StackName": stack_name}

    def evaluate(self, value: Any) -> Any:  # noqa: ANN401 -- any scalar or intrinsic function
        """Return a scalar as a string, `NO_VALUE`, or `ONLY_DEPLOYED`."""
        if not isinstance(value, dict):
            return str(value)
        ((function, argument),) = value.items()
        if function == "Ref":
            return self._refs.get(argument, ONLY_DEPLOYED)
        if function == "Fn::If":
            return self.evaluate(argument[1 if self.holds(argument[0]) else 2])
        if function == "Fn::Sub" and isinstance(argument, str):
            return self._substitute(argument)
        return ONLY_DEPLOYED

    def holds(self, condition: str | Mapping[str, Any]) -> bool:
        """Whether a condition, by its name or as it is written, holds."""
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                return bool(self.evaluate(argument[0]) == self.evaluate(argument[1]))
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                return any(map(self.holds, argument))
        raise ValueError(f"no such condition: {function}")

    def _substitute(self, text: str) -> Any:  # noqa: ANN401 -- see `evaluate`
        for name, value in self._refs.items():
            if isinstance(value, str):
                text = text.replace(f"${{{name}}}", value)
        return ONLY_DEPLOYED if "${" in text or "{{resolve:" in text else text
