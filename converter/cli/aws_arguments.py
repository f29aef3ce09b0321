"""The options that say how AWS is reached and how objects are written there, each declared once."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Annotated

from converter.aws.access import Acl, AwsOptions, Sse
from converter.cli import arguments

option = partial(arguments.option, panel="Options for AWS")

Profile = Annotated[
    str | None, option("profile", "Profile of the AWS configuration.", metavar="NAME", default="AWS_PROFILE")
]
Region = Annotated[str | None, option("region", "AWS region.", metavar="NAME", default="AWS_REGION, or the profile's")]
EndpointUrl = Annotated[
    str | None, option("endpoint-url", "Another server than AWS that speaks its protocol.", metavar="URL")
]
SourceRoleArn = Annotated[
    str | None,
    option("source-role-arn", "Role to assume for DynamoDB and the export's bucket.", metavar="ARN"),
]
DestRoleArn = Annotated[str | None, option("dest-role-arn", "Role to assume for DEST in S3.", metavar="ARN")]
SourceBucketOwner = Annotated[
    str | None,
    option(
        "source-bucket-owner", "Account that must own the export's bucket, or reading is refused.", metavar="ACCOUNT"
    ),
]
DestBucketOwner = Annotated[
    str | None,
    option("dest-bucket-owner", "Account that must own DEST's bucket, or each request is refused.", metavar="ACCOUNT"),
]
DestSse = Annotated[
    Sse | None,
    option("dest-sse", "Encryption of all objects written to S3.", default="the bucket's"),
]
DestKmsKeyId = Annotated[
    str | None,
    option("dest-kms-key-id", "KMS key for --dest-sse aws:kms.", metavar="KEY", default="AWS' own"),
]
AclOf = Annotated[
    Acl | None,
    option("acl", "Canned ACL of all objects written to S3, such as bucket-owner-full-control.", metavar="NAME"),
]
StorageClass = Annotated[
    str | None, option("storage-class", "Storage class of the parts in S3.", metavar="NAME", default="STANDARD")
]


def aws_options(given: object) -> AwsOptions:
    """What a verb's arguments say; what the verb does not take is as the AWS environment says."""
    names = (field.name for field in fields(AwsOptions))
    return AwsOptions(**{name: getattr(given, name) for name in names if hasattr(given, name)})
