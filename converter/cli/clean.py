"""The verb `clean`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli.messages import Messages
from converter.cli.output import print_json

EXAMPLES = (
    "ddb-convert clean out --dry-run",
    "ddb-convert clean s3://lake/orders/",
    "ddb-convert clean s3://lake/orders/ --complete --json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanArguments:
    """What `clean` takes, in the order of its help."""

    dest: takes.CleanedAt
    complete: takes.Complete = False
    dry_run: takes.OnlyShow = False
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    dest_role_arn: in_aws.DestRoleArn = None
    dest_bucket_owner: in_aws.DestBucketOwner = None
    json: takes.Json = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"


def clean(arguments: CleanArguments) -> None:
    """Remove what runs that died have left at DEST.

    That is: uploads to S3 that are not completed, which AWS charges for, hidden folders, and leases that nobody holds.
    What is published stays as it is. The next convert cleans up after the run before it, so this is for when none is to
    come, or to see what there is.

    A commit that has begun is kept, with its uploads or its folder, unless --complete is given. Uploads that are not
    named as the parts of ddb-convert are, or that another destination may need, are shown and kept. While a run holds
    DEST nothing is changed, and the exit code is 6; --dry-run shows who it is.
    """
    from converter import api
    from converter.cli.render_leftovers import leftovers_line, render_leftovers

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    aws = in_aws.aws_options(arguments)
    found = api.clean(arguments.dest, complete=arguments.complete, dry_run=arguments.dry_run, aws=aws)
    facts = found.to_json()
    outcome = leftovers_line(found) if messages.log_format == "json" else render_leftovers(found)
    for warning in found.warnings:
        messages.warning(warning)
    messages.info("clean", outcome, {"leftovers": facts})
    if arguments.json:
        print_json(facts)
