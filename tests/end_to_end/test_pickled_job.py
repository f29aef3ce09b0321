"""Shards whose pickled jobs are run in other processes, and whose parts are published by this one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from converter import ConvertOptions, MergeRules, convert
from converter.aws.access import AwsOptions
from converter.conversion.export_run import convert_export
from converter.conversion.job import Engine, Job, PassResult, Shard
from converter.conversion.pass_context import PassContext
from converter.conversion.passes import Execution
from converter.conversion.progress import SilentListener
from converter.engines.local import run_shards
from converter.merging.pipeline import Merge, merge_exports
from converter.publishing.report import Report
from converter.testing import ExportFacts, write_export
from tests.end_to_end.process_engine import process_engine
from tests.end_to_end.test_ion import items as rich_items
from tests.end_to_end.test_merge import ITEMS, base, change, increment
from tests.end_to_end.test_surprises import LAST_LINES, three_shards
from tests.servers.s3 import S3Server

OPTIONS = ConvertOptions(workers=2)


@dataclass(frozen=True)
class Case:
    """A run from a folder of exports to a destination. passes: over all data files."""

    make: Callable[[Path], tuple[Path, ...]]
    options: ConvertOptions = OPTIONS
    rules: MergeRules | None = None
    passes: int = 1

    def run(self, sources: Sequence[Path | str], dest: str, engine: Engine) -> Report:
        """Convert or merge the sources."""
        execution = Execution(AwsOptions(), engine, SilentListener())
        first, *others = map(str, sources)
        if self.rules is None:
            return convert_export(first, dest, self.options, execution)
        wanted = Merge(base=first, increments=tuple(others), dest=dest, rules=self.rules)
        return merge_exports(wanted, self.options, execution)


def in_threads(shards: Sequence[Shard], job: Job, context: PassContext) -> PassResult:
    """Run the shards as usual."""
    return run_shards(shards, job, context, OPTIONS.threads)


def full(folder: Path) -> tuple[Path, ...]:
    return (three_shards(folder).folder,)


def surprising(folder: Path) -> tuple[Path, ...]:
    return (three_shards(folder, LAST_LINES["an attribute"][0]).folder,)


def ion(folder: Path) -> tuple[Path, ...]:
    return (write_export(folder, rich_items()[::10], files=3, facts=ExportFacts(output_format="ION")).folder,)


def incremental(folder: Path) -> tuple[Path, ...]:
    changes = [change(f"i-{n}", {"v": n}, {"v": n + 1, "late": "x"} if n % 3 else None) for n in range(200)]
    return (increment(folder, 0, 1, *changes),)


def steps(folder: Path) -> tuple[Path, ...]:
    """A full export and two increments; one of the old images is not the item before it."""
    first = increment(folder, 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 7}), change("i-2", {"n": 0}, None))
    second = increment(folder, 1, 2, change("i-1", {"n": 7}, None), change("new", None, {"n": 9, "late": "y"}))
    # Their keys are after the first blocks, which are read in this process.
    unchanged = [{"id": f"u-{n}", "n": n, "old": "x" * 60} for n in range(30_000)]
    return base(folder, [*unchanged, *ITEMS]), first, second


def snapshot(folder: Path) -> tuple[Path, ...]:
    """The same with a base that is published already."""
    whole, *increments = steps(folder)
    convert(whole, folder / "items")
    return folder / "items", *increments


CASES = {
    "a full export": Case(full),
    "both formats": Case(full, ConvertOptions(workers=2, format="csv,parquet")),
    "two passes": Case(surprising, passes=2),
    "Ion": Case(ion),
    "an incremental export": Case(incremental),
    "a merge": Case(steps, rules=MergeRules()),
    "a merge with old images": Case(steps, rules=MergeRules(verify=True)),
    "a merge into a snapshot": Case(snapshot, rules=MergeRules()),
}


@pytest.fixture(scope="module")
def in_processes() -> Iterator[Engine]:
    with process_engine() as engine:
        yield engine


def cases() -> Iterator[object]:
    """All from folder to folder, two of them from S3 to S3 too, and the others slowly."""
    for name in CASES:
        yield pytest.param(name, "local", id=f"{name}-local")
        quick = name in ("a full export", "a merge into a snapshot")
        yield pytest.param(name, "s3", id=f"{name}-s3", marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("name", "place"), list(cases()))
def test_parts_that_other_processes_write_are_those_of_an_ordinary_run(
    name: str,
    place: str,
    tmp_path: Path,
    in_processes: Engine,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = CASES[name]
    sources = case.make(tmp_path / "exports")
    expected = case.run(sources, str(tmp_path / "expected"), in_threads)
    if place == "s3":
        server: S3Server = request.getfixturevalue("ministack")
        server.use(monkeypatch)
        bucket = server.new_bucket()
        server.upload(bucket, tmp_path / "exports")
        in_s3 = tuple(f"s3://{bucket}/{path.relative_to(tmp_path / 'exports')}" for path in sources)
        report = case.run(in_s3, f"s3://{bucket}/out", in_processes)
        published = server.listing(bucket, "out/")
        assert server.uploads(bucket) == []
    else:
        # The processes have another current folder.
        monkeypatch.chdir(tmp_path)
        report = case.run(sources, "out", in_processes)
        files = (path for path in Path("out").rglob("*") if path.is_file())
        published = {str(path): path.read_bytes() for path in files}
    assert report.parts == expected.parts
    for part in report.parts:
        assert hashlib.sha256(published[f"out/{part.path}"]).hexdigest() == part.sha256
    assert (report.items, report.columns, report.passes) == (expected.items, expected.columns, expected.passes)
    assert (report.merge, len(report.warnings)) == (expected.merge, len(expected.warnings))
    assert report.passes == case.passes
