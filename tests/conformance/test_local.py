"""Folders keep the rules for stores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from converter.storage.destination import Destination
from converter.storage.intent import Intent, PendingPart, Removal
from converter.storage.local import LocalDestination, LocalSource
from converter.storage.source import Source
from tests.conformance.suites import EXPORT, FOLDER, OTHER, OTHER_FOLDER, DestinationSuite, SourceSuite


class TestLocalSource(SourceSuite):
    """Folders of this machine."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "source"

    def make_source(self, files: Mapping[str, bytes]) -> Source:
        for path, content in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return LocalSource(str(self.folder))


class TestLocalDestination(DestinationSuite):
    """Folders of this machine."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "not" / "there"

    def open_destination(self) -> Destination:
        return LocalDestination(str(self.folder))

    def listing(self) -> dict[str, bytes]:
        found = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in found.items()}


def test_an_intent_survives_its_way_through_json() -> None:
    parts = (PendingPart("0.parquet", 5, "ab" * 32, "0.parquet.pending"), PendingPart("ü.csv", 0, "0" * 64, "{}", 1))
    intent = Intent(
        EXPORT,
        f".run-{EXPORT}-x",
        (FOLDER, f"second/{EXPORT}"),
        '{"ü": "\\n"}\n',
        parts,
        (Removal(OTHER, OTHER_FOLDER), Removal("x", "")),
    )
    assert Intent.from_json(intent.to_json(), "intent.json") == intent
