"""Destinations that are nothing but records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from converter.options import ConvertOptions
from converter.publishing.record import Record, make_record
from converter.publishing.report import Part
from converter.schema.column_types import STRING, Origin, parse_type
from converter.schema.columns import Column
from converter.storage.paths import record_path
from tests.unit.publishing.published import make_export, make_report

TEXT = Column("id", "id", STRING, Origin.TEXT)


def column(name: str, type: str = "string", origin: Origin = Origin.TEXT) -> Column:
    return Column(name, name, parse_type(type), origin)


def make_day(
    number: int,
    columns: Sequence[Column] = (TEXT,),
    *,
    format: str = "parquet",
    layout: str = "dt={date}",
    timezone: str = "UTC",
    paths: Sequence[str] | None = None,
) -> Record:
    """The record of 2024-01-<number>. paths: of its parts, by default one of the format where the layout says."""
    export = make_export(f"export-{number}", datetime(2024, 1, number, 12, tzinfo=UTC))
    if paths is None:
        paths = [f"dt=2024-01-{number:02}/{export.export_id}/00000.{format}"]
    report = make_report(export, (), tuple(Part(path, 3, 5, "ab" * 32) for path in paths))
    options = ConvertOptions(layout=layout, timezone=timezone)
    return replace(make_record(export, options, columns, report, number), date=f"2024-01-{number:02}")


def write_records(dest: Path, *records: Record) -> str:
    """The destination that they are of."""
    for record in records:
        path = dest / record_path(record.export_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record.to_json())
    return str(dest)
