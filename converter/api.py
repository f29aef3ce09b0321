"""The public functions of the library, one for each command."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.aws.target import ExportTarget
from converter.conversion.export_run import convert_export
from converter.conversion.inspection import Inspection, inspect_export
from converter.conversion.job import Job, PassResult, Shard
from converter.conversion.pass_context import PassContext
from converter.conversion.passes import Execution
from converter.conversion.progress import Listener, SilentListener
from converter.engines.local import run_shards
from converter.export.locate import check_export_arn
from converter.merging.increment_chain import STRICT, MergeRules
from converter.options import Consumer, ConvertOptions, OneFormat
from converter.publishing.clean import Leftovers, clean_destination
from converter.publishing.report import Report
from converter.storage import open_destination

if TYPE_CHECKING:
    from datetime import date

    import polars

    from converter.aws.export_request import Window
    from converter.aws.export_state import ExportState
    from converter.aws.exports import ExportListing, StartedExport
    from converter.errors import ConvertError
    from converter.recipes.recipe import Recipe
    from converter.syncing.daily import SyncReport
    from converter.syncing.incremental_options import Changes
    from converter.syncing.incremental_report import ChangesReport


def convert(
    source: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    options: ConvertOptions | None = None,
    *,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> Report:
    """Convert a finished export, full or incremental, and publish all of it at `dest`, or nothing.

    source: the folder of the export, its manifest-summary.json, a folder of exports, or the export's ARN.
    dest: a folder, created if necessary. Folders are local, or in S3 as s3://bucket/prefix/.
    aws: access to S3, and settings of written objects.

    A second call with the same arguments changes nothing (see `report.status`). Raises a ConvertError: UsageError,
    ExportError, SchemaError, StorageError or BusyError.
    """
    options = options or ConvertOptions()
    return convert_export(os.fspath(source), os.fspath(dest), options, _execution(options, aws, listener))


def sync(
    table: str,
    dest: str | os.PathLike[str],
    target: ExportTarget,
    options: ConvertOptions | None = None,
    *,
    day: date | None = None,
    timeout: float | None = None,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> SyncReport:
    """Publish all items of a table as of a day: find or start its export, wait for it, and convert it.

    table: name or ARN. target: the location where exports are searched and started. day: a day in the time zone of
    `options`; None is today. timeout: seconds to wait until the day can be exported, and for the export; None waits
    without a limit. The other arguments are as in `convert`.

    After a failure, the same call resumes, and does not start a second export for the day while the first can be used.
    Raises ExportError if the export failed, BusyError after the timeout, and the errors of `convert`.
    """
    from converter.syncing.daily import Sync, sync_day

    options = options or ConvertOptions()
    wanted = Sync(table=table, dest=os.fspath(dest), target=target, day=day, timeout=timeout)
    return sync_day(wanted, options, _execution(options, aws, listener))


def sync_changes(
    table: str,
    dest: str | os.PathLike[str],
    target: ExportTarget,
    options: ConvertOptions | None = None,
    *,
    changes: Changes | None = None,
    timeout: float | None = None,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> ChangesReport:
    """Publish the changes in a table since the last call at `dest`, and optionally a snapshot.

    The first call publishes all items at `dest`/snapshot. Each later call exports the changes since the last one, in
    windows of at most 24 hours, and publishes them at `dest`/changes. With `changes.merge` it also publishes the
    current items at `dest`/snapshot. If fewer than 15 minutes have passed since the end of the last window, their
    changes are left for the next call. The other arguments are as in `sync`.

    The state is stored only at `dest`: after a failure, the same call resumes. Raises ExportError if changes can no
    longer be exported, unless `changes.on_gap` is "full"; BusyError after the timeout, or if another run has advanced
    the destination meanwhile; and the errors of `convert` and `merge`.
    """
    from converter.syncing.incremental import sync_changes as run
    from converter.syncing.incremental_options import Changes, SyncChanges

    options, changes = options or ConvertOptions(), changes or Changes()
    wanted = SyncChanges(table=table, dest=os.fspath(dest), target=target, changes=changes, timeout=timeout)
    return run(wanted, options, _execution(options, aws, listener))


def merge(
    base: str | os.PathLike[str],
    increments: Sequence[str | os.PathLike[str]],
    dest: str | os.PathLike[str],
    options: ConvertOptions | None = None,
    *,
    rules: MergeRules = STRICT,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> Report:
    """Apply incremental exports to a base, and publish the items as of the end of the last window at `dest`.

    base: a full export, as in `convert`; or a destination with items in Parquet, of which the latest record is used; or
    one of its records. increments: incremental exports of the same table, in any order. Their windows must follow each
    other, starting at the time of the base, unless `rules` allow exceptions. The other arguments are as in `convert`.
    The snapshot has the id of the last increment.

    The result equals a converted full export of that time, except for the order of rows and for columns that a snapshot
    as base already has. Raises ExportError for gaps or overlaps between windows and for increments of another table,
    UsageError for a base that does not preserve its items exactly, and the errors of `convert`.
    """
    from converter.merging.pipeline import Merge, merge_exports

    options = options or ConvertOptions()
    paths = tuple(os.fspath(increment) for increment in increments)
    wanted = Merge(base=os.fspath(base), increments=paths, dest=os.fspath(dest), rules=rules)
    return merge_exports(wanted, options, _execution(options, aws, listener))


def inspect(
    source: str | os.PathLike[str],
    options: ConvertOptions | None = None,
    *,
    sample: bool = False,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> Inspection:
    """Describe an export: facts of the manifest, and for each attribute its types and its column.

    source: as in `convert`. sample: read only the first block of up to 16 data files; the counts cover only these, and
    `approximate` is set. Raises ExportError, UsageError, StorageError and BusyError.
    """
    options = options or ConvertOptions()
    return inspect_export(os.fspath(source), options, _execution(options, aws, listener), sample=sample)


def scan(dest: str | os.PathLike[str], *, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS) -> polars.LazyFrame:
    """Return all published rows at `dest` as a Polars LazyFrame, with the columns of the newest record first.

    CSV columns have their types too (numbers as decimals or integers, base64 decoded). A column that a record does not
    have is null. Number types that differ between records become a decimal that contains both. In S3, the parts are
    read with the same credentials, role and endpoint as the records, when the frame is collected.
    Raises StorageError if nothing is published, and SchemaError if the types of a column are incompatible.
    """
    from converter.analysis.lazy_frame import scan_destination

    return scan_destination(os.fspath(dest), aws)


def recipe(
    consumer: Consumer,
    dest: str | os.PathLike[str],
    *,
    location: str | None = None,
    database: str | None = None,
    table: str | None = None,
    format: OneFormat | None = None,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
) -> Recipe:
    """Create files that load the published output at `dest` into another system, with the types of its columns.

    location: where that system reads the destination, if it is copied; Treasure Data and Athena need a location in S3.
    database, table: names in that system, by default derived from the name of the table in DynamoDB. Without a
    database, Athena uses that of the session. For Spark, table is the name of the view. format: the format to load, if
    the destination has two.

    Raises StorageError if nothing is published, SchemaError if dates can't be read together, and UsageError for names
    or a layout that the system does not support.
    """
    from converter.recipes.recipe import RecipeOptions, make_recipe

    options = RecipeOptions(consumer=consumer, location=location, database=database, table=table, format=format)
    return make_recipe(os.fspath(dest), options, aws)


def clean(
    dest: str | os.PathLike[str],
    *,
    complete: bool = False,
    dry_run: bool = False,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
) -> Leftovers:
    """Remove the leftovers of interrupted runs at `dest`: hidden folders, incomplete uploads, and leases.

    complete: finish an unfinished commit, as the next run would; otherwise it is kept with its files. dry_run: change
    nothing. Raises BusyError, and changes nothing, if another run is active; and StorageError if `dest` does not exist.
    """
    return clean_destination(open_destination(os.fspath(dest), aws), complete=complete, dry_run=dry_run)


def start_export(
    table: str,
    target: ExportTarget,
    *,
    time: datetime | None = None,
    window: Window | None = None,
    client_token: str | None = None,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
) -> StartedExport:
    """Start an export of a table to S3: the changes of `window`, or all items as of `time` (None: the current time).

    table: name or ARN. An equal call within 8 hours returns the export that the first one started (`is_new` is false),
    so calls can be repeated. For exports of the current time, the date (UTC) is part of the comparison. A failed export
    is started again. client_token: up to 36 characters that distinguish otherwise equal exports.

    Arguments that DynamoDB would reject, at once or later, raise UsageError before the request. Also raises
    StorageError, and BusyError if too many exports are in progress.
    """
    from converter.aws.export_request import ExportRequest
    from converter.aws.exports import start_export as start
    from converter.aws.tables import describe_table, recovery_window

    access, warnings = aws.for_source(), list[str]()
    described = describe_table(table, access, in_full=False)
    request = ExportRequest(
        table_arn=described.arn,
        table_id=described.table_id or None,
        target=target,
        time=time,
        window=window,
        token=client_token,
    )
    request.check_now(datetime.now(UTC))
    request.check_within(recovery_window(described, access, warnings.append), described)
    return replace(start(request, access), warnings=tuple(warnings))


def wait_for_export(
    arn: str,
    *,
    timeout: float | None = None,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    on_poll: Callable[[ExportState], None] = lambda _: None,
    on_trouble: Callable[[ConvertError], None] = lambda _: None,
) -> ExportState:
    """Wait until an export is completed. Its `folder` is then a source for `convert`.

    timeout: seconds; None waits without a limit. on_poll is called with each status, on_trouble with each temporary
    error. Raises ExportError if the export failed or does not exist, BusyError after the timeout, StorageError and
    UsageError.
    """
    from converter.aws.export_wait import wait_for_export as wait

    return wait(check_export_arn(arn), aws.for_source(), timeout=timeout, on_poll=on_poll, on_trouble=on_trouble)


def list_exports(
    table: str | None = None, *, limit: int | None = 20, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS
) -> ExportListing:
    """Return the exports of the last 90 days: of a table, or of all tables in the region.

    table: name or ARN; the ARN can be that of a deleted table. limit: the number of newest exports; None for all.
    Raises UsageError, StorageError, BusyError.
    """
    from converter.aws.exports import newest_exports
    from converter.aws.tables import check_table, describe_table

    access = aws.for_source()
    if table is not None:
        check_table(table)
        table = table if table.startswith("arn:") else describe_table(table, access, in_full=False).arn
    return newest_exports(table, access, limit)


def _execution(options: ConvertOptions, aws: AwsOptions, listener: Listener | None = None) -> Execution:
    def engine(shards: Sequence[Shard], job: Job, context: PassContext) -> PassResult:
        return run_shards(shards, job, context, options.threads)

    return Execution(aws, engine, listener or SilentListener())
