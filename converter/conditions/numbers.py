"""Numbers of DynamoDB in plain form, and their order."""

from __future__ import annotations

import re
from decimal import Decimal

from converter.kernels.value_limits import HIGHEST_EXPONENT, LOWEST_EXPONENT, SIGNIFICANT_DIGITS

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?\Z", re.ASCII)


def plain_number(text: str) -> str | None:
    """Return the digits of a number without exponent and needless zeros; None if DynamoDB cannot have it.

    `12.50`, `1.25e1` and `012.5` give `12.5`.
    """
    if not _NUMBER.match(text):
        return None
    sign, digits, exponent = Decimal(text).as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    kept = significant.rstrip("0")
    if not kept:
        return "0"
    lowest = int(exponent) + len(significant) - len(kept)
    if len(kept) > SIGNIFICANT_DIGITS or not LOWEST_EXPONENT <= lowest + len(kept) - 1 <= HIGHEST_EXPONENT:
        return None
    return format(Decimal((sign, tuple(map(int, kept)), lowest)), "f")
