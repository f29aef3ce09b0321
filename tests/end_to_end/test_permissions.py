"""The guide's policies are enough for both sides, and what is missing from them is named: judged by the server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import REPOSITORY, ddb_convert
from tests.end_to_end.exports import export_of, line
from tests.servers.ministack import start_ministack
from tests.servers.s3 import S3Server
from tests.templates import parse_template, plain_statement, statements

pytestmark = pytest.mark.slow

GUIDE = (REPOSITORY / "docs" / "guide" / "s3.md").read_text("utf-8")
SECTION = GUIDE.split("\n## Permissions\n")[1]
SOURCE_POLICY, DEST_POLICY = (
    json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
)

Policy = dict[str, Any]


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server that judges policies."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with start_ministack(tmp_path_factory.mktemp("ministack"), AUTH="true", **keys) as server:
        yield server


@dataclass
class Lake:
    """A bucket of exports, one that is published to, and roles for both."""

    server: S3Server
    export_id: str
    source: str
    dest: str

    def role(self, policy: Policy, *, without: str = "") -> str:
        """A new role with the guide's policy for these buckets, but for one permission."""
        policy = deepcopy(policy)
        for statement in policy["Statement"]:
            given = statement["Action"]
            statement["Action"] = [name for name in ([given] if isinstance(given, str) else given) if name != without]
            bucket, *rest = statement["Resource"].removeprefix("arn:aws:s3:::").split("/", 1)
            name = {"exports": self.source, "lake": self.dest}[bucket]
            statement["Resource"] = f"arn:aws:s3:::{'/'.join([name, *rest])}"
        policy["Statement"] = [statement for statement in policy["Statement"] if statement["Action"]]
        iam = self.server.service("iam")
        name = f"r{len(iam.list_roles()['Roles'])}"
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        }
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        return str(arn)

    def convert(self, source_role: str, dest_role: str, *options: str) -> subprocess.CompletedProcess[str]:
        # The user may do nothing but assume roles.
        iam = self.server.service("iam")
        user = f"u{len(iam.list_users()['Users'])}"
        iam.create_user(UserName=user)
        allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [source_role, dest_role]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        server = replace(self.server, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
        source, dest = f"s3://{self.source}/AWSDynamoDB/", f"s3://{self.dest}/orders/"
        roles = ("--source-role-arn", source_role, "--dest-role-arn", dest_role)
        return ddb_convert("convert", source, dest, "--latest", *roles, *options, env=server.environment())


@pytest.fixture
def lake(judging: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    export = export_of(tmp_path / "bucket", [line(id='{"S":"a"}')])
    bucket = judging.new_bucket()
    judging.upload(bucket, export.bucket)
    return Lake(judging, export.export_id, bucket, judging.new_bucket())


def test_the_policies_are_enough(lake: Lake) -> None:
    roles = lake.role(SOURCE_POLICY), lake.role(DEST_POLICY)
    for options in ((), (), ("--replace", "--numbers", "text")):
        done = lake.convert(*roles, *options)
        assert done.returncode == 0, done.stderr
    assert len(lake.server.listing(lake.dest, "orders/dt=")) == 1


def test_the_role_of_a_scheduled_task_is_enough(lake: Lake) -> None:
    given = ("--bucket", "exports", "--cron", "0 2 * * ? *")
    rendered = ddb_convert("schedule", "render", "Orders", "s3://lake/orders/", *given)
    allowed = [plain_statement(one) for one in statements(parse_template(rendered.stdout), "TaskRole")]
    role = lake.role({"Version": "2012-10-17", "Statement": allowed})
    for options in ((), (), ("--replace", "--numbers", "text")):
        done = lake.convert(role, role, *options)
        assert done.returncode == 0, done.stderr
    assert len(lake.server.listing(lake.dest, "orders/dt=")) == 1


@pytest.mark.parametrize("permission", ["s3:GetObject", "s3:ListBucket"])
def test_a_permission_that_is_missing_at_the_source_is_named(lake: Lake, permission: str) -> None:
    done = lake.convert(lake.role(SOURCE_POLICY, without=permission), lake.role(DEST_POLICY))
    assert done.returncode == 5
    assert f"{permission} is not allowed on s3://{lake.source}/AWSDynamoDB/" in done.stderr
    assert lake.server.listing(lake.dest) == {}


@pytest.mark.parametrize(
    "permission", ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
)
def test_a_permission_that_is_missing_at_the_destination_is_named(lake: Lake, permission: str) -> None:
    done = lake.convert(lake.role(SOURCE_POLICY), lake.role(DEST_POLICY, without=permission))
    assert done.returncode == 5
    assert f"{permission} is not allowed on s3://{lake.dest}/orders/" in done.stderr


def test_without_the_permission_to_delete_an_export_is_published_and_a_warning_names_it(lake: Lake) -> None:
    roles = lake.role(SOURCE_POLICY), lake.role(DEST_POLICY, without="s3:DeleteObject")
    done = lake.convert(*roles)
    assert done.returncode == 0
    assert "is published; the next run ends its commit" in done.stderr
    assert f"s3:DeleteObject is not allowed on s3://{lake.dest}/orders/" in done.stderr
    assert len(lake.server.listing(lake.dest, "orders/dt=")) == 1
    again = lake.convert(*roles, "--replace", "--numbers", "text")
    assert again.returncode == 5
    assert f"s3:DeleteObject is not allowed on s3://{lake.dest}/orders/" in again.stderr


def test_a_role_that_may_not_be_assumed_is_named(lake: Lake) -> None:
    allowed = lake.role(SOURCE_POLICY)
    iam = lake.server.service("iam")
    nobodys = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    refused = iam.create_role(RoleName="others", AssumeRolePolicyDocument=json.dumps(nobodys))["Role"]["Arn"]
    done = lake.convert(refused, allowed)
    assert done.returncode == 5
    assert f"sts:AssumeRole is not allowed on {refused}" in done.stderr
