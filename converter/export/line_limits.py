"""Limits of the line of an item or a change, derived from the limits of DynamoDB items.

An item has at most 400 KB: the UTF-8 bytes of its names and strings, its binary bytes, and for a number one byte for
each two significant digits plus one; an element of a list or a map has one byte in addition to its value.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html

Numbers in lines have no exponents, so a byte of the item needs up to 69 bytes in its line:

    in a set      "-0.<129 zeros>12",           137 bytes of a line for 2 of an item    68.5
                  the same with four digits     139 for 3                               46.3
    in a list     {"N":"-0.<129 zeros>12"},     143 for 3                               47.7
    in a map      "a":{"N":"-0.<…>12"},         147 for 4                               36.8
    empty text    {"S":""},                       9 for 1                                9
    an escape     \\u0001                          6 for 1                                6
    base64        AQID                            4 for 3                                1.4

A comma is a byte of a string or a name, or separates two values with at least one byte each. So a line can't have more
commas than its items have bytes. Without this limit, a line of 50 MB could have 20 million values.
"""

from __future__ import annotations

from typing import Final

ITEM_BYTES: Final = 400 << 10
MAX_ITEM_TEXT: Final = 69 * ITEM_BYTES
"""Maximum of bytes of an item as JSON, 27 MiB."""
_REST: Final = 1 << 20
"""Upper limit for the rest of a line: the keys of a change, its time, and white space."""
MAX_LINE_BYTES: Final = 2 * MAX_ITEM_TEXT + _REST
"""Maximum of bytes of a line. A change has two images of an item."""
MAX_LINE_COMMAS: Final = 2 * ITEM_BYTES + (16 << 10)
"""Maximum of commas in a line. The keys of a change have up to 3 KB."""
