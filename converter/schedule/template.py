"""The CloudFormation template of a schedule, as YAML with comments.

`to_yaml` converts each value of `<< … >>` to YAML. Only words that `plain` has checked, and the JSON of the state
machine in its block literal, are written without quotes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from converter.schedule.conversion import CONTAINER
from converter.schedule.settings import Schedule
from converter.schedule.state_machine import state_machine
from converter.yaml_text import Sub, to_yaml

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# No line breaks, no quotes, and no start of a comment or a variable.
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
"""Settings that CloudFormation knows when it creates the state machine."""


def render_template(schedule: Schedule) -> str:
    """Return the template. Equal schedules give equal bytes."""
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
    """Return only the definition of the state machine, as JSON. Unknown settings must be in the input of executions."""
    return json.dumps(state_machine(schedule, {}), indent=2) + "\n"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # The default delimiter {% of Jinja is also that of JSONata.
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
    """Convert a value of the template to YAML. `Markup`, such as the result of a macro, is YAML already."""
    from markupsafe import Markup

    return value if isinstance(value, Markup) else Markup(to_yaml(value))


def _plain(text: str) -> Markup:
    """Return a text unchanged for comments, keys and parts of texts. Raises ValueError if it could end one of these."""
    from markupsafe import Markup

    if _PLAIN.fullmatch(text) is None:
        raise ValueError(f"{text!r} can't be in the template without quotes")
    return Markup(text)


def _literal(text: str, indent: int) -> Markup:
    """Indent the lines of a block literal (`|`), except the first, which the template indents."""
    from markupsafe import Markup

    return Markup(f"\n{' ' * indent}".join(text.splitlines()))


def _key_resource(key: str) -> Markup:
    """Return the resource of a statement about a KMS key, given by ARN, id or alias."""
    from markupsafe import Markup

    own = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}"
    alias = _ALIAS.fullmatch(key)
    if alias is None:
        # The ARN with its variables gets a line of its own, because it is long.
        resource = to_yaml(key) if key.startswith("arn:") else f"!Sub\n{' ' * 18}{to_yaml(f'{own}:key/{key}')}"
        return Markup(f"                Resource: {resource}")
    # Policies identify keys only by their ids; the condition checks the alias.
    keys = Sub(f"{alias[1] or own}:key/*")
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias[2]}}
    return Markup(
        f"                Resource: {to_yaml(keys)}\n"
        "                # A policy can't name a key by its alias, so a condition does.\n"
        f"                Condition: {to_yaml(condition)}"
    )


def _bucket_properties(key: str | None) -> Markup:
    """Return the properties of every bucket that the stack creates."""
    from markupsafe import Markup

    encryption = "SSEAlgorithm: AES256"
    if key is not None:
        encryption = f"""SSEAlgorithm: aws:kms
              KMSMasterKeyID: {to_yaml(key)}
            # One request to KMS serves many objects.
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
      # The owner of the bucket owns all objects, whoever writes them.
      OwnershipControls:
        Rules:
          - ObjectOwnership: BucketOwnerEnforced""")
