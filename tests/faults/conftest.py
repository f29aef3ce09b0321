"""What the tests of faults share."""

from __future__ import annotations

import pytest

from converter.options import ConvertOptions
from converter.testing import write_split_export
from tests.end_to_end.exports import small_lines
from tests.faults.s3_runs import Case, make_case, one_shard
from tests.servers.s3 import S3Server


@pytest.fixture(scope="session")
def case(ministack: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Three shards, a part each."""
    folder = tmp_path_factory.mktemp("three-parts")
    export = write_split_export(folder / "bucket", [list(small_lines(25_500, start=n * 30_000)) for n in range(3)])
    return make_case(ministack, export, ConvertOptions(), folder / "out")


@pytest.fixture(scope="session")
def small(ministack: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A single part."""
    folder = tmp_path_factory.mktemp("one-part")
    return make_case(ministack, one_shard(folder / "bucket"), ConvertOptions(), folder / "out")
