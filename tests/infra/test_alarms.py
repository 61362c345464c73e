"""The alarms look at metrics that there are, and the region keeps its data."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from relay.observability import Answered, PowertoolsTelemetry
from tests.infra.deployed import REGION, ROOT, Deployed, deployed, expanded

AWS_METRICS = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Lambda": {"Errors", "Invocations", "Throttles", "ConcurrentExecutions"},
}
LEAVING = {
    "AWS::DynamoDB::GlobalTable",
    "AWS::CloudFront::Distribution",
    "AWS::EFS::ReplicationConfiguration",
    "AWS::S3::MultiRegionAccessPoint",
    "AWS::CloudTrail::Trail",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Logs::SubscriptionFilter",
    "AWS::SecretsManager::ReplicaRegion",
}
LEAVING_PROPERTIES = {
    "Replicas",
    "ReplicaRegions",
    "ReplicationConfiguration",
    "ReplicationConfigurations",
    "StreamSpecification",
    "KinesisStreamSpecification",
    "InventoryConfigurations",
    "LoggingConfigurations",
    "AccelerateConfiguration",
}


@pytest.fixture(scope="module")
def mailed() -> Iterator[Deployed]:
    with deployed(AlarmAddress="ops@relay.example") as stack:
        yield stack


def test_each_alarm_of_ours_looks_at_a_metric_that_the_relay_writes(
    on_dynamodb: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    written = metrics_written(on_dynamodb.name, capsys)
    watched = [metric for alarm in alarms(on_dynamodb).values() for metric in metrics_of(alarm)]
    ours = [metric for metric in watched if metric[0] == "SyncRelay"]
    assert {name for _, name, _ in ours} == {"LimiterFailed", "StoreUnavailable", "InternalError", "Duration"}
    for metric in ours:
        assert metric in written


def test_every_other_alarm_looks_at_a_metric_of_awss(on_dynamodb: Deployed) -> None:
    (filtered,) = on_dynamodb.of_type("AWS::Logs::MetricFilter").values()
    (transformed,) = filtered["MetricTransformations"]
    own = (transformed["MetricNamespace"], transformed["MetricName"], frozenset[tuple[str, str]]())
    for alarm in alarms(on_dynamodb).values():
        for namespace, name, dimensions in metrics_of(alarm):
            if namespace in AWS_METRICS:
                assert name in AWS_METRICS[namespace]
                assert dimensions
            elif namespace != "SyncRelay":
                assert (namespace, name, dimensions) == own


def test_the_alarms_of_the_functions_name_the_functions_that_were_made(on_dynamodb: Deployed) -> None:
    named = {
        value
        for alarm in alarms(on_dynamodb).values()
        for _, _, dimensions in metrics_of(alarm)
        for key, value in dimensions
        if key == "FunctionName"
    }
    made = {on_dynamodb.ids[name] for name in on_dynamodb.of_type("AWS::Lambda::Function")}
    assert named == made


def test_alarms_are_mailed_where_an_address_is_given(on_dynamodb: Deployed, mailed: Deployed) -> None:
    assert all(alarm["AlarmActions"] == [] for alarm in alarms(on_dynamodb).values())
    assert all(alarm["AlarmActions"] == [mailed.ids["Alarms"]] for alarm in alarms(mailed).values())
    (subscription,) = mailed.of_type("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@relay.example")


def test_the_operator_is_told_what_to_do_at_each(on_dynamodb: Deployed) -> None:
    explained = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    assert {name.removesuffix("Alarm") for name in alarms(on_dynamodb)} <= set(explained)


def test_the_dashboard_is_json_and_of_this_region(stack: Deployed) -> None:
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert {widget["properties"]["region"] for widget in widgets} == {REGION}


def test_nothing_copies_data_to_elsewhere() -> None:
    for name, resource in expanded()["Resources"].items():
        assert resource["Type"] not in LEAVING, name
        assert not LEAVING_PROPERTIES & set(keys_in(resource.get("Properties", {}))), name


def test_no_other_region_is_named() -> None:
    template = json.dumps(expanded()["Resources"])
    assert re.findall(r"\b(?:us|eu|ap|ca|sa|me|af|il)-[a-z]+-\d\b", template) == []
    assert expanded()["Resources"]["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def alarms(stack: Deployed) -> dict[str, Any]:
    return stack.of_type("AWS::CloudWatch::Alarm")


Metric = tuple[str, str, frozenset[tuple[str, str]]]


def metrics_of(alarm: dict[str, Any]) -> list[Metric]:
    """Return namespace, name and dimensions of what an alarm looks at."""
    several = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
    return [
        (one["Namespace"], one["MetricName"], frozenset((d["Name"], d["Value"]) for d in one.get("Dimensions", ())))
        for one in several or [alarm]
    ]


def metrics_written(service: str, capsys: pytest.CaptureFixture[str]) -> set[Metric]:
    """Return the metrics in what the relay writes when everything goes wrong."""
    telemetry = PowertoolsTelemetry("INFO", service, request_metrics=True)
    telemetry.limiter_failed("id", "throttled")
    telemetry.store_unavailable("id", "throttled")
    telemetry.failed("id", ValueError())
    telemetry.answered(Answered("id", "POST /devices", None, 507, "quota_exceeded", 1))
    found: set[Metric] = set()
    for line in capsys.readouterr().out.splitlines():
        written = json.loads(line)
        for directive in written.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, written[name]) for name in names)
                found |= {(directive["Namespace"], metric["Name"], dimensions) for metric in directive["Metrics"]}
    return found


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from keys_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from keys_in(one)
