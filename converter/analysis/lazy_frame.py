"""A destination as a Polars LazyFrame: exactly the parts that its records name, and no other files."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from converter.aws.access import AwsOptions
from converter.errors import StorageError
from converter.publishing.destination_records import read_records
from converter.publishing.record_entry import RecordEntry, common_columns
from converter.publishing.report import format_of
from converter.schema.column_types import BOOL
from converter.schema.columns import Column
from converter.storage import open_destination
from converter.storage.destination import Destination

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

    from converter.object_store import ReaderSettings


def scan_destination(dest: str, aws: AwsOptions) -> pl.LazyFrame:
    """See converter.api.scan."""
    destination = open_destination(dest, aws)
    records = read_records(destination).entries
    if not records:
        raise StorageError("nothing is published here", dest, "run `ddb-convert convert SOURCE DEST` first")
    # An export without items has no parts, and perhaps no columns.
    filled = [entry for entry in records if entry.names] or list(records[-1:])
    columns = common_columns(filled)
    destination.check_parts([path for entry in filled for path in entry.paths])
    settings = destination.reader_settings()
    frames = [_scan_record(destination, settings, entry, columns) for entry in filled]
    # Records of another layout may have other folder keys.
    return pl.concat(frames, how="diagonal")


def polars_type(column: Column) -> PolarsDataType:
    """Polars' type of a column."""
    kind: PolarsDataType = column.type.polars.on(pl)
    return kind


def _scan_record(
    destination: Destination, settings: ReaderSettings | None, record: RecordEntry, columns: Sequence[Column]
) -> pl.LazyFrame:
    """One export's rows with these columns, and then the names and values of its folders (`dt`)."""
    own = {column.name: column for column in record.columns}
    # Published in both formats, the same items are in either.
    parts = record.paths_of("parquet") or record.paths
    paths = [destination.child(path) for path in parts]
    if not paths:
        frame = pl.LazyFrame(schema={column.name: polars_type(column) for column in record.columns})
    elif format_of(parts[0]) == "csv":
        frame = _scan_csv(paths, record.columns, settings)
    else:
        frame = pl.scan_parquet(paths, hive_partitioning=False, glob=False, **_remote(settings))
    wanted = [
        _named(column.name).cast(polars_type(column))
        if column.name in own
        else pl.lit(None, polars_type(column)).alias(column.name)
        for column in columns
    ]
    location = posixpath.dirname(parts[0]) if parts else ""
    folders = dict(segment.split("=", 1) for segment in location.split("/") if "=" in segment)
    return frame.select(*wanted, *(pl.lit(value).alias(name) for name, value in folders.items()))


def _scan_csv(paths: Sequence[str], columns: Sequence[Column], settings: ReaderSettings | None) -> pl.LazyFrame:
    # Polars does not take the quotes off the names in a header: the record knows them.
    frame = pl.scan_csv(
        list(paths),
        has_header=False,
        skip_rows=1,
        schema={column.name: pl.String() for column in columns},
        glob=False,
        **_remote(settings),
    )
    return frame.select(_parse(column) for column in columns)


def _remote(settings: ReaderSettings | None) -> dict[str, Any]:
    """Polars' arguments for places that are not on this machine."""
    if settings is None:
        return {}
    return {
        "storage_options": {**settings.options, "max_retries": settings.retries},
        "credential_provider": settings.credentials,
    }


def _named(name: str) -> pl.Expr:
    # Not pl.col, which takes `*` and `^…$` for patterns.
    return cs.by_name(name)


def _parse(column: Column) -> pl.Expr:
    text = _named(column.name)
    if column.type == BOOL:
        return text == "true"
    for call in column.type.polars_parse:
        text = call.on(text)
    return text if column.type.polars_parse else text.cast(polars_type(column))
