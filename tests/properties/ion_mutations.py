"""Damage to lines of Ion: tokens that mean something there, and any other damage."""

from __future__ import annotations

import random

from converter.testing import ion_line
from tests.properties.mutations import change_corpus, corpus, mutate

LINES = [ion_line(line) for line in corpus() if line != b"{}\n"]
CHANGES = [ion_line(line) for line in change_corpus()]
TOKENS = (
    *(b"'", b"'''", b'"', b"{{", b"}}", b"/*", b"*/", b"/**/", b"//", b"::", b":", b",", b" ", b"\t", b"\r", b"\v"),
    *(b"\f", b"\0", b"\x01", b"\x1f", b"\x7f", b"\xff", b"\xef\xbb\xbf", b"\xc2\xa0", b"\xc2\x85", b"\xe2\x80\xa8"),
    *(b"\xed\xa0\x80", b"$dynamodb_SS::", b"$dynamodb_NS::", b"'$dynamodb_BS'::", b"[$dynamodb_NS::]", b"$ion_1_0 "),
    *(b" {Item:{}}", b"$ion_symbol_table::{}", b"null.string", b"null.null", b"null", b"nan", b"+inf", b"sym", b"5"),
    *(b"5.", b"d9", b"d-", b"D+", b"_", b"__", b"0", b"00", b"0x1", b".", b"-", b"+", b"e0", b"1_0.", b"a:1.,"),
    *(b",a:1.", b"null:1.,", b"'null':1.,", b"(", b")", b"[", b"]", b"{", b"}", b"{}", b"[]", b",,", b"=", b"=="),
    *(b"A", b"AA==", b"\\", b"\\u00", b"\\u00e9", b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\U0001F600"),
    *(b"\\U0000d800", b"\\U00110000", b"\\x41", b"\\x4", b"\\a", b"\\?", b"\\q", b"\\\r", b"$0", b"$4", b"'$4'"),
    *(b"2007T", b"\xf0\x9f\x98\x80", b'{{"x"}}', b"'x' 'y'", b"'''x''' '''y'''", b"''''''", b"''", b"x::", b"'x'::"),
)


def damage(line: bytes, chance: random.Random) -> bytes:
    """The line with damage that means something in Ion, or with any; never more than one line."""
    if chance.randrange(3) == 0:
        return mutate(line, chance).replace(b"\n", b" ").rstrip() + b"\n"
    data = bytearray(line[:-1])
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(data) + 1)
        data[at : at + chance.choice((0, 0, 1, 3))] = chance.choice(TOKENS)
    return bytes(data) + b"\n"
