"""Each function runs what it should, with variables that the code takes."""

import re
from typing import Any

import pytest

from relay.config import Settings
from relay_protocol.limits import Limits, Retention
from tests.infra.deployed import GROUPS, Deployed, deployed, expanded
from tests.infra.policies import granted, statements_of

MAX_DESCRIPTION = 256
"""Of a version, in characters."""
OF_ALL_VERSIONS = {"MaxConcurrency"}
"""What is a function's own, whichever version runs."""
LONGEST = {
    "SqliteShards": "64",
    "Architecture": "x86_64",
    "MemoryMegabytes": "10240",
    "ColdStarts": "provisioned",
    "ChangesetDays": "36500",
    "KeepSnapshots": "1000",
    "RateLimit": "1000000/86400",
    "MaxPage": "10000",
    "MaxBatch": "1000",
    "MaxVaultBytes": str(2**53 - 1),
    "MaxDevices": "1000",
    "MaxPendingSnapshots": "1000",
    "VaultCreation": "closed",
    "SecretsRevision": "1000",
    "RequestMetrics": "off",
    "LogLevel": "WARNING",
}


@pytest.mark.parametrize("group", GROUPS)
def test_the_variables_are_what_the_code_takes(stack: Deployed, group: str) -> None:
    settings = settings_of(stack, group)
    assert (settings.limits, settings.retention) == (Limits(), Retention()), "the defaults are those of the code"
    assert settings.blobs == "s3"
    assert settings.bucket == stack.outputs["Bucket"]
    assert settings.vault_token == secret(stack, "VaultToken")
    assert settings.address_key == secret(stack, "AddressKey")
    if settings.metadata == "dynamodb":
        assert settings.log_table == stack.outputs["LogTable"]
        assert settings.limiter_table == stack.outputs["LimiterTable"]
    else:
        assert settings.sqlite_journal == "persist", "a write-ahead log gets corrupt on a network file system"
        assert str(settings.data_dir) == "/mnt/relay"


@pytest.mark.parametrize("group", GROUPS)
def test_a_function_runs_the_handler_of_its_folder(on_dynamodb: Deployed, group: str) -> None:
    made = on_dynamodb.function(group)
    assert (made["Handler"], made["Runtime"]) == ("app.handler", "python3.13")
    assert made["Timeout"] < 29 or group == "maintenance", "API Gateway gives up after 29 s"
    logs = on_dynamodb.of_type("AWS::Logs::LogGroup")[f"{group.capitalize()}Logs"]
    assert logs["RetentionInDays"] == 30
    function = on_dynamodb.of_type("AWS::Lambda::Function")[f"{group.capitalize()}Function"]
    assert function["Layers"] == [layer_of(on_dynamodb)]
    assert function["LoggingConfig"]["LogGroup"] == on_dynamodb.ids[f"{group.capitalize()}Logs"]


def test_a_parameter_that_changes_a_function_publishes_a_new_version() -> None:
    """A version is described by the parameters: CloudFormation replaces one whose description changes."""
    resources = expanded()["Resources"]
    described = parameters_in(resources["Configuration"]["Properties"]["Value"])
    assert "FileSystemPath" in described, "another path is another access point"
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            assert parameters_in(resource["Properties"]) - described == OF_ALL_VERSIONS, name
        if resource["Type"] == "AWS::Lambda::Version":
            assert resource["Properties"]["Description"] == {"Fn::GetAtt": ["Configuration", "Value"]}


def test_what_describes_a_version_changes_the_function_too() -> None:
    """Lambda publishes no version of a function that is as it was, and CloudFormation then undoes the deployment."""
    resources = expanded()["Resources"]
    described = parameters_in(resources["Configuration"]["Properties"]["Value"])
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            assert described - always_in(resource["Properties"]) == {"MetadataStore"}, name  # which never changes


@pytest.mark.parametrize(
    "store",
    [
        {"MetadataStore": "dynamodb", "RestoredLogTable": "r" * 30},
        {"MetadataStore": "sqlite-efs", "FileSystemPath": "/aws-backup-restore_2026-11-28T14-57-45-123Z/relay"},
    ],
)
def test_the_description_of_a_version_is_never_too_long(store: dict[str, str]) -> None:
    with deployed(**LONGEST, **store) as stack:
        assert len(stack.of_type("AWS::SSM::Parameter")["Configuration"]["Value"]) <= MAX_DESCRIPTION


