"""What the owners of buckets and keys in other accounts must allow, as policies with their reasons.

A request across accounts needs both sides: the roles in the stack say what they want to do, and the policy of the
bucket or key that they may. The roles are named by the pattern of CloudFormation's names for them, as a condition:
unlike a role as principal, it may be written before the stack is there, and holds when the stack is made anew.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from __future__ import annotations

import json

from converter.errors import UsageError
from converter.schedule.settings import Role, Schedule

Statement = dict[str, object]

# CloudFormation puts a name of two parts and its own suffix of 12 or 13 characters into the 64 that IAM allows.
_LONGEST_STACK = 64 - len("-StateMachineRole-") - 13


def render_policies(schedule: Schedule) -> str:
    """JSON: for each bucket and key of another account what it must allow, why, and how this is set.

    Raises UsageError where the table's account is not known, or nothing is in another one.
    """
    if schedule.table.account is None:
        raise UsageError("the policies name the account of the table", "TABLE", "give its ARN")
    if not schedule.stays_with_table:
        raise UsageError(
            "with --source-role-arn the stack may be in any account, and the policies would have to name it",
            "--policies",
            "allow the role TaskRole of the stack what the template says of it",
        )
    if len(schedule.stack_name) > _LONGEST_STACK:
        raise UsageError(
            f"{schedule.stack_name!r} is so long that CloudFormation would cut it in the names of roles",
            "--stack",
            f"use at most {_LONGEST_STACK} characters",
        )
    needed = [*_export_bucket(schedule), *_destination_bucket(schedule), *_keys(schedule)]
    if not needed:
        raise UsageError(
            "everything is in the account of the table, where the roles in the stack are enough",
            "--policies",
            "say what is not: by --bucket-owner, by --dest-bucket-owner behind --, or by a key's ARN",
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
    why = "DynamoDB writes exports with the rights of who asks for them, and the task reads them."
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
    return [_bucket_policy(bucket, str(owner), "The task publishes there.", statements)]


def _keys(schedule: Schedule) -> list[dict[str, object]]:
    """Key policies, which name no key: each is of its own."""
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
    return [
        {
            "for": f"the KMS key {key}",
            "why": "Its own account decides who may use a key. Data keys encrypt what is written; ending an upload, and"
            " reading, decrypts.",
            "how": "add these statements to the key's policy: aws kms put-key-policy",
            "policy": {"Version": "2012-10-17", "Statement": statements},
        }
        for key, statements in uses.items()
        if statements and _account_of(key) not in (None, schedule.table.account)
    ]


def _account_of(key: str) -> str | None:
    return key.split(":")[4] if key.startswith("arn:") else None


def _bucket_policy(bucket: str, owner: str, why: str, statements: list[Statement]) -> dict[str, object]:
    return {
        "for": f"the bucket {bucket}, in the account {owner}",
        "why": why,
        "how": f"as the account {owner}: aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json;"
        " it replaces what policy there is, so add the statements to that",
        "policy": {"Version": "2012-10-17", "Statement": statements},
    }


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
    """The ARN of a bucket, or of all objects of a folder in it."""
    return f"arn:{schedule.table.partition}:s3:::{bucket}" + ("" if folder is None else f"/{folder}*")
