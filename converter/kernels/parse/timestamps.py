"""Kernel for a value that must be a timestamp or a date: from its text in the line to the buffers of its column."""

from __future__ import annotations

import numpy as np

from converter.kernels import layout, time_reasons
from converter.kernels.characters import BACKSLASH, QUOTE
from converter.kernels.layout import Columns, Fields, Scratch, State
from converter.kernels.parse.calendar import SECOND, parse_date, parse_iso, put_date, put_iso, put_seconds
from converter.kernels.parse.number_columns import mark_valid, mark_value, raise_fact, read_number
from converter.kernels.parse.numbers import small_integer
from converter.kernels.parse.strings import token_end
from converter.kernels.parse.unix_times import (
    digits_to_micros,
    find_point,
    integer_to_micros,
    magnitude_of,
    magnitude_of_digits,
)
from converter.kernels.simd.words import Bytes, byte, put_int64
from converter.kernels.toolchain.decorators import inner
from converter.kernels.value_actions import DATE, UNIX_TIME
from converter.schema import tags
from converter.schema.magnitudes import SMALL, ZERO

_NO_UNIT = -1
_ALL_UNITS = 15


@inner
def _unit_for(magnitude: int, field: int, fields: Fields) -> tuple[int, int]:
    """Return (number of the unit, 0) for a number of this magnitude, or (_NO_UNIT, reason).

    The reason is 0 if there is no column yet: then the unit is still to be found in the data, unless it was given.
    """
    unit = fields.facts[np.uint64(field), layout.FIELD_UNIT]
    if unit > time_reasons.GIVEN_UNIT:
        return unit - time_reasons.GIVEN_UNIT - 1, np.int64(0)
    if magnitude == 0:
        return np.int64(_NO_UNIT), np.int64(time_reasons.OUT_OF_YEARS)
    fields.facts[np.uint64(field), layout.FIELD_MAGNITUDES] |= 1 << magnitude
    if magnitude == ZERO:
        return np.int64(0), np.int64(0)
    if fields.facts[np.uint64(field), layout.FIELD_COLUMN] == 0:
        return np.int64(_NO_UNIT), np.int64(0)
    units = _ALL_UNITS if magnitude == SMALL else magnitude
    if unit == 0 or units >> (unit - 1) & 1 == 0:
        return np.int64(_NO_UNIT), np.int64(time_reasons.OTHER_UNIT)
    return unit - 1, np.int64(0)


@inner
def _digits_to_time(data: Bytes, at: int, point: int, end: int, field: int, fields: Fields) -> tuple[int, int]:
    """Return (microseconds, 0 or TOO_FINE) of the number data[at:end], whose point is at `point`, or (0, reason)."""
    magnitude = np.int64(0)
    if fields.facts[np.uint64(field), layout.FIELD_UNIT] <= time_reasons.GIVEN_UNIT:
        magnitude = magnitude_of_digits(data, at, point, end)
    unit, reason = _unit_for(magnitude, field, fields)
    if unit == _NO_UNIT:
        return np.int64(0), reason
    return digits_to_micros(data, at, point, end, unit)


@inner
def _read_epoch(block: Bytes, at: int, end: int, field: int, fields: Fields, scratch: Scratch) -> tuple[int, int]:
    """Observe the number block[at:end]; (microseconds, 0 or TOO_FINE), (0, reason), or (0, IRREGULAR)."""
    value, fine = small_integer(block, at, end)
    if fine:
        digits = end - at - (1 if value < 0 else 0)
        if value != 0:
            raise_fact(fields, field, layout.FIELD_INTEGER_DIGITS, digits)
        unit, reason = _unit_for(magnitude_of(-value if value < 0 else value, True, value < 0), field, fields)
        if unit == _NO_UNIT:
            return np.int64(0), reason
        return integer_to_micros(value, unit)
    text, start, stop, integers, decimals = read_number(block, at, end, field, fields, scratch)
    if integers < 0:
        return np.int64(0), np.int64(layout.IRREGULAR)
    point = stop - decimals - 1 if decimals > 0 else stop
    return _digits_to_time(text, start, point, stop, field, fields)


@inner
def _read_text(block: Bytes, at: int, end: int, field: int, fields: Fields) -> tuple[int, int]:
    """Return (microseconds, 0 or TOO_FINE) of a text with an ISO 8601 timestamp or a Unix time, or (0, reason)."""
    micros, reason = parse_iso(block, at, end)
    if reason != time_reasons.NO_FORM:
        return micros, reason
    point, reason = find_point(block, at, end)
    if reason != 0:
        return np.int64(0), reason
    return _digits_to_time(block, at, point, end, field, fields)


