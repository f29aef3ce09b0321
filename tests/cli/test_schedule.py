"""`schedule render`: what it takes, refuses and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from converter.cli.commands import read_command
from converter.errors import UsageError
from tests.cli.command import ddb_convert
from tests.templates import parse_template

ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
NIGHTLY = ("--cron", "0 2 * * ? *")


def render(*options: str, table: str = "Orders", dest: str = "s3://lake/orders/", bucket: str = "exports") -> None:
    job = read_command(["schedule", "render", table, dest, "--bucket", bucket, *options])
    assert job is not None
    job()


def test_a_template_is_printed_or_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = ddb_convert("schedule", "render", "Orders", "s3://lake/orders", "--bucket", "exports", *NIGHTLY)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert parse_template(printed.stdout)["Resources"]["StateMachine"]
    path = tmp_path / "stack.yaml"
    for _ in range(2):
        render(*NIGHTLY, "--out", str(path))
    assert capsys.readouterr().out == ""
    assert path.read_text("utf-8") == printed.stdout
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists with other content") as caught:
        render(*NIGHTLY, "--out", str(path))
    assert caught.value.hint == "add --force to overwrite it, or choose another file with --out"
    render(*NIGHTLY, "--out", str(path), "--force")
    assert path.read_text("utf-8") == printed.stdout


def test_options_of_the_task_reach_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    render(*NIGHTLY, "--asl", "--bucket-owner", "444455556666", "--", "--for", "athena", "--key", "a b,c", table=ARN)
    defaults = json.loads(capsys.readouterr().out)["States"]["Defaults"]["Assign"]["defaults"]
    owner = ["--source-bucket-owner", "444455556666"]
    assert defaults["options"] == ["--for", "athena", "--key", "a b,c", *owner]


def test_variables_of_the_environment_are_none_of_the_tasks_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"PART_SIZE": "nonsense", "KEY": "", "DEST_ROLE_ARN": "arn:aws:iam::1:role/a"}.items():
        monkeypatch.setenv(f"DDB_CONVERT_{name}", value)
    render(*NIGHTLY)
    assert "role/a" not in capsys.readouterr().out


def test_changes_are_brought_by_a_sync_with_all_that_the_schedule_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--bucket-owner", "444455556666", "--export-format", "ION", "--export-sse", "KMS")
    changes = ("--incremental", "--merge", "--view", "new", "--on-gap", "full")
    render("--asl", *changes, *given, "--export-kms-key-id", KEY, "--", "--timeout", "2h", table=ARN)
    definition = json.loads(capsys.readouterr().out)
    defaults = definition["States"]["Defaults"]["Assign"]["defaults"]
    assert (defaults["onGap"], defaults["options"][:2]) == ("full", ["--timeout", "2h"])
    [override] = definition["States"]["Sync"]["Arguments"]["Overrides"]["ContainerOverrides"]
    for words in (
        "['sync', $settings.tableArn, $settings.destination, '--incremental', '--merge', '--view', 'new',",
        "'--bucket-owner', $settings.bucketOwner, '--export-format', 'ION', '--export-sse', 'KMS',",
        "'--export-kms-key-id', $settings.kmsKeyId]",
    ):
        assert words in override["Command"]


@pytest.mark.parametrize("rate", ["15 minutes", "1 hour", "1 day"])
def test_changes_may_be_brought_several_times_a_day(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    render("--rate", rate, "--incremental")
    template = parse_template(capsys.readouterr().out)
    assert template["Resources"]["Schedule"]["Properties"]["ScheduleExpression"] == f"rate({rate})"


@pytest.mark.parametrize(
    ("options", "where", "what"),
    [
        (("--trigger", "manifest"), "--trigger", "the task itself exports them"),
        (("--rate", "14 minutes"), "--rate", "has at least 15 minutes"),
        (("--cron", "0/10 * * * ? *"), "--cron", "has at least 15 minutes"),
        ((*NIGHTLY, "--", "--replace"), "--replace", "continue from what is published"),
        ((*NIGHTLY, "--", "--date", "2026-11-27"), "--date", "from the last run up to the current time"),
        ((*NIGHTLY, "--", "--dry-run"), "--dry-run", "publish nothing"),
        ((*NIGHTLY, "--", "--bucket", "other"), "--bucket", "the schedule sets this option of the task"),
        ((*NIGHTLY, "--", "--export-prefix", "other"), "--export-prefix", "the schedule sets this option of the task"),
        ((*NIGHTLY, "--", "--merge"), "--merge", "the schedule sets this option of the task"),
        ((*NIGHTLY, "--", "--on-gap", "full"), "--on-gap", "the schedule sets this option of the task"),
        ((*NIGHTLY, "--", "--timeout", "soon"), "--timeout", "is not a valid duration"),
        ((*NIGHTLY, "--view", "new", "--", "--old-image"), "--old-image", "have no old images"),
        ((*NIGHTLY, "--merge", "--", "--for", "treasure-data"), "--format", "from Parquet files"),
        ((*NIGHTLY, "--", "--help"), "--help", "only prints help"),
        (
            (*NIGHTLY, "--", "--source-role-arn", "arn:aws:iam::444455556666:role/a"),
            "--source-role-arn",
            "in the account of the table",
        ),
        (("--policies", "--", "--source-role-arn", "arn:aws:iam::111122223333:role/a"), "--policies", "any account"),
    ],
)
def test_what_makes_no_sense_for_changes_is_refused_now(options: tuple[str, ...], where: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        render("--incremental", *options, table=ARN)
    assert where in caught.value.where
    assert what in caught.value.what


@pytest.mark.parametrize("options", [("--merge",), ("--view", "new"), ("--on-gap", "fail")])
def test_what_is_for_changes_is_refused_without_them(options: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="this option requires --incremental") as caught:
        render(*NIGHTLY, *options)
    assert caught.value.where == options[0]


@pytest.mark.parametrize("words", [("--latest",), ("--export-id", "a"), ("--incrementall",)])
def test_options_of_the_task_are_those_of_sync_where_it_brings_changes(words: tuple[str, ...]) -> None:
    with pytest.raises(typer.TyperException, match="No such option"):
        render(*NIGHTLY, "--incremental", "--", *words)


@pytest.mark.parametrize(
    ("options", "where", "what"),
    [
        ((), "", "needs --cron or --rate"),
        ((*NIGHTLY, "--rate", "1 day"), "--cron, --rate", "either a cron or a rate"),
        (("--cron", "0 2 * * *"), "--cron", "five fields"),
        (("--rate", "12 hours"), "--rate", "several times a day"),
        ((*NIGHTLY, "--timezone", "Mars"), "--timezone", "unknown time zone"),
        ((*NIGHTLY, "--window", "1441"), "--window", "1441 minutes are not allowed"),
        (("--trigger", "manifest", "--rate", "1 day"), "--rate", "there is no schedule"),
        (("--trigger", "manifest", "--window", "5"), "--window", "there is no schedule"),
        ((*NIGHTLY, "--stack", "a_b"), "--stack", "not a valid name of a stack"),
        ((*NIGHTLY, "--export-prefix", "a*b"), "--export-prefix", "'*' has a special meaning"),
        ((*NIGHTLY, "--bucket-owner", "444455556666", "--create-buckets", "export"), "--create-buckets", "another"),
        ((*NIGHTLY, "--bucket-owner", "444455556666", "--export-sse", "KMS"), "--export-kms-key-id", "another account"),
        ((*NIGHTLY, "--export-sse", "KMS", "--export-kms-key-id", "a\n  b"), "--export-kms-key-id", "is not a KMS key"),
        ((*NIGHTLY, "--asl", "--policies"), "--policies", "--asl"),
        ((*NIGHTLY, "--policies"), "TABLE", "account of the table"),
        ((*NIGHTLY, "--", "--part-size", "huge"), "--part-size", "is not a valid size"),
        ((*NIGHTLY, "--", "--for", "athena", "--compression", "bzip2"), "--compression", "bzip2"),
        ((*NIGHTLY, "--", "--latest"), "--latest", "one export"),
        ((*NIGHTLY, "--", "--profile", "p"), "--profile", "no profiles"),
        ((*NIGHTLY, "--", "--dry-run"), "--dry-run", "publish nothing"),
        ((*NIGHTLY, "--", "--schema", "schema.json"), "--schema", "does not have this file"),
        ((*NIGHTLY, "--", "--key", "${AWS::Region}"), "--", "the template would replace"),
        ((*NIGHTLY, "--", "--help"), "--help", "only prints help"),
    ],
)
def test_what_would_fail_at_night_is_refused_now(options: tuple[str, ...], where: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        render(*options)
    assert where in caught.value.where
    assert what in caught.value.what
    assert caught.value.exit_code == 2


def test_a_mistyped_option_of_the_task_is_a_usage_error() -> None:
    with pytest.raises(typer.TyperException, match="fro"):
        render(*NIGHTLY, "--", "--fro", "athena")


@pytest.mark.parametrize("table", ["Or", "a/b", "arn:aws:dynamodb:eu-central-1:1:table/Orders", f"{ARN}/export/1"])
def test_what_is_no_table_is_refused(table: str) -> None:
    with pytest.raises(UsageError, match="neither the name nor the ARN of a table"):
        render(*NIGHTLY, table=table)


@pytest.mark.parametrize("dest", ["lake/orders", "s3://", "s3://Lake/orders", "file:///lake"])
def test_a_destination_must_be_in_s3(dest: str) -> None:
    with pytest.raises(UsageError, match="is not a location in S3"):
        render(*NIGHTLY, dest=dest)


def test_what_is_published_must_not_lie_where_exports_expire() -> None:
    with pytest.raises(UsageError, match="exports expire"):
        render(*NIGHTLY, "--create-buckets", "both", bucket="lake")
    with pytest.raises(UsageError, match="exports expire"):
        render(*NIGHTLY, "--create-buckets", "export", "--export-prefix", "orders", bucket="lake")
    render(*NIGHTLY, "--create-buckets", "export", "--export-prefix", "exports", bucket="lake")


def test_a_template_for_an_arn_belongs_to_its_region_and_account(capsys: pytest.CaptureFixture[str]) -> None:
    render(*NIGHTLY, table=ARN)
    checks = parse_template(capsys.readouterr().out)["Rules"]["Place"]["Assertions"]
    assert [check["Assert"]["Fn::Equals"][1] for check in checks] == ["eu-central-1", "111122223333"]


def test_in_another_partition_the_machine_asks_its_services(capsys: pytest.CaptureFixture[str]) -> None:
    render("--asl", table=ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1"))
    text = capsys.readouterr().out
    assert text.count("arn:aws-cn:states:::") == 4
    assert "arn:aws:" not in text


def test_policies_are_for_what_is_in_another_account(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="all resources are in the account of the table"):
        render("--policies", table=ARN)
    with pytest.raises(UsageError, match="truncate"):
        render("--policies", "--stack", "a" * 40, table=ARN)
    render("--policies", "--", "--dest-bucket-owner", "444455556666", table=ARN)
    [policy] = json.loads(capsys.readouterr().out)
    assert policy["for"] == "the bucket lake, in the account 444455556666"
    for statement in policy["policy"]["Statement"]:
        assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
        role = statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
        assert role == "arn:aws:iam::111122223333:role/ddb-convert-Orders-TaskRole-*"
