"""What is written does not depend on the secrets that the hashes of a run draw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from converter import convert, merge
from converter.kernels import scratch
from converter.kernels.layout import Words
from converter.options import ConvertOptions
from converter.testing import Change, ExportFacts, WindowFacts, write_export, write_incremental_export

START = datetime(2024, 1, 1, tzinfo=UTC)


def random_words() -> Words:
    return np.frombuffer(np.random.default_rng().bytes(16), np.uint64).copy()


SECRETS: list[Callable[[], Words]] = [
    lambda: np.zeros(2, np.uint64),
    lambda: np.full(2, (1 << 64) - 1, np.uint64),
    lambda: np.array([1, 2], np.uint64),
    random_words,
    random_words,
]


def test_two_runs_with_other_secrets_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [
        {
            "id": {"S": f"item {number}"},
            "status": {"S": f"status {number * 7919 % 50}"},
            "price": {"N": f"{number % 13}.{number % 7}"},
            "tags": {"M": {f"name {k}": {"N": str(k)} for k in range(number % 9)}},
            f"sparse {number % 97}": {"S": "x"},
        }
        for number in range(3000)
    ]
    base = write_export(tmp_path / "bucket", items, facts=ExportFacts(export_time=START))
    changes = [
        Change(keys={"id": f"item {n}"}, new={"id": f"item {n}", "status": "new"} if n % 3 else None, written=START)
        for n in range(0, 4000, 5)
    ]
    window = WindowFacts(from_time=START, to_time=START + timedelta(hours=1))
    increment = write_incremental_export(tmp_path / "bucket", changes, facts=window)
    options = ConvertOptions(format="csv,parquet", key=("id",))
    found = []
    for number, secret in enumerate(SECRETS):
        monkeypatch.setattr(scratch, "new_secret", secret)
        out = tmp_path / f"out{number}"
        convert(str(base.folder), str(out / "full"), options)
        convert(str(increment.folder), str(out / "changes"), options)
        merge(str(base.folder), [str(increment.folder)], str(out / "merged"), options)
        parts = sorted(path for suffix in ("csv", "parquet") for path in out.rglob(f"*.{suffix}"))
        found.append({str(path.relative_to(out)): path.read_bytes() for path in parts})
    assert len(found[0]) == 6
    assert all(other == found[0] for other in found[1:])
