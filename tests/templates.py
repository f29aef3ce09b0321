"""CloudFormation templates as objects, and the policies in them."""

from __future__ import annotations

from typing import Any

import yaml


class Loader(yaml.CSafeLoader):  # type: ignore[misc] # it has no types
    """YAML with CloudFormation's functions, each as an object with its long name."""


def _function(loader: Loader, suffix: str, node: yaml.Node) -> object:
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _function)


def parse_template(text: str) -> Any:
    """A template in YAML."""
    return yaml.load(text, Loader)


def statements(template: Any, role: str) -> list[dict[str, Any]]:
    """What a role may do: by its own policy, and by those that are attached to it."""
    [policy] = template["Resources"][role]["Properties"]["Policies"]
    attached = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]
    ]
    found: list[dict[str, Any]] = []
    for one in (policy, *attached):
        found += one["PolicyDocument"]["Statement"]
    return found


def plain_statement(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement without functions, in the partition aws; its actions are a list."""
    resource = statement["Resource"]["Fn::Sub"].replace("${AWS::Partition}", "aws")
    return {**statement, "Action": as_list(statement["Action"]), "Resource": resource}


def as_list(value: Any) -> list[Any]:
    """What may stand alone in a policy."""
    return value if isinstance(value, list) else [value]
