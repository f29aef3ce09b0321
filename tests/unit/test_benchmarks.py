from __future__ import annotations

import gzip
import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest

from benchmarks import data, run
from benchmarks.contenders import Contender
from benchmarks.data import DataParameters, prepare_export
from benchmarks.datasets import DATASETS
from benchmarks.measure import BenchmarkError, Job, Run, Timing, measure, run_once
from benchmarks.results import Result, Sized, from_json, keep_result, render, to_json
from benchmarks.verify import check_outputs, read_contents
from converter.testing import plain_number

SMALL = DataParameters(json_bytes=200_000, files=3)
HEADER = "active,created_at,deleted_at,email,note,pk,price,quantity,score,status,user_id"
ROWS = ("true,2023,,a@example.com,hello,p1,1.5,2,0.5,new,7", 'false,2023,,b@example.com,"a ""b""",p2,2,1,0.25,new,8')


def python(name: str, code: str, *arguments: str) -> Contender:
    return Contender(name, ("{python}", "-c", code, *arguments))


def a_job(tmp_path: Path) -> Job:
    return Job(tmp_path, "csv", 2)


def numbers_of(value: object) -> Iterator[str]:
    """All N and NS below a value in DynamoDB JSON."""
    if isinstance(value, dict):
        for tag, member in value.items():
            if tag == "N" and isinstance(member, str):
                yield member
            elif tag == "NS":
                yield from member
            else:
                yield from numbers_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from numbers_of(member)


def write_csv(folder: Path, *rows: str) -> Path:
    folder.mkdir()
    (folder / "a.csv").write_text("\n".join((HEADER, *rows, "")))
    return folder


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", DATASETS)
def test_a_made_exports_manifests_agree_with_its_data_files(name: str, tmp_path: Path) -> None:
    made = prepare_export(replace(SMALL, dataset=name), tmp_path, processes=1)
    entries = [json.loads(line) for line in (made.folder / "manifest-files.json").read_bytes().splitlines()]
    lines = 0
    for entry in entries:
        compressed = (made.folder.parent.parent / entry["dataFileS3Key"]).read_bytes()
        assert b64decode(entry["md5Checksum"]) == md5(compressed).digest()
        assert gzip.decompress(compressed).count(b"\n") == entry["itemCount"]
        lines += entry["itemCount"]
    assert lines == made.items > 0
    assert len(entries) == made.files == SMALL.files
    assert made.gzip_bytes == sum(path.stat().st_size for path in (made.folder / "data").iterdir())


@pytest.mark.parametrize("name", DATASETS)
def test_a_made_export_is_as_large_as_wanted_but_for_a_line_a_file(name: str, tmp_path: Path) -> None:
    made = prepare_export(replace(SMALL, dataset=name), tmp_path, processes=1)
    texts = [gzip.decompress(path.read_bytes()) for path in (made.folder / "data").iterdir()]
    assert made.json_bytes == sum(map(len, texts))
    longest = max(len(line) for text in texts for line in text.splitlines(keepends=True))
    assert SMALL.json_bytes - SMALL.files * longest < made.json_bytes <= SMALL.json_bytes


@pytest.mark.parametrize("name", DATASETS)
def test_lines_are_compact_items_with_numbers_in_the_services_plain_form(name: str) -> None:
    for line in DATASETS[name].make_lines(np.random.default_rng(5), 500):
        item = json.loads(line)
        assert json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n" == line
        found = list(numbers_of(item["Item"]))
        assert found
        assert [plain_number(Decimal(number)) for number in found] == found


@pytest.mark.parametrize("name", DATASETS)
def test_the_columns_to_check_hold_scalars_of_their_type_alone(name: str) -> None:
    dataset = DATASETS[name]
    items = [json.loads(line)["Item"] for line in dataset.make_lines(np.random.default_rng(6), 500)]
    for columns, allowed in ((dataset.texts, {"S", "NULL"}), (dataset.numbers, {"N"})):
        for column in columns:
            tags = {tag for item in items if column in item for tag in item[column]}
            assert tags
            assert tags <= allowed


