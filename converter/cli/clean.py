"""The verb `clean`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli.arguments import ResultArguments, argument, option
from converter.cli.aws_arguments import AwsArguments, DestArguments
from converter.cli.output import print_json

EXAMPLES = (
    "ddb-convert clean out --dry-run",
    "ddb-convert clean s3://lake/orders/",
    "ddb-convert clean s3://lake/orders/ --complete --json",
)


@dataclass(frozen=True, kw_only=True)
class CleanArguments(AwsArguments, DestArguments, ResultArguments):
    """Arguments of `clean`, in the order of its help."""

    dest: str = argument("DEST", "The folder that runs publish to, local or s3://.")
    complete: bool = option("Finish an unfinished commit, as the next convert would. By default it is kept.", False)
    dry_run: bool = option("Print what would be removed, and change nothing.", False)


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

    messages = arguments.messages()
    aws = arguments.aws_options()
    found = api.clean(arguments.dest, complete=arguments.complete, dry_run=arguments.dry_run, aws=aws)
    facts = found.to_json()
    outcome = leftovers_line(found) if messages.log_format == "json" else render_leftovers(found)
    for warning in found.warnings:
        messages.warning(warning)
    messages.info("clean", outcome, {"leftovers": facts})
    if arguments.json:
        print_json(facts)
