"""Text output of an inspection: facts from the manifest, then a table with a row for each attribute."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, TextIO

from converter.cli.number_format import format_count, format_size
from converter.display import cell, lines
from converter.schema.column_types import STRING, Cast, parse_type

if TYPE_CHECKING:
    from rich.table import Table

    from converter.conversion.inspection import AttributeReport, Inspection

# In a pipe no cell is cut or wrapped: the reader is a program, or can scroll.
_PIPE_WIDTH = 1_000_000
_UNBROKEN = 26
_TOGETHER = "\ue000"
"""Placeholder for a space without a line break; rich breaks lines at every space, including U+00A0."""


def render_inspection(inspection: Inspection, stream: TextIO, *, width: int | None = None) -> None:
    """Write the inspection to the stream. width: columns of the terminal, None to detect them."""
    if width is None:
        width = shutil.get_terminal_size().columns if stream.isatty() else _PIPE_WIDTH
    shown: list[str] = [lines(f"{name:<11}{fact}") for name, fact in _facts(inspection)]
    if inspection.attributes:
        shown += ["", *_draw(_table(inspection), width)]
    stream.writelines(line + "\n" for line in shown)


def _draw(table: Table, width: int) -> list[str]:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width)
    with console.capture() as drawn:
        console.print(table)
    return [line.replace(_TOGETHER, " ").rstrip() for line in drawn.get().splitlines()]


def _facts(inspection: Inspection) -> list[tuple[str, str]]:
    kind = inspection.kind.removesuffix("s")
    holds = f"{format_count(inspection.items, kind)} in {format_count(inspection.data_files, 'data file')}"
    seen = f"all {format_count(inspection.items_seen, kind)}"
    if inspection.approximate:
        seen = f"{inspection.items_seen:,} of {format_count(inspection.items, kind)}: every figure below is approximate"
    facts = [
        ("table", inspection.table),
        ("table ARN", inspection.table_arn),
        ("export", f"{inspection.export_id}, {inspection.kind}, {inspection.output_format}"),
        ("time", str(inspection.export_time)),
        ("holds", f"{holds}, {format_size(inspection.data_bytes)} compressed"),
        ("seen", seen),
    ]
    if inspection.from_time is not None:
        facts[4:4] = [("window", f"{inspection.from_time} to {inspection.to_time}, {inspection.output_view}")]
        operations = ", ".join(format_count(number, operation) for operation, number in inspection.operations.items())
        facts.append(("operations", operations or "none"))
    return facts


def _table(inspection: Inspection) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = [_cells(attribute) for attribute in inspection.attributes]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("attribute", overflow="fold")
    table.add_column("types", overflow="fold")
    table.add_column("nulls", justify="right", no_wrap=True)
    table.add_column("absent", justify="right", no_wrap=True)
    table.add_column("digits", justify="right", no_wrap=True)
    table.add_column("longest", justify="right", no_wrap=True)
    # Types are never broken at their spaces to save room; long column names can be.
    table.add_column("column", overflow="fold", no_wrap=max(len(row[-1]) for row in rows) <= _UNBROKEN)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _cells(attribute: AttributeReport) -> list[str]:
    types = ", ".join(f"{tag}{_TOGETHER}{number:,}" for tag, number in attribute.types.items() if tag != "NULL")
    digits = f"{attribute.integer_digits}+{attribute.decimals}" if "N" in attribute.types else ""
    if attribute.column is None or attribute.column_type is None:
        column = "no column"
    else:
        held, unit = parse_type(attribute.column_type), attribute.unit
        column = f"{held} from {unit}" if unit is not None and not held.has_units else str(Cast(held, unit))
        if held == STRING and attribute.origin not in ("text", None):
            column += f", {attribute.origin}"
        if attribute.column != attribute.attribute:
            column = f"{cell(attribute.column)}: {column}"
    return [
        cell(attribute.attribute),
        types or "NULL",
        _or_empty(attribute.nulls),
        _or_empty(attribute.absent),
        digits,
        _or_empty(attribute.longest),
        column,
    ]


def _or_empty(number: int) -> str:
    return f"{number:,}" if number else ""
