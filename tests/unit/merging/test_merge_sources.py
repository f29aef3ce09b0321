"""Several sources as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.merging.merge_sources import CombinedSource
from converter.storage.local import LocalSource


@pytest.fixture
def joined(tmp_path: Path) -> CombinedSource:
    for name in ("one", "two"):
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "data" / "x.json").write_text(name)
    (tmp_path / "two" / "more.json").write_text("more")
    return CombinedSource([LocalSource(str(tmp_path / name)) for name in ("one", "two")])


def test_a_path_begins_with_the_number_of_its_source(joined: CombinedSource, tmp_path: Path) -> None:
    assert joined.read("0/data/x.json") == b"one"
    assert joined.read("1/data/x.json") == b"two"
    assert joined.child("1/data/x.json") == f"{tmp_path}/two/data/x.json"
    assert (joined.size("1/more.json"), joined.size("0/more.json")) == (4, None)
    assert joined.sizes("1/data") == {"x.json": 3}
    assert joined.folders("0/") == ["data"]
    with pytest.raises(FileNotFoundError):
        joined.open("0/more.json")


def test_each_source_hears_of_its_own_paths_ahead(joined: CombinedSource) -> None:
    heard: dict[str, list[str]] = {}

    class Listening(LocalSource):
        def prefetch(self, paths):  # type: ignore[no-untyped-def]
            heard[self.root] = list(paths)
            return super().prefetch(paths)

    places = [source.root for source in joined._sources]
    listening = CombinedSource([Listening(place) for place in places])
    with listening.prefetch(["1/data/x.json", "0/data/x.json", "1/more.json"]):
        assert heard == {places[0]: ["data/x.json"], places[1]: ["data/x.json", "more.json"]}
