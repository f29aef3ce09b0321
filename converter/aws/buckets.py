"""Check of the bucket before an export starts. DynamoDB detects a missing one ten minutes later, and charges for it."""

from __future__ import annotations

from converter.aws.access import Access, Connection
from converter.aws.client_errors import AWS_ERRORS, is_missing
from converter.aws.target import OPTIONS, ExportTarget
from converter.errors import UsageError


def check_bucket(target: ExportTarget, access: Access) -> None:
    """Raise UsageError if the bucket does not exist in the account that must own it.

    Other errors of S3 are ignored: the caller may have no s3:ListBucket, or only for some folders, and still have all
    permissions that an export needs.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    owner = {} if target.bucket_owner is None else {"ExpectedBucketOwner": target.bucket_owner}
    try:
        Connection(access, "s3").client().head_bucket(Bucket=target.bucket, **owner)
    except AWS_ERRORS as error:
        if is_missing(error):
            raise UsageError(
                f"the bucket {target.bucket!r} does not exist, and nothing was exported",
                OPTIONS["bucket"],
                "create the bucket, or correct its name",
            ) from error
