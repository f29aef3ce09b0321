r"""The parser of conditions.

    condition  = and ("OR" and)*
    and        = not ("AND" not)*
    not        = "NOT" not | "(" condition ")" | function | operand test
    test       = ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") operand
               | ["NOT"] "BETWEEN" operand "AND" operand
               | ["NOT"] "IN" ("(" | "[") operand ("," operand)* (")" | "]")
               | "IS" ["NOT"] ("NULL" | "MISSING")
    function   = ("attribute_exists" | "exists" | "attribute_not_exists") "(" path ")"
               | ("begins_with" | "contains" | "attribute_type") "(" path "," value ")"
    operand    = path | value | "size" "(" path ")"
    path       = name ("." name | "[" digits "]")*
    name       = letter or "_", then letters, digits, "_" and "-" | '"' characters '"'
    value      = "'" characters "'" | number | "TRUE" | "FALSE" | "NULL"

The words are those of DynamoDB: of its condition expressions and of PartiQL. They can be written in lower case. A quote
inside of quotes is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from converter.conditions.numbers import plain_number
from converter.conditions.syntax import (
    And,
    Call,
    Comparator,
    Comparison,
    Condition,
    Function,
    Not,
    Operand,
    Or,
    Path,
    Size,
    Value,
)
from converter.errors import UsageError
from converter.schema.tags import TAGS

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d][\w-]*)
    |(?P<sign><=|>=|<>|!=|==|[=<>()\[\],.])
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "IS", "NULL", "MISSING", "TRUE", "FALSE"})
_FUNCTIONS = {
    "attribute_exists": Function.EXISTS,
    "exists": Function.EXISTS,
    "attribute_not_exists": Function.EXISTS,
    "attribute_type": Function.TYPE,
    "begins_with": Function.BEGINS,
    "contains": Function.CONTAINS,
}
_COMPARATORS = {comparator.value: comparator for comparator in Comparator}
_DEEPEST = 100
_MOST_PARTS = 10_000


@lru_cache(maxsize=8)
def parse_condition(text: str, option: str = "--where") -> Condition:
    """Return the condition that a text spells; each shard asks again. option: named in errors.

    Raises UsageError with the column of the text at which it is wrong.
    """
    return _Parser(text, option).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    """kind: text, quoted, number, word, keyword, sign or end. column: where it begins, from 1."""

    kind: str
    text: str
    column: int


class _Parser:
    """A recursive descent over the tokens of one text."""

    def __init__(self, text: str, option: str) -> None:
        self._option = option
        self._depth = 0
        self._parts = 0
        self._tokens = self._tokenize(text)
        self._next = 0

    def parse(self) -> Condition:
        """The condition of the whole text."""
        condition = self._or()
        if self._token.kind != "end":
            self._fail("expected AND, OR, or the end")
        return condition

    def _tokenize(self, text: str) -> list[_Token]:
        tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                column = at + len(text[at:]) - len(text[at:].lstrip()) + 1
                character = text[column - 1]
                hint = "close it" if character in "'\"" else "put names with other characters in double quotes"
                what = f"{character} is not closed" if character in "'\"" else f"{character!r} is not expected"
                raise UsageError(f"column {column}: {what}", self._option, hint)
            kind, spelled = match.lastgroup, match[match.lastgroup]
            if kind == "word" and spelled.upper() in _KEYWORDS:
                kind, spelled = "keyword", spelled.upper()
            tokens.append(_Token(kind, spelled, match.start(match.lastgroup) + 1))
            at = match.end()
        return [*tokens, _Token("end", "", len(text) + 1)]

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> str | None:
        """Consume the token at hand if it is one of these signs or keywords, and return it."""
        token = self._token
        if token.kind in ("sign", "keyword") and token.text in texts:
            self._next += 1
            return token.text
        return None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            self._fail(f"expected {text}")

    def _fail(self, what: str, hint: str = "for example, status = 'paid' AND price >= 12.5", back: int = 0) -> NoReturn:
        token = self._tokens[self._next - back]
        found = f"got {token.text}" if token.text else "the text ends here"
        raise UsageError(f"column {token.column}: {what}, {found}", self._option, hint)

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            self._fail(f"more than {_MOST_PARTS:,} comparisons")

    def _or(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"nested deeper than {_DEEPEST} levels")
        parts = self._list(self._and, "OR")
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Condition:
        parts = self._list(self._not, "AND")
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _list(self, part: Callable[[], Condition], word: str) -> list[Condition]:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts

    def _not(self) -> Condition:
        negations = 0
        while self._take("NOT"):
            negations += 1
        condition = self._primary()
        return Not(condition) if negations % 2 else condition

    def _primary(self) -> Condition:
        if self._take("("):
            condition = self._or()
            self._expect(")")
            return condition
        token, following = self._token, self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        if token.kind == "word" and following.text == "(" and token.text.lower() != "size":
            return self._function()
        self._count()
        return self._test(self._operand())

    def _function(self) -> Condition:
        name = self._token.text.lower()
        function = _FUNCTIONS.get(name)
        if function is None:
            known = ", ".join((*_FUNCTIONS, "size"))
            self._fail("this is not a function", f"the functions are {known}")
        self._count()
        self._next += 2
        path = self._path()
        argument = None
        if function is not Function.EXISTS:
            self._expect(",")
            argument = self._value(function)
        self._expect(")")
        call = Call(function, path, argument)
        return Not(call) if name == "attribute_not_exists" else call

    def _value(self, function: Function) -> Value:
        """The second argument of a function."""
        operand = self._operand()
        if not isinstance(operand, Value):
            self._fail(f"the second argument of {function} is a value, not a path", "put texts in single quotes", 1)
        if function is Function.BEGINS and operand.tag != "S":
            self._fail("begins_with needs a text", "put texts in single quotes", 1)
        if function is Function.TYPE and operand.text not in TAGS:
            self._fail("this is not a type", f"the types are {', '.join(repr(tag) for tag in TAGS)}", 1)
        return operand

    def _test(self, left: Operand) -> Condition:
        sign = self._take("=", "<>", "!=", "<", "<=", ">", ">=", "==")
        if sign == "==":
            self._fail("this is not a comparison", "write = for equality", 1)
        if sign is not None:
            comparison = self._compare(_COMPARATORS.get(sign, Comparator.EQUAL), left, self._operand())
            return Not(comparison) if sign in ("<>", "!=") else comparison
        if self._take("IS"):
            return self._is(left)
        negated = self._take("NOT") is not None
        if self._take("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            low_part = self._compare(Comparator.NOT_LESS, left, low)
            condition: Condition = And((low_part, self._compare(Comparator.NOT_ABOVE, left, self._operand())))
        elif opening := self._take_in():
            values = [self._compare(Comparator.EQUAL, left, self._operand())]
            while self._take(","):
                self._count()
                values.append(self._compare(Comparator.EQUAL, left, self._operand()))
            self._expect("]" if opening == "[" else ")")
            condition = Or(tuple(values))
        else:
            self._fail("expected a comparison")
        return Not(condition) if negated else condition

    def _take_in(self) -> str | None:
        if self._take("IN") is None:
            return None
        opening = self._take("(", "[")
        if opening is None:
            self._fail("expected (")
        return opening

    def _is(self, left: Operand) -> Condition:
        if not isinstance(left, Path):
            self._fail("IS needs a path in front of it", back=1)
        negated = self._take("NOT") is not None
        word = self._take("NULL", "MISSING")
        if word is None:
            self._fail("expected NULL or MISSING")
        exists = Call(Function.EXISTS, left)
        condition = Call(Function.TYPE, left, Value("S", "NULL")) if word == "NULL" else Not(exists)
        return Not(condition) if negated else condition

    def _compare(self, comparator: Comparator, left: Operand, right: Operand) -> Comparison:
        if isinstance(left, Value) and isinstance(right, Value):
            self._fail("two values are compared: one side must be an attribute", back=1)
        ordered = comparator is not Comparator.EQUAL
        for operand in (left, right):
            if ordered and isinstance(operand, Value) and operand.tag in ("BOOL", "NULL"):
                self._fail(f"{operand.text.upper()} has no order", "compare it by = or <>", 1)
        return Comparison(comparator, left, right)

    def _operand(self) -> Operand:
        token = self._token
        if token.kind == "text":
            self._next += 1
            return Value("S", self._check_text(token.text[1:-1].replace("''", "'")))
        if token.kind == "number":
            self._next += 1
            number = plain_number(token.text)
            if number is None:
                self._fail("this is not a number of DynamoDB", "it has 38 digits, and exponents from -130 to 125", 1)
            return Value("N", number)
        if word := self._take("TRUE", "FALSE", "NULL"):
            return Value("NULL" if word == "NULL" else "BOOL", word.lower())
        if token.kind == "word" and token.text.lower() == "size" and self._tokens[self._next + 1].text == "(":
            self._next += 2
            path = self._path()
            self._expect(")")
            return Size(path)
        return self._path()

    def _path(self) -> Path:
        steps: list[str | int] = [self._name()]
        while True:
            if self._take("."):
                steps.append(self._name())
            elif self._take("["):
                token = self._token
                if token.kind != "number" or not token.text.isdigit() or len(token.text) > 9:
                    self._fail("expected a position in a list", "for example, tags[0]")
                self._next += 1
                steps.append(int(token.text))
                self._expect("]")
            else:
                return Path(tuple(steps))

    def _name(self) -> str:
        token = self._token
        if token.kind == "keyword":
            self._fail("expected an attribute", f'put the name in double quotes: "{token.text.lower()}"')
        if token.kind not in ("word", "quoted"):
            self._fail("expected an attribute or a value", "put texts in single quotes, names in double quotes")
        self._next += 1
        return self._check_text(token.text if token.kind == "word" else token.text[1:-1].replace('""', '"'))

    def _check_text(self, text: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError:
            self._fail("this is not valid UTF-8", back=1)
        return text
