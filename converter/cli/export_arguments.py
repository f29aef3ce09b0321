"""Arguments and options of verbs that start exports or wait for them."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from functools import partial
from typing import TYPE_CHECKING

from converter.aws.target import OPTIONS, ExportFormat, ExportSse, ExportTarget, View
from converter.cli import arguments
from converter.cli.parse import parse_duration
from converter.errors import UsageError
from converter.options import OnGap, option_name

if TYPE_CHECKING:
    from converter.syncing.incremental_options import Changes

option = partial(arguments.option, panel="Options for the export")
_changes_option = partial(arguments.option, panel="Options for changes")


def table_argument() -> str:
    """Declare the argument TABLE."""
    table: str = arguments.argument("TABLE", "The name or ARN of the table.")
    return table


def view_option() -> View | None:
    """Declare the option --view."""
    view: View | None = option(
        "Images in each change: only the new item, or the new and the old one.", show_default="new-and-old"
    )
    return view


@dataclass(frozen=True, kw_only=True)
class TargetArguments:
    """Options for where DynamoDB exports to, and in which form."""

    bucket: str = option("Bucket that DynamoDB exports to.", MISSING, metavar="NAME")
    export_prefix: str | None = option("Prefix in the bucket to export to, such as dynamodb/orders.", metavar="FOLDERS")
    bucket_owner: str | None = option("Account that owns the bucket, if it is not the caller's.", metavar="ACCOUNT")
    export_format: ExportFormat = option("Format of the export.", "DYNAMODB_JSON")
    export_sse: ExportSse | None = option("Encryption of the export's objects.", show_default="AES256")
    export_kms_key_id: str | None = option(
        "KMS key for --export-sse KMS.", metavar="KEY", show_default="the AWS managed key"
    )

    def target(self) -> ExportTarget:
        """Return the target. Raises UsageError if DynamoDB would reject it."""
        named = {field: name.removeprefix("--").replace("-", "_") for field, name in OPTIONS.items()}
        return ExportTarget(**{field: getattr(self, name) for field, name in named.items()})


@dataclass(frozen=True, kw_only=True)
class TimeoutArguments:
    """The option of verbs that wait for exports."""

    timeout: str | None = option(
        "Stop waiting after this time, such as 90m or 2h, with exit code 6.",
        metavar="DURATION",
        show_default="no limit",
    )

    def timeout_seconds(self) -> float | None:
        """Return seconds, or None for no limit. Raises UsageError if the text is not a duration."""
        return None if self.timeout is None else parse_duration(self.timeout, "timeout")


@dataclass(frozen=True, kw_only=True)
class ChangesArguments:
    """Options of verbs that publish changes since the last run."""

    incremental: bool = _changes_option("Export the changes since the last run instead of the whole table.", False)
    merge: bool = _changes_option("With --incremental: also publish a snapshot of all items after each run.", False)
    view: View | None = view_option()
    on_gap: OnGap | None = _changes_option(
        "If changes can no longer be exported: fail, or start over with a full export.", show_default="fail"
    )

    def changes(self) -> Changes | None:
        """Return the options for changes, or None for a full export. Raises UsageError if they need --incremental."""
        if self.incremental:
            from converter.syncing.incremental_options import Changes

            return Changes(view=self.view or "new-and-old", merge=self.merge, on_gap=self.on_gap or "fail")
        for name in ("merge", "view", "on_gap", "old_image"):
            if getattr(self, name, None):
                raise requires_incremental_error(option_name(name))
        return None


def requires_incremental_error(option: str) -> UsageError:
    """Return the error for an option that has no effect on full exports."""
    return UsageError("this option requires --incremental", option, "add --incremental, or remove the option")
