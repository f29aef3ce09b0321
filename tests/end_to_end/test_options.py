"""Every option of `convert` changes what a user sees: each is flipped once, and the difference is looked for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from converter import AwsOptions
from converter.cli import main
from converter.cli.convert import ConvertArguments
from converter.decode.buffers import BATCH_ROWS
from converter.testing import Change, ExportFacts, WindowFacts, write_incremental_export
from tests.end_to_end.exports import export_of, line, small_lines
from tests.oracle import read_csv_rows
from tests.times import EPOCH

LATE = ExportFacts(export_time=datetime(2023, 11, 27, 23, 30, tzinfo=UTC))
LINES = [
    line(id='{"S":"a"}', b='{"N":"0.1"}', mixed='{"S":"text"}', rare='{"S":"x"}'),
    line(id='{"S":"b"}', b='{"N":"12345678901234567890.25"}', mixed='{"N":"5"}'),
]


@dataclass
class Outcome:
    """How one command line ended, and what it left in DEST."""

    code: int
    stdout: str
    stderr: str
    dest: Path

    @property
    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.dest)) for path in self.dest.glob("dt=*/**/*") if path.is_file())

    @property
    def columns(self) -> dict[str, str]:
        [part] = self.dest.glob("**/*.parquet")
        return {field.name: str(field.type) for field in pq.ParquetFile(part).schema_arrow}

    def values(self, column: str) -> list[object]:
        [part] = self.dest.glob("**/*.parquet")
        return list(pq.ParquetFile(part).read([column])[column].to_pylist())

    @property
    def report(self) -> dict[str, object]:
        [record] = (self.dest / "_exports").glob("*.json")
        document: dict[str, object] = json.loads(record.read_bytes())
        return document


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `convert` on the export of LINES, or on another source, into a destination of its own or a given one."""
    for name in ("COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)
    export = export_of(tmp_path / "bucket", LINES, facts=LATE)
    made = 0

    def run(*options: str, source: Path = export.folder, dest: Path | None = None) -> Outcome:
        nonlocal made
        made += 1
        dest = dest or tmp_path / f"out{made}"
        code = main.run(["convert", str(source), str(dest), *options])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err, dest)

    return run


def flip_for_(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "named", [line(orderId='{"S":"a"}', time='{"S":"b"}')]).folder
    done = run("--for", "treasure-data", source=source)
    [part] = done.dest.glob("dt=*/**/*.csv.gz")
    assert gzip.decompress(part.read_bytes()).decode().splitlines() == ["orderid,time_1,time", "a,b,1701065507"]
    assert (
        "--for treasure-data sets --format csv --compression gzip --names treasure-data --add-column time=unix_time"
        in done.stderr
    )
    other = run("--for", "athena", "--names", "preserve", source=source)
    assert list(other.columns) == ["orderId", "time"]
    assert "--for athena sets --format parquet --compression zstd\n" in other.stderr


def flip_format(run: Run, tmp_path: Path) -> None:
    assert [name.rpartition(".")[2] for name in run().files] == ["parquet"]
    assert [name.rpartition(".")[2] for name in run("--format", "csv").files] == ["csv"]


def flip_compression(run: Run, tmp_path: Path) -> None:
    def codec(outcome: Outcome) -> str:
        [part] = outcome.dest.glob("**/*.parquet")
        return str(pq.ParquetFile(part).metadata.row_group(0).column(0).compression)

    assert (codec(run()), codec(run("--compression", "snappy"))) == ("ZSTD", "SNAPPY")


def flip_encoding(run: Run, tmp_path: Path) -> None:
    def encodings(outcome: Outcome) -> set[str]:
        [part] = outcome.dest.glob("**/*.parquet")
        group = pq.ParquetFile(part).metadata.row_group(0)
        return {name for i in range(group.num_columns) for name in group.column(i).encodings}

    assert encodings(run()) <= {"PLAIN", "RLE", "RLE_DICTIONARY"}
    assert "DELTA_BYTE_ARRAY" in encodings(run("--encoding", "compact"))


def flip_layout(run: Run, tmp_path: Path) -> None:
    assert (run().dest / "dt=2023-11-27").is_dir()
    other = run("--layout", "{table}/day={date}")
    assert (other.dest / "Orders" / "day=2023-11-27").is_dir()
    assert other.files == []


