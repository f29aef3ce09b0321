"""Readers of the lines of data files, in DynamoDB JSON and in Ion, and errors for bad lines."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from converter.aws.s3_uri import is_in_s3
from converter.decode.odd_times import explain_time
from converter.decode.strict_lines import LineProblem, NulProblem, TimeProblem
from converter.errors import BadLineError, ConvertError, SchemaError
from converter.export.blocks import BlockReader
from converter.export.data_files import DataFile
from converter.ion.reader import ION_BLOCK_BYTES, IonReader
from converter.options import ConvertOptions
from converter.storage.source import Source

_SHOWN = 200
_BAD_LINE = "export the table again; if DynamoDB writes such a line again, report it as a bug of ddb-convert"


def open_lines(
    file: DataFile, source: Source, *, verify: bool, on_bytes: Callable[[int], None] | None = None
) -> BlockReader | IonReader:
    """Open the file's lines as DynamoDB JSON, whatever its format is. on_bytes: see BlockReader."""
    if not file.in_ion:
        return BlockReader(source, file, verify=verify, on_bytes=on_bytes)
    blocks = BlockReader(source, file, verify=verify, block_bytes=ION_BLOCK_BYTES, on_bytes=on_bytes)
    return IonReader(blocks)


@contextmanager
def open_checked_lines(
    file: DataFile, source: Source, options: ConvertOptions, on_bytes: Callable[[int], None] | None = None
) -> Iterator[BlockReader | IonReader]:
    """Open the file's lines. A LineProblem becomes an error with the place, unless the file itself is damaged."""
    with open_lines(file, source, verify=options.verify, on_bytes=on_bytes) as reader:
        try:
            yield reader
        except LineProblem as problem:
            reader.verify_rest()
            raise bad_line_error(problem, reader, options) from None


def bad_line_error(problem: LineProblem, reader: BlockReader | IonReader, options: ConvertOptions) -> ConvertError:
    """Return the error for a problem that was found in the reader's file, with the line's number."""
    reason = problem.reason
    line, byte = reader.locate(problem.byte)
    # A name that begins with a dash would be an option.
    place = shlex.quote(f"./{reader.place}" if reader.place.startswith("-") else reader.place)
    inflate = f"aws s3 cp {place} - | gzip -dc" if is_in_s3(reader.place) else f"gzip -dc {place}"
    hint = f"see the line with: {inflate} | sed -n {line}p"
    if problem.value and options.show_values:
        reason += f": {problem.value[:_SHOWN]!r}"
    elif problem.value:
        hint += "; --show-values shows the value here"
    where = f"{reader.place} line {line} (byte {byte}): {problem.path}"
    if isinstance(problem, TimeProblem):
        return SchemaError(*explain_time(problem.type, reason, where, hint))
    if isinstance(problem, NulProblem):
        way = "--nul keep, drop or replace converts it, or correct the item and export again"
        return SchemaError(f"the text holds the character NUL: {reason}", where, f"{way}; {hint}")
    return BadLineError(reason, where, f"{_BAD_LINE}; {hint}")
