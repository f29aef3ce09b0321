"""A look at the bucket before an export is started: the service finds out ten minutes later, when it was paid for."""

from __future__ import annotations

from converter.aws.access import Access, Connection
from converter.aws.client_errors import AWS_ERRORS, is_missing
from converter.aws.target import OPTIONS, ExportTarget
from converter.errors import UsageError


def check_bucket(target: ExportTarget, access: Access) -> None:
    """Raise UsageError if S3 says that there is no such bucket. It is asked with the account that must own the bucket.

    Anything else that keeps S3 from answering is left to the service to judge: the caller may lack s3:ListBucket, or be
    allowed it for some folders alone, and still be allowed all that an export needs.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    owner = {} if target.bucket_owner is None else {"ExpectedBucketOwner": target.bucket_owner}
    try:
        Connection(access, "s3").client().head_bucket(Bucket=target.bucket, **owner)
    except AWS_ERRORS as error:
        if is_missing(error):
            raise UsageError(
                f"there is no bucket {target.bucket!r}, and nothing was exported",
                OPTIONS["bucket"],
                "make the bucket, or correct its name",
            ) from error
