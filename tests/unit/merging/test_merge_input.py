"""The input of a merge in another process: what its shards find there comes back."""

from __future__ import annotations

import pickle

from converter.decode.strict_changes import ChangeForm
from converter.export.data_files import DataFile
from converter.merging.changed_keys import Applied
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_input import MergeInput
from converter.merging.old_images import OldImages
from tests.unit.decode.decoding import make_block

FORM = ChangeForm((("id", "S"),), old_images=True)
BASE = DataFile("0/data/x.json.gz", 2, bytes(16), 0)


def change(key: str, old: str = "", new: str = "") -> bytes:
    keys = f'"id":{{"S":"{key}"}}'
    images = "".join(
        f',"{name}":{{{keys},"v":{{"S":"{value}"}}}}' for name, value in (("OldImage", old), ("NewImage", new)) if value
    )
    return f'{{"Metadata":{{"WriteTimestampMicros":{{"N":"1"}}}},"Keys":{{{keys}}}{images}}}\n'.encode()


def item(key: str, value: str) -> bytes:
    return f'{{"Item":{{"id":{{"S":"{key}"}},"v":{{"S":"{value}"}}}}}}\n'.encode()


def test_what_copies_find_in_the_base_is_added_to_the_first_input() -> None:
    changes = [change("a", "1", "2"), change("b", "1"), change("new", new="1"), change("unknown", "1")]
    builder, images = ChangedKeysBuilder(FORM.keys), OldImages()
    builder.add(make_block(b"".join(changes)), 0, FORM)
    images.add_block(make_block(b"".join(changes)), FORM, "1/data/y.json.gz")
    first = MergeInput(builder.build(), (FORM,), {"1/data/y.json.gz": 0}, images=images)
    assert first.changed.applied() == Applied(inserted=2, updated=0, deleted=0, unknown=2)
    for line in (item("a", "1"), item("b", "other") + item("c", "1")):
        copy: MergeInput = pickle.loads(pickle.dumps(first))
        lines = copy.lines()
        lines.begin(BASE)
        left = b"".join(block.data[: block.size].tobytes() for block in lines.translate(make_block(line)))
        assert left.split() == [line for line in [item("c", "1").strip()] if b'"c"' in left]
        assert lines.dropped == 1
        first.absorb(pickle.loads(pickle.dumps(copy.findings())))
    assert first.changed.applied() == Applied(inserted=1, updated=1, deleted=1, unknown=1)
    compared = images.compared()
    # The old image of b is not the item in the base, and the base has no item for the last one.
    assert (compared.images, compared.places) == (4, (("1/data/y.json.gz", 2), ("1/data/y.json.gz", 4)))


def test_the_findings_of_the_same_process_are_there_already() -> None:
    builder = ChangedKeysBuilder(FORM.keys)
    builder.add(make_block(change("a", "1", "2")), 0, FORM)
    merge = MergeInput(builder.build(), (FORM,), {})
    assert merge.changed.has((b"a",))
    merge.absorb(merge.findings())
    assert merge.changed.applied() == Applied(inserted=0, updated=1, deleted=0, unknown=0)
