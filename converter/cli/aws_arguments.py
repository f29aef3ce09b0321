"""Options for access to AWS and for objects in S3, each declared once."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Annotated

from converter.aws.access import Acl, AwsOptions, Sse
from converter.cli import arguments

option = partial(arguments.option, panel="Options for AWS")

Profile = Annotated[
    str | None, option("profile", "Profile in the AWS configuration.", metavar="NAME", default="AWS_PROFILE")
]
Region = Annotated[
    str | None, option("region", "AWS region.", metavar="NAME", default="AWS_REGION, or the profile's region")
]
EndpointUrl = Annotated[
    str | None, option("endpoint-url", "URL of an S3-compatible server to use instead of AWS.", metavar="URL")
]
SourceRoleArn = Annotated[
    str | None,
    option("source-role-arn", "IAM role to assume for DynamoDB and the export's bucket.", metavar="ARN"),
]
DestRoleArn = Annotated[str | None, option("dest-role-arn", "IAM role to assume for DEST in S3.", metavar="ARN")]
SourceBucketOwner = Annotated[
    str | None,
    option(
        "source-bucket-owner",
        "Account that owns the export's bucket. Requests fail if another account does.",
        metavar="ACCOUNT",
    ),
]
DestBucketOwner = Annotated[
    str | None,
    option(
        "dest-bucket-owner",
        "Account that owns DEST's bucket. Requests fail if another account does.",
        metavar="ACCOUNT",
    ),
]
DestSse = Annotated[
    Sse | None,
    option("dest-sse", "Server-side encryption of objects written to S3.", default="the bucket's setting"),
]
DestKmsKeyId = Annotated[
    str | None,
    option("dest-kms-key-id", "KMS key for --dest-sse aws:kms.", metavar="KEY", default="the AWS managed key"),
]
AclOption = Annotated[
    Acl | None,
    option("acl", "Canned ACL of objects written to S3, such as bucket-owner-full-control.", metavar="NAME"),
]
StorageClass = Annotated[
    str | None, option("storage-class", "Storage class of the parts in S3.", metavar="NAME", default="STANDARD")
]


def aws_options(given: object) -> AwsOptions:
    """Build the options for AWS from a verb's arguments. Options that the verb does not have keep their defaults."""
    names = (field.name for field in fields(AwsOptions))
    return AwsOptions(**{name: getattr(given, name) for name in names if hasattr(given, name)})