def test_flat_items_have_eleven_attributes_in_a_few_orders() -> None:
    items = [json.loads(line)["Item"] for line in DATASETS["flat"].make_lines(np.random.default_rng(7), 3000)]
    assert len({name for item in items for name in item}) == 11
    full_orders = {tuple(item) for item in items if len(item) == 11}
    assert 1 < len(full_orders) <= 4
    assert len({item["pk"]["S"] for item in items}) == len(items)
    assert {tuple(item["deleted_at"]) for item in items if "deleted_at" in item} == {("S",), ("NULL",)}
    assert 0 < sum("deleted_at" in item for item in items) < 600
    assert 0 < sum("note" not in item for item in items) < 900


def test_single_table_items_have_every_nested_type_and_a_mixed_attribute() -> None:
    items = [json.loads(line)["Item"] for line in DATASETS["single"].make_lines(np.random.default_rng(8), 500)]
    assert {tag for item in items for value in item.values() for tag in value} == {
        "S", "N", "BOOL", "M", "L", "SS", "NS",
    }  # fmt: skip
    assert {tag for item in items if "value" in item for tag in item["value"]} == {"S", "N"}


def test_the_same_parameters_give_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    first = prepare_export(SMALL, tmp_path / "a", processes=1)
    second = prepare_export(SMALL, tmp_path / "b", processes=2)
    other = prepare_export(replace(SMALL, seed=2), tmp_path / "a", processes=1)
    assert all_bytes(first.folder) == all_bytes(second.folder)
    assert all_bytes(first.folder / "data").keys().isdisjoint(all_bytes(other.folder / "data"))


def test_an_export_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepare_export(SMALL, tmp_path, processes=1)
    monkeypatch.delattr(data, "make_export")
    assert prepare_export(SMALL, tmp_path, processes=1) == made


def test_an_export_whose_making_failed_is_not_taken_for_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rng: np.random.Generator, count: int) -> list[str]:
        raise RuntimeError("no more space")

    monkeypatch.setitem(DATASETS, "flat", replace(DATASETS["flat"], make_lines=fail))
    with pytest.raises(RuntimeError, match="no more space"):
        prepare_export(SMALL, tmp_path, processes=1)
    assert list((tmp_path / "data").iterdir()) == []


def test_contenders_take_turns_in_new_folders_and_the_first_round_does_not_count(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import os, sys; os.mkdir(sys.argv[2]); open(sys.argv[3], 'a').write(sys.argv[1])"
    a, b = (python(name, code, name, "{out}", str(log)) for name in "AB")
    seen: dict[str, Path] = {}

    def check(outs: dict[str, Path]) -> None:
        seen.update(outs)
        assert all(out.is_dir() for out in outs.values())

    timings = measure([a, b], a_job(tmp_path), 2, tmp_path / "scratch", check)
    assert log.read_text() == "ABABAB"
    assert [(timing.contender, len(timing.runs)) for timing in timings] == [("A", 2), ("B", 2)]
    assert seen.keys() == {"A", "B"}
    assert not any(out.exists() for out in seen.values())


def test_a_run_has_the_time_the_cpu_and_the_peak_of_its_process(tmp_path: Path) -> None:
    code = """if True:
        import time
        held = b"x" * 300_000_000
        time.sleep(0.2)
        while time.process_time() < 0.3:
            pass
    """
    measured = run_once(python("busy", code), a_job(tmp_path), tmp_path / "out")
    assert measured.seconds >= 0.4
    assert measured.cpu_seconds >= 0.29
    assert 300_000_000 < measured.peak_bytes < 1_200_000_000


def test_a_contender_that_fails_ends_the_measure_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"(?s)broken ended with 3.*out of ideas"):
        run_once(
            python("broken", "import sys; print('out of ideas', file=sys.stderr); sys.exit(3)"),
            a_job(tmp_path),
            tmp_path / "out",
        )


def test_a_command_line_has_its_blanks_filled(tmp_path: Path) -> None:
    contender = Contender("x", ("{python}", "x.py", "{source}", "{out}", "--format={format}", "-w{workers}"))
    command = contender.command(source=tmp_path / "s", out=tmp_path / "o", fmt="csv", workers=3)
    assert command == [sys.executable, "x.py", str(tmp_path / "s"), str(tmp_path / "o"), "--format=csv", "-w3"]


