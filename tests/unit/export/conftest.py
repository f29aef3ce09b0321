"""Exports to read: small ones in a temporary folder, and the real ones where there are any."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.unit.export.manifests import MakeExport, entry, full_summary, write_manifests


@pytest.fixture
def make_export(tmp_path: Path) -> MakeExport:
    """Makes an export under tmp_path/AWSDynamoDB (or `under`) and returns its folder; data files have one line each."""

    def make(
        summary: dict[str, object] | None = None, *, files: int = 2, under: str = "AWSDynamoDB", alone: bool = False
    ) -> Path:
        summary = full_summary() if summary is None else summary
        export_id = str(summary["exportArn"]).rsplit("/", 1)[1]
        folder = tmp_path / under / export_id
        changes = "exportFromTime" in summary
        data = folder.parent / "data" if changes and not alone else folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        entries = []
        for number in range(files):
            content = gzip.compress(b'{"Item":{"id":{"N":"%d"}}}\n' % number)
            name = f"{export_id[-8:]}file{number}.json.gz"
            (data / name).write_bytes(content)
            tail = "data" if changes else f"{export_id}/data"
            entries.append(entry(f"some/prefix/AWSDynamoDB/{tail}/{name}", content))
        write_manifests(folder, summary, entries)
        return folder

    return make


def _real_exports() -> list[Path | None]:
    folder = os.environ.get("SAMPLE_EXPORTS")
    return [*sorted(path.parent for path in Path(folder).glob("**/manifest-summary.json"))] if folder else [None]


@pytest.fixture(params=_real_exports(), ids=lambda path: path.name if path else "none")
def real_export(request: pytest.FixtureRequest) -> Path:
    """The folder of an export that the service wrote, one after the other."""
    if request.param is None:
        pytest.skip("SAMPLE_EXPORTS is not set")
    return Path(request.param)
