"""Policies for buckets and keys in other accounts, each with its reason.

A cross-account request needs permissions on both sides: in the role of the stack, and in the policy of the bucket or
key. A condition matches the names that CloudFormation gives to the roles. Unlike a role as principal, the condition can
be written before the stack exists, and stays valid when the stack is created again.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from __future__ import annotations

import json

from converter.errors import UsageError
from converter.schedule.settings import Role, Schedule

Statement = dict[str, object]

# IAM allows 64 characters for the name of a role: the stack, the role and a suffix of 12 or 13 characters.
_LONGEST_STACK = 64 - len("-StateMachineRole-") - 13


def render_policies(schedule: Schedule) -> str:
    """Return JSON with a policy, its reason and a command for each bucket and key of another account.

    Raises UsageError if the account of the table is not known, or if all resources are in that account.
    """
    if schedule.table.account is None:
        raise UsageError("the policies need the account of the table", "TABLE", "pass the ARN of the table")
    if not schedule.stays_with_table:
        raise UsageError(
            "with --source-role-arn the stack can be in any account, so its roles are not known",
            "--policies",
            "grant the role TaskRole of the stack the permissions that the template lists",
        )
    if len(schedule.stack_name) > _LONGEST_STACK:
        raise UsageError(
            f"{schedule.stack_name!r} is too long: CloudFormation would truncate it in the names of roles",
            "--stack",
            f"use at most {_LONGEST_STACK} characters",
        )
    needed = [*_export_bucket(schedule), *_destination_bucket(schedule), *_keys(schedule)]
    if not needed:
        raise UsageError(
            "all resources are in the account of the table, where the roles in the stack are sufficient",
            "--policies",
            "name resources of other accounts with --bucket-owner, with --dest-bucket-owner after --, or with key ARNs",
        )
    return json.dumps(needed, indent=2) + "\n"


def _export_bucket(schedule: Schedule) -> list[dict[str, object]]:
    owner = schedule.target.bucket_owner
    if owner in (None, schedule.table.account):
        return []
    bucket, folder = schedule.target.bucket, schedule.export_folder
    statements: list[Statement] = []
    if schedule.exporter is not None:
        writes = ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"]
        statements.append(_allow(schedule, schedule.exporter, writes, _objects(schedule, bucket, folder)))
    if schedule.aws.source_role_arn is None:
        statements.append(_allow(schedule, "TaskRole", ["s3:GetObject"], _objects(schedule, bucket, folder)))
        statements.append(_allow_listing(schedule, bucket, folder))
    why = "DynamoDB writes exports with the permissions of the caller, and the task reads them."
    return [_bucket_policy(bucket, str(owner), why, statements)] if statements else []


def _destination_bucket(schedule: Schedule) -> list[dict[str, object]]:
    owner = schedule.aws.dest_bucket_owner
    if owner in (None, schedule.table.account) or schedule.aws.dest_role_arn is not None:
        return []
    bucket, folder = schedule.dest_bucket, schedule.dest_folder
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    if schedule.aws.acl is not None:
        actions.append("s3:PutObjectAcl")
    statements = [
        _allow(schedule, "TaskRole", actions, _objects(schedule, bucket, folder)),
        _allow_listing(schedule, bucket, folder),
        _allow(schedule, "TaskRole", ["s3:ListBucketMultipartUploads"], _objects(schedule, bucket)),
    ]
    return [_bucket_policy(bucket, str(owner), "The task publishes to this bucket.", statements)]


def _keys(schedule: Schedule) -> list[dict[str, object]]:
    """Return key policies. Their resource is `*`, because each belongs to one key."""
    uses: dict[str, list[Statement]] = {}
    both = ["kms:GenerateDataKey", "kms:Decrypt"]
    source, dest = schedule.target.kms_key_id, schedule.aws.dest_kms_key_id
    if source is not None:
        statements = uses.setdefault(source, [])
        if schedule.exporter is not None:
            statements.append(_allow(schedule, schedule.exporter, both, "*"))
        if schedule.aws.source_role_arn is None and schedule.exporter != "TaskRole":
            statements.append(_allow(schedule, "TaskRole", ["kms:Decrypt"], "*"))
    if dest is not None and schedule.aws.dest_role_arn is None:
        uses.setdefault(dest, []).append(_allow(schedule, "TaskRole", both, "*"))
    why = "The account of a key controls its use. Writes use data keys; completing an upload and reading decrypt."
    how = "add these statements to the key's policy: aws kms put-key-policy"
    return [
        _policy(f"the KMS key {key}", why, how, statements)
        for key, statements in uses.items()
        if statements and key.startswith("arn:") and key.split(":")[4] != schedule.table.account
    ]


def _bucket_policy(bucket: str, owner: str, why: str, statements: list[Statement]) -> dict[str, object]:
    how = (
        f"as the account {owner}: aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json; this"
        " replaces an existing policy, so add the statements to it instead"
    )
    return _policy(f"the bucket {bucket}, in the account {owner}", why, how, statements)


def _policy(resource: str, why: str, how: str, statements: list[Statement]) -> dict[str, object]:
    return {"for": resource, "why": why, "how": how, "policy": {"Version": "2012-10-17", "Statement": statements}}


def _allow(schedule: Schedule, role: Role, actions: list[str], resource: str) -> Statement:
    table = schedule.table
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{table.partition}:iam::{table.account}:root"},
        "Action": actions,
        "Resource": resource,
        "Condition": {
            "ArnLike": {
                "aws:PrincipalArn": f"arn:{table.partition}:iam::{table.account}:role/{schedule.stack_name}-{role}-*"
            }
        },
    }


def _allow_listing(schedule: Schedule, bucket: str, folder: str) -> Statement:
    allowed = _allow(schedule, "TaskRole", ["s3:ListBucket"], _objects(schedule, bucket))
    condition = allowed["Condition"]
    assert isinstance(condition, dict)
    return {**allowed, "Condition": {**condition, "StringLike": {"s3:prefix": f"{folder}*"}}}


def _objects(schedule: Schedule, bucket: str, folder: str | None = None) -> str:
    """Return the ARN of a bucket, or of all objects of a folder in it."""
    return f"arn:{schedule.table.partition}:s3:::{bucket}" + ("" if folder is None else f"/{folder}*")