def test_equal_outputs_pass_and_others_are_told_by_column(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    right = write_csv(tmp_path / "a", *ROWS)
    check_outputs("flat", "csv", 2, {"A": right, "B": write_csv(tmp_path / "b", *reversed(ROWS))})
    rounded = write_csv(tmp_path / "rounded", ROWS[0].replace(",1.5,", ",2,"), ROWS[1])
    with pytest.raises(BenchmarkError, match=r"sum of price is 4\.0+ in the output of B, 3\.50+ in A's"):
        check_outputs("flat", "csv", 2, {"A": right, "B": rounded})


def test_an_output_that_lacks_an_item_is_told(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    with pytest.raises(BenchmarkError, match="B wrote 1 rows of 2 items"):
        check_outputs("flat", "csv", 2, {"B": write_csv(tmp_path / "b", ROWS[0])})


@pytest.mark.parametrize(
    ("note", "differs"),
    [("hell", {"characters of note"}), ('""', {"characters of note"}), ("", {"characters of note", "count of note"})],
)
def test_contents_tell_shorter_empty_and_absent_texts_apart(note: str, differs: set[str], tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    whole = read_contents("flat", "csv", write_csv(tmp_path / "a", *ROWS))
    changed = read_contents("flat", "csv", write_csv(tmp_path / "b", ROWS[0].replace("hello", note), ROWS[1]))
    assert {what for what in whole if whole[what] != changed[what]} == differs


def a_result(measure_name: str, *sizes: Sized) -> Result:
    return Result(
        measure=measure_name,
        dataset="flat",
        about="a table",
        fmt="csv",
        workers=2,
        machine="a machine",
        versions="Python 3",
        baseline="peer" if measure_name == "speed" else None,
        sizes=sizes,
    )


def a_size(scale: int) -> Sized:
    ours = Timing("ours", (Run(2.0, 3.0, 10**8), Run(1.0, 3.0, 10**8), Run(4.0, 3.0, scale * 10**8)), 5)
    peer = Timing("peer", (Run(5.0, 9.0, 10**9),) * 3, 6)
    return Sized(json_bytes=scale * 10**9, gzip_bytes=scale * 10**8, items=7, files=8, timings=(ours, peer))


def test_speed_is_shown_with_medians_and_its_ratio_to_the_peer() -> None:
    text = render(a_result("speed", a_size(1)))
    assert "| ours | 500 | 2.50 | 2.00 (1.00–4.00) | 3.00 | 100 | 0 |" in text
    assert "| peer | 200 | 1.00 |" in text


def test_memory_is_shown_as_multiples_of_the_smallest_size() -> None:
    text = render(a_result("memory", a_size(1), a_size(4)))
    assert "| 1,000 | ours | 100 | 1.00 |" in text
    assert "| 4,000 | ours | 400 | 4.00 |" in text


def test_results_are_kept_and_replace_older_ones_of_the_same_measure(tmp_path: Path) -> None:
    memory = a_result("memory", a_size(1), a_size(4))
    assert from_json(to_json(memory)) == memory
    keep_result(memory, tmp_path)
    keep_result(a_result("speed", a_size(3)), tmp_path)
    keep_result(a_result("speed", a_size(1)), tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert text.count("## Speed: `flat` to CSV") == text.count("## Memory: `flat` to CSV") == 1
    assert text.index("## Speed") < text.index("## Memory")
    assert "3,000 MB of JSON" not in text


@pytest.mark.parametrize("fmt", run.FORMATS)
def test_a_quick_run_of_both_ways_to_use_duckdb_agrees_and_keeps_nothing(
    fmt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.delattr(run, "keep_result")
    arguments = [
        "--quick",
        "--format",
        fmt,
        "--work",
        str(tmp_path),
        "--only",
        "DuckDB",
        "--only",
        "DuckDB (read_json)",
    ]
    assert run.main(arguments) == 0
    said = capsys.readouterr()
    assert "| DuckDB (read_json) |" in said.out
    assert said.err == ""


def test_an_unknown_contender_is_an_error_that_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--quick", "--only", "duck"]) == 1
    assert "no contender is called 'duck'; there are ddb-convert, DuckDB" in capsys.readouterr().err
