"""What `inspect` tells: the manifest's facts, and of each attribute what was seen and the column it would become."""

from __future__ import annotations

from dataclasses import dataclass

from converter.aws.access import AwsOptions
from converter.conversion.pipeline import Engine, open_run
from converter.conversion.progress import Listener
from converter.conversion.shard import Purpose
from converter.errors import SchemaError
from converter.export.manifest import Export
from converter.options import ConvertOptions
from converter.publishing.column_report import (
    describe_columns,
    name_warnings,
    observation_warnings,
    schema_warnings,
    types_seen,
)
from converter.publishing.named_attributes import NamedAttributes
from converter.publishing.odd_times import NO_ODD_TIMES, OddTimesSeen
from converter.publishing.record import column_json
from converter.publishing.report import format_instant, json_members
from converter.schema.changes import count_operations
from converter.schema.derive import derive_schema, fit_schema, name_rules
from converter.schema.observe import Observation
from converter.schema.types import Column, Schema
from converter.schema.units import UnitError
from converter.time_options import Unit


@dataclass(frozen=True, slots=True)
class AttributeReport:
    """What was seen of one attribute.

    types: items per type tag. integer_digits, decimals: the most of any number. longest: bytes of its longest value
    that is not a number. column, column_type: None for an attribute that has no column of its own. unit: of a column of
    times, what its numbers count.
    """

    attribute: str
    types: dict[str, int]
    nulls: int
    absent: int
    integer_digits: int
    decimals: int
    longest: int
    column: str | None
    column_type: str | None
    origin: str | None
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """An export, looked at.

    approximate: only first blocks were read. data_bytes: compressed, of all data files. columns: in their order, none
    if the options don't allow them.
    from_time, to_time, output_view: of an incremental export, else None. operations: how many changes are of each
    (insert, update, delete, put), those that occur.
    """

    export_id: str
    table: str
    table_arn: str
    kind: str
    output_format: str
    export_time: str
    from_time: str | None
    to_time: str | None
    output_view: str | None
    operations: dict[str, int]
    items: int
    data_files: int
    data_bytes: int
    approximate: bool
    items_seen: int
    attributes: tuple[AttributeReport, ...]
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As `--json` shows it: JSON types, the members always in the same order."""
        return {
            **json_members(self),
            "attributes": [json_members(attribute) for attribute in self.attributes],
            "columns": [column_json(column) for column in self.columns],
            "warnings": list(self.warnings),
        }


def inspect_export(
    source: str, options: ConvertOptions, aws: AwsOptions, engine: Engine, listener: Listener, *, sample: bool
) -> Inspection:
    """Look at one export; see converter.api.inspect."""
    with open_run(source, options, aws, engine, listener) as run:
        run.look_at_keys()
        times = NO_ODD_TIMES
        if sample:
            observation = run.sample(Purpose.INSPECT)
        else:
            result = run.run_pass(Purpose.INSPECT, "observing")
            observation, times = result.observation, run.odd_times(result)
        return make_inspection(run.export, run.bytes_in, observation, run.options, times, approximate=sample)


def make_inspection(
    export: Export,
    data_bytes: int,
    observation: Observation,
    options: ConvertOptions,
    times: OddTimesSeen = NO_ODD_TIMES,
    *,
    approximate: bool,
) -> Inspection:
    """Put together what is known; a schema that the options don't allow becomes a warning."""
    warnings = list(export.warnings)
    schema = Schema(())
    try:
        schema, warnings[len(warnings) :] = _derive(observation, options)
    except SchemaError as error:
        warnings.append(str(error))
    described = describe_columns(schema, observation, {}, times)
    warnings += name_warnings(described, name_rules(options)) + schema_warnings(described)
    warnings += observation_warnings(observation, schema, options)
    warnings += NamedAttributes.of(options).warnings(observation)
    columns = {column.attribute: column for column in schema.columns}
    attributes = []
    for name, seen in observation.attributes.items():
        column = columns.get(name)
        attributes.append(
            AttributeReport(
                name,
                types_seen(seen),
                seen.nulls,
                observation.items - sum(seen.counts),
                seen.integer_digits,
                seen.decimals,
                seen.longest,
                column.name if column else None,
                str(column.type) if column else None,
                column.origin.value if column else None,
                column.unit if column else None,
            )
        )
    return Inspection(
        export_id=export.export_id,
        table=export.table,
        table_arn=export.table_arn,
        kind=export.kind.value,
        output_format=export.output_format,
        export_time=format_instant(export.instant()),
        from_time=format_instant(export.from_time) if export.from_time else None,
        to_time=format_instant(export.to_time) if export.to_time else None,
        output_view=export.output_view,
        operations=count_operations(observation),
        items=export.items,
        data_files=len(export.files),
        data_bytes=data_bytes,
        approximate=approximate,
        items_seen=observation.items,
        attributes=tuple(attributes),
        columns=schema.columns,
        warnings=tuple(warnings),
    )


def _derive(observation: Observation, options: ConvertOptions) -> tuple[Schema, list[str]]:
    """The columns; and a warning where the unit of a column of times can't be told, which is shown without one."""
    try:
        return derive_schema(observation, options), []
    except UnitError as error:
        return fit_schema(observation, options, partial=True)[0], [str(error)]
