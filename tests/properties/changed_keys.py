"""Helpers for the tests of changed keys, here and in processes with other forms of the kernels."""

from __future__ import annotations

import hashlib
import json

from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem
from converter.kernels.merge import key_table
from converter.merging.changed_keys import ChangedKeys
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_lines import MergeLines
from tests.properties.mutations import corpus
from tests.unit.decode.decoding import make_block

FORM = ChangeForm((("id", "S"), ("rank", "N")), old_images=True)


def keyed_items() -> list[bytes]:
    """Item lines with the keys of the corpus of changes, and with others: at the begin, at the end, and inside."""
    items = []
    for number, line in enumerate(corpus()[:-2]):
        image = json.loads(line)["Item"]
        keys = {"id": {"S": f"k{number}"}, "rank": {"N": str(number % 5)}}
        inside = {"inner": {"M": {"id": {"S": "k0"}, "rank": {"N": "0"}}}}
        items += [{**keys, **image}, {**image, **inside, **keys}]
    texts = [json.dumps({"Item": item}, ensure_ascii=False, separators=(",", ":")) for item in items]
    return [text.encode() + b"\n" for text in texts]


ITEMS = keyed_items()


def recorded(changed: ChangedKeys) -> dict[bytes, tuple[int, bool]]:
    """Time and kind of the last change of each key."""
    found = {}
    for facts in changed.table.facts.tolist():
        start, size = facts[key_table.KEY_START], facts[key_table.KEY_SIZE]
        key = changed.table.values[start : start + size].tobytes()
        found[key] = facts[key_table.KEY_TIME], bool(facts[key_table.KEY_DELETED])
    return found


def merge_outcome(changes: bytes, items: bytes) -> str:
    """Return a digest of the keys that changes record and of the lines that stay, or what is wrong with a line."""
    builder = ChangedKeysBuilder(FORM.keys)
    try:
        builder.add(make_block(changes), 0, FORM)
        found = hashlib.sha256(repr(sorted(recorded(builder.build()).items())).encode())
        for order, data in ((0, changes), (None, items)):
            lines = MergeLines(builder.build(), [FORM])
            lines.begin_increment(order)
            for block in lines.translate(make_block(data)):
                found.update(block.data[: block.size].tobytes())
    except LineProblem as problem:
        return f"{problem.byte} {problem.path} {problem.reason}"
    return found.hexdigest()
