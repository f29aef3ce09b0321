r"""Column names: the policies of `--names`, and how equal ones are numbered.

    preserve       the attribute's name
    treasure-data  as Treasure Data does itself: `[^A-Za-z0-9_]+` → `_`, lower-case, `_` before a leading digit, at
                   most 128 characters; `time` and `v` are reserved
    snake          `orderId` → `order_id`, `HTTPServer` → `http_server`, `user-name` → `user_name`, `größe` → `grosse`;
                   at most 255 characters

A name that a policy allows (`NAME_POLICIES`) is never changed by it. Snake names are ASCII, because
Athena and Glue accept only ASCII without quotes, and compare it as expected: accents go, and other letters are
separators. A name without any ASCII letter or digit becomes `_`.

All comparisons are case folded, as most readers compare names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from converter.errors import UsageError
from converter.name_policies import NAME_POLICIES, Names
from converter.options import RESERVED_COLUMNS

_NONE: Mapping[str, str] = MappingProxyType({})
_ILLEGAL = re.compile("[^A-Za-z0-9_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
# Latin letters that Unicode does not take apart into a letter and its accent.
_LOWER = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
_UPPER = {"ẞ": "SS", "Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH"}
_LETTERS = str.maketrans(_LOWER | _UPPER)
_SMALL, _CAPITAL = f"[a-z{''.join(_LOWER)}]", f"[A-Z{''.join(_UPPER)}]"
_WORD_STARTS = re.compile(f"(?<={_SMALL}|[0-9])(?={_CAPITAL})|(?<={_CAPITAL})(?={_CAPITAL}{_SMALL})")


@dataclass(frozen=True, slots=True)
class NameRules:
    """Rules for names of columns.

    renames: (attribute, column name) pairs that go before the policy. reserved: names that no attribute gets, beside
    RESERVED_COLUMNS and those of the policy: folder keys, the overflow column, added columns.
    """

    policy: Names = "preserve"
    renames: tuple[tuple[str, str], ...] = ()
    reserved: frozenset[str] = frozenset()

    def kept_free(self) -> set[str]:
        """Case folded: the names that no attribute gets by the policy."""
        return {name.casefold() for name in (*self.reserved, *RESERVED_COLUMNS, *NAME_POLICIES[self.policy].reserved)}


def name_columns(attributes: Iterable[str], rules: NameRules, before: Mapping[str, str] = _NONE) -> dict[str, str]:
    """attribute → column name, in the order given; which name is a function of the set, the rules and `before` alone.

    before: attribute → column name of a destination's columns, in today's items or not. They stay as they are, whatever
    the rules say today, and no other attribute gets such a name. Then, in this order, get their names:

    1. the renamed ones;
    2. attributes whose own name is allowed and not taken. Under `preserve` names that differ in case only stay;
    3. attributes whose name, made legal, is not taken; the first by code points where several want it;
    4. the others: that name with `_1`, `_2` … after it, the first that no attribute and no column has, by code points;
       shortened in front of the number where the policy limits the length.

    A reserved name is taken: every reader that was tried silently drops a data column with the name of a partition
    key.
    Raises UsageError for a rename of a column in `before`, or to the name of one.
    """
    names = list(attributes)
    _check_renames(rules, before)
    columns = dict(rules.renames) | dict(before)
    taken = rules.kept_free() | {column.casefold() for column in columns.values()}
    wanted = {name: legal_name(name, rules.policy) for name in sorted(set(names))}
    left = [name for name in wanted if name not in columns]
    columns |= {name: name for name in left if wanted[name] == name and name.casefold() not in taken}
    taken |= {columns[name].casefold() for name in left if name in columns}
    for name, column in wanted.items():
        if name not in columns and column.casefold() not in taken:
            columns[name] = column
            taken.add(column.casefold())
    taken |= {column.casefold() for column in wanted.values()}
    longest = NAME_POLICIES[rules.policy].longest
    numbers: dict[str, int] = {}
    for name, column in wanted.items():
        while name not in columns:
            numbers[column] = numbers.get(column, 0) + 1
            numbered = _numbered(column, numbers[column], longest)
            if numbered.casefold() not in taken:
                columns[name] = numbered
                taken.add(numbered.casefold())
    return {name: columns[name] for name in names}


def legal_name(attribute: str, policy: Names) -> str:
    """The attribute's name as the policy allows it; reserved names pass, and two attributes may come to one name."""
    return whole_name(attribute, policy)[: NAME_POLICIES[policy].longest]


def whole_name(attribute: str, policy: Names) -> str:
    """The same before it is cut to the policy's length."""
    if policy == "preserve":
        return attribute
    name = _snake(attribute) if policy == "snake" else _ILLEGAL.sub("_", attribute).lower()
    return f"_{name}" if not name or name[0].isdigit() else name


def _snake(name: str) -> str:
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", name))
    plain = _WORD_STARTS.sub("_", plain).translate(_LETTERS)
    # Underscores of the name stay; those in the place of other characters are only between words.
    return _ILLEGAL.sub(" ", plain).strip().replace(" ", "_").lower()


def _numbered(name: str, number: int, longest: int | None) -> str:
    suffix = f"_{number}"
    return (name if longest is None else name[: longest - len(suffix)]) + suffix


def _check_renames(rules: NameRules, before: Mapping[str, str]) -> None:
    owners = {column.casefold(): attribute for attribute, column in before.items()}
    for attribute, column in rules.renames:
        if before.get(attribute, column) != column:
            raise UsageError(
                f"attribute {attribute!r} is in column {before[attribute]!r} of the destination, and can't become"
                f" {column!r}: a column keeps its name",
                "--rename",
                "leave this rename out, or choose another DEST",
            )
        owner = owners.get(column.casefold(), attribute)
        if owner != attribute:
            raise UsageError(
                f"{attribute!r} can't become {column!r}: the destination has a column of that name, for attribute"
                f" {owner!r}",
                "--rename",
                "choose another name",
            )


def case_duplicates(attributes: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that differ in case only: some readers treat them as one."""
    groups: dict[str, list[str]] = {}
    for name in attributes:
        groups.setdefault(name.casefold(), []).append(name)
    return [tuple(sorted(group)) for _, group in sorted(groups.items()) if len(group) > 1]
