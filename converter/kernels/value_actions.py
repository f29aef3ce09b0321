"""Actions of the kernels for a value in its column, and the forms of values in CSV."""

from __future__ import annotations

from typing import Final

SKIP_NULL: Final = 0
TEXT: Final = 1
INT64: Final = 2
DECIMAL: Final = 3
NUMBER_TEXT: Final = 4
BINARY: Final = 5
BASE64_TEXT: Final = 6
BOOL: Final = 7
BOOL_TEXT: Final = 8
DOCUMENT: Final = 9
TYPED: Final = 10
OVERFLOW: Final = 11
TIMESTAMP: Final = 12
"""Microseconds since 1970. This action and those after it accept values of any tag, and check it themselves."""
UNIX_TIME: Final = 13
"""Seconds since 1970, cut to the second below."""
DATE: Final = 14
"""Days since 1970-01-01."""

AS_BASE64: Final = 1
"""A form of values in CSV. Text and numbers have form 0."""
AS_TIME: Final = 2
