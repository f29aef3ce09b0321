"""Each schedule is what lies in schedules/, is in order for the linters, and allows what it uses and no more."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore.session
import pytest

from tests.cli.command import REPOSITORY
from tests.golden.make_schedules import CASES, HERE, KEPT, KEY, make_case
from tests.servers.process import installation
from tests.templates import as_list, parse_template, plain_statement, statements

TEMPLATES = [name for name in CASES if name.endswith(".yaml")]
MACHINES = [name for name in CASES if not name.endswith("two-accounts.json")]
CHANGES = [name for name in MACHINES if name.startswith("changes")]
S3_PAGE = (REPOSITORY / "docs" / "guide" / "s3.md").read_text("utf-8")


@cache
def render(name: str) -> str:
    with TemporaryDirectory() as folder:
        return make_case(name, Path(folder))


@cache
def template_of(name: str) -> Any:
    return parse_template(render(name))


def definition_of(name: str) -> dict[str, Any]:
    """The state machine of a case."""
    if not name.endswith(".yaml"):
        read: dict[str, Any] = json.loads(render(name))
        return read
    properties = template_of(name)["Resources"]["StateMachine"]["Properties"]
    text = properties["DefinitionString"]
    substitutions = set(re.findall(r"\$\{(\w+)\}", text))
    assert substitutions == set(properties["DefinitionSubstitutions"])
    definition: dict[str, Any] = json.loads(text)
    return definition


def actions(found: list[dict[str, Any]]) -> list[str]:
    return sorted(action for one in found for action in as_list(one["Action"]))


def test_there_is_a_file_for_each_case_that_is_kept_and_no_other() -> None:
    assert sorted(path.name for path in HERE.iterdir()) == sorted(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_schedule_is_what_lies_in_its_file(name: str) -> None:
    assert render(name) == (HERE / name).read_text("utf-8")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_reads_as_if_it_were_written_by_hand(name: str) -> None:
    text = render(name)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]$|<[<%#]|[>%#]>", text, re.MULTILINE)
    before, _, rest = text.partition("      DefinitionString: |\n")
    after = rest.split("\n        }\n", 1)[1]
    assert max(map(len, f"{before}{after}".splitlines())) <= 120


@pytest.mark.parametrize("name", MACHINES)
def test_every_request_of_the_machine_is_one_that_the_service_knows(name: str) -> None:
    states = definition_of(name)["States"]
    session = botocore.session.Session()
    tasks = [state for state in states.values() if state["Type"] == "Task"]
    assert len(tasks) == (3 if name in CHANGES else 3 if "manifest" in name else 4)
    for task in tasks:
        service, operation = task["Resource"].split(":::")[1].removesuffix(".sync").split(":")[-2:]
        # Step Functions calls itself as the SDK for Java does.
        service = {"sfn": "stepfunctions"}.get(service, service)
        model = session.get_service_model(service).operation_model(operation[0].upper() + operation[1:])
        check(task["Arguments"], model.input_shape, operation)


def check(value: Any, shape: Any, place: str) -> None:
    """That a value could be of this shape: what an expression gives is not known."""
    if isinstance(value, str) and value.startswith("{%"):
        assert value.endswith("%}"), place
    elif shape.type_name == "structure":
        # Step Functions writes all parameters in PascalCase, also of services that don't.
        members = {name[0].upper() + name[1:]: member for name, member in shape.members.items()}
        assert set(value) <= set(members), place
        assert {name[0].upper() + name[1:] for name in shape.required_members} <= set(value), place
        for name, member in value.items():
            check(member, members[name], f"{place}.{name}")
    elif shape.type_name == "list":
        for member in value:
            check(member, shape.member, place)
    else:
        assert shape.type_name == "string", place
        assert isinstance(value, str), place
        assert value in shape.enum or not shape.enum, place


def test_the_check_of_requests_finds_what_is_wrong() -> None:
    shape = (
        botocore.session.Session().get_service_model("dynamodb").operation_model("ExportTableToPointInTime").input_shape
    )
    good = {"TableArn": "{% $a %}", "S3Bucket": "b", "ExportFormat": "ION"}
    check(good, shape, "")
    for changed in ({"Bucket": "b"}, {"ExportFormat": "ion"}, {"S3Prefix": ["a"]}):
        with pytest.raises(AssertionError):
            check(good | changed, shape, "")
    with pytest.raises(AssertionError):
        check({"S3Bucket": "b"}, shape, "")


def test_exports_are_in_the_format_that_is_asked_for() -> None:
    formats = [
        definition_of(name)["States"]["Start the export"]["Arguments"]["ExportFormat"]
        for name in ("nightly.yaml", "by-rate.yaml")
    ]
    assert formats == ["DYNAMODB_JSON", "ION"]


@pytest.mark.parametrize("name", MACHINES)
def test_every_task_has_a_timeout_is_tried_again_and_caught(name: str) -> None:
    definition = definition_of(name)
    assert definition["TimeoutSeconds"] > 0
    for state in definition["States"].values():
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0
            assert state["Retry"]
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


# What each task of the machine asks for, and what must be allowed beside it for a task that is waited for.
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html#sync-async-iam-policies
ACTIONS = {
    "aws-sdk:dynamodb:exportTableToPointInTime": [
        "dynamodb:ExportTableToPointInTime",
        "s3:AbortMultipartUpload",
        "s3:PutObject",
        "s3:PutObjectAcl",
    ],
    "aws-sdk:dynamodb:describeExport": ["dynamodb:DescribeExport"],
    "aws-sdk:sfn:listExecutions": ["states:ListExecutions"],
    "ecs:runTask.sync": [
        "ecs:DescribeTasks",
        "ecs:RunTask",
        "ecs:StopTask",
        "events:DescribeRule",
        "events:PutRule",
        "events:PutTargets",
        "iam:PassRole",
    ],
    "sns:publish": ["sns:Publish"],
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_machines_role_allows_what_the_machine_asks_for_and_no_more(name: str) -> None:
    template = template_of(name)
    states = json.loads(template["Resources"]["StateMachine"]["Properties"]["DefinitionString"])["States"]
    asked = {state["Resource"].split(":::")[1] for state in states.values() if state["Type"] == "Task"}
    needed = [action for resource in asked for action in ACTIONS[resource]]
    if name in ("kms.yaml", "two-accounts.yaml"):
        needed += ["kms:Decrypt", "kms:GenerateDataKey"]
    found = statements(template, "StateMachineRole")
    assert actions(found) == sorted(needed)
    for statement in found:
        assert statement["Resource"] != "*"


def test_the_exports_are_written_below_their_prefix_only() -> None:
    template = template_of("nightly.yaml")
    [writes] = [one for one in statements(template, "StateMachineRole") if "s3:PutObject" in as_list(one["Action"])]
    assert writes["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:s3:::exports/dynamodb/orders/*"}


# What `sync --incremental` asks for, beside what reading exports and publishing takes.
SYNC_ACTIONS = [
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeExport",
    "dynamodb:DescribeTable",
    "dynamodb:ExportTableToPointInTime",
    "dynamodb:ListExports",
]


def test_what_the_machines_role_was_for_is_for_the_tasks_where_that_has_exports_made() -> None:
    machines, tasks = (template_of(name) for name in ("nightly.yaml", "changes.yaml"))
    of_exports = [
        plain(statement)
        for statement in statements(machines, "StateMachineRole")
        if re.match("dynamodb|s3", as_list(statement["Action"])[0])
    ]
    assert len(of_exports) == 3
    task = statements(tasks, "TaskRole")
    found = [plain(one) for one in task]
    assert [one for one in found if one in of_exports] == of_exports
    # And nothing else than these, what a conversion may do, and to look.
    converts = [plain(one) for one in statements(machines, "TaskRole")]
    [looks] = [one for one in task if plain(one) not in of_exports + converts]
    assert looks["Resource"] == {
        "Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/Orders"
    }
    assert sorted([*(action for action in actions(of_exports) if "dynamodb" in action), *looks["Action"]]) == sorted(
        SYNC_ACTIONS
    )
    keys = [one for one in statements(template_of("changes-two-accounts.yaml"), "TaskRole") if "kms" in str(one)]
    assert [(as_list(one["Action"]), one["Resource"]) for one in keys] == [
        (["kms:GenerateDataKey", "kms:Decrypt"], KEY)
    ]


def plain(statement: dict[str, Any]) -> dict[str, Any]:
    return {**statement, "Action": as_list(statement["Action"])}


def test_a_table_of_another_account_is_exported_by_a_role_there() -> None:
    template = template_of("changes-of-another-account.yaml")
    [assumes, *publishes] = statements(template, "TaskRole")
    assert (assumes["Action"], assumes["Resource"]) == ("sts:AssumeRole", "arn:aws:iam::111122223333:role/export")
    assert publishes == statements(template_of("nightly.yaml"), "TaskRole")[2:]
    [check] = template["Rules"]["Place"]["Assertions"]
    assert check["Assert"]["Fn::Equals"] == [{"Ref": "AWS::Region"}, "eu-central-1"]


def test_the_policies_of_other_accounts_allow_the_role_that_has_exports_made() -> None:
    def roles(name: str) -> dict[str, set[str]]:
        """The roles that may do each of the actions."""
        found: dict[str, set[str]] = {}
        for policy in json.loads(render(name)):
            for statement in policy["policy"]["Statement"]:
                role = statement["Condition"]["ArnLike"]["aws:PrincipalArn"].split("Orders-")[1]
                for action in statement["Action"]:
                    found.setdefault(action, set()).add(role)
        return found

    nightly, changes = roles("two-accounts.json"), roles("changes-two-accounts.json")
    assert nightly["s3:PutObjectAcl"] == {"StateMachineRole-*"}
    assert nightly["kms:GenerateDataKey"] == {"StateMachineRole-*"}
    assert changes == {action: {"TaskRole-*"} for action in nightly}


@pytest.mark.parametrize("name", [name for name in CHANGES if name.endswith(".yaml")])
def test_exports_of_changes_stay_for_a_week_at_least(name: str) -> None:
    days = template_of(name)["Parameters"].get("ExpireExportsAfterDays", {"MinValue": 7, "Default": 35})
    assert (days["MinValue"], days["Default"]) == (7, 35)
    assert ("ExportBucket" in template_of(name)["Resources"]) == ("--create-buckets" in CASES[name])


def test_the_tasks_role_is_the_policies_of_the_page() -> None:
    text = S3_PAGE.split("\n## Permissions\n")[1].split("\n## ")[0]
    reading, writing = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[:2]
    page = [*json.loads(reading)["Statement"], *json.loads(writing)["Statement"]]
    expected = json.loads(json.dumps(page).replace("AWSDynamoDB/*", "dynamodb/orders/*"))
    found = [plain_statement(one) for one in statements(template_of("nightly.yaml"), "TaskRole")]
    for statement in expected:
        statement["Action"] = as_list(statement["Action"])
    assert found == expected


def test_what_the_options_of_the_task_need_is_allowed() -> None:
    plainly = set(actions(statements(template_of("nightly.yaml"), "TaskRole")))
    kms = statements(template_of("kms.yaml"), "TaskRole")
    assert set(actions(kms)) == plainly | {"kms:Decrypt", "kms:GenerateDataKey", "s3:PutObjectAcl"}
    keys = [(one["Resource"], one.get("Condition")) for one in kms if "kms:Decrypt" in as_list(one["Action"])]
    own = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/"
    assert keys == [
        ({"Fn::Sub": f"{own}*"}, {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/exports"}}),
        ({"Fn::Sub": f"{own}11111111-2222-3333-4444-555555555555"}, None),
    ]
    others = statements(template_of("other-roles.yaml"), "TaskRole")
    assert [(one["Action"], one["Resource"]) for one in others] == [
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/read"),
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/publish"),
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_role_can_only_be_assumed_by_a_service_of_its_account(name: str) -> None:
    for resource in template_of(name)["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            [trust] = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"]["Service"].endswith(".amazonaws.com")
            assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_buckets_that_are_made_are_closed_encrypted_and_stay() -> None:
    template = template_of("own-buckets.yaml")
    for name in ("ExportBucket", "DestinationBucket"):
        bucket = template["Resources"][name]
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
        assert "BucketEncryption" in bucket["Properties"]
        rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
        assert "abort-uploads" in rules
        # What is published stays, what was only its source goes.
        assert ("expire-exports" in rules) == (name == "ExportBucket")


@pytest.mark.slow
def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    for name in TEMPLATES:
        (tmp_path / name).write_text(render(name))
    linter = installation("cfn-lint") / "bin" / "cfn-lint"
    done = subprocess.run([linter, *tmp_path.glob("*.yaml")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", MACHINES)
def test_the_validator_of_state_machines_finds_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(definition_of(name)))
    done = validate(path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_linters_find_what_is_wrong(tmp_path: Path) -> None:
    text = render("nightly.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("StopTimeout", "StopTimeot"))
    linter = installation("cfn-lint") / "bin" / "cfn-lint"
    assert subprocess.run([linter, bad], capture_output=True, check=False).returncode != 0
    definition = definition_of("nightly.asl.json")
    definition["States"]["Wait"]["Next"] = "Nowhere"
    (tmp_path / "bad.json").write_text(json.dumps(definition))
    assert validate(tmp_path / "bad.json").returncode != 0


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    validator = installation("asl-validator") / "node_modules" / ".bin" / "asl-validator"
    return subprocess.run([validator, "--json-path", path], capture_output=True, text=True, check=False)
