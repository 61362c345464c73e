"""Resources that moto's CloudFormation does not know, or makes less of than a stack here needs.

moto finds them as the subclasses that they are, so importing this module is enough.
"""

import json
from typing import Any, Self

import boto3
import moto.apigateway.models
import moto.awslambda.models
import moto.efs.models
import moto.iam.models
import moto.ssm.models  # noqa: F401 -- moto's own first: of two for one type it takes the later
from moto.core.common_models import CloudFormationModel

ANY_METHOD = "x-amazon-apigateway-any-method"


class _Made(CloudFormationModel):
    """A resource, its `Ref`, and its attributes."""

    type: str = ""
    """Of the resource. The class that others are made of has none, and moto asks it, too."""
    physical_resource_id: str

    def __init__(self, reference: str, **attributes: str) -> None:
        self.physical_resource_id = reference
        self._attributes = attributes

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self._attributes[attribute_name]

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> Self:
        del account_id
        return cls.made(resource_name, cloudformation_json["Properties"], region_name)

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        raise NotImplementedError


class Secret(_Made, CloudFormationModel):
    type = "AWS::SecretsManager::Secret"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        client = boto3.client("secretsmanager", region)
        drawn = client.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
        return cls(client.create_secret(Name=name, SecretString=drawn)["ARN"])


class BucketPolicy(_Made, CloudFormationModel):
    type = "AWS::S3::BucketPolicy"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        policy = json.dumps(properties["PolicyDocument"])
        boto3.client("s3", region).put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
        return cls(name)


class ManagedPolicy(_Made, CloudFormationModel):
    type = "AWS::IAM::ManagedPolicy"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        document = json.dumps(properties["PolicyDocument"])
        found = boto3.client("iam", region).create_policy(PolicyName=name, PolicyDocument=document)
        return cls(found["Policy"]["Arn"])


class Role(_Made, CloudFormationModel):
    type = "AWS::IAM::Role"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        client, trust = boto3.client("iam", region), json.dumps(properties["AssumeRolePolicyDocument"])
        arn = client.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for policy in properties.get("Policies", ()):
            document = policy["PolicyDocument"]
            document["Statement"] = [one for one in document["Statement"] if one is not None]  # AWS::NoValue
            client.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(document))
        for policy_arn in properties.get("ManagedPolicyArns", ()):
            if policy_arn is not None and ":aws:policy/" not in policy_arn:
                client.attach_role_policy(RoleName=name, PolicyArn=policy_arn)
        return cls(name, Arn=arn)


class Parameter(_Made, CloudFormationModel):
    type = "AWS::SSM::Parameter"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        del name
        boto3.client("ssm", region).put_parameter(**properties)
        return cls(properties["Name"], Value=properties["Value"])


class LayerVersion(_Made, CloudFormationModel):
    type = "AWS::Lambda::LayerVersion"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        del name
        found = boto3.client("lambda", region).publish_layer_version(**properties)
        return cls(found["LayerVersionArn"])


class Version(_Made, CloudFormationModel):
    type = "AWS::Lambda::Version"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        del name
        published = boto3.client("lambda", region).publish_version(**properties)
        return cls(published["FunctionArn"], Version=published["Version"])


class Alias(_Made, CloudFormationModel):
    type = "AWS::Lambda::Alias"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        del name
        wanted = {key: properties[key] for key in ("Name", "FunctionName", "FunctionVersion")}
        return cls(boto3.client("lambda", region).create_alias(**wanted)["AliasArn"])


class Permission(_Made, CloudFormationModel):
    type = "AWS::Lambda::Permission"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        function, _, alias = properties["FunctionName"].rpartition(":")
        wanted = {**properties, "FunctionName": function, "Qualifier": alias, "StatementId": name}
        if alias != "live":  # moto keeps no policies of aliases: both go to the function
            wanted |= {"FunctionName": properties["FunctionName"]}
        del wanted["Qualifier"]
        boto3.client("lambda", region).add_permission(**wanted)
        return cls(name)


class RestApi(_Made, CloudFormationModel):
    type = "AWS::ApiGateway::RestApi"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        del name
        client = boto3.client("apigateway", region)
        about = {"name": properties["Name"], "endpointConfiguration": {"types": ["REGIONAL"]}}
        api_id = client.create_rest_api(**about)["id"]
        body = properties["Body"]
        paths = {path: {"any": methods[ANY_METHOD]} for path, methods in body["paths"].items()}
        client.put_rest_api(restApiId=api_id, mode="merge", body=json.dumps(body | {"paths": paths}))
        return cls(api_id)


class FileSystem(_Made, CloudFormationModel):
    type = "AWS::EFS::FileSystem"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        client = boto3.client("efs", region)
        chosen = {key: properties[key] for key in ("Encrypted", "ThroughputMode")}
        found = client.create_file_system(CreationToken=name, **chosen)
        return cls(found["FileSystemId"], Arn=found["FileSystemArn"])


class AccessPoint(_Made, CloudFormationModel):
    type = "AWS::EFS::AccessPoint"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        user = {key: int(value) for key, value in properties["PosixUser"].items()}
        wanted = {"FileSystemId": properties["FileSystemId"], "PosixUser": user}
        found = boto3.client("efs", region).create_access_point(ClientToken=name, **wanted)
        return cls(found["AccessPointId"], Arn=found["AccessPointArn"])


class DomainName(_Made, CloudFormationModel):
    type = "AWS::ApiGateway::DomainName"

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], region: str) -> Self:
        del name
        target = f"d-0123456789.execute-api.{region}.amazonaws.com"
        return cls(properties["DomainName"], RegionalDomainName=target, RegionalHostedZoneId="Z0123456789")
