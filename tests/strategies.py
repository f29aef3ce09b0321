"""Hypothesis strategies for all that an export may hold: values, items, and the ways to spell their lines."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.oracle_input import plain_number

Value = dict[str, Any]
Item = dict[str, Value]

SCALAR_TAGS = ("S", "N", "B", "BOOL", "NULL")
NESTED_TAGS = ("M", "L", "SS", "NS", "BS")

# Each has broken a reader of JSON, CSV or Parquet somewhere.
HARD_TEXTS = (
    "",
    " ",
    "a,b",
    'say "hi"',
    '"',
    "\\",
    "\\\\n",
    "C:\\new\\",
    "line\nbreak",
    "line\r\nbreak",
    "tab\t",
    "\x00",
    "a\x00b",
    "\x1f\x7f",
    "\u0085\u2028\u2029",
    "\ufeffmark",
    "ünïcödé",
    "漢字かな交じり",
    "😀👩‍👩‍👧‍👦",
    "\U0010ffff",
    "\ud7ff\ue000\uffff",
    "null",
    "true",
    "12.50",
    "=1+1",
    '{"S":"x"}',
    "[1,2]",
    "</script>",
    "x" * 4096,
)
HARD_NAMES = (
    "dt",
    "DT",
    "dt_1",
    "_op",
    "_write_ts",
    "_old",
    "_more",
    "S",
    "N",
    "M",
    "NULL",
    "Item",
    "City",
    "city",
    "CITY",
    "\u017f",
    "a.b",
    "a b",
    "a-b",
    "#",
    'quo"te',
    "back\\slash",
    "comma,name",
    "new\nline",
    "naïve",
    "名前",
    "😀",
    "\u2028",
    " ",
    "0",
    "long" * 200,
)
INT64_EDGES = ("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809")
HARD_NUMBERS = (
    "0",
    "1",
    "-1",
    "12.5",
    "0.1",
    "100",
    *INT64_EDGES,
    "18446744073709551616",
    "9" * 38,
    "-" + "9" * 38,
    "1" + "0" * 38,
    "9" * 38 + "0" * 88,
    "-1" + "0" * 125,
    "0." + "0" * 129 + "1",
    "-0." + "0" * 129 + "9" * 38,
    "0." + "3" * 38,
    "1." + "3" * 37,
    "9" * 10 + "." + "1" * 28,
    "9" * 11 + "." + "1" * 27,
)


def texts() -> st.SearchStrategy[str]:
    """Any text that UTF-8 can hold, the hard ones often."""
    return st.one_of(st.sampled_from(HARD_TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))


def names() -> st.SearchStrategy[str]:
    """Attribute names: any text but the empty one."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    return st.one_of(st.sampled_from(HARD_NAMES), st.sampled_from(("pk", "sk", "price", "qty", "note")), anything)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """DynamoDB numbers in the service's plain form, of every shape that it can have."""
    if draw(st.booleans()):
        return draw(st.sampled_from(HARD_NUMBERS))
    if draw(st.booleans()):
        return str(draw(st.integers(-(2**63) - 5, 2**63 + 5)))
    return plain_number(draw(_scientific(draw(st.booleans()))))


def small_numbers() -> st.SearchStrategy[str]:
    """Everyday numbers: integers and a few decimals."""
    return st.builds(lambda whole, exponent: plain_number(f"{whole}E-{exponent}"), st.integers(-99999, 99999), _FEW)


_FEW = st.integers(0, 4)


@st.composite
def _scientific(draw: st.DrawFn, everyday: bool) -> str:
    """Up to 38 digits and an exponent within the range of DynamoDB."""
    digits = draw(st.text("0123456789", min_size=1, max_size=38)).lstrip("0") or "7"
    leading = draw(st.integers(-3, 12) if everyday else st.integers(-130, 125))
    return f"{draw(st.sampled_from(['', '-']))}{digits}E{leading - len(digits) + 1}"


