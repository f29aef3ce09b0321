"""The CloudFormation template of a schedule, as YAML with comments."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from converter.schedule.conversion import CONTAINER
from converter.schedule.settings import Schedule
from converter.schedule.state_machine import state_machine

if TYPE_CHECKING:
    from jinja2 import Environment

_SUBSTITUTED = {
    "tableArn": "${TableArn}",
    "cluster": "${Cluster}",
    "taskDefinition": "${TaskDefinition}",
    "subnets": "{% $split('${Subnets}', ',') %}",
    "securityGroups": "{% $split('${SecurityGroups}', ',') %}",
    "assignPublicIp": "${AssignPublicIp}",
    "topicArn": "${Topic}",
    "logGroup": "${LogGroup}",
}
"""What CloudFormation knows when it makes the state machine."""


def render_template(schedule: Schedule) -> str:
    """The template; the same bytes for equal schedules."""
    name = schedule.table.name
    own = f"!Sub arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}"
    return (
        _environment()
        .get_template("template.yaml.jinja")
        .render(
            s=schedule,
            container=CONTAINER,
            definition=json.dumps(state_machine(schedule, _SUBSTITUTED), indent=2),
            table_arn=schedule.table.arn or own,
            key=_key_resource,
            bucket=_bucket_properties,
        )
    )


def render_asl(schedule: Schedule) -> str:
    """The state machine's definition alone, as JSON: what is not known here must be in the input of each execution."""
    return json.dumps(state_machine(schedule, {}), indent=2) + "\n"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Not Jinja's own delimiters: {% is JSONata's.
    environment = Environment(
        loader=PackageLoader("converter", "schedule"),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    # A text in double quotes is the same in JSON and in YAML.
    environment.filters["yaml"] = json.dumps
    return environment


def _key_resource(key: str) -> str:
    """The resource of a statement about a KMS key that is given by its ARN, id or alias."""
    if key.startswith("arn:") and ":key/" in key:
        return f"                Resource: {json.dumps(key)}"
    if not key.startswith(("arn:", "alias/")):
        arn = f"arn:${{AWS::Partition}}:kms:${{AWS::Region}}:${{AWS::AccountId}}:key/{key}"
        return f"                Resource: !Sub >-\n                  {arn}"
    # Policies know keys by their ids alone; the condition says whose alias it is.
    place = re.match(r"arn:([^:]+:kms:[^:]+:[^:]+):alias/", key)
    where = place[1] if place else "${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}"
    alias = "alias/" + key.split("alias/", 1)[1]
    return (
        f"                Resource: !Sub arn:{where}:key/*\n"
        "                # Policies can't name a key by its alias.\n"
        "                Condition:\n"
        f"                  ForAnyValue:StringEquals: {{kms:ResourceAliases: {json.dumps(alias)}}}"
    )


def _bucket_properties(key: str | None) -> str:
    """What every bucket has that the stack makes."""
    encryption = "SSEAlgorithm: AES256"
    if key is not None:
        encryption = f"""SSEAlgorithm: aws:kms
              KMSMasterKeyID: {json.dumps(key)}
            # KMS is asked once for many objects.
            BucketKeyEnabled: true"""
    return f"""\
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault:
              {encryption}
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
      # Whoever writes an object, the bucket's owner owns it.
      OwnershipControls:
        Rules:
          - ObjectOwnership: BucketOwnerEnforced"""
