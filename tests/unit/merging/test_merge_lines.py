"""Lines of a merge in any form: keys and images are read where the strict path reads them."""

from __future__ import annotations

import pytest

from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem
from converter.merging.changed_keys import ChangedKeys
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_lines import MergeLines
from tests.unit.decode.decoding import make_block

FORM = ChangeForm((("id", "S"), ("rank", "N")), old_images=True)
KEYS = '"id":{"S":"a"},"rank":{"N":"5"}'
HEAD = f'{{"Metadata":{{"WriteTimestampMicros":{{"N":"1716791050804459"}}}},"Keys":{{{KEYS}}}'
DELETE = f'{HEAD},"OldImage":{{{KEYS}}}}}\n'.encode()
INNER = f'"inner":{{{KEYS}}}'
OTHER = '"id":{"S":"b"},"rank":{"N":"5"}'


def changed_by(*changes: bytes) -> ChangedKeys:
    """The keys of these changes."""
    builder = ChangedKeysBuilder(FORM.keys)
    builder.add(make_block(b"".join(changes) or b"\n"), 0, FORM)
    return builder.build()


def left_of(data: bytes, changed: ChangedKeys) -> bytes:
    """The lines of the base that changes leave, without blank ones."""
    lines = MergeLines(changed, [FORM])
    lines.begin_increment(None)
    blocks = [block.data[: block.size].tobytes() for block in lines.translate(make_block(data))]
    return b"".join(line + b"\n" for line in b"".join(blocks).split(b"\n") if line)


@pytest.mark.parametrize("changes", [(), (DELETE,)])
@pytest.mark.parametrize("before", [b"", f'{{"Item":{{"id":{{"S":"b"}},"rank":{{"N":"1"}}}},{INNER}}}\n'.encode()])
@pytest.mark.parametrize(
    "line",
    [
        f'{{"Item":{{"v":{{"S":"x"}}}},{INNER}}}',
        f'{{"Item":{{"v":{{"S":"x"}} }},{INNER}}}',
        f'{{"Item":{{}},{INNER}}}',
        f'{{"Item":{{"id":{{"S":"a"}}}},{INNER}}}',
        f'{{"Item":{{"rank":{{"N":"5"}},"id":{{"N":"1"}}}},{INNER}}}',
        f'{{"Item":{{"m":{{"M":{{{KEYS}}}}}}},"trace":"x",{INNER}}}',
        f'{{"Item":{{"m":{{"M":{{{KEYS}}}}}}}}}',
        f'{{{INNER},"Item":{{"v":{{"S":"x"}}}}}}',
        f'{{"more":[{{{KEYS}}}],{INNER},"Item":{{"v":{{"S":"x"}}}}}}',
    ],
)
def test_an_item_without_its_keys_is_refused(line: str, before: bytes, changes: tuple[bytes, ...]) -> None:
    with pytest.raises(LineProblem, match="there is no key") as caught:
        left_of(before + line.encode() + b"\n", changed_by(*changes))
    assert caught.value.byte == len(before)


@pytest.mark.parametrize(
    "line",
    [
        f'{{"Item":{{"\\u0069d":{{"S":"a"}},"rank":{{"N":"5"}}}},"inner":{{{OTHER}}}}}\n',
        f'{{"Item":{{{KEYS}}},"inner":{{{OTHER}}}}}\n',
        f'{{"inner":{{{OTHER}}},"Item":{{{KEYS}}}}}\n',
    ],
)
def test_an_item_is_known_by_its_own_keys_whatever_other_members_have(line: str) -> None:
    assert left_of(line.encode(), changed_by(DELETE)) == b""
    assert left_of(line.encode(), changed_by()) != b""


def test_an_update_with_spaces_in_its_old_image_is_not_a_delete() -> None:
    changed = changed_by(f'{HEAD},"OldImage":{{{KEYS} }},"NewImage":{{{KEYS}}}}}\n'.encode())
    assert left_of(f'{{"Item":{{{KEYS}}}}}\n'.encode(), changed) == b""
    assert (changed.applied().updated, changed.applied().deleted) == (1, 0)
