"""Options for access to AWS and for objects in S3."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial

from converter.aws.access import Acl, AwsOptions, Sse
from converter.cli import arguments

option = partial(arguments.option, panel="Options for AWS")


@dataclass(frozen=True, kw_only=True)
class AwsArguments:
    """Options of every verb that may access AWS. `SourceArguments` and others add to them."""

    profile: str | None = option("Profile in the AWS configuration.", metavar="NAME", show_default="AWS_PROFILE")
    region: str | None = option("AWS region.", metavar="NAME", show_default="AWS_REGION, or the profile's region")
    endpoint_url: str | None = option("URL of an S3-compatible server to use instead of AWS.", metavar="URL")

    def aws_options(self) -> AwsOptions:
        """Return the options for AWS that the verb has. The others have their defaults."""
        names = (field.name for field in fields(AwsOptions))
        return AwsOptions(**{name: getattr(self, name) for name in names if hasattr(self, name)})


@dataclass(frozen=True, kw_only=True)
class ExporterArguments:
    """Options of verbs that start or find exports."""

    source_role_arn: str | None = option("IAM role to assume to start and find exports.", metavar="ARN")


@dataclass(frozen=True, kw_only=True)
class SourceArguments:
    """Options of verbs that read exports."""

    source_role_arn: str | None = option("IAM role to assume for DynamoDB and the export's bucket.", metavar="ARN")
    source_bucket_owner: str | None = option(
        "Account that owns the export's bucket. Requests fail if another account does.", metavar="ACCOUNT"
    )


@dataclass(frozen=True, kw_only=True)
class DestArguments:
    """Options of verbs that read or write DEST."""

    dest_role_arn: str | None = option("IAM role to assume for DEST in S3.", metavar="ARN")
    dest_bucket_owner: str | None = option(
        "Account that owns DEST's bucket. Requests fail if another account does.", metavar="ACCOUNT"
    )


@dataclass(frozen=True, kw_only=True)
class ObjectArguments:
    """Options of verbs that publish objects."""

    dest_sse: Sse | None = option(
        "Server-side encryption of objects written to S3.", show_default="the bucket's setting"
    )
    dest_kms_key_id: str | None = option(
        "KMS key for --dest-sse aws:kms.", metavar="KEY", show_default="the AWS managed key"
    )
    acl: Acl | None = option("Canned ACL of objects written to S3, such as bucket-owner-full-control.", metavar="NAME")
    storage_class: str | None = option("Storage class of the parts in S3.", metavar="NAME", show_default="STANDARD")
