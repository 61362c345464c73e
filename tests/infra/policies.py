"""What a role may do, as IAM holds it, and a small judge: no statement denies it, and one allows it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.deployed import Deployed


@dataclass(frozen=True, order=True)
class Right:
    """An action on a resource. In a policy both may hold `*`."""

    action: str
    resource: str

    def covers(self, other: "Right") -> bool:
        return fnmatchcase(other.action, self.action) and fnmatchcase(other.resource, self.resource)


@dataclass(frozen=True)
class Statement:
    effect: str
    rights: Sequence[Right]
    has_condition: bool


def statements_of(deployed: Deployed, group: str) -> list[Statement]:
    """Return all that the policies of a function's role say."""
    iam, role = deployed.client("iam"), deployed.function(group)["Role"].rpartition("/")[2]
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        documents.append(found["Document"])
    return [_statement(one) for document in documents for one in document["Statement"]]


def granted(statements: Iterable[Statement]) -> set[Right]:
    return {right for one in statements if one.effect == "Allow" for right in one.rights}


def missing(statements: Sequence[Statement], needed: Iterable[Right]) -> set[Right]:
    """Return what is needed and not allowed."""
    return {right for right in needed if not _allows(statements, right)}


def superfluous(statements: Iterable[Statement], needed: Iterable[Right]) -> set[Right]:
    """Return what is allowed and not needed."""
    used = list(needed)
    return {right for right in granted(statements) if not any(right.covers(one) for one in used)}


def _allows(statements: Iterable[Statement], wanted: Right) -> bool:
    effects = {one.effect for one in statements if any(right.covers(wanted) for right in one.rights)}
    return effects == {"Allow"}


def _statement(document: dict[str, Any]) -> Statement:
    rights = [
        Right(action, resource) for action in _list(document["Action"]) for resource in _list(document["Resource"])
    ]
    return Statement(document["Effect"], rights, "Condition" in document)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