def test_another_layer_publishes_new_versions() -> None:
    """All code but a few lines is in the layer."""
    versions = [
        {name for name, one in expanded(layer)["Resources"].items() if one["Type"] == "AWS::Lambda::Version"}
        for layer in ("layer.zip", "another.zip")
    ]
    assert [len(names) for names in versions] == [len(GROUPS)] * 2
    assert not versions[0] & versions[1]


def test_the_api_calls_the_version_that_was_published(on_dynamodb: Deployed) -> None:
    client = on_dynamodb.client("lambda")
    for group in GROUPS:
        name = on_dynamodb.function(group)["FunctionName"]
        assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"


@pytest.mark.parametrize(
    ("choice", "architecture", "snapstart", "provisioned"),
    [
        ("snapstart", "x86_64", {"ApplyOn": "PublishedVersions"}, None),
        ("provisioned", "arm64", None, {"ProvisionedConcurrentExecutions": 2}),
    ],
)
def test_cold_starts_and_the_architecture_are_chosen_by_parameter(
    choice: str, architecture: str, snapstart: Any, provisioned: Any
) -> None:
    parameters = {"ProvisionedConcurrency": "2", "MaxConcurrency": "40"}
    with deployed(ColdStarts=choice, Architecture=architecture, **parameters) as stack:
        for function in stack.of_type("AWS::Lambda::Function").values():
            assert str(function["ReservedConcurrentExecutions"]) == "40"
            assert (function.get("SnapStart"), function["Architectures"]) == (snapstart, [architecture])
        aliases = stack.of_type("AWS::Lambda::Alias")
        assert aliases["ChangesetsFunctionAliaslive"].get("ProvisionedConcurrencyConfig") == provisioned
        assert "ProvisionedConcurrencyConfig" not in aliases["MaintenanceFunctionAliaslive"]


def test_by_default_nothing_is_kept_warm(on_dynamodb: Deployed) -> None:
    for function in on_dynamodb.of_type("AWS::Lambda::Function").values():
        assert not {"SnapStart", "ReservedConcurrentExecutions"} & set(function)
    for alias in on_dynamodb.of_type("AWS::Lambda::Alias").values():
        assert "ProvisionedConcurrencyConfig" not in alias


def test_retention_runs_each_hour(on_dynamodb: Deployed) -> None:
    events, name = on_dynamodb.client("events"), on_dynamodb.ids["MaintenanceFunctionHourly"]
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert events.describe_rule(Name=name)["ScheduleExpression"] == "rate(1 hour)"
    assert target["Arn"] == on_dynamodb.function("maintenance")["FunctionArn"] + ":live"


def settings_of(stack: Deployed, group: str) -> Settings:
    variables = {name: value for name, value in stack.environment(group).items() if name.startswith("RELAY_")}
    return Settings.from_environment(variables)


def secret(stack: Deployed, logical_id: str) -> str:
    found: str = stack.client("secretsmanager").get_secret_value(SecretId=stack.ids[logical_id])["SecretString"]
    return found


def layer_of(stack: Deployed) -> str:
    return next(stack.ids[name] for name in stack.resources if name.startswith("RelayLayer"))


def parameters_in(value: Any) -> set[str]:
    """Return the template's parameters on which a value depends, through conditions too."""
    template = expanded()
    if isinstance(value, list):
        return set().union(*map(parameters_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    named: set[str] = set()
    if "Ref" in value:
        named.add(value["Ref"])
    if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str):
        named |= set(re.findall(r"\$\{(\w+)\}", value["Fn::Sub"]))
    if "Fn::If" in value:
        return parameters_in(template["Conditions"][value["Fn::If"][0]]) | parameters_in(value["Fn::If"][1:])
    deeper = set().union(*map(parameters_in, value.values()))
    return (named | deeper) & set(template["Parameters"])


def always_in(value: Any) -> set[str]:
    """Return the template's parameters whose every change changes a value, whatever the conditions."""
    if isinstance(value, list):
        return set().union(*map(always_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    if "Fn::If" in value:
        return set()
    return set().union(*map(always_in, value.values())) | (parameters_in(value) if is_named(value) else set())


def is_named(value: dict[str, Any]) -> bool:
    """Whether a value names parameters itself."""
    return "Ref" in value or isinstance(value.get("Fn::Sub"), str)


def test_a_restored_table_takes_the_place_of_the_stacks_own() -> None:
    with deployed(RestoredLogTable="restored") as stack:
        for group in GROUPS:
            assert settings_of(stack, group).log_table == "restored"
            tables = {right.resource.rpartition("/")[2] for right in granted(statements_of(stack, group))}
            assert "restored" in tables
            assert stack.ids["LogTable"] not in tables
