"""The CloudFormation template of a schedule, as YAML with comments.

The JSON of the state machine is in a block literal; see `yaml_environment` for the other values.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from converter.schedule.conversion import CONTAINER
from converter.schedule.settings import Schedule
from converter.schedule.state_machine import state_machine
from converter.yaml_text import Sub, to_yaml, yaml_environment

if TYPE_CHECKING:
    from markupsafe import Markup

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
    environment = yaml_environment("schedule")
    environment.filters["literal"] = _literal
    return environment.get_template("template.yaml.jinja").render(
        s=schedule,
        container=CONTAINER,
        definition=json.dumps(state_machine(schedule, _SUBSTITUTED), indent=2),
        table_arn=schedule.table.arn or own,
        key=_key_resource,
        sub=Sub,
    )


def render_asl(schedule: Schedule) -> str:
    """Return only the definition of the state machine, as JSON. Unknown settings must be in the input of executions."""
    return json.dumps(state_machine(schedule, {}), indent=2) + "\n"


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