def flip_timezone(run: Run, tmp_path: Path) -> None:
    assert (run("--timezone", "Asia/Tokyo").dest / "dt=2023-11-28").is_dir()


def flip_numbers(run: Run, tmp_path: Path) -> None:
    types = [run("--numbers", numbers).columns["b"] for numbers in ("exact", "double", "text")]
    assert types == ["decimal128(38, 2)", "double", "string"]


def flip_mixed(run: Run, tmp_path: Path) -> None:
    assert run().values("mixed") == ["text", "5"]
    assert run("--mixed", "json").values("mixed") == ['{"S":"text"}', '{"N":"5"}']
    failed = run("--mixed", "fail")
    assert (failed.code, failed.dest.exists()) == (4, False)
    assert "'mixed'" in failed.stderr


def flip_key(run: Run, tmp_path: Path) -> None:
    assert list(run().columns) == ["b", "id", "mixed", "rare"]
    assert list(run("--key", "rare,id").columns) == ["rare", "id", "b", "mixed"]


def flip_select(run: Run, tmp_path: Path) -> None:
    assert list(run("--select", "rare", "--select", "id").columns) == ["id", "rare"]


def flip_exclude(run: Run, tmp_path: Path) -> None:
    assert list(run("--exclude", "rare,id").columns) == ["b", "mixed"]


def flip_where(run: Run, tmp_path: Path) -> None:
    assert run("--where", "attribute_exists(rare)").values("id") == ["a"]
    assert run("--where", "NOT mixed > 4").values("id") == ["a"]


def flip_max_columns(run: Run, tmp_path: Path) -> None:
    failed = run("--max-columns", "3")
    assert (failed.code, failed.dest.exists()) == (4, False)
    assert run("--max-columns", "4").code == 0


def flip_overflow(run: Run, tmp_path: Path) -> None:
    done = run("--max-columns", "3", "--overflow", "_more")
    assert list(done.columns) == ["b", "id", "_more"]
    assert done.values("_more") == ['{"mixed":"text","rare":"x"}', '{"mixed":5}']


