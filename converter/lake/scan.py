"""A destination as a Polars LazyFrame: exactly the parts that its records name, whatever else lies there."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from converter.errors import SchemaError, StorageError
from converter.run.publish import read_records
from converter.run.record import Record
from converter.schema.types import Column, Origin
from converter.storage import open_destination
from converter.storage.destination import Destination

if TYPE_CHECKING:
    from polars._typing import PolarsDataType


def scan_destination(dest: str) -> pl.LazyFrame:
    """See converter.api.scan."""
    destination = open_destination(dest)
    records = read_records(destination)
    if not records:
        raise StorageError("nothing is published here", dest, "run `ddb-convert convert SOURCE DEST` first")
    # An export without items has no parts, and perhaps no columns.
    filled = [record for record in records if record.parts] or list(records[-1:])
    columns = _common_columns(filled)
    frames = [_scan_record(destination, record, columns) for record in filled]
    # Records of another layout may have other folder keys.
    return pl.concat(frames, how="diagonal")


def _common_columns(records: Sequence[Record]) -> list[Column]:
    """The columns of all records, the newest record's first; types are widened only where no digit is lost.

    Raises SchemaError for a column that means different things in two records.
    """
    columns: dict[str, Column] = {}
    for record in reversed(records):
        for column in record.columns:
            before = columns.setdefault(column.name, column)
            if (before.type, before.origin) == (column.type, column.origin):
                continue
            wider = _wider(before, column, max(_integer_digits(record, column.name) for record in records))
            if wider is None:
                raise SchemaError(
                    f"column {column.name!r} is {column.type} ({column.origin}) in export {record.export_id} of"
                    f" {record.date}, and {before.type} ({before.origin}) in a later one",
                    hint="read the dates one by one, or publish them again with options that give the same types",
                )
            columns[column.name] = wider
    return list(columns.values())


def _wider(one: Column, other: Column, integer_digits: int) -> Column | None:
    """A decimal column that holds the numbers of both exactly; None if there is none."""
    exact = all(c.origin is Origin.NUMBER and c.type != "double" for c in (one, other))
    scale = max(one.scale, other.scale)
    if not exact or integer_digits + scale > 38:
        return None
    return replace(one, type=f"decimal128(38, {scale})")


def _integer_digits(record: Record, name: str) -> int:
    return max((column.integer_digits for column in record.report.columns if column.name == name), default=0)


def polars_type(column: Column) -> PolarsDataType:
    """Polars' type of a column."""
    if column.type.startswith("decimal128"):
        return pl.Decimal(38, column.scale)
    return {
        "string": pl.String(),
        "int64": pl.Int64(),
        "double": pl.Float64(),
        "binary": pl.Binary(),
        "bool": pl.Boolean(),
    }[column.type]


def _scan_record(destination: Destination, record: Record, columns: Sequence[Column]) -> pl.LazyFrame:
    """One export's rows with these columns, and the names and values of its folders (`dt`) behind them."""
    own = {column.name: column for column in record.columns}
    # Published in both formats, the same items are in either.
    parts = record.parts_of("parquet") or record.parts
    paths = [destination.child(part.path) for part in parts]
    if not paths:
        frame = pl.LazyFrame(schema={column.name: polars_type(column) for column in record.columns})
    elif parts[0].format == "csv":
        frame = _scan_csv(paths, record.columns)
    else:
        frame = pl.scan_parquet(paths, hive_partitioning=False, glob=False)
    wanted = [
        pl.col(column.name).cast(polars_type(column))
        if column.name in own
        else pl.lit(None, polars_type(column)).alias(column.name)
        for column in columns
    ]
    location = posixpath.dirname(parts[0].path) if parts else ""
    folders = dict(segment.split("=", 1) for segment in location.split("/") if "=" in segment)
    return frame.select(*wanted, *(pl.lit(value).alias(name) for name, value in folders.items()))


def _scan_csv(paths: Sequence[str], columns: Sequence[Column]) -> pl.LazyFrame:
    # Polars does not take the quotes off the names in a header: the record knows them.
    frame = pl.scan_csv(
        list(paths),
        has_header=False,
        skip_rows=1,
        schema={column.name: pl.String() for column in columns},
        glob=False,
    )
    return frame.select(_parse(column) for column in columns)


def _parse(column: Column) -> pl.Expr:
    text = pl.col(column.name)
    if column.type == "binary":
        return text.str.decode("base64")
    if column.type == "bool":
        return text == "true"
    return text.cast(polars_type(column))
