"""Errors for the exceptions of botocore: which permission is missing on which object, bucket, role or key."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.parsers import ResponseParserError

from converter.errors import StorageError, UsageError

AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
"""Exceptions of a request: it was rejected, or there was no response, or a response that botocore can't parse."""
AGAIN = "run the same command again"
_CREDENTIALS = "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass --profile"

_PERMISSIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "AssumeRole": "sts:AssumeRole",
    "DescribeContinuousBackups": "dynamodb:DescribeContinuousBackups",
    "DescribeExport": "dynamodb:DescribeExport",
    "DescribeTable": "dynamodb:DescribeTable",
    "ExportTableToPointInTime": "dynamodb:ExportTableToPointInTime",
    "ListExports": "dynamodb:ListExports",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AccountProblem", "403", "Forbidden"}
_MISSING = {"NoSuchBucket", "404", "NotFound"}
_BAD_KEYS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidClientTokenId"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_THROTTLED = {"SlowDown", "ThrottlingException", "Throttling", "RequestLimitExceeded", "503", "ServiceUnavailable"}
# S3 reports errors of KMS as its own, with the message of KMS.
_KMS_ACTION = re.compile(r"kms:[A-Za-z]+")
_ON_RESOURCE = re.compile(r"on resource: (\S+)")
_KMS_KEY = re.compile(r"arn:aws[\w-]*:kms:[\w-]+:\d*:(?:key|alias)/[\w/-]+")
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d*:role/[\w+=,.@/-]*\w")


def code_of(error: ClientError) -> str:
    """Return the error code of AWS, such as `NoSuchKey`; for a HEAD, which has no body, the status `404`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: Exception) -> bool:
    """Return whether a permission is missing."""
    return isinstance(error, ClientError) and code_of(error) in _DENIED


def is_missing(error: Exception) -> bool:
    """Return whether the object or bucket does not exist."""
    return isinstance(error, ClientError) and code_of(error) in _MISSING


def may_pass(error: Exception) -> bool:
    """Return whether a retry may succeed: after throttling, at a limit, or after errors of AWS or the network."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in (*_THROTTLED, "LimitExceededException") or status >= 500
    return is_unanswered(error)


def is_unanswered(error: BaseException | None) -> bool:
    """Return whether the request may have been sent, and may take effect later, although there was no response."""
    return isinstance(error, (HTTPClientError, BotocoreConnectionError)) and not isinstance(error, SSLError)


def client_error(error: Exception, where: str, owner: str | None = None) -> StorageError | UsageError:
    """Return the error for an exception of botocore. where: `s3://bucket/key`; owner: required owner of the bucket."""
    if isinstance(error, ClientError):
        return _service_error(error, where, owner)
    if isinstance(error, ProfileNotFound):
        return UsageError(str(error).rstrip("."), "--profile", "see `aws configure list-profiles`")
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return StorageError(f"no AWS credentials found: {_first_line(error)}", where, _CREDENTIALS)
    if isinstance(error, NoRegionError):
        return UsageError("no AWS region is set", where, "pass --region, or set AWS_REGION")
    if isinstance(error, (ParamValidationError, ValueError)):
        return UsageError(f"not valid in AWS: {_first_line(error)}", where, "correct the name")
    if isinstance(error, SSLError):
        hint = "check which certificates this machine trusts (AWS_CA_BUNDLE)"
        return StorageError(f"the TLS connection failed: {_first_line(error)}", where, hint)
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        hint = f"check the network, --region and --endpoint-url, then {AGAIN}"
        return StorageError(f"AWS can't be reached: {_first_line(error)}", where, hint)
    if isinstance(error, ResponseParserError):
        hint = f"check which server is at --endpoint-url; if the error is temporary, {AGAIN}"
        return StorageError(f"a response of AWS can't be parsed: {_first_line(error)}", where, hint)
    if isinstance(error, ReadTimeoutError):
        return StorageError("AWS did not respond in time, after several retries", where, f"{AGAIN} later")
    return StorageError(
        f"the connection to AWS failed: {_first_line(error)}", where, f"check the network, then {AGAIN}"
    )


def _service_error(error: ClientError, where: str, owner: str | None) -> StorageError | UsageError:
    code = code_of(error)
    answer: dict[str, Any] = error.response.get("Error", {})
    message = str(answer.get("Message", "")) or code
    operation = error.operation_name
    if code in _DENIED:
        return _denied_error(message, operation, where, owner)
    if code in _EXPIRED:
        hint = f"get new ones, or use a role, which is renewed (--source-role-arn, --dest-role-arn), then {AGAIN}"
        return StorageError("the AWS credentials have expired", where, hint)
    if code in _BAD_KEYS:
        return StorageError(f"AWS does not accept the credentials: {message}", where, _CREDENTIALS)
    if code == "NoSuchBucket":
        return StorageError(
            f"the bucket {answer.get('BucketName') or where.split('/')[2]} does not exist", where, "correct the name"
        )
    if code in _THROTTLED:
        hint = f"{AGAIN} later, or with fewer --workers"
        return StorageError(f"AWS throttled the request, after several retries: {message}", where, hint)
    if code == "InvalidObjectState":
        hint = "restore it from Glacier first (aws s3api restore-object)"
        return StorageError("the object is archived and can't be read", where, hint)
    if code == "InvalidStorageClass":
        return UsageError(f"unknown storage class: {message}", "--storage-class", "for example, use STANDARD_IA")
    if code == "AccessControlListNotSupported":
        hint = "remove --acl: the owner of the bucket owns all its objects"
        return StorageError(f"the bucket does not allow ACLs: {message}", where, hint)
    if code in ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"):
        return StorageError(f"the bucket is in another region: {message}", where, "pass its --region")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return StorageError(
        f"AWS rejected {operation}: {code} ({status}): {message}", where, f"if the error is temporary, {AGAIN}"
    )


def _denied_error(message: str, operation: str, where: str, owner: str | None) -> StorageError:
    if operation == "AssumeRole":
        # The role is assumed before the request for the object.
        role = _ROLE.search(message)
        where, owner = (role[0] if role else where), None
    action = _KMS_ACTION.search(message)
    if action is not None or "kms" in message.lower():
        key = _KMS_KEY.search(message)
        permission = action[0] if action else ("kms:Decrypt" if "Get" in operation else "kms:GenerateDataKey")
        on = key[0] if key else "the KMS key of the object"
    else:
        permission = _PERMISSIONS.get(operation, operation)
        resource = _ON_RESOURCE.search(message)
        # Only AssumeRole reports a resource other than the object.
        on = resource[1] if resource and operation == "AssumeRole" else where
    hint = "allow it in the policy of this user or role, and in that of the bucket or key if it is in another account"
    if operation in ("GetObject", "HeadObject") and on == where:
        hint += "; without s3:ListBucket on the bucket, S3 also reports a missing object as access denied"
    if owner is not None:
        hint += f"; also check that account {owner} owns the bucket, as required"
    return StorageError(f"access denied: {permission} is not allowed on {on}: {message.rstrip('.')}", where, hint)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