def flip_schema(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{"version": 1, "columns": [{"attribute": "b", "name": "c", "type": "string"}]}')
    assert next(iter(run("--schema", str(file)).columns.items())) == ("c", "string")
    missing = run("--schema", str(tmp_path / "none"))
    assert (missing.code, "can't be read" in missing.stderr) == (2, True)


def flip_evolve(run: Run, tmp_path: Path) -> None:
    dest = run().dest
    facts = ExportFacts(export_time=datetime(2024, 5, 1, tzinfo=UTC), seed=5)
    later = export_of(tmp_path / "later", [line(b='{"S":"text"}')], facts=facts).folder
    assert run(source=later, dest=dest).code == 4
    assert run("--evolve", source=later, dest=dest).code == 0


def flip_names(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "named", [line(orderId='{"S":"a"}', time='{"S":"b"}')]).folder
    columns = [list(run("--names", names, source=source).columns) for names in ("preserve", "snake", "treasure-data")]
    assert columns == [["orderId", "time"], ["order_id", "time"], ["orderid", "time_1"]]
    assert "attribute 'time' is in column 'time_1'" in run("--names", "treasure-data", source=source).stderr


def flip_rename(run: Run, tmp_path: Path) -> None:
    done = run("--rename", "rare=seldom", "--rename", "b=id")
    assert list(done.columns) == ["id", "id_1", "mixed", "seldom"]
    misspelt = run("--rename", "rar=seldom")
    assert (misspelt.code, "seldom" in misspelt.columns) == (0, False)
    assert "did you mean 'rare'" in misspelt.stderr


def flip_cast(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "times", [line(at='{"S":"2024-05-01T12:00:00Z"}')]).folder
    assert run(source=source).columns == {"at": "string"}
    assert run("--cast", "at=timestamp", source=source).columns == {"at": "timestamp[us, tz=UTC]"}
    assert run("--cast", "id=timestamp").code == 4


def flip_time(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "times", [line(at='{"S":"1970-01-01T00:01:00.5Z"}')]).folder
    done = run("--time", "at", source=source)
    assert (done.columns, done.values("time")) == ({"time": "int64"}, [60])
    assert "1 times are cut to the second below" in done.stderr


def flip_time_default(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "times", [line(at='{"S":"1970-01-01"}'), line(b='{"S":"x"}')]).folder
    assert "1 items have no time of their own" in run("--time", "at", source=source).stderr
    done = run("--time", "at", "--time-default", "export_time", source=source)
    assert done.values("time") == [0, 1_701_065_507]
    assert "\n  times    time (1 without a time)\n" in done.stderr
    assert run("--time", "at", "--time-default", "fail", source=source).code == 4


def flip_on_bad_time(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "times", [line(at='{"S":"1970-01-01"}'), line(at='{"S":""}')]).folder
    assert run("--cast", "at=timestamp", source=source).code == 4
    done = run("--cast", "at=timestamp", "--on-bad-time", "null", source=source)
    assert done.values("at") == [EPOCH, None]
    assert "1 values are not times and became null (the first at " in done.stderr


def flip_on_fine_time(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "times", [line(at='{"S":"1970-01-01T00:00:00.0000009Z"}')]).folder
    assert run("--cast", "at=timestamp", source=source).code == 4
    done = run("--cast", "at=timestamp", "--on-fine-time", "truncate", source=source)
    assert done.values("at") == [EPOCH]
    assert "1 times are cut to the microsecond below (the first at " in done.stderr


def flip_add_column(run: Run, tmp_path: Path) -> None:
    done = run("--add-column", "day=date,at=unix_time", "--timezone", "Asia/Tokyo")
    assert list(done.columns)[-2:] == ["day", "at"]
    assert (done.values("day"), done.values("at")) == (["2023-11-28"] * 2, [1_701_127_800] * 2)


def flip_old_image(run: Run, tmp_path: Path) -> None:
    facts = WindowFacts()
    image = {"id": "a", "n": 1}
    change = Change(keys={"id": "a"}, old=image, new=image, written=facts.from_time)
    source = write_incremental_export(tmp_path / "changes", [change], facts=facts).folder
    assert list(run(source=source).columns) == ["_op", "_write_ts", "id", "n"]
    done = run("--old-image", source=source)
    assert list(done.columns) == ["_op", "_write_ts", "id", "n", "_old"]
    assert done.values("_old") == ['{"id":"a","n":1}']


def flip_nul(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "nul", [line(id='{"S":"a\\u0000b"}')]).folder
    texts = [run("--nul", nul, source=source).values("id") for nul in ("keep", "drop", "replace")]
    assert texts == [["a\0b"], ["ab"], ["a\ufffdb"]]
    failed = run("--nul", "fail", source=source)
    assert (failed.code, failed.dest.exists()) == (4, False)


def flip_csv_bom(run: Run, tmp_path: Path) -> None:
    def begins(*options: str) -> bool:
        [part] = run("--format", "csv", *options).dest.glob("**/*.csv")
        return part.read_bytes().startswith(b"\xef\xbb\xbf")

    assert [begins(), begins("--csv-bom")] == [False, True]


def flip_part_size(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "long", small_lines(BATCH_ROWS + 1)).folder
    assert len(run(source=source).files) == 1
    assert len(run("--part-size", "4KiB", source=source).files) == 2
    for size in ("96", "4095"):
        refused = run("--part-size", size, source=source)
        assert (refused.code, refused.dest.exists()) == (2, False)


def flip_workers(run: Run, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    source = export_of(tmp_path / "wide", *(small_lines(25_000, start=n * 25_000) for n in range(3))).folder
    before, counts = ThreadPoolExecutor.__init__, []

    def start(pool: ThreadPoolExecutor, max_workers: int, thread_name_prefix: str) -> None:
        if thread_name_prefix == "convert":
            counts.append(max_workers)
        before(pool, max_workers, thread_name_prefix)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "__init__", start)
        for workers in ("1", "3"):
            assert run("--workers", workers, source=source).code == 0
    assert counts == [1, 3]


def flip_latest(run: Run, tmp_path: Path) -> None:
    for day in (1, 3, 2):
        facts = ExportFacts(export_time=datetime(2024, 1, day, tzinfo=UTC))
        export_of(tmp_path / "several", [line(id=f'{{"S":"day {day}"}}')], facts=facts)
    refused = run(source=tmp_path / "several")
    assert (refused.code, refused.dest.exists()) == (2, False)
    assert [f"2024-01-0{day}" in refused.stderr for day in (1, 2, 3)] == [True] * 3
    assert "--latest" in refused.stderr
    assert run("--latest", source=tmp_path / "several").values("id") == ["day 3"]


def flip_export_id(run: Run, tmp_path: Path) -> None:
    exports = [
        export_of(tmp_path / "several", [line(id=f'{{"S":"seed {seed}"}}')], facts=ExportFacts(seed=seed))
        for seed in (1, 2, 3)
    ]
    assert run("--export-id", exports[1].export_id, source=tmp_path / "several").values("id") == ["seed 2"]
    refused = run("--export-id", "01701065507109-00000000", source=tmp_path / "several")
    assert (refused.code, refused.dest.exists()) == (2, False)
    assert all(export.export_id in refused.stderr for export in exports)


def flip_no_verify(run: Run, tmp_path: Path) -> None:
    export = export_of(tmp_path / "edited", LINES)
    manifest = export.files.read_text().replace('"itemCount":2', '"itemCount":3')
    export.files.write_text(manifest)
    assert run(source=export.folder).code == 3
    done = run("--no-verify", source=export.folder)
    assert (done.code, done.values("id"), done.report["verified"]) == (0, ["a", "b"], False)
    assert "nothing (--no-verify)" in done.stderr


def flip_show_values(run: Run, tmp_path: Path) -> None:
    source = export_of(tmp_path / "bad", [line(id='{"S":"a"}', pin='{"N":"secret-007"}')]).folder
    hidden, shown = run(source=source), run("--show-values", source=source)
    assert (hidden.code, shown.code) == (3, 3)
    assert "secret-007" not in hidden.stderr
    assert "secret-007" in shown.stderr


def flip_replace(run: Run, tmp_path: Path) -> None:
    dest = run().dest
    assert run("--numbers", "text", dest=dest).code == 2
    replaced = run("--numbers", "text", "--replace", dest=dest)
    assert (replaced.code, replaced.columns["b"]) == (0, "string")


def flip_dry_run(run: Run, tmp_path: Path) -> None:
    planned = run("--dry-run", "--json")
    assert (planned.code, planned.dest.exists()) == (0, False)
    assert json.loads(planned.stdout)["status"] == "planned"
    assert "would publish 2 items" in planned.stderr


def flip_json(run: Run, tmp_path: Path) -> None:
    assert run().stdout == ""
    assert json.loads(run("--json").stdout)["items"] == 2


def flip_quiet(run: Run, tmp_path: Path) -> None:
    said = run().stderr.splitlines()
    kept = run("--quiet").stderr.splitlines()
    assert kept == [text for text in said if text.startswith("warning: ")]
    assert 0 < len(kept) < len(said)


def flip_log_format(run: Run, tmp_path: Path) -> None:
    events = [json.loads(text) for text in run("--log-format", "json").stderr.splitlines()]
    assert {event["level"] for event in events} == {"info", "warning"}
    assert events[-1]["report"]["status"] == "published"


FLIPS = {name.removeprefix("flip_"): test for name, test in list(globals().items()) if name.startswith("flip_")}


def test_no_option_is_forgotten_here() -> None:
    of_aws = {field.name for field in fields(AwsOptions)}  # in test_aws_options.py
    assert set(FLIPS) == {field.name for field in fields(ConvertArguments)} - {"source", "dest"} - of_aws


@pytest.mark.parametrize("option", FLIPS)
def test_an_option_changes_what_a_user_sees(option: str, run: Run, tmp_path: Path) -> None:
    FLIPS[option](run, tmp_path)


def test_a_csv_report_and_part_agree_on_the_columns(run: Run) -> None:
    done = run("--format", "csv", "--key", "rare", "--numbers", "double")
    header, rows = read_csv_rows(done.dest.glob("dt=*/**/*.csv"))
    assert header == ["rare", "b", "id", "mixed"]
    # A double's text says what it holds, not what the item held.
    assert [row[1] for row in rows] == ["0.1", "12345678901234567000"]
