"""What the service can refuse, by botocore's description of it: each has a message and a next step of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import botocore.session
import pytest

from converter.aws.access import AwsOptions
from converter.aws.export_errors import failed_export_error
from converter.aws.export_request import ExportRequest
from converter.aws.export_wait import wait_for_export
from converter.aws.exports import describe_export, list_exports, start_export
from converter.aws.tables import RecoveryWindow, Table, describe_table, recovery_window
from converter.aws.target import ExportTarget
from converter.errors import BusyError, ConvertError, ExportError, StorageError, UsageError
from tests.unit.aws.stub import Stub, start_stub

ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
EXPORT = f"{ARN}/export/01701065507109-cce6a3f8"
TABLE = Table(arn=ARN, table_id="t", name="Orders", region="eu-central-1", account="111122223333")
USER = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform"


def warned(text: str) -> None:
    raise AssertionError(f"a warning: {text}")


ACCESS = AwsOptions().for_source()
CALLS: dict[str, tuple[str, Callable[[], object]]] = {
    "DescribeTable": (ARN, lambda: describe_table(ARN, ACCESS)),
    "DescribeContinuousBackups": (ARN, lambda: recovery_window(TABLE, ACCESS, warned)),
    "ExportTableToPointInTime": (
        ARN,
        lambda: start_export(ExportRequest(table_arn=ARN, target=ExportTarget(bucket="exports")), ACCESS),
    ),
    "DescribeExport": (EXPORT, lambda: describe_export(EXPORT, ACCESS)),
    "ListExports": (ARN, lambda: list(list_exports(ARN, ACCESS))),
}
TOLD: dict[str, tuple[type[ConvertError], str, str]] = {
    "ResourceNotFoundException": (UsageError, "the table does not exist", "aws dynamodb list-tables"),
    "TableNotFoundException": (UsageError, "the table does not exist", "aws dynamodb list-tables"),
    "PointInTimeRecoveryUnavailableException": (UsageError, "recovery is disabled", "PointInTimeRecoveryEnabled=true"),
    "InvalidExportTimeException": (UsageError, "as of this time: Said by a test", "at least 5 minutes ago"),
    "ExportConflictException": (UsageError, "client token", "another --client-token"),
    "LimitExceededException": (BusyError, "limit of concurrent exports is reached", "300 exports"),
    "ExportNotFoundException": (ExportError, "has no such export", f"ddb-convert export list {ARN}"),
    "InternalServerError": (StorageError, "DynamoDB failed", "no export is started twice"),
    "ValidationException": (UsageError, "not valid in DynamoDB: Said by a test", "correct the value"),
}
MODEL = botocore.session.Session().get_service_model("dynamodb")
MODELLED = [(name, shape.name) for name in CALLS for shape in MODEL.operation_model(name).error_shapes]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with start_stub(monkeypatch) as stub:
        yield stub


def refuse(stub: Stub, operation: str, code: str, message: str = "Said by a test.") -> ConvertError:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    stub.answer = lambda _: (500 if code == "InternalServerError" else 400, body)
    with pytest.raises(ConvertError) as refused:
        CALLS[operation][1]()
    return refused.value


@pytest.mark.parametrize(("operation", "code"), [*MODELLED, *((name, "ValidationException") for name in CALLS)])
def test_each_error_that_the_service_has_is_told_with_what_to_do(operation: str, code: str, stub: Stub) -> None:
    kind, what, hint = TOLD[code]
    refused = refuse(stub, operation, code)
    assert type(refused) is kind
    assert what in refused.what
    assert hint in refused.hint
    assert refused.where == CALLS[operation][0]


def test_botocore_describes_every_error_that_is_told_of() -> None:
    assert {code for _, code in MODELLED} | {"ValidationException"} == set(TOLD)


@pytest.mark.parametrize("operation", [name for name in CALLS if name != "DescribeContinuousBackups"])
def test_a_missing_permission_is_named_with_its_resource(operation: str, stub: Stub) -> None:
    refused = refuse(stub, operation, "AccessDeniedException", f"{USER}: dynamodb:{operation}")
    where = CALLS[operation][0]
    assert isinstance(refused, StorageError)
    assert refused.what.startswith(f"access denied: dynamodb:{operation} is not allowed on {where}: ")
    writes = operation == "ExportTableToPointInTime"
    for permission in ("s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"):
        assert (permission in refused.hint) == writes
    # Before an export the bucket is looked for, too.
    assert stub.asked == (["HEAD /exports"] if writes else []) + ["POST /"]


def test_where_the_recovery_window_may_not_be_asked_for_it_is_open_and_that_is_a_warning(stub: Stub) -> None:
    stub.answer = lambda _: (400, json.dumps({"__type": "x#AccessDeniedException", "message": USER}))
    warnings: list[str] = []
    assert recovery_window(TABLE, ACCESS, warnings.append) == RecoveryWindow()
    assert ["dynamodb:DescribeContinuousBackups is not allowed" in text for text in warnings] == [True]


def test_throttling_that_lasts_is_a_reason_to_try_later(stub: Stub) -> None:
    refused = refuse(stub, "ListExports", "ThrottlingException")
    assert isinstance(refused, StorageError)
    assert refused.what == "DynamoDB throttled the request, after several retries: Said by a test"
    assert refused.hint == "run the same command again later"


def test_credentials_that_have_expired_are_told_at_once(stub: Stub) -> None:
    refused = refuse(stub, "ExportTableToPointInTime", "ExpiredTokenException")
    assert refused.what == "the AWS credentials have expired"
    assert stub.asked == ["HEAD /exports", "POST /"]


def test_an_account_without_permission_to_list_all_exports_is_told_so(stub: Stub) -> None:
    stub.answer = lambda _: (400, json.dumps({"__type": "x#AccessDeniedException", "message": USER}))
    with pytest.raises(StorageError, match="dynamodb:ListExports is not allowed on the exports of this account"):
        list(list_exports(None, AwsOptions(region="eu-central-1").for_source()))


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("S3NoSuchBucket", "The specified bucket does not exist", "--bucket"),
        ("AccessDenied", "Access Denied (Service: Amazon S3; Status Code: 403)", "s3:PutObjectAcl"),
        ("UNKNOWN", "Access Denied (Service: Amazon S3)", "s3:AbortMultipartUpload"),
        ("KMSAccessDenied", "The ciphertext refers to a key", "the KMS key"),
        ("InternalError", "Something", "remove the cause"),
    ],
)
def test_an_export_that_failed_says_what_helps_against_its_reason(code: str, message: str, hint: str) -> None:
    failed = failed_export_error(EXPORT, code, message)
    assert failed.what == f"the export failed: {code}: {message}"
    assert hint in failed.hint
    assert failed.hint.endswith("then export the table again")


def test_a_wait_whose_first_answer_does_not_come_ends(stub: Stub) -> None:
    stub.answer = lambda _: (500, json.dumps({"__type": "x#InternalServerError", "message": "down"}))
    with pytest.raises(StorageError, match="DynamoDB failed"):
        wait_for_export(EXPORT, ACCESS, sleep=lambda _: None)
