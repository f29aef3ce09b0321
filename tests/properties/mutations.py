"""Damage to lines: bytes flipped, deleted, inserted, repeated, and tokens put where they don't belong."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from converter.testing import item_line

_TOKENS = (
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b" ",
    b"\n",
    b"\r",
    b"\t",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xc3",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\xef\xbb\xbf",
    b"\\u0041",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\/",
    b"\\n",
    b"\\x",
    b"0",
    b"9",
    b"-",
    b"+",
    b".",
    b"e5",
    b"E-3",
    b"E999",
    b"000",
    b"=",
    b"AAAA",
    b"null",
    b"true",
    b"false",
    b"{}",
    b"[]",
    b'""',
    b'{"S":"x"}',
    b'{"N":"1.50"}',
    b'{"NULL":true}',
    b'"a":{"S":"again"},',
    b',"zz":{"L":[]}',
    b'"S"',
    b'"N"',
    b'"BOOL"',
    b',"OldImage":{}',
    b'"WriteTimestampMicros":',
    b'"id":{"S":"k0"},',
    b'"\xffold":{"M":{}},',
    b'"NewImage":{',
    b'"Keys":{',
    b',"UserIdentity":{"type":"Service"}',
    b'"UserIdentity":{"type":"Service","ids":[1,-2.5e3,null,true]},',
    b',"trace":"x",',
    b',"NewImge":{}',
    b'"more":[',
    b"-1.5E+3",
    b"]}",
    b"}}",
    b'":{"',
    b"9" * 39,
    b"x" * 70,
)


def corpus() -> list[bytes]:
    """Lines that hold every type, plain and nested, short and long: with their newlines."""
    deep: dict[str, object] = {"N": "1"}
    for _ in range(30):
        deep = {"M": {"d": deep}}
    scalars: dict[str, object] = {
        "a": {"S": "text"},
        "b": {"N": "-12.5"},
        "c": {"B": "AQID"},
        "d": {"BOOL": False},
        "e": {"NULL": True},
        "né": {"S": 'é"\\\n😀'},
    }
    nested: dict[str, object] = {
        "m": {"M": {"x": {"N": "1"}, "y": {"L": [{"S": "z"}, {"NULL": True}, {"M": {}}]}, "": {"BOOL": True}}},
        "l": {"L": [{"B": "AA=="}, {"N": "0"}, {"L": []}]},
        "s": {"SS": ["a", "é"]},
        "n": {"NS": ["1", "2.5"]},
        "t": {"BS": ["AQ==", ""]},
    }
    wide: dict[str, object] = {f"column-{n}": {"N": str(n * 7919)} for n in range(20)}
    return [
        item_line(scalars),
        item_line(nested),
        item_line(wide),
        item_line({"deep": deep}),
        item_line({"long": {"S": "x" * 200}, "n" * 90: {"N": "9" * 38}, "i": {"N": "9223372036854775807"}}),
        item_line({"a": {"N": "1"}, "b": {"S": ""}, "m": {"S": "not a map"}}),
        item_line({"at": {"S": "2023-11-27T06:11:47.109+01:00"}, "on": {"N": "1701065507.109"}}),
        item_line({"at": {"N": "1701065507109"}, "on": {"S": "1969-12-31 23:59"}, "a": {"S": "0001-01-01"}}),
        item_line({}),
        b"{}\n",
    ]


def change_corpus() -> list[bytes]:
    """Lines of changes of one table, in both views, whose images hold the items of `corpus`: with their newlines."""
    lines = []
    images = [json.loads(line)["Item"] for line in corpus()[:-2]]
    for number, (image, other) in enumerate(zip(images, [*images[1:], images[0]], strict=True)):
        keys = {"id": {"S": f"k{number}"}, "rank": {"N": str(number)}}
        new = {**image, **keys} if number % 2 else {**keys, **image}
        written = 1_700_000_000_000_000 + number * 12_345_600
        lines.append(_change(written, keys, NewImage=new))
        lines.append(_change(written + 1, keys, OldImage={**keys, **other}, NewImage=new))
        lines.append(_change(written, keys, OldImage=new) if number % 3 else _change(written, keys))
    return lines


def _change(written: int, keys: Mapping[str, object], **images: object) -> bytes:
    record = {"Metadata": {"WriteTimestampMicros": {"N": str(written)}}, "Keys": keys, **images}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def mutate(line: bytes, chance: random.Random) -> bytes:
    """The line with one to three pieces of damage. It ends in a newline again, and may have become several lines."""
    data = bytearray(line[:-1])
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(10):
            case 0 if at < len(data):
                data[at] = chance.randrange(256)
            case 1 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                del data[at : at + chance.choice((1, 1, 1, 2, 5, 40))]
            case 3:
                data[at:at] = data[at : at + chance.choice((1, 4, 12, 30))]
            case 4:
                data[at : at + chance.choice((0, 1, 3))] = chance.choice(_TOKENS)
            case 5:
                del data[at:]
            case 6 | 7 | 8:
                _move(data, chance)
            case _:
                data[at:at] = chance.choice(_TOKENS)
    return bytes(data) + b"\n"


def splice(line: bytes, other: bytes, chance: random.Random) -> bytes:
    """The beginning of one line and the end of another."""
    return line[: chance.randrange(len(line))] + other[chance.randrange(len(other)) :].rstrip(b"\n") + b"\n"


def _move(data: bytearray, chance: random.Random) -> None:
    """Move a quote, a brace or another byte of structure to where another one is, or swap the two, or leave it out."""
    places = [place for place, byte in enumerate(data) if byte in b'"{}[],:\\']
    if len(places) < 2:
        return
    one, other = sorted(chance.sample(places, 2))
    match chance.randrange(4):
        case 0:
            data[one], data[other] = data[other], data[one]
        case 1:
            data.insert(other, data.pop(one))
        case 2:
            data.insert(one, data.pop(other))
        case _:
            del data[one]


def with_unknown(line: bytes, chance: random.Random) -> bytes:
    """The line of an item or a change with members that are not known, at any place where there may be some."""
    record = json.loads(line)
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(("UserIdentity", "trace", "Größe", "a b", "TTL", "x" * 80))
        place = record["Metadata"] if "Metadata" in record and chance.randrange(3) == 0 else record
        members = [*place.items()]
        members.insert(chance.randrange(len(members) + 1), (name, chance.choice(_UNKNOWN)))
        place.clear()
        place.update(members)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


_UNKNOWN: tuple[object, ...] = (
    {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    {"id": {"S": "k0"}, "rank": {"S": "0"}},
    {"id": {"S": "k0"}, "rank": {"N": "0"}},
    "text é\u2028",
    -12.5e-7,
    10**40,
    [None, True, False, {}, [], [{"a": [{"b": 1}]}], ""],
    None,
)
"""Values of members that are not known."""


def deep_lines() -> list[bytes]:
    """Items around the deepest that DynamoDB allows, and around the deepest that is read."""
    lines = []
    for levels in (31, 32, 33, 34, 62, 63, 64, 65, 66):
        for opened, closed in (('{"M":{"d":', "}}"), ('{"L":[', "]}")):
            value = opened * levels + '{"N":"1"}' + closed * levels
            lines.append(f'{{"Item":{{"id":{{"S":"k1"}},"rank":{{"N":"1"}},"deep":{value}}}}}\n'.encode())
    return lines
