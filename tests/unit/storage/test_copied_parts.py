"""Parts that a process writes which does not hold the lease: committed by the one that does, or gone."""

from __future__ import annotations

import pickle
from pathlib import Path

from converter.storage import open_destination
from converter.storage.destination import PartStore
from converter.storage.intent import PendingPart

EXPORT, FOLDER = "e", "dt=1/e"


def write(store: PartStore, content: bytes) -> PendingPart:
    sink = store.open_part("0.parquet")
    sink.write(content)
    (part,) = store.settle([sink.finish()])
    return part


def test_several_processes_may_write_a_part_of_one_name_and_one_of_them_is_published(tmp_path: Path) -> None:
    with open_destination(str(tmp_path)).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        copies: list[PartStore] = [pickle.loads(pickle.dumps(staging)) for _ in range(2)]
        copies.append(pickle.loads(pickle.dumps(copies[0])))
        stores = zip([staging, *copies], (b"a", b"b", b"c", b"d"), strict=True)
        parts = [write(store, content) for store, content in stores]
        assert len({part.receipt for part in parts}) == 4
        copies[0].discard(parts[1])
        left = copies[1].open_part("1.parquet")
        left.write(b"not finished")
        staging.commit(b"{}", [parts[2]])
        left.abort()
    assert (tmp_path / FOLDER / "0.parquet").read_bytes() == b"c"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["0.parquet", "e.json"]