@inner
def _put_time(micros: int, action: int, column: int, row: int, columns: Columns, state: State) -> int:
    """Write the time to `row` of a column: microseconds, seconds for UNIX_TIME, days for DATE; gives DONE or GROW."""
    value = micros
    if action == UNIX_TIME:
        value = micros // SECOND
    start = columns.facts[np.uint64(column), layout.COLUMN_START]
    if columns.facts[np.uint64(column), layout.COLUMN_BITS] == 0:
        o = start + columns.facts[np.uint64(column), layout.COLUMN_USED]
        if o + layout.ROOM > columns.facts[np.uint64(column), layout.COLUMN_LIMIT]:
            return layout.GROW
        if action == DATE:
            o = put_date(columns.arena, o, value)
        elif action == UNIX_TIME:
            o = put_seconds(columns.arena, o, value)
        else:
            o = put_iso(columns.arena, o, value)
        mark_value(columns, column, row, o)
    else:
        # A date has four bytes: the next value overwrites the upper four, which are in the column's room.
        size = columns.facts[np.uint64(column), layout.COLUMN_BITS] >> 3
        put_int64(columns.arena, start + columns.facts[np.uint64(column), layout.COLUMN_PRESENT] * size, value)
        mark_valid(columns, column, row)
    if action == UNIX_TIME and value * SECOND != micros:
        state[layout.CUT] = 1
    return layout.DONE


@inner
def _skip_text(block: Bytes, at: int) -> int:
    """Return the position of the quote that closes a text with escapes, which strict_lines.py has checked."""
    while byte(block, at) != QUOTE:
        at += 2 if byte(block, at) == BACKSLASH else 1
    return at


@inner
def _accept_odd_time(reason: int, field: int, fields: Fields, state: State) -> int:
    """Return the status for a value that becomes null, or that is cut if the reason is TOO_FINE.

    NOT_A_TIME if the options refuse it, ODD_TIME if Python has to report its place first, otherwise DONE.
    """
    state[layout.REASON] = reason
    reported = layout.FIELD_BAD_REPORTED
    count = layout.FIELD_BAD_TIMES
    serial = layout.FIELD_BAD_SERIAL
    accepted = state[layout.NULLS_BAD_TIMES]
    if reason == time_reasons.TOO_FINE:
        reported = layout.FIELD_FINE_REPORTED
        count = layout.FIELD_FINE_TIMES
        serial = layout.FIELD_FINE_SERIAL
        accepted = state[layout.CUTS_FINE_TIMES]
    if accepted == 0:
        return layout.NOT_A_TIME
    places = fields.facts[np.uint64(field), np.uint64(reported)]
    if places < time_reasons.REPORTED_TIMES and places <= fields.facts[np.uint64(field), np.uint64(count)]:
        return layout.ODD_TIME
    fields.facts[np.uint64(field), np.uint64(serial)] = state[layout.SERIAL]
    state[layout.ODD_TIMES] = 1
    return layout.DONE


@inner
def count_odd_times(fields: Fields, state: State) -> None:
    """Count the values of the item at hand that became null, and the times that were cut."""
    for i in range(state[layout.LINE_FIELDS]):
        field = fields.line[np.uint64(i)]
        if fields.facts[np.uint64(field), layout.FIELD_BAD_SERIAL] == state[layout.SERIAL]:
            fields.facts[np.uint64(field), layout.FIELD_BAD_TIMES] += 1
        if fields.facts[np.uint64(field), layout.FIELD_FINE_SERIAL] == state[layout.SERIAL]:
            fields.facts[np.uint64(field), layout.FIELD_FINE_TIMES] += 1
    state[layout.ODD_TIMES] = 0


@inner
def decode_time(
    block: Bytes,
    at: int,
    field: int,
    row: int,
    fields: Fields,
    columns: Columns,
    state: State,
    scratch: Scratch,
) -> tuple[int, int]:
    """Decode a value that must be a timestamp or a date; (position after it, status).

    At NOT_A_TIME and ODD_TIME, state[REASON] is the reason. A value of the sink is checked and observed like others.
    """
    tag = fields.facts[np.uint64(field), layout.FIELD_TAG]
    action = fields.facts[np.uint64(field), layout.FIELD_ACTION]
    if tag != tags.S and (tag != tags.N or action == DATE):
        state[layout.REASON] = time_reasons.NO_TEXT if action == DATE else time_reasons.NO_TEXT_OR_NUMBER
        return at, layout.NOT_A_TIME
    end = token_end(block, at)
    if end < 0:
        if state[layout.TRUSTED] == 0:
            return at, layout.IRREGULAR
        # No timestamp has an escape: strict_lines.py has resolved those that are not needed.
        end = _skip_text(block, at)
        micros, reason = np.int64(0), np.int64(time_reasons.NO_DATE_FORM if action == DATE else time_reasons.NO_FORM)
    elif tag == tags.S:
        if action == DATE:
            micros, reason = parse_date(block, at, end)
        else:
            micros, reason = _read_text(block, at, end, field, fields)
        raise_fact(fields, field, layout.FIELD_LONGEST, end - at)
    else:
        micros, reason = _read_epoch(block, at, end, field, fields, scratch)
        if reason < 0:
            return at, layout.IRREGULAR
    is_cut = False
    if reason != 0:
        if reason == time_reasons.OTHER_UNIT:
            return at, layout.MISMATCH
        if reason != time_reasons.TOO_FINE:
            return end + 1, _accept_odd_time(reason, field, fields, state)
        is_cut = True
        if action != UNIX_TIME:
            status = _accept_odd_time(reason, field, fields, state)
            if status != layout.DONE:
                return at, status
    column = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
    if column != 0:
        status = _put_time(micros, action, column, row, columns, state)
        if status != layout.DONE:
            return at, status
    if action == UNIX_TIME:
        state[layout.TIMED] = state[layout.SERIAL]
        if is_cut:
            state[layout.CUT] = 1
    return end + 1, layout.DONE
