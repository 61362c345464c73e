"""The stores that the template makes are those that the code expects, and they keep what they should."""

import json
from typing import Any

import pytest

from relay.adapters.dynamodb import EXPIRES_AT, limiter_table, log_table
from tests.infra.deployed import GROUPS, Deployed


def describe(stack: Deployed, output: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.client("dynamodb").describe_table(TableName=stack.outputs[output])["Table"]
    return found


@pytest.mark.parametrize(("output", "expected"), [("LogTable", log_table), ("LimiterTable", limiter_table)])
def test_a_table_has_the_keys_that_the_code_defines(on_dynamodb: Deployed, output: str, expected: Any) -> None:
    made, definition = describe(on_dynamodb, output), expected("any")
    assert made["KeySchema"] == definition["KeySchema"]
    assert made["AttributeDefinitions"] == definition["AttributeDefinitions"]
    assert made["BillingModeSummary"]["BillingMode"] == definition["BillingMode"]
    assert not made.get("GlobalSecondaryIndexes")
    assert on_dynamodb.of_type("AWS::DynamoDB::Table")[output]["SSESpecification"] == {"SSEEnabled": True}


def test_the_limiter_forgets_by_the_attribute_that_the_code_writes(on_dynamodb: Deployed) -> None:
    limiter = on_dynamodb.of_type("AWS::DynamoDB::Table")["LimiterTable"]
    assert limiter["TimeToLiveSpecification"] == {"AttributeName": EXPIRES_AT, "Enabled": True}
    assert "TimeToLiveSpecification" not in on_dynamodb.of_type("AWS::DynamoDB::Table")["LogTable"]


def test_a_log_can_be_restored_and_outlives_its_stack(on_dynamodb: Deployed) -> None:
    log = on_dynamodb.resources["LogTable"]
    recovery = log["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 14}
    assert log["Properties"]["DeletionProtectionEnabled"] is True
    for name in ("LogTable", "Bucket", "BucketPolicy"):
        assert on_dynamodb.resources[name]["DeletionPolicy"] == "Retain"
        assert on_dynamodb.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_objects_that_are_removed_stay_as_long_as_a_table_can_be_restored_to(on_dynamodb: Deployed) -> None:
    bucket = on_dynamodb.of_type("AWS::S3::Bucket")["Bucket"]
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["removed objects go"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 14}
    assert rules["aborted uploads go"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert all("ExpirationInDays" not in rule for rule in rules.values()), "what is there stays"


def test_the_bucket_is_private_and_takes_no_plain_http(stack: Deployed) -> None:
    s3, name = stack.client("s3"), stack.outputs["Bucket"]
    block = stack.of_type("AWS::S3::Bucket")["Bucket"]["PublicAccessBlockConfiguration"]
    assert (len(block), set(block.values())) == (4, {True})
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    statements = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert {one["Effect"] for one in statements} == {"Deny"}
    plain = next(one for one in statements if one["Sid"] == "TlsOnly")
    assert plain["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert plain["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    assert "CorsConfiguration" not in stack.of_type("AWS::S3::Bucket")["Bucket"]


def test_sqlite_lies_on_an_encrypted_file_system_that_is_backed_up(on_efs: Deployed) -> None:
    assert not on_efs.of_type("AWS::DynamoDB::Table")
    file_system = on_efs.of_type("AWS::EFS::FileSystem")["FileSystem"]
    assert file_system["Encrypted"] is True
    assert file_system["BackupPolicy"] == {"Status": "ENABLED"}
    assert on_efs.resources["FileSystem"]["DeletionPolicy"] == "Retain"
    assert {one["Effect"] for one in file_system["FileSystemPolicy"]["Statement"]} == {"Deny"}
    for group in GROUPS:
        function = on_efs.of_type("AWS::Lambda::Function")[f"{group.capitalize()}Function"]
        mount = function["FileSystemConfigs"][0]
        assert mount["LocalMountPath"] == on_efs.environment(group)["RELAY_DATA_DIR"]
        assert mount["Arn"].endswith(on_efs.ids["AccessPoint"])


def test_the_network_of_the_file_system_leads_to_one_bucket_and_nowhere_else(on_efs: Deployed) -> None:
    ways_out = {"InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "VPCPeeringConnection", "Route"}
    assert not [kind for kind in ways_out if on_efs.of_type(f"AWS::EC2::{kind}")]
    (endpoint,) = on_efs.of_type("AWS::EC2::VPCEndpoint").values()
    assert (endpoint["VpcEndpointType"], endpoint["ServiceName"]) == ("Gateway", "com.amazonaws.eu-central-1.s3")
    bucket = f"arn:aws:s3:::{on_efs.outputs['Bucket']}"
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [bucket, f"{bucket}/*"]
    routes = on_efs.client("ec2").describe_route_tables(RouteTableIds=[on_efs.ids["Routes"]])["RouteTables"][0]
    assert {route["GatewayId"] for route in routes["Routes"]} <= {"local", on_efs.ids["BucketEndpoint"]}
    (group,) = [one for name, one in on_efs.of_type("AWS::EC2::SecurityGroup").items() if name == "FileSystemGroup"]
    (entry,) = group["SecurityGroupIngress"]
    assert (entry["FromPort"], entry["SourceSecurityGroupId"]) == (2049, on_efs.ids["FunctionsGroup"])
