"""The benchmark of merges on next to no data: both contenders give the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import merges

pytestmark = pytest.mark.slow


def test_ours_and_duckdb_give_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    merges.main(["--json-bytes", "2e6", "--increment-bytes", "2e5", "--rounds", "1", "--work", str(tmp_path)])
    said = capsys.readouterr().out
    assert "rows after the merge, equal in both" in said
    assert said.count("of duckdb") == 2
