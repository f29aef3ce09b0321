"""No text that a user gives can add anything to the template: it stays a text, or is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from converter.aws.access import AwsOptions
from converter.aws.target import ExportTarget
from converter.errors import UsageError
from converter.schedule.settings import Schedule, ScheduledTable
from converter.schedule.template import render_asl, render_template
from tests.templates import parse_template

ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
STATEMENT = '\n              - Effect: Allow\n                Action: "*"\n                Resource: "*"'
HOSTILE = (
    f"abc{STATEMENT}",
    f'abc"{STATEMENT}\n                Sid: "',
    "abc # x",
    "abc: {a: b}",
    "!Ref Topic",
    "a]}, x: [",
    "abc\u2028def",
    "abc\x85def",
)
TARGET = ExportTarget(
    bucket="exports", prefix="a/b", bucket_owner="444455556666", format="ION", sse="KMS", kms_key_id="alias/exports"
)
AWS = AwsOptions(dest_sse="aws:kms", dest_kms_key_id="alias/lake", dest_bucket_owner="444455556666")
SCHEDULE = Schedule(
    table=ScheduledTable.read(ARN),
    target=TARGET,
    dest="s3://lake/orders/",
    options=("--for", "athena"),
    aws=AWS,
    cron="0 2 * * ? *",
    create="destination",
    stack="stack",
)


def shape(value: Any, path: str = "$") -> Iterator[str]:
    """The places of a template, whatever texts are there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from shape(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from shape(inner, f"{path}[{number}]")
    else:
        yield f"{path}: {type(value).__name__}"


@cache
def shape_of_schedule() -> list[str]:
    """The places of the template of SCHEDULE."""
    return list(shape(parse_template(render_template(SCHEDULE))))


def force(thing: Any, name: str, text: str) -> Any:
    """A copy with a text that the checks of options would refuse."""
    copy = replace(thing)
    object.__setattr__(copy, name, text)
    return copy


PLACES = (
    *(("target", name) for name in ("bucket", "prefix", "bucket_owner", "kms_key_id")),
    *(("aws", name) for name in ("dest_kms_key_id", "dest_bucket_owner")),
    *(("table", name) for name in ("name", "region", "account", "partition")),
    *(("", name) for name in ("dest", "cron", "timezone", "stack")),
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_no_text_adds_anything_to_the_template_even_if_no_check_has_refused_it(
    place: tuple[str, str], hostile: str
) -> None:
    inside, name = place
    if name == "dest" or "kms" in name:
        hostile = f"s3://lake/{hostile}/" if name == "dest" else f"alias/{hostile}"
    schedule = force(SCHEDULE, inside, force(getattr(SCHEDULE, inside), name, hostile)) if inside else None
    schedule = schedule or force(SCHEDULE, name, hostile)
    try:
        text = render_template(schedule)
    except ValueError as error:
        assert "without quotes" in str(error)  # noqa: PT017 - either outcome is right
        return
    assert list(shape(parse_template(text))) == shape_of_schedule()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_words_for_the_task_stay_words_in_the_state_machine(hostile: str) -> None:
    schedule = replace(SCHEDULE, options=("--rename", hostile), target=replace(TARGET, bucket_owner=None))
    template = parse_template(render_template(schedule))
    definitions = (template["Resources"]["StateMachine"]["Properties"]["DefinitionString"], render_asl(schedule))
    for definition in map(json.loads, definitions):
        assert definition["States"]["Defaults"]["Assign"]["defaults"]["options"] == ["--rename", hostile]


@pytest.mark.parametrize("hostile", [*HOSTILE, "*", "${AWS::Region}", "key/a b", "alias/*", "arn:aws:kms:k", "arn:"])
def test_a_text_that_is_not_a_key_is_refused_with_its_option(hostile: str) -> None:
    with pytest.raises(UsageError, match="is not a KMS key") as refused:
        replace(TARGET, kms_key_id=hostile)
    assert refused.value.where == "--export-kms-key-id"
    with pytest.raises(UsageError, match="is not a KMS key") as refused:
        replace(SCHEDULE, aws=replace(AWS, dest_kms_key_id=hostile))
    assert refused.value.where == "--dest-kms-key-id"


@pytest.mark.parametrize("hostile", [*HOSTILE, "arn:aws:iam::444455556666:role/*", "*"])
@pytest.mark.parametrize("option", ["source_role_arn", "dest_role_arn"])
def test_a_text_that_is_not_a_role_is_refused_with_its_option(option: str, hostile: str) -> None:
    with pytest.raises(UsageError, match="is not the ARN of a role"):
        replace(SCHEDULE, aws=force(AwsOptions(), option, hostile))


@pytest.mark.parametrize("hostile", ["a\nb", "a\u2028b", "a\x85b", "a${Topic}b", 'a"b', "a*b"])
def test_a_folder_whose_name_means_more_than_itself_is_refused(hostile: str) -> None:
    with pytest.raises(UsageError, match="has a special meaning"):
        replace(SCHEDULE, dest=f"s3://lake/{hostile}/")


@pytest.mark.parametrize(
    "key",
    [
        "key-1",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "alias/a/b_c-d",
        "arn:aws-cn:kms:cn-north-1:111122223333:alias/exports",
        KEY,
    ],
)
def test_a_key_is_named_by_id_alias_or_arn(key: str) -> None:
    assert ExportTarget(bucket="exports", sse="KMS", kms_key_id=key).kms_key_id == key
    assert AwsOptions(dest_sse="aws:kms", dest_kms_key_id=key).dest_kms_key_id == key


def test_a_key_of_another_store_is_for_writing_alone() -> None:
    key = "arn:aws:kms:minio-key"
    assert AwsOptions(dest_sse="aws:kms", dest_kms_key_id=key).dest_kms_key_id == key
    with pytest.raises(UsageError, match="is not a KMS key"):
        ExportTarget(bucket="exports", sse="KMS", kms_key_id=key)


def test_line_breaks_between_the_fields_of_a_cron_are_spaces() -> None:
    assert replace(SCHEDULE, cron="0 2 *\n*\t? *").expression == "cron(0 2 * * ? *)"
