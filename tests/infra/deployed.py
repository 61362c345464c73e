"""The template deployed into moto's CloudFormation: what was made, and each resource's properties with all resolved."""

import copy
import io
import json
import re
import subprocess
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import ResourceMap, clean_json

import tests.infra.resources  # noqa: F401 -- moto finds them
from tests.backends import give_up

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
ACCOUNT = "123456789012"
"""What moto calls every account."""
GROUPS = ("changesets", "devices", "vaults", "snapshots", "maintenance")
_numbers = count(1)
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(?P<id>[^}]+?)\}\}")


@cache
def expanded(layer: str = "layer.zip") -> dict[str, Any]:
    """Return what SAM makes of the template, with a layer in this archive. It leaves parameters as they are."""
    python = ROOT / ".sam" / "bin" / "python"
    if not python.exists():
        give_up("no SAM to expand the template with: make .sam/.made")
    command = [str(python), str(ROOT / "tests/infra/expand.py"), str(ROOT / "template.yaml"), REGION, layer]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    template: dict[str, Any] = json.loads(done.stdout)
    return template


@dataclass(frozen=True)
class Deployed:
    """A stack, in a world that it may share with others.

    `resources` are those whose condition holds, by logical id, with their properties resolved.
    """

    name: str
    resources: dict[str, dict[str, Any]]
    ids: dict[str, str]
    """What a `Ref` to each of them is."""
    outputs: dict[str, str]
    not_made: frozenset[str]
    """Types that moto's CloudFormation passes over."""

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION)

    def of_type(self, kind: str) -> dict[str, Any]:
        """Return the properties of each resource of a type."""
        return {name: found["Properties"] for name, found in self.resources.items() if found["Type"] == kind}

    def function(self, group: str) -> dict[str, Any]:
        """Return a function's configuration as Lambda tells it."""
        found: dict[str, Any] = self.client("lambda").get_function_configuration(
            FunctionName=self.ids[f"{group.capitalize()}Function"]
        )
        return found

    def environment(self, group: str) -> dict[str, str]:
        """Return a function's variables, with the secrets in them that CloudFormation would have put there."""
        secrets = self.client("secretsmanager")

        def secret(found: re.Match[str]) -> str:
            text: str = secrets.get_secret_value(SecretId=found["id"])["SecretString"]
            return text

        variables = self.function(group)["Environment"]["Variables"]
        return {name: _SECRET.sub(secret, str(value)) for name, value in variables.items()}


@contextmanager
def deployed(**parameters: str) -> Iterator[Deployed]:
    """Deploy the template with these parameters."""
    template = expanded()
    with mock_aws(), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        _upload_code()
        cloudformation, name = boto3.client("cloudformation", REGION), f"relay-{next(_numbers)}"
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        found = [re.search(r"Tried to parse (\S+) but", str(warning.message)) for warning in told]
        resource_map = cloudformation_backends[ACCOUNT][REGION].get_stack(name).resource_map
        resources = _resolved(template["Resources"], resource_map)
        yield Deployed(
            name,
            resources,
            {logical_id: clean_json({"Ref": logical_id}, resource_map) for logical_id in resources},
            {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]},
            frozenset(match[1] for match in found if match),
        )


def _upload_code() -> None:
    s3 = boto3.client("s3", REGION)
    if any(bucket["Name"] == "packaged" for bucket in s3.list_buckets()["Buckets"]):
        return
    s3.create_bucket(Bucket="packaged", CreateBucketConfiguration={"LocationConstraint": REGION})
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    for key in ("code.zip", "layer.zip"):
        s3.put_object(Bucket="packaged", Key=key, Body=code.getvalue())


def _resolved(resources: dict[str, Any], resource_map: ResourceMap) -> dict[str, dict[str, Any]]:
    return {
        name: resource
        | {"Properties": _without_nothing(clean_json(copy.deepcopy(_properties(resource)), resource_map))}
        for name, resource in resources.items()
        if "Condition" not in resource or resource_map.lazy_condition_map[resource["Condition"]]
    }


def _properties(resource: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resource.get("Properties", {})
    return found


def _without_nothing(value: Any) -> Any:
    """Leave out what `AWS::NoValue` stands for: moto leaves None there, in lists and in what it does not make."""
    if isinstance(value, dict):
        return {name: _without_nothing(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nothing(one) for one in value if one is not None]
    return value
