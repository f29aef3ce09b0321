"""Python values in DynamoDB JSON, as the service spells them.

The rules are those of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal

DynamoValue = dict[str, object]
"""A value with its type: exactly one member, named S, N, B, BOOL, NULL, M, L, SS, NS or BS."""

TAGS = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})
MOST_DIGITS = 38
LARGEST_EXPONENT = 125
SMALLEST_EXPONENT = -130


def to_dynamodb(value: object) -> DynamoValue:
    """A Python value with its DynamoDB type.

    str → S, int and Decimal → N, bytes and bytearray → B, bool → BOOL, None → NULL, a mapping → M, a list or
    tuple → L, a set of str, numbers or bytes → SS, NS or BS, its members sorted. Raises TypeError for any other
    type, floats among them (a float is seldom the number that was meant), and ValueError for an empty set and for a
    number that DynamoDB can't hold.
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | Decimal():
            return {"N": plain_number(value)}
        case bytes() | bytearray():
            return {"B": b64encode(value).decode("ascii")}
        case Mapping():
            return {"M": to_item(value)}
        case list() | tuple():
            return {"L": [to_dynamodb(member) for member in value]}
        case set() | frozenset():
            return _typed_set(value)
    raise TypeError(f"{type(value).__name__} has no DynamoDB type: {value!r}")


def to_item(attributes: Mapping[object, object]) -> dict[str, DynamoValue]:
    """The attributes of an item, or of a map, each with its DynamoDB type, in the order given."""
    item: dict[str, DynamoValue] = {}
    for name, value in attributes.items():
        if not isinstance(name, str):
            raise TypeError(f"an attribute name is text, not {type(name).__name__}: {name!r}")
        item[name] = to_dynamodb(value)
    return item


def plain_number(value: int | Decimal) -> str:
    """A number as the service writes it: digits, no exponent, no trailing zeros, never -0.

    Raises ValueError for what DynamoDB refuses: more than 38 significant digits, a magnitude beyond 9.99…E+125
    or below 1E-130, NaN and infinities.
    """
    number = value if isinstance(value, Decimal) else Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{number} is not a DynamoDB number")
    # Read from the digits, because every operation of the default context rounds to 28 of them.
    sign, members, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, members)).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    exponent += len(digits) - len(significant)
    if len(significant) > MOST_DIGITS:
        raise ValueError(f"{number} has {len(significant)} significant digits, DynamoDB holds {MOST_DIGITS}")
    if not SMALLEST_EXPONENT <= exponent + len(significant) - 1 <= LARGEST_EXPONENT:
        raise ValueError(f"{number} is beyond what DynamoDB holds (1E-130 to 9.99…E+125)")
    return ("-" if sign else "") + _place_point(significant, exponent)


def _place_point(significant: str, exponent: int) -> str:
    if exponent >= 0:
        return significant + "0" * exponent
    padded = significant.rjust(1 - exponent, "0")
    return f"{padded[:exponent]}.{padded[exponent:]}"


def _typed_set(members: set[object] | frozenset[object]) -> DynamoValue:
    if not members:
        raise ValueError("DynamoDB has no empty sets")
    texts = [member for member in members if isinstance(member, str)]
    if len(texts) == len(members):
        return {"SS": sorted(texts)}
    binaries = [member for member in members if isinstance(member, bytes)]
    if len(binaries) == len(members):
        return {"BS": [b64encode(member).decode("ascii") for member in sorted(binaries)]}
    numbers = [m for m in members if isinstance(m, int | Decimal) and not isinstance(m, bool)]
    if len(numbers) == len(members):
        return {"NS": [plain_number(member) for member in sorted(numbers)]}
    raise TypeError("a set holds only text, only numbers or only bytes")
