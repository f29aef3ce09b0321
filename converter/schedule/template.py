"""The CloudFormation template of a schedule, as YAML with comments.

The template never holds a value as it is: whatever `<< … >>` shows is written as YAML by `to_yaml`. Only words that
`plain` has checked, and the state machine's JSON in its block literal, go in without quotes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from converter.schedule.conversion import CONTAINER
from converter.schedule.settings import Schedule
from converter.schedule.state_machine import state_machine
from converter.schedule.yaml import Sub, to_yaml

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# No line break, no quote, and nothing that begins a comment or a variable.
_PLAIN = re.compile(r"[\w .,:;()/=-]*", re.ASCII)
_ALIAS = re.compile(r"(?:(arn:[^/]*):)?(alias/.*)", re.DOTALL)

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
    own = Sub(f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}")
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
            sub=Sub,
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
        autoescape=True,
        finalize=_serialized,
    )
    environment.filters["plain"] = _plain
    environment.filters["literal"] = _literal
    return environment


def _serialized(value: object) -> Markup:
    """Every value that the template shows, as YAML; `Markup` is what is YAML already, as the results of macros are."""
    from markupsafe import Markup

    return value if isinstance(value, Markup) else Markup(to_yaml(value))


def _plain(text: str) -> Markup:
    """A text as it is, for comments, keys and middles of texts; raises ValueError where it could end one of these."""
    from markupsafe import Markup

    if _PLAIN.fullmatch(text) is None:
        raise ValueError(f"{text!r} can't be in the template without quotes")
    return Markup(text)


def _literal(text: str, indent: int) -> Markup:
    """The lines of a block literal (`|`); the first one is where the template has it."""
    from markupsafe import Markup

    return Markup(f"\n{' ' * indent}".join(text.splitlines()))


def _key_resource(key: str) -> Markup:
    """The resource of a statement about a KMS key that is given by its ARN, id or alias."""
    from markupsafe import Markup

    own = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}"
    alias = _ALIAS.fullmatch(key)
    if alias is None:
        # The variables of a key's own ARN make a line too long to have more on it.
        resource = to_yaml(key) if key.startswith("arn:") else f"!Sub\n{' ' * 18}{to_yaml(f'{own}:key/{key}')}"
        return Markup(f"                Resource: {resource}")
    # Policies know keys by their ids alone; the condition says whose alias it is.
    keys = Sub(f"{alias[1] or own}:key/*")
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias[2]}}
    return Markup(
        f"                Resource: {to_yaml(keys)}\n"
        "                # Policies can't name a key by its alias.\n"
        f"                Condition: {to_yaml(condition)}"
    )


def _bucket_properties(key: str | None) -> Markup:
    """What every bucket has that the stack makes."""
    from markupsafe import Markup

    encryption = "SSEAlgorithm: AES256"
    if key is not None:
        encryption = f"""SSEAlgorithm: aws:kms
              KMSMasterKeyID: {to_yaml(key)}
            # KMS is asked once for many objects.
            BucketKeyEnabled: true"""
    return Markup(f"""\
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
          - ObjectOwnership: BucketOwnerEnforced""")
