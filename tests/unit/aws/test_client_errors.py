"""What S3 answers over HTTP, as errors of ours: which permission is missing where, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from converter.aws.access import AwsOptions, Connection
from converter.aws.s3_requests import S3Requests
from converter.aws.s3_store import S3ObjectStore, open_destination_store
from converter.aws.s3_uri import s3_uri
from converter.errors import ConvertError, StorageError, UsageError
from converter.object_store import ConditionFailedError, ObjectStore, Piece
from tests.servers.process import LOOPBACK, free_port
from tests.unit.aws.stub import Stub, always, error, start_stub

KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::111122223333:role/reader"
OWNER = "111122223333"
USER = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform"
NOT_ALLOWED = "because no identity-based policy allows the action"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with start_stub(monkeypatch) as stub:
        yield stub


def store(aws: AwsOptions | None = None) -> ObjectStore:
    return open_destination_store(s3_uri("lake", "orders"), aws or AwsOptions())


CALLS: dict[str, Callable[[ObjectStore], object]] = {
    "GetObject": lambda o: o.open("x"),
    "HeadObject": lambda o: o.head("x"),
    "ListObjectsV2": lambda o: list(o.list_objects("x")),
    "PutObject": lambda o: o.put("x", b"abc"),
    "DeleteObject": lambda o: o.delete("x"),
    "CreateMultipartUpload": lambda o: o.create_upload("x", {}),
    "UploadPart": lambda o: o.upload_piece("x", "u", 1, b"abc", "NSRBwg=="),
    "CompleteMultipartUpload": lambda o: o.complete_upload("x", "u", [Piece('"e"', "NSRBwg==")], 3),
    "AbortMultipartUpload": lambda o: o.abort_upload("x", "u"),
    "ListMultipartUploads": lambda o: list(o.list_uploads("x")),
}
PERMISSIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}


def refuse(operation: str, aws: AwsOptions | None = None) -> ConvertError:
    """What the operation raises."""
    with pytest.raises(ConvertError) as refused:
        CALLS[operation](store(aws))
    return refused.value


@pytest.mark.parametrize("operation", CALLS)
def test_access_denied_names_the_permission_and_the_object_and_is_not_tried_again(operation: str, stub: Stub) -> None:
    stub.answer = lambda _: (403, error("AccessDenied", "Access Denied"))
    refused = refuse(operation)
    assert isinstance(refused, StorageError)
    assert refused.what.startswith(f"access denied: {PERMISSIONS[operation]} is not allowed on s3://lake/orders/x: ")
    assert refused.where == "s3://lake/orders/x"
    assert "allow it in the policy" in refused.hint
    assert ("s3:ListBucket" in refused.hint) == (operation in ("GetObject", "HeadObject"))
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    ("operation", "action"),
    [("GetObject", "kms:Decrypt"), ("PutObject", "kms:GenerateDataKey"), ("UploadPart", "kms:Decrypt")],
)
def test_a_kms_key_that_may_not_be_used_is_named_with_its_permission(operation: str, action: str, stub: Stub) -> None:
    message = f"{USER}: {action} on resource: {KEY_ARN} {NOT_ALLOWED}"
    stub.answer = lambda _: (403, error("AccessDenied", message))
    refused = refuse(operation)
    assert refused.what == f"access denied: {action} is not allowed on {KEY_ARN}: {message}"
    assert refused.where == "s3://lake/orders/x"


@pytest.mark.parametrize(("operation", "action"), [("GetObject", "kms:Decrypt"), ("PutObject", "kms:GenerateDataKey")])
def test_a_kms_refusal_in_other_words_is_one_of_the_key_too(operation: str, action: str, stub: Stub) -> None:
    stub.answer = lambda _: (403, error("AccessDenied", "The ciphertext refers to a KMS key that does not exist."))
    assert refuse(operation).what.startswith(f"access denied: {action} is not allowed on the KMS key of the object: ")


def test_the_account_that_must_own_the_bucket_is_sent_and_named(stub: Stub) -> None:
    owners = []

    def answer(headers: dict[str, str]) -> tuple[int, str]:
        owners.append(headers.get("x-amz-expected-bucket-owner"))
        return 403, error("AccessDenied", "Access Denied")

    stub.answer = answer
    for operation in CALLS:
        assert f"account {OWNER} owns the bucket" in refuse(operation, AwsOptions(dest_bucket_owner=OWNER)).hint
    assert owners == [OWNER] * len(CALLS)


@pytest.mark.parametrize(
    ("status", "code", "what", "hint"),
    [
        (400, "ExpiredToken", "the AWS credentials have expired", "get new ones"),
        (403, "InvalidAccessKeyId", "does not accept the credentials", "AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "does not accept the credentials", "AWS_SECRET_ACCESS_KEY"),
        (404, "NoSuchBucket", "the bucket lake does not exist", "correct the name"),
        (403, "InvalidObjectState", "archived", "restore"),
        (400, "EntityTooLarge", "EntityTooLarge (400): Said by a test.", "run the same command again"),
    ],
)
@pytest.mark.parametrize("operation", ["GetObject", "ListObjectsV2", "PutObject", "CompleteMultipartUpload"])
def test_what_no_second_try_would_mend_is_told_at_once(
    operation: str, status: int, code: str, what: str, hint: str, stub: Stub
) -> None:
    stub.answer = always(status, code)
    refused = refuse(operation)
    assert isinstance(refused, StorageError)
    assert what in refused.what
    assert hint in refused.hint
    assert refused.where == "s3://lake/orders/x"
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "what"),
    [(503, "SlowDown", "throttled the request, after several retries"), (500, "InternalError", "InternalError (500)")],
)
@pytest.mark.parametrize("operation", ["GetObject", "UploadPart"])
def test_what_may_pass_is_tried_as_often_as_the_environment_says(
    operation: str, status: int, code: str, what: str, stub: Stub
) -> None:
    stub.answer = always(status, code)
    assert what in refuse(operation).what
    assert len(stub.asked) == 2


def test_a_completion_that_fails_after_its_status_was_sent_is_no_success(stub: Stub) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html: an error may come with 200 OK.
    stub.answer = lambda _: (200, error("InternalError", "We encountered an internal error. Please try again."))
    assert "CompleteMultipartUpload: InternalError" in refuse("CompleteMultipartUpload").what
    assert len(stub.asked) == 2


def test_missing_objects_and_failed_conditions_are_no_refusals(stub: Stub) -> None:
    for code in ("NoSuchKey", "NoSuchUpload"):
        stub.answer = always(404, code)
        with pytest.raises(FileNotFoundError, match="s3://lake/orders/x does not exist"):
            store().open("x")
        assert store().get("x") is None
        store().abort_upload("x", "u")
    assert store().head("x") is None
    for status, code in ((412, "PreconditionFailed"), (409, "ConditionalRequestConflict")):
        stub.answer = always(status, code)
        with pytest.raises(ConditionFailedError):
            store().put_if_absent("x", b"abc")


def test_a_bucket_of_another_region_is_found_there(stub: Stub) -> None:
    def answer(headers: dict[str, str]) -> tuple[int, str]:
        if "/eu-west-1/s3/" in headers["authorization"]:
            return 404, error("NoSuchKey")
        return 400, error("AuthorizationHeaderMalformed", "expecting 'eu-west-1'", "<Region>eu-west-1</Region>")

    stub.answer = answer
    assert store().get("x") is None
    assert len([asked for asked in stub.asked if asked.startswith("GET")]) == 2


def test_an_endpoint_of_another_region_than_the_buckets_is_told(stub: Stub) -> None:
    stub.headers = {"x-amz-bucket-region": "eu-west-1"}
    stub.answer = lambda _: (301, error("PermanentRedirect", "address the endpoint"))
    refused = refuse("GetObject")
    assert "the bucket is in another region" in refused.what
    assert refused.hint == "pass its --region"
    assert len(stub.asked) == 2


def test_a_role_that_may_not_be_assumed_is_named(stub: Stub) -> None:
    message = f"{USER}: sts:AssumeRole on resource: {ROLE}"
    body = f"<ErrorResponse>{error('AccessDenied', message)}</ErrorResponse>"
    stub.answer = lambda _: (403, body)
    refused = refuse("GetObject", AwsOptions(dest_role_arn=ROLE))
    assert refused.what == f"access denied: sts:AssumeRole is not allowed on {ROLE}: {message}"
    assert refused.where == ROLE


def test_without_credentials_nothing_is_asked(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    refused = refuse("GetObject")
    assert "no AWS credentials found" in refused.what
    assert "--profile" in refused.hint
    assert stub.asked == []


def test_a_profile_that_there_is_not_is_a_mistake_in_the_command(stub: Stub) -> None:
    refused = refuse("GetObject", AwsOptions(profile="nobody"))
    assert isinstance(refused, UsageError)
    assert (refused.where, "nobody" in refused.what) == ("--profile", True)
    assert stub.asked == []


def test_a_bucket_that_can_not_be_one_is_a_mistake_in_the_command(stub: Stub) -> None:
    with pytest.raises(UsageError, match="not valid in AWS") as refused:
        S3ObjectStore(S3Requests("no bucket!", "", Connection(AwsOptions().for_dest(), "s3"))).head("x")
    assert refused.value.where == "s3://no bucket!/x"
    assert stub.asked == []


def test_a_server_that_is_not_there_is_told_with_its_address(stub: Stub) -> None:
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    refused = refuse("GetObject", AwsOptions(endpoint_url=nowhere))
    assert "AWS can't be reached" in refused.what
    assert nowhere in refused.what
    assert "--endpoint-url" in refused.hint
