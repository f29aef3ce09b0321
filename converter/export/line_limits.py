"""How long the line of an item or a change can be, by DynamoDB's rules for the size of items.

An item has at most 400 KB: the UTF-8 bytes of its names and texts, its bytes of binary, and for a number one byte per
two significant digits and one more; an element of a list or a map takes one byte beside its value.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html

Lines have numbers without exponents, so a byte of the item becomes up to 69 bytes of its line:

    in a set      "-0.<129 zeros>12",           137 bytes of a line for 2 of an item    68.5
                  the same with four digits     139 for 3                               46.3
    in a list     {"N":"-0.<129 zeros>12"},     143 for 3                               47.7
    in a map      "a":{"N":"-0.<…>12"},         147 for 4                               36.8
    no text       {"S":""},                       9 for 1                                9
    an escape     \\u0001                          6 for 1                                6
    base64        AQID                            4 for 3                                1.4

A comma is a byte of a text or a name, or stands between two values, of which each takes a byte: a line can't have more
commas than its items have bytes. Without this limit, a line of 50 MB could have 20 million values.
"""

from __future__ import annotations

from typing import Final

ITEM_BYTES: Final = 400 << 10
MAX_ITEM_TEXT: Final = 69 * ITEM_BYTES
"""Bytes of the longest item as JSON, 27 MiB."""
_REST: Final = 1 << 20
"""More than what a line has beside its images: the keys of a change, its time, some white space."""
MAX_LINE_BYTES: Final = 2 * MAX_ITEM_TEXT + _REST
"""A change has two images of an item."""
MAX_LINE_COMMAS: Final = 2 * ITEM_BYTES + (16 << 10)
"""The keys of a change have up to 3 KB."""
