"""Exports, reports and records for the tests of publishing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from converter.export.manifest import ExportKind, Summary
from converter.options import ConvertOptions
from converter.publishing.commit import describe_part, publish
from converter.publishing.decision import Decision, decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.record import Record, make_record
from converter.publishing.report import ColumnReport, Part, Report, SchemaChange
from converter.schema.column_types import DECIMALS, STRING, Origin
from converter.schema.columns import Column
from converter.storage.destination import Destination
from converter.write.formats import part_suffix

TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
EXPORT_ID = "01701065507109-cce6a3f8"
TIME = datetime(2023, 11, 27, 6, 11, 47, 109000, tzinfo=UTC)
COLUMNS = (
    Column("id", "id", STRING, Origin.TEXT),
    Column("price", "price", DECIMALS[2], Origin.NUMBER),
    Column("_more", None, STRING, Origin.OVERFLOW),
)


def make_export(export_id: str = EXPORT_ID, time: datetime = TIME, table_arn: str = TABLE_ARN) -> Summary:
    """A full export."""
    return Summary(
        export_id=export_id,
        export_arn=f"{table_arn}/export/{export_id}",
        table_arn=table_arn,
        table=table_arn.rpartition("/")[2],
        table_id="c3a5e6c8-0000-4000-8000-9f1d2b3c4d5e",
        kind=ExportKind.ITEMS,
        output_format="DYNAMODB_JSON",
        export_time=time,
        from_time=None,
        to_time=None,
        output_view=None,
        items=3,
        billed_size_bytes=0,
        s3_prefix=None,
        source=f"exports/AWSDynamoDB/{export_id}",
        warnings=(),
    )


def make_window(from_time: datetime, to_time: datetime) -> Summary:
    """An incremental export."""
    return replace(
        make_export(),
        kind=ExportKind.CHANGES,
        export_time=None,
        from_time=from_time,
        to_time=to_time,
        output_view="NEW_IMAGE",
    )


def make_report(export: Summary, locations: tuple[str, ...], parts: tuple[Part, ...], verified: bool = True) -> Report:
    """What a run says that published these parts."""
    return Report(
        status="published",
        export_id=export.export_id,
        table=export.table,
        kind=str(export.kind),
        export_time="2023-11-27T06:11:47.109Z",
        date="2023-11-27",
        source=export.source,
        destination="out",
        locations=locations,
        format="parquet",
        compression="zstd",
        items=3,
        data_files=4,
        parts=parts,
        bytes_in=400,
        bytes_read=800,
        bytes_json=3000,
        bytes_out=sum(part.bytes for part in parts),
        seconds=0.125,
        passes=2,
        columns=(
            ColumnReport(
                name="price",
                attribute="price",
                type="decimal128(38, 2)",
                origin=Origin.NUMBER,
                types={"NULL": 1, "N": 1},
                nulls=1,
                absent=1,
                integer_digits=3,
                decimals=2,
                longest=0,
                changed=0,
            ),
        ),
        column_changes=(SchemaChange("price", "price", "widened", "int64", "decimal128(38, 2)"),),
        warnings=("ünïcode",),
        verified=verified,
    )


def publish_export(
    destination: Destination,
    export: Summary | None = None,
    options: ConvertOptions | None = None,
    contents: tuple[bytes, ...] = (b"first", b"second"),
    accepts_recreated_table: bool = False,
) -> Decision:
    """A whole run: decide, write these parts, publish."""
    export, options = export or make_export(), options or ConvertOptions()
    cache = RecordCache(destination, accepts_recreated_table)
    with destination.lease() as lease:
        decision = decide(cache, export, options)
        if decision.published is None:
            staging = lease.begin(export.export_id, *decision.locations)
            pending = []
            for folder, one in enumerate(options.by_format()):
                for number, content in enumerate(contents):
                    sink = staging.open_part(f"{number:05}{part_suffix(one)}", folder)
                    sink.write(content)
                    pending.append(sink.finish())
            parts = tuple(describe_part(part, 3, decision) for part in pending)
            report = make_report(export, decision.locations, parts, options.verify)
            record = make_record(export, options, COLUMNS, report, decision.sequence)
            publish(staging, record, pending, decision)
            cache.publish(lease, record, [entry.export_id for entry in decision.replaced])
    return decision


def make_example_record(options: ConvertOptions | None = None, export: Summary | None = None) -> Record:
    """A record of two parts."""
    export = export or make_export()
    location = f"dt=2023-11-27/{export.export_id}"
    parts = (
        Part(f"{location}/00000.parquet", 2, 5, "ab" * 32),
        Part(f"{location}/00001.parquet", 1, 6, "cd" * 32),
    )
    report = make_report(export, (location,), parts)
    return make_record(export, options or ConvertOptions(), COLUMNS, report, 1)
