"""The one door: everything that the command line does, as functions."""

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
from converter.conversion.job import Engine, Job, PassResult
from converter.conversion.pass_context import PassContext
from converter.conversion.progress import Listener, SilentListener
from converter.conversion.shard_plan import Shard
from converter.engines.local import run_shards
from converter.export.locate import check_export_arn
from converter.export.windows import STRICT, MergeRules
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

__all__ = [
    "clean",
    "convert",
    "inspect",
    "list_exports",
    "merge",
    "recipe",
    "scan",
    "start_export",
    "sync",
    "sync_changes",
    "wait_for_export",
]


def convert(
    source: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    options: ConvertOptions | None = None,
    *,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> Report:
    """Convert a finished export, full or incremental, and publish it at `dest`: all of it or nothing.

    source: the export's folder, its manifest-summary.json, or a folder that holds exports; or the export's ARN. dest: a
    folder, made if need be. Folders are local, or in S3 as s3://bucket/prefix/. aws: how S3 is reached, and how objects
    are written. Everything that can go wrong raises a ConvertError: UsageError, ExportError, SchemaError, StorageError,
    BusyError. A second call with the same arguments changes nothing and says so (`report.status`).
    """
    options = options or ConvertOptions()
    return convert_export(
        os.fspath(source), os.fspath(dest), options, aws, _local_engine(options), listener or SilentListener()
    )


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
    """Publish all items of a table as they were on a day: find or start its export, wait for it, and convert it.

    table: its name or ARN. target: where exports are looked for, and where one is started. day: in the time zone of
    `options`; None is today. timeout: seconds to wait, until the day can be exported and for the export; None: as long
    as it takes. The other arguments are as for `convert`.

    The same call after any failure goes on where it ended, and makes no second export for the day while the first can
    be used. Raises ExportError for an export that failed, BusyError when the time is over, and what `convert` raises.
    """
    from converter.syncing.daily import Sync, sync_day

    options = options or ConvertOptions()
    wanted = Sync(table=table, dest=os.fspath(dest), target=target, day=day, timeout=timeout)
    return sync_day(wanted, options, aws, _local_engine(options), listener or SilentListener())


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
    """Bring what is at `dest` up to date: publish what has changed in a table since the last call, and a snapshot.

    The first call publishes all items at `dest`/snapshot. Each one after it has the changes since then exported, in
    windows of at most 24 hours, and publishes them at `dest`/changes; with `changes.merge` it publishes at
    `dest`/snapshot also all items as they are then. Changes of less than 15 minutes wait for the next call. The other
    arguments are as for `sync`.

    What is there says how far it is: the same call after any failure goes on where it ended. Raises ExportError where
    changes can't be had any more, unless `changes.on_gap` is "full", BusyError when the time is over or when another
    run has gone on meanwhile, and what `convert` and `merge` raise.
    """
    from converter.syncing.incremental import sync_changes as run
    from converter.syncing.incremental_options import Changes, SyncChanges

    options, changes = options or ConvertOptions(), changes or Changes()
    wanted = SyncChanges(table=table, dest=os.fspath(dest), target=target, changes=changes, timeout=timeout)
    return run(wanted, options, aws, _local_engine(options), listener or SilentListener())


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
    """Apply incremental exports to a base, and publish at `dest` all items as they were at the end of the last window.

    base: a full export, as `convert` takes it; or a destination with items in Parquet, which stands for its latest
    record, or one of its records. increments: incremental exports of the same table, in any order; their windows must
    follow each other from the base's moment on, as far as `rules` don't allow other ones. The other arguments are as
    for `convert`; the snapshot has the id of the last increment.

    The result is what converting a full export of that moment would give, but for the order of rows, and for columns
    that a snapshot as the base has already. Raises ExportError for a gap or an overlap of windows and for increments of
    another table, UsageError for a base that does not say exactly what its items were, and what `convert` raises.
    """
    from converter.merging.pipeline import Merge, merge_exports

    options = options or ConvertOptions()
    paths = tuple(os.fspath(increment) for increment in increments)
    wanted = Merge(base=os.fspath(base), increments=paths, dest=os.fspath(dest), rules=rules)
    return merge_exports(wanted, options, aws, _local_engine(options), listener or SilentListener())


def inspect(
    source: str | os.PathLike[str],
    options: ConvertOptions | None = None,
    *,
    sample: bool = False,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    listener: Listener | None = None,
) -> Inspection:
    """What an export holds: the manifest's facts and, per attribute, what was seen and the column it would become.

    source: as for `convert`. sample: look at the first block of up to 16 data files only; counts are of those, and
    `approximate` is set. Raises ExportError, UsageError, StorageError and BusyError.
    """
    options = options or ConvertOptions()
    return inspect_export(
        os.fspath(source), options, aws, _local_engine(options), listener or SilentListener(), sample=sample
    )


def scan(dest: str | os.PathLike[str], *, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS) -> polars.LazyFrame:
    """All that is published at `dest`, by its records, as a Polars LazyFrame: the newest record's columns first.

    CSV comes with the types of its columns too (numbers as decimals or integers, base64 decoded); of a column that a
    record lacks the values are null. Numbers that have different types in two records become decimals that hold both.
    In S3, the parts are read with the same credentials, role and endpoint as the records, when the frame is collected.
    Raises StorageError where nothing is published, SchemaError where a column's types don't fit together.
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
    """Texts that load what is published at `dest` into another system, with the types of its columns.

    location: where the destination is, or will be copied to, for that system; Treasure Data and Athena need one in S3.
    database, table: names there, by default made from DynamoDB's name of the table; without a database, Athena takes
    the session's. For Spark, table is the name of the view. format: which one, where the destination has two.

    Raises StorageError where nothing is published, SchemaError when dates can't be read together, UsageError for names
    or a layout that the system does not take.
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
    """Remove what runs that died have left at `dest`: hidden folders, uploads that are not completed, leases.

    complete: finish a commit that has begun, as the next run would; else it is kept, with all that belongs to it.
    dry_run: only look. Raises BusyError where a run lives, and then nothing is changed; StorageError where there is
    nothing at all.
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
    """Have the service export a table to S3: the changes of `window`, or all items as they were at `time` (None: now).

    table: its name or its ARN. An equal call within 8 hours gives the export that the first one began (`is_new` is
    false), so that it may be repeated; of exports of now, the date (UTC) is a part of what is equal. An export that has
    failed is begun anew. client_token: up to 36 characters that tell exports apart which would be equal otherwise.

    Everything is checked first that the service would refuse, or would accept and fail on later. Raises UsageError for
    that, StorageError, and BusyError when too many exports are under way.
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
    """Wait until an export is completed; its `folder` is then a source for `convert`.

    timeout: seconds; None waits as long as it takes. on_poll hears what the service says whenever it is asked,
    on_trouble what keeps it from answering for a while. Raises ExportError for an export that fails or that the service
    does not know, BusyError when the time is over, StorageError and UsageError.
    """
    from converter.aws.export_wait import wait_for_export as wait

    return wait(check_export_arn(arn), aws.for_source(), timeout=timeout, on_poll=on_poll, on_trouble=on_trouble)


def list_exports(
    table: str | None = None, *, limit: int | None = 20, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS
) -> ExportListing:
    """The exports that the service knows, which are those of the last 90 days: of a table, or of all in the region.

    table: its name or its ARN; the ARN may be that of a table which is no more. limit: so many of the newest; None for
    all. Raises UsageError, StorageError, BusyError.
    """
    from converter.aws.exports import newest_exports
    from converter.aws.tables import check_table, describe_table

    access = aws.for_source()
    if table is not None:
        check_table(table)
        table = table if table.startswith("arn:") else describe_table(table, access, in_full=False).arn
    return newest_exports(table, access, limit)


def _local_engine(options: ConvertOptions) -> Engine:
    def engine(shards: Sequence[Shard], job: Job, context: PassContext) -> PassResult:
        return run_shards(shards, job, context, options.threads)

    return engine
