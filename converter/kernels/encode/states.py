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
PAGE_STATE_SIZE: Final = 11
NONE: Final = -1