@st.composite
def unplain_numbers(draw: st.DrawFn) -> str:
    """DynamoDB numbers in other spellings that JSON allows: exponents, trailing zeros, -0."""
    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.sampled_from(["-0", "0.0", "-0.000", "0E5", "0e-7", "1E+2", "0.50", "1.0e-3", "1e125", "1E-130"])
        )
    plain = draw(st.one_of(numbers(), small_numbers()))
    sign, plain = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    whole, _, decimals = plain.partition(".")
    digits = (whole + decimals).lstrip("0") or "0"
    exponent = -len(decimals)
    match draw(st.sampled_from(["zeros", "point", "digits"])):
        case "zeros":
            return f"{sign}{whole}.{decimals}{'0' * draw(st.integers(1, 50))}"
        case "point":
            fraction = digits[1:] + "0" * draw(st.integers(0 if digits[1:] else 1, 3))
            return f"{sign}{digits[0]}.{fraction}{draw(_exponents(exponent + len(digits) - 1))}"
    return f"{sign}{digits}{draw(_exponents(exponent))}"


def _exponents(exponent: int) -> st.SearchStrategy[str]:
    signs = ["-"] if exponent < 0 else ["", "+"]
    return st.builds(
        lambda letter, sign, zeros: f"{letter}{sign}{'0' * zeros}{abs(exponent)}",
        st.sampled_from("eE"),
        st.sampled_from(signs),
        st.integers(0, 2),
    )


def binaries() -> st.SearchStrategy[str]:
    """Binaries as their base64 text."""
    return st.binary(max_size=40).map(lambda data: b64encode(data).decode("ascii"))


def scalars(tag: str) -> st.SearchStrategy[Value]:
    """Values of one scalar type."""
    contents: dict[str, st.SearchStrategy[Any]] = {
        "S": texts(),
        "N": st.one_of(numbers(), small_numbers()),
        "B": binaries(),
        "BOOL": st.booleans(),
        "NULL": st.just(True),
    }
    return contents[tag].map(lambda content: {tag: content})


def sets(tag: str) -> st.SearchStrategy[Value]:
    """Values of one set type: never empty, no member twice, in any order."""
    members = {"SS": texts(), "NS": st.one_of(numbers(), small_numbers()), "BS": binaries()}[tag]
    return st.lists(members, min_size=1, max_size=4, unique=True).map(lambda content: {tag: content})


def values() -> st.SearchStrategy[Value]:
    """Values of all ten types; documents nest to some depth."""
    leaves = st.one_of(*(scalars(tag) for tag in SCALAR_TAGS), *(sets(tag) for tag in ("SS", "NS", "BS")))
    return st.recursive(leaves, lambda inner: st.one_of(_maps(inner), _lists(inner)), max_leaves=12)


def values_of(tag: str) -> st.SearchStrategy[Value]:
    """Values of one of the ten types."""
    if tag == "M":
        return _maps(values())
    if tag == "L":
        return _lists(values())
    return sets(tag) if tag in NESTED_TAGS else scalars(tag)


