"""The result of `inspect`: facts from the manifest, and each attribute with its types and its column."""

from __future__ import annotations

from dataclasses import dataclass

from converter.conversion.export_run import open_run
from converter.conversion.job import Purpose
from converter.conversion.passes import Execution, PassRunner, observe_first_blocks, odd_times
from converter.conversion.run_plan import plan_run
from converter.decode.odd_times import NO_ODD_TIMES, OddTimesSeen
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
from converter.schema.change_columns import count_operations
from converter.schema.columns import Column, Schema
from converter.schema.derive import derive_schema, fit_schema, name_rules
from converter.schema.observe import Observation
from converter.schema.units import UnitError
from converter.storage.json_members import members_of
from converter.time_options import Unit
from converter.utc import format_utc


@dataclass(frozen=True, slots=True)
class AttributeReport:
    """One attribute and its values.

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
    """The contents of an export.

    approximate: only first blocks were read. data_bytes: compressed, of all data files. columns: in their order; empty
    if the options don't allow them. from_time, to_time, output_view: None for a full export. operations: number of
    changes by operation (insert, update, delete, put), for those that occur.
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
        return members_of(self)


def inspect_export(source: str, options: ConvertOptions, execution: Execution, *, sample: bool) -> Inspection:
    """Inspect one export; see converter.api.inspect."""
    run = open_run(source, options, execution.aws)
    runner = PassRunner(execution)
    plan = plan_run(run.opened, options, run.read(options, runner))
    if sample:
        observation, times = observe_first_blocks(plan, runner, Purpose.INSPECT), NO_ODD_TIMES
    else:
        result = runner.run(plan, Purpose.INSPECT, "observing")
        observation, times = result.observation, odd_times(plan, result)
    opened = run.opened
    return make_inspection(opened.export, opened.bytes_in, observation, plan.options, times, approximate=sample)


def make_inspection(
    export: Export,
    data_bytes: int,
    observation: Observation,
    options: ConvertOptions,
    times: OddTimesSeen = NO_ODD_TIMES,
    *,
    approximate: bool,
) -> Inspection:
    """Make an inspection of what is known; a schema that the options don't allow becomes a warning."""
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
        export_time=format_utc(export.instant()),
        from_time=format_utc(export.from_time) if export.from_time else None,
        to_time=format_utc(export.to_time) if export.to_time else None,
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
    """Return the columns; and a warning for a column of times whose unit is not clear, which is shown without one."""
    try:
        return derive_schema(observation, options), []
    except UnitError as error:
        return fit_schema(observation, options, partial=True)[0], [str(error)]
