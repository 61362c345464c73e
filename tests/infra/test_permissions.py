"""Each function may make the calls that it makes, and no others."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from relay.adapters.s3 import connect as connect_s3
from sync_relay_client.errors import RelayRefused
from tests.e2e.conftest import Peer
from tests.e2e.test_snapshots_and_retention import upload_snapshot
from tests.infra.deployed import ACCOUNT, GROUPS, REGION, Deployed, deployed
from tests.infra.driven import URL, Functions, stores
from tests.infra.policies import Right, Statement, granted, missing, statements_of, superfluous
from tools.stand_ins.aws import session

LARGE = b"x" * 300_000
"""Over what an item of the log takes: it goes to the bucket."""
EFS_RIGHTS = {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}
NETWORK_RIGHTS = {
    f"ec2:{name}"
    for name in (
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    )
}


@pytest.fixture(scope="module", params=["dynamodb", "sqlite-efs"])
def stack(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    with deployed(MetadataStore=request.param, VaultCreation="open", RateLimit="1000/1") as stack:
        yield stack


@pytest.fixture(scope="module")
def policies(stack: Deployed) -> dict[str, list[Statement]]:
    return {group: statements_of(stack, group) for group in GROUPS}


@pytest.fixture(scope="module")
def needed(stack: Deployed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Right]]:
    """Everything that the functions do, once, and what they need for it."""
    environments = {group: stack.environment(group) for group in GROUPS}
    folder = tmp_path_factory.mktemp("driven")
    with stores(environments, folder) as variables:
        functions = Functions(variables, REGION)
        try:
            _live(functions, variables["vaults"])
        finally:
            functions.close()
            while Peer.to_close:
                Peer.to_close.pop().close()
    return functions.needed


def _live(functions: Functions, variables: dict[str, str]) -> None:
    """Ask for everything that there is to ask for, more than once where that takes another way."""
    laptop = Peer.found(URL, functions.transport)
    laptop.client.health()
    laptop.client.config()
    laptop.push(b"small")
    laptop.push(LARGE)
    assert functions.last_push is not None
    assert functions.answer(functions.last_push).status_code == 200, "sent again, it is a duplicate"
    phone = laptop.invite(int(time.time()))
    phone.pull()
    assert LARGE in phone.applied
    for _ in range(2):
        sha256 = upload_snapshot(laptop)
        laptop.push(b"after the snapshot")
        laptop.pull()
    phone.vault.info()
    phone.vault.snapshots()
    phone.vault.snapshot(sha256)
    assert b"".join(phone.client.download(phone.vault.latest_snapshot().snapshot))
    phone_id = phone.vault.roster().devices[-1].device_id
    phone.client.device(phone_id)
    laptop.vault.revoke(phone_id)

    _leave_orphans(variables)
    functions.maintain()
    assert laptop.vault.info().floor.seq > 0, "it was pruned"
    with pytest.raises(RelayRefused, match="history_pruned"):
        laptop.vault.pull(0)
    laptop.push(LARGE)
    laptop.pull()
    upload_snapshot(laptop)
    laptop.vault.erase(laptop.session.head.chain)
    for hours in (0, 2, 2):
        functions.maintain(hours_later=hours)


def _leave_orphans(variables: dict[str, str]) -> None:
    """Put into the bucket what functions leave that are killed half-way."""
    client = connect_s3(variables["RELAY_S3_ENDPOINT"], session())
    vault_id = uuid.uuid4()
    for key in (f"blobs/{vault_id}/{uuid.uuid4()}", f"texts/{vault_id}/{1:016x}-{'0' * 32}-0"):
        client.put_object(Bucket=variables["RELAY_BUCKET"], Key=key, Body=b"sealed")
    client.close()


@pytest.mark.parametrize("group", GROUPS)
def test_a_function_may_make_every_call_that_it_makes(
    group: str, policies: dict[str, list[Statement]], needed: dict[str, set[Right]]
) -> None:
    assert missing(policies[group], needed[group]) == set()


@pytest.mark.parametrize("group", GROUPS)
def test_a_function_may_make_no_other_call(
    group: str, stack: Deployed, policies: dict[str, list[Statement]], needed: dict[str, set[Right]]
) -> None:
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/sync-relay/{stack.name}/{group}"
    expected = {Right(f"logs:{action}", logs) for action in ("CreateLogStream", "PutLogEvents")}
    if "FileSystem" in stack.resources:
        file_system = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/{stack.ids['FileSystem']}"
        expected |= {Right(action, file_system) for action in EFS_RIGHTS}
        expected |= {Right(action, "*") for action in NETWORK_RIGHTS}
    assert superfluous(policies[group], needed[group]) == expected


@pytest.mark.parametrize("group", GROUPS)
def test_no_function_has_a_wildcard_where_iam_knows_a_resource(
    group: str, policies: dict[str, list[Statement]]
) -> None:
    for statement in policies[group]:
        if statement.effect == "Allow":
            assert not [right for right in statement.rights if "*" in right.action]
            everywhere = {right.action for right in statement.rights if right.resource == "*"}
            assert everywhere <= NETWORK_RIGHTS


@pytest.mark.parametrize("group", GROUPS)
def test_the_judge_sees_a_right_that_is_missing_and_one_too_many(
    group: str, policies: dict[str, list[Statement]], needed: dict[str, set[Right]]
) -> None:
    for right in granted(policies[group]):
        if right.action.startswith(("dynamodb:", "s3:")):
            others = [replace(one, rights=[other for other in one.rights if other != right]) for one in policies[group]]
            assert missing(others, needed[group]), right
    one_more = Right("dynamodb:DescribeTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/any")
    more = [*policies[group], Statement("Allow", [one_more], has_condition=False)]
    assert one_more in superfluous(more, needed[group])
    forbidden = [*policies[group], Statement("Deny", [Right("*", "*")], has_condition=False)]
    assert missing(forbidden, needed[group]) == needed[group]
