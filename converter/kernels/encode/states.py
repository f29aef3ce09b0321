"""State members of the kernels for CSV and Parquet pages, and words that CSV quotes."""

from __future__ import annotations

from typing import Final

# State of csv_rows.py.
CSV_ROW: Final = 0
"""The next row to write."""
CSV_WRITTEN: Final = 1
"""Bytes in the output."""
CSV_NEEDED: Final = 2
"""Bytes that the next row may take if the output has no room for it; otherwise 0."""
CSV_EMPTY_LINE: Final = 3
"""1 if the next row would be an empty line."""
CSV_STATE_SIZE: Final = 4

CSV_QUOTED_FIRST: Final = "\\'#"
"""Characters that CSV quotes a text for that begins with one; see csv_rows.py."""
NULL_WORDS: Final = ("na", "n/a", "nan", "nil", "null", "none", "-nan", "1.#ind", "1.#qnan", "-1.#ind", "-1.#qnan")
"""Texts, in any case, that some readers of CSV take for null unless they are quoted; of 8 bytes at most."""

# State of parquet_pages.py.
PAGE_ROW: Final = 0
"""The first row of the next page."""
PAGE_VALUE: Final = 1
"""The first value of the next page."""
PAGE_BYTE: Final = 2
"""The position of that value, relative to COLUMN_START."""
PAGE_WRITTEN: Final = 3
"""Bytes of the page; 0 if the output has no room for it."""
PAGE_NEEDED: Final = 4
"""Bytes that the output must have room for."""
MIN_AT: Final = 5
"""Where the minimum begins, relative to COLUMN_START, or NONE."""
MIN_SIZE: Final = 6
MAX_AT: Final = 7
MAX_SIZE: Final = 8
PAGE_COMPATIBLE: Final = 9
"""1 to write int64 and text as PLAIN, which every reader of Parquet knows."""
PAGE_SAMPLE: Final = 10
"""The number of first values that decide whether a dictionary is worth it."""
PAGE_COLUMN: Final = 11
"""The column at hand of column_chunks.py."""
PAGE_STAGE: Final = 12
"""The next page of its chunk: CHUNK_BEGINS, INDICES_FOLLOW or VALUES_FOLLOW."""
PAGE_FIRST: Final = 13
"""The column of chunk 0: chunk number `column - state[PAGE_FIRST]` is of a column."""
PAGE_COUNT: Final = 14
"""Pages in the output."""
PAGE_OFFSET: Final = 15
"""Where in the file the next page begins."""
PAGE_DICTIONARY: Final = 16
"""The most bytes of a dictionary."""
PAGE_ENTRIES: Final = 17
"""Entries of the dictionary of the chunk at hand."""
PAGE_LIMIT: Final = 18
"""Bytes of values that end a page."""
PAGE_COMPRESSION: Final = 19
"""Parquet's number of the compression."""
PAGE_STATE_SIZE: Final = 20
NONE: Final = -1

CHUNK_BEGINS: Final = 0
INDICES_FOLLOW: Final = 1
VALUES_FOLLOW: Final = 2

# Facts of a page in the output of column_chunks.py.
PAGE_CHUNK: Final = 0
PAGE_BEGIN: Final = 1
"""Its first byte in the output."""
PAGE_END: Final = 2
PAGE_VALUES: Final = 3
"""Rows, or entries of a dictionary."""
PAGE_ENCODING: Final = 4
"""Its encoding, or DICTIONARY."""
PAGE_IS_LAST: Final = 5
"""1 for the last one of its chunk."""
PAGE_PACKED: Final = 6
"""Its size after compression."""
PAGE_AS_IT_IS: Final = 7
"""1 if it is not compressed."""
PAGE_HEADER_END: Final = 8
"""Where its header ends in the output of headers; it begins where the one before ends."""
PAGE_FACTS: Final = 9
DICTIONARY: Final = -1

# Facts of a column chunk, for the metadata of its row group.
CHUNK_ENCODING: Final = 0
CHUNK_PRESENT: Final = 1
"""Rows with a value."""
CHUNK_MIN_AT: Final = 2
"""This and the next three are MIN_AT to MAX_SIZE."""
CHUNK_MIN_SIZE: Final = 3
CHUNK_MAX_AT: Final = 4
CHUNK_MAX_SIZE: Final = 5
CHUNK_RAW: Final = 6
"""Bytes of its pages before compression, headers included."""
CHUNK_PACKED: Final = 7
"""Bytes of its pages in the file, headers included."""
CHUNK_DICTIONARY: Final = 8
"""Where in the file its dictionary is; NONE without one."""
CHUNK_DATA: Final = 9
"""Where in the file its data pages begin."""
CHUNK_AS_IT_IS: Final = 10
"""1 if its pages are not compressed."""
CHUNK_FACTS: Final = 11

HEADER_ROOM: Final = 64
"""Bytes that the header of a page takes at most."""
METADATA_ROOM: Final = 256
"""Bytes that the metadata of a column chunk takes at most, without its name and statistics."""
LONGEST_STATISTIC: Final = 4096
"""Bytes of the longest text in statistics, as in Arrow. Longer ones are left out."""

PLAIN: Final = 0
RLE: Final = 3
DELTA_BINARY_PACKED: Final = 5
DELTA_BYTE_ARRAY: Final = 7
RLE_DICTIONARY: Final = 8
"""Numbers of Parquet's encodings."""
