"""Differences between a schema file and the one that an export was published with: a record has its columns only."""

from __future__ import annotations

from collections.abc import Iterator

from converter.options import ConvertOptions, SchemaText
from converter.publishing.record import Record
from converter.schema.columns import Column
from converter.schema.schema_file import read_schema_file

_SHOWN = 3


def describe_schema_difference(record: Record, options: ConvertOptions) -> str:
    """The difference in words, as `a schema file → none`. Raises UsageError for a file that can't be read."""
    if not isinstance(options.schema, SchemaText):
        return "a schema file → none"
    where = options.schema.where
    if record.options.get("schema") is None:
        return f"none → {where}"
    found = list(_differences(record.columns, options.schema, options))
    more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    shown = "; ".join(found[:_SHOWN]) + more or "the same columns, in another order or with other drops"
    return f"a schema file of other content → {where}: {shown}"


def _differences(columns: tuple[Column, ...], text: SchemaText, options: ConvertOptions) -> Iterator[str]:
    file = read_schema_file(text, options)
    published = {column.attribute: column for column in columns}
    for promise in file.contract.promises:
        column = published.get(promise.attribute)
        if column is None:
            if promise.type is not None:
                yield f"attribute {promise.attribute!r} had no column"
        elif promise.name not in (None, column.name):
            yield f"attribute {promise.attribute!r} was column {column.name!r} and would be {promise.name!r}"
        elif promise.type is not None and (promise.type, promise.origin) != (column.type, column.origin):
            wanted = Column(column.name, column.attribute, promise.type, promise.origin or column.origin)
            yield f"column {column.name!r} was {column.described} and would be {wanted.described}"
    for attribute in file.dropped:
        if attribute in published:
            yield f"attribute {attribute!r} was column {published[attribute].name!r} and would be dropped"
