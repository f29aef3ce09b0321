"""Rows that Arrow has read, as batches for the writers; and columns of an earlier snapshot in the form of wider ones.

A number in a wider column must be the same as if it had been decoded for it: a decimal of another scale has the same
value, and text has its digits in plain form. A column whose values are not known exactly can't be used.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from converter.decode.batch import Batch, text_bytes
from converter.decode.buffers import Buffers, Held, value_bits
from converter.schema.added_columns import AddedValue
from converter.schema.column_types import DECIMALS, DOUBLE, INT64, Origin
from converter.schema.columns import Column, Schema

_EXACT = (Origin.NUMBER, Origin.NUMBER_TEXT)


def can_recast(before: Column, after: Column) -> bool:
    """Return whether each value of the one column can be written in the other exactly as if decoded for it."""
    if after.has_form_of(before):
        return True
    if before.type == DOUBLE or before.origin not in _TEXT_OF:
        return False
    if before.origin in _EXACT and after.origin in _EXACT:
        return before.origin is Origin.NUMBER or after.origin is Origin.NUMBER_TEXT
    if after.origin is Origin.MIXED_TEXT:
        return True
    return after.origin is Origin.MIXED_JSON and before.origin in _TAGS


def recast(values: pa.Array, before: Column, after: Column) -> pa.Array:
    """A column's values for another column that `can_recast` allows. A column of doubles gets texts of numbers."""
    import pyarrow.compute as pc

    if after.has_form_of(before):
        return values
    if after.origin is Origin.NUMBER and after.type != DOUBLE:
        if before.type == INT64 and after.type != INT64:
            values = pc.cast(values, DECIMALS[0].arrow.on(pa))
        return pc.cast(values, after.type.arrow.on(pa))
    texts = plain_text(values, before)
    if after.origin is not Origin.MIXED_JSON:
        return texts
    tag = _TAGS[before.origin]
    return _texts_of(texts, lambda text: _typed(tag, text))


def plain_text(values: pa.Array, column: Column) -> pa.Array:
    """A column's values as the decoder would write them to a text column."""
    return _TEXT_OF[column.origin](values)


def batch_of(
    columns: Sequence[pa.Array | None],
    rows: int,
    schema: Schema,
    added: Mapping[str, AddedValue],
    changed: dict[str, int],
) -> Batch:
    """Arrow columns as a batch of the schema. None: an added column, or one without a value in any row.

    changed: counts the values that a double changes.
    """
    held = [
        Held.nothing(rows) if values is None else _held(values, column)
        for values, column in zip(columns, schema.columns, strict=True)
    ]
    return Batch(rows, schema, Buffers.of(schema.columns, rows, held), changed, added=added)


def _held(values: pa.Array, column: Column) -> Held:
    if column.type == DOUBLE and pa.types.is_floating(values.type):
        # Doubles as texts of exactly their values, in plain form.
        values = _texts_of(values, lambda value: format(Decimal(repr(value)), "f"))
    validity = np.packbits(values.is_valid().to_numpy(zero_copy_only=False), bitorder="little")
    dense = values.drop_null() if values.null_count else values
    bits = value_bits(column)
    if not bits:
        content, lengths = text_bytes(dense)
        return Held(content, lengths, validity, len(dense))
    if bits == 1:
        packed = np.packbits(dense.to_numpy(zero_copy_only=False), bitorder="little")
        return Held(packed, None, validity, len(dense))
    size = bits // 8
    content = np.frombuffer(dense.buffers()[1], np.uint8)[dense.offset * size : (dense.offset + len(dense)) * size]
    return Held(content, None, validity, len(dense))


def _texts_of(values: pa.Array, text_of: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else text_of(value) for value in values.to_pylist()], pa.string())


def _number_text(values: pa.Array) -> pa.Array:
    """Numbers in plain form: digits, without zeros at the end of decimals."""
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        return values
    texts = pc.cast(values, pa.string())
    if pa.types.is_integer(values.type):
        return texts
    if pc.any(pc.match_substring(texts, "E")).as_py():
        return _texts_of(values, _plain)
    texts = pc.replace_substring_regex(texts, r"(\.[0-9]*[1-9])0+$", r"\1")
    return pc.replace_substring_regex(texts, r"\.0+$", "")


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_TEXT_OF: dict[Origin, Callable[[pa.Array], pa.Array]] = {
    Origin.TEXT: lambda values: values,
    Origin.JSON: lambda values: values,
    Origin.NUMBER: _number_text,
    Origin.NUMBER_TEXT: _number_text,
    Origin.BINARY: lambda values: _texts_of(values, lambda value: b64encode(value).decode()),
    Origin.BOOL: lambda values: values.cast(pa.string()),
}
_TAGS = {Origin.TEXT: "S", Origin.NUMBER: "N", Origin.NUMBER_TEXT: "N", Origin.BINARY: "B", Origin.BOOL: "BOOL"}


def _typed(tag: str, text: str) -> str:
    content = text == "true" if tag == "BOOL" else text
    return json.dumps({tag: content}, ensure_ascii=False, separators=(",", ":"))