def _maps(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.dictionaries(st.one_of(names(), st.just("")), inner, max_size=4).map(lambda content: {"M": content})


def _lists(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.lists(inner, max_size=4).map(lambda content: {"L": content})


@st.composite
def deep_values(draw: st.DrawFn, deepest: int = 32) -> Value:
    """One value inside up to 32 maps and lists, the most that DynamoDB takes."""
    value = draw(values_of(draw(st.sampled_from(SCALAR_TAGS))))
    for wrap_in_map in draw(st.lists(st.booleans(), max_size=deepest)):
        value = {"M": {draw(names()): value}} if wrap_in_map else {"L": [value]}
    return value


def items() -> st.SearchStrategy[Item]:
    """Items with any attributes."""
    return st.dictionaries(names(), values(), max_size=6)


# N most often: its columns have the most types.
_COLUMN_TAGS = st.sampled_from(SCALAR_TAGS + NESTED_TAGS + ("N",) * 6 + ("S",) * 2)


@st.composite
def _column_values(draw: st.DrawFn, tag: str) -> st.SearchStrategy[Value]:
    """Values for one column; those of a column of numbers are of one kind, or their type would mostly be string."""
    if tag != "N":
        return values_of(tag)
    integers = st.integers(-(2**63), 2**63 - 1).map(str)
    decimals = draw(st.integers(0, 30))
    fixed = st.builds(lambda n: plain_number(f"{n}E-{decimals}"), st.integers(-(10**12), 10**12))
    kind = draw(st.sampled_from([integers, small_numbers(), fixed, fixed, numbers()]))
    return kind.map(lambda content: {"N": content})


@st.composite
def item_lists(draw: st.DrawFn, *, mixed: bool = True, max_items: int = 12) -> list[Item]:
    """Items of one table: they share attribute names, each of one type, with absences and NULLs.

    mixed: some attributes have several types.
    """
    shared: dict[str, st.SearchStrategy[Value]] = {}
    for name in draw(st.lists(names(), min_size=1, max_size=8, unique=True)):
        tags = draw(st.lists(_COLUMN_TAGS, min_size=1, max_size=3 if mixed and draw(st.booleans()) else 1))
        strategy = st.one_of(*(draw(_column_values(tag)) for tag in tags))
        shared[name] = st.one_of(strategy, strategy, strategy, st.just({"NULL": True}))
    every = st.fixed_dictionaries({}, optional=shared)
    return draw(st.lists(every, max_size=max_items))


@st.composite
def lines(draw: st.DrawFn, item: Item, *, everywhere: bool = True) -> bytes:
    """The line of an item (without newline) in any spelling that JSON allows: spaces, escapes, `\\/`.

    everywhere: escapes also in numbers, base64, type tags and the name Item, not only in text and attribute names.
    """
    spaced = draw(st.booleans())
    escaped = draw(st.sampled_from([0.0, 0.05, 1.0]))
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))

    def space() -> str:
        return chance.choice(["", "", " ", "\t", "  ", " \r"]) if spaced else ""

    def string(text: str, free: bool) -> str:
        return spell_string(text, chance, escaped) if free or everywhere else json.dumps(text, ensure_ascii=False)

    return _spell_line(item, space, string).encode("utf-8")


def _spell_line(item: Item, space: Callable[[], str], string: Callable[[str, bool], str]) -> str:
    def members(pairs: list[str]) -> str:
        return "{" + space() + (space() + "," + space()).join(pairs) + space() + "}"

    def member(name: str, text: str, free: bool) -> str:
        return string(name, free) + space() + ":" + space() + text

    def attributes(content: dict[str, Value]) -> str:
        return members([member(name, value(inner), True) for name, inner in content.items()])

    def array(texts: list[str]) -> str:
        return "[" + space() + (space() + "," + space()).join(texts) + space() + "]"

    def value(typed: Value) -> str:
        ((tag, content),) = typed.items()
        if tag == "M":
            text = attributes(content)
        elif tag == "L":
            text = array([value(inner) for inner in content])
        elif tag in ("SS", "NS", "BS"):
            text = array([string(one, tag == "SS") for one in content])
        elif tag in ("BOOL", "NULL"):
            text = "true" if content else "false"
        else:
            text = string(content, tag == "S")
        return members([member(tag, text, False)])

    return space() + members([member("Item", attributes(item), False)]) + space()


_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "/": "\\/"}


def spell_string(text: str, chance: random.Random, escaped: float) -> str:
    """A JSON string; each character that needs no escape gets one with the probability `escaped`."""
    spelled = []
    for character in text:
        needed = character in '"\\' or character < " "
        if not needed and chance.random() >= escaped:
            spelled.append(character)
        elif character in _SHORT and chance.random() < 0.5:
            spelled.append(_SHORT[character])
        else:
            units = character.encode("utf-16-be")
            digits = [units[i : i + 2].hex() for i in range(0, len(units), 2)]
            spelled.extend("\\u" + (d.upper() if chance.random() < 0.5 else d) for d in digits)
    return '"' + "".join(spelled) + '"'
