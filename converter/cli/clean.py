"""The verb `clean`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli import arguments as common_args
from converter.cli import aws_arguments as aws_args
from converter.cli.messages import Messages
from converter.cli.output import print_json

EXAMPLES = (
    "ddb-convert clean out --dry-run",
    "ddb-convert clean s3://lake/orders/",
    "ddb-convert clean s3://lake/orders/ --complete --json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanArguments:
    """Arguments of `clean`, in the order of its help."""

    dest: common_args.CleanDest
    complete: common_args.Complete = False
    dry_run: common_args.CleanDryRun = False
    profile: aws_args.Profile = None
    region: aws_args.Region = None
    endpoint_url: aws_args.EndpointUrl = None
    dest_role_arn: aws_args.DestRoleArn = None
    dest_bucket_owner: aws_args.DestBucketOwner = None
    json: common_args.Json = False
    quiet: common_args.Quiet = False
    log_format: common_args.LogFormatOption = "text"


def clean(arguments: CleanArguments) -> None:
    """Remove leftovers of interrupted runs from DEST.

    Leftovers are incomplete multipart uploads, which AWS charges for, hidden folders, and expired leases. Published
    files are not changed. Each convert also cleans up after the run before it; use clean to list leftovers, or if no
    other run will follow.

    An unfinished commit is kept, with its uploads or its folder, unless you pass --complete. Uploads that are not named
    like the parts of ddb-convert, or that another destination may need, are listed and kept. If another run is using
    DEST, nothing is changed and the exit code is 6; --dry-run shows which run it is.
    """
    from converter import api
    from converter.cli.render_leftovers import leftovers_line, render_leftovers

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    aws = aws_args.aws_options(arguments)
    found = api.clean(arguments.dest, complete=arguments.complete, dry_run=arguments.dry_run, aws=aws)
    facts = found.to_json()
    outcome = leftovers_line(found) if messages.log_format == "json" else render_leftovers(found)
    for warning in found.warnings:
        messages.warning(warning)
    messages.info("clean", outcome, {"leftovers": facts})
    if arguments.json:
        print_json(facts)
