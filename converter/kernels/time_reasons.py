"""Reasons why a value is not a timestamp or a date, and other numbers that the kernels for times and Python share."""

from __future__ import annotations

from typing import Final

NO_FORM: Final = 1
NO_DATE: Final = 2
NO_TIME_OF_DAY: Final = 3
TOO_FINE: Final = 4
OUT_OF_YEARS: Final = 5
NO_TEXT_OR_NUMBER: Final = 6
NO_OFFSET: Final = 7
SHORT_NUMBER: Final = 8
OTHER_UNIT: Final = 9
"""Only inside of the kernels, which give MISMATCH: the column has no unit, or one that the number can't be in."""
NO_DATE_FORM: Final = 10
NO_DAY: Final = 11
NO_TEXT: Final = 12

GIVEN_UNIT: Final = 4
"""The difference in FIELD_UNIT between a unit that is given and the same unit found in the data."""
REPORTED_TIMES: Final = 5
"""The number of places that are reported of a field's values that are not times, and of those that were cut."""
