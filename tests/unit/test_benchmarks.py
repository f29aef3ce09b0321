from __future__ import annotations

import gzip
import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from decimal import Decimal
from hashlib import md5
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from benchmarks import data, run
from benchmarks.contenders import DDB_CONVERT, PEERS, Contender, Job
from benchmarks.data import DataParameters, ExportSize, MadeExport, prepare_export
from benchmarks.datasets import DATASETS
from benchmarks.measure import BenchmarkError, Case, Run, Timing, measure, run_once
from benchmarks.measures import FULL, MEASURES, SLOW, START, Setting
from benchmarks.readers import digest
from benchmarks.report import write_report
from benchmarks.results import Result, from_json, keep_result, read_results, to_json
from benchmarks.tables import render
from benchmarks.verify import check_outputs, read_contents
from converter.testing import plain_number

SMALL = DataParameters(json_bytes=200_000, files=3)
SIZE = ExportSize("flat", items=7, json_bytes=10**9, gzip_bytes=10**8, files=8)
HEADER = "active,created_at,deleted_at,email,note,pk,price,quantity,score,status,user_id"
ROWS = ("true,2023,,a@example.com,hello,p1,1.5,2,0.5,new,7", 'false,2023,,b@example.com,"a ""b""",p2,2,1,0.25,new,8')


def python(name: str, code: str, *arguments: str) -> Contender:
    return Contender(name, ("{python}", "-c", code, *arguments))


def a_job(tmp_path: Path) -> Job:
    return Job(tmp_path, "csv", 2)


def a_case(contender: Contender, tmp_path: Path) -> Case:
    return Case(
        name=contender.name, contender=contender, export=MadeExport(tmp_path, SIZE), fmt="csv", workers=2, part=FULL
    )


def small(name: str) -> DataParameters:
    """As little as gives each file a few lines."""
    return replace(SMALL, dataset=name, json_bytes=max(SMALL.json_bytes, 4 * SMALL.files * DATASETS[name].line_bytes))


def some_lines(name: str, seed: int) -> list[str]:
    dataset = DATASETS[name]
    return dataset.make_lines(np.random.default_rng(seed), min(500, data.BATCH_BYTES // dataset.line_bytes))


def data_files(made: data.MadeExport) -> list[Path]:
    """In the export's folder, or beside that of an incremental one."""
    return [path for folder in (made.folder, made.folder.parent) for path in folder.glob("data/*.gz")]


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
    made = prepare_export(small(name), tmp_path, processes=1)
    size = made.size
    entries = [json.loads(line) for line in (made.folder / "manifest-files.json").read_bytes().splitlines()]
    lines = 0
    for entry in entries:
        compressed = (made.folder.parent.parent / entry["dataFileS3Key"]).read_bytes()
        assert b64decode(entry["md5Checksum"]) == md5(compressed).digest()
        assert gzip.decompress(compressed).count(b"\n") == entry["itemCount"]
        lines += entry["itemCount"]
    assert lines == size.items > 0
    assert len(entries) == size.files == SMALL.files
    assert size.gzip_bytes == sum(path.stat().st_size for path in data_files(made))


@pytest.mark.parametrize("name", DATASETS)
def test_a_made_export_is_as_large_as_wanted_but_for_a_line_a_file(name: str, tmp_path: Path) -> None:
    parameters = small(name)
    made = prepare_export(parameters, tmp_path, processes=1)
    texts = [gzip.decompress(path.read_bytes()) for path in data_files(made)]
    assert made.size.json_bytes == sum(map(len, texts))
    longest = max(len(line) for text in texts for line in text.splitlines(keepends=True))
    assert parameters.json_bytes - SMALL.files * longest < made.size.json_bytes <= parameters.json_bytes


@pytest.mark.parametrize("name", DATASETS)
def test_lines_are_compact_items_with_numbers_in_the_services_plain_form(name: str) -> None:
    for line in some_lines(name, 5):
        item = json.loads(line)
        assert json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n" == line
        found = list(numbers_of(item))
        assert found or not DATASETS[name].numbers
        assert [plain_number(Decimal(number)) for number in found] == found


@pytest.mark.parametrize("name", DATASETS)
def test_the_columns_to_check_hold_scalars_of_their_type_alone(name: str) -> None:
    dataset = DATASETS[name]
    records = [json.loads(line) for line in some_lines(name, 6)]
    member = "NewImage" if dataset.incremental else "Item"
    items = [record[member] for record in records if member in record]
    for columns, allowed in ((dataset.texts, {"S", "NULL"}), (dataset.numbers, {"N"})):
        for column in columns:
            tags = {tag for item in items if column in item for tag in item[column]}
            assert tags
            assert tags <= allowed


@pytest.mark.parametrize("name", DATASETS)
def test_no_item_has_a_name_twice(name: str) -> None:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    for line in some_lines(name, 9):
        json.loads(line, object_pairs_hook=unique)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_says_about_how_long_its_lines_are(name: str) -> None:
    lines = some_lines(name, 10)
    mean = sum(len(line.encode()) for line in lines) / len(lines)
    assert 0.6 < mean / DATASETS[name].line_bytes < 1.6


def test_large_items_are_near_the_services_limit_but_not_over_it() -> None:
    for line in some_lines("large-items", 11):
        assert 250_000 < len(line.encode()) < 400 * 1024


def test_sparse_items_have_two_thousand_attributes_in_all_and_a_few_each() -> None:
    items = [json.loads(line)["Item"] for line in DATASETS["sparse"].make_lines(np.random.default_rng(12), 3000)]
    assert len({name for item in items for name in item}) == 2000
    assert max(map(len, items)) <= 21


def test_the_keys_of_dynamic_maps_come_once() -> None:
    seen = [json.loads(line)["Item"]["seen"]["M"] for line in some_lines("dynamic-keys", 13)]
    keys = [key for entries in seen for key in entries]
    assert len(set(keys)) == len(keys) > 5000


def test_escapes_are_a_tenth_of_their_lines_and_cjk_lines_are_mostly_long_characters() -> None:
    escapes = "".join(some_lines("escapes", 14))
    assert 0.08 < escapes.count("\\") / len(escapes) < 0.15
    cjk = "".join(some_lines("cjk", 15))
    assert sum(ord(c) > 0x2FFF for c in cjk) * 3 > len(cjk.encode()) / 2


def test_an_empty_export_has_data_files_without_lines(tmp_path: Path) -> None:
    made = prepare_export(DataParameters(json_bytes=0, files=2), tmp_path, processes=1)
    assert (made.size.items, made.size.json_bytes, made.size.files) == (0, 0, 2)


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
    cases = [a_case(python(name, code, name, "{out}", str(log)), tmp_path) for name in "AB"]
    seen: list[Path] = []

    def check(outs: list[Path]) -> None:
        seen.extend(outs)
        assert all(out.is_dir() for out in outs)

    timings = measure(cases, 2, tmp_path / "scratch", check)
    assert log.read_text() == "ABABAB"
    assert [(timing.name, len(timing.runs), timing.size) for timing in timings] == [("A", 2, SIZE), ("B", 2, SIZE)]
    assert len(seen) == 2
    assert not any(out.exists() for out in seen)


def test_every_round_counts_without_one_to_warm_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    case = a_case(python("A", f"open({str(log)!r}, 'a').write('A')"), tmp_path)
    (timing,) = measure([case], 2, tmp_path / "scratch", lambda outs: None, warm=False)
    assert log.read_text() == "AA"
    assert len(timing.runs) == 2


def test_what_a_contender_wants_prepared_is_made_once_before_it_is_timed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    contender = Contender(
        "A",
        ("{python}", "-c", "import sys; assert open(sys.argv[1] + '/made').read() == 'x'", "{prepared}"),
        prepare=(
            *("{python}", "-c"),
            f"import os, sys; os.mkdir(sys.argv[1]); open(sys.argv[1] + '/made', 'w').write('x'); "
            f"open({str(log)!r}, 'a').write('p')",
            "{prepared}",
        ),
    )
    measure([a_case(contender, tmp_path)], 2, tmp_path / "scratch", lambda outs: None)
    assert log.read_text() == "p"


def test_preparing_that_fails_ends_the_measure_with_its_last_words(tmp_path: Path) -> None:
    contender = Contender("A", ("true",), prepare=("{python}", "-c", "import sys; sys.exit('no way')"))
    with pytest.raises(BenchmarkError, match=r"(?s)A ended with 1.*no way"):
        measure([a_case(contender, tmp_path)], 1, tmp_path / "scratch", lambda outs: None)


def test_a_contenders_environment_has_its_blanks_filled(tmp_path: Path) -> None:
    contender = replace(python("A", "import os; assert os.environ['THREADS'] == '2'"), env={"THREADS": "{workers}"})
    run_once(contender, a_job(tmp_path), tmp_path / "out")


def test_a_run_has_the_time_the_cpu_and_the_peak_of_its_process(tmp_path: Path) -> None:
    code = """if True:
        import time
        held = b"x" * 300_000_000
        time.sleep(0.2)
        while time.process_time() < 0.3:
            pass
    """
    # From a process as small as a benchmark's: this one may hold a gigabyte by now, which would count as the child's.
    with ProcessPoolExecutor(1, get_context("spawn")) as small_process:
        measured = small_process.submit(run_once, python("busy", code), a_job(tmp_path), tmp_path / "out").result()
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
    job = Job(tmp_path / "s", "csv", 3, tmp_path / "p")
    words = ("{python}", "x.py", "{source}", "{out}", "--format={format}", "-w{workers}", "{prepared}")
    assert job.fill(words, tmp_path / "o") == [
        *(sys.executable, "x.py", str(tmp_path / "s"), str(tmp_path / "o"), "--format=csv", "-w3"),
        str(tmp_path / "p"),
    ]


def test_a_contender_says_what_it_misses() -> None:
    assert Contender("x", ("sh",), packages=("numpy",), needs=("sh",)).missing() == ""
    assert Contender("x", ("sh",), packages=("numpy", "no-such-thing")).missing() == "the package no-such-thing"
    assert Contender("x", ("sh",), needs=("no-such-program",)).missing() == "the program no-such-program"


@pytest.mark.slow
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


def a_timing(name: str, *seconds: float, part: str = FULL, size: ExportSize = SIZE, peak: int = 10**8) -> Timing:
    runs = tuple(Run(second, 3.0, peak) for second in seconds)
    return Timing(name=name, part=part, workers=2, size=size, runs=runs, out_bytes=5)


def a_result(measure_name: str, *timings: Timing, baseline: str | None = None) -> Result:
    return Result(
        measure=measure_name,
        dataset="flat",
        about="a table",
        fmt="csv",
        machine="a machine",
        versions="Python 3",
        baseline=baseline,
        left_out={"PySpark": "the program java"},
        timings=timings,
    )


def test_speed_is_shown_with_medians_and_its_ratio_to_the_peer() -> None:
    text = render(a_result("speed", a_timing(DDB_CONVERT.name, 2, 1, 4), a_timing("peer", 5, 5, 5), baseline="peer"))
    assert f"| {DDB_CONVERT.name} | 500 | 2.50 | 2.00 (1.00–4.00) | 3.00 | 100 | 0 |" in text
    assert "| peer | 200 | 1.00 |" in text
    assert "Left out: PySpark, because the program java isn't there" in text


def test_slow_contenders_are_shown_beside_their_startup() -> None:
    timings = [a_timing(name, 5, part=SLOW) for name in ("peer", "slow")]
    startups = [a_timing("peer", 1, part=START), a_timing("slow", 3, part=START)]
    text = render(a_result("speed", *timings, *startups, baseline="peer"))
    assert "| peer | 200 | 1.00 | 5.00 (5.00–5.00) | 100 | 1.00 | 250 | 1.00 |" in text
    assert "| slow | 200 | 1.00 | 5.00 (5.00–5.00) | 100 | 3.00 | 500 | 2.00 |" in text


def test_memory_is_shown_as_multiples_of_the_smallest_size() -> None:
    large = replace(SIZE, json_bytes=4 * SIZE.json_bytes)
    text = render(a_result("memory", a_timing("A", 2), a_timing("A", 4, size=large, peak=4 * 10**8)))
    assert "| 1,000 | A | 2.00 | 500 | 1.00 | 100 | 1.00 |" in text
    assert "| 4,000 | A | 4.00 | 1,000 | 2.00 | 400 | 4.00 |" in text


def test_cases_are_shown_against_the_first_without_their_startup() -> None:
    timings = [
        a_timing("1 worker", 9),
        a_timing("2 workers", 5.5),
        a_timing("1 worker", 1, part=START),
        a_timing("2 workers", 1.5, part=START),
    ]
    text = render(a_result("workers", *timings, baseline="1 worker"))
    assert "| 1 worker | 1,000 | 8 | 9.00 | 1.00 | 125 | 1.00 | 3.00 | 100 |" in text
    assert "| 2 workers | 1,000 | 8 | 5.50 | 1.50 | 250 | 2.00 | 3.00 | 100 |" in text


@pytest.mark.slow
def test_results_are_kept_and_replace_older_ones_of_the_same_measure(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    memory = a_result("memory", a_timing("A", 1))
    assert from_json(to_json(memory)) == memory
    old = replace(SIZE, json_bytes=3 * SIZE.json_bytes)
    for result in (
        memory,
        a_result("speed", a_timing(DDB_CONVERT.name, 1, size=old), a_timing("floor", 1, size=old)),
        a_result(
            "speed", a_timing(DDB_CONVERT.name, 4), a_timing("DuckDB", 6), a_timing("floor", 2), baseline="DuckDB"
        ),
    ):
        keep_result(result, tmp_path)
    (tmp_path / "reading.md").write_text("## What stands in the way\n\nNothing.\n")
    write_report(tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "3,000 MB of JSON" not in text
    assert "| `flat` | CSV | 250 | 1.50 | 0.50 | 100 |" in text
    for title in ("## At a glance", "## What stands in the way", "## Speed", "## Time and memory"):
        assert text.count(title) == 1
    assert [line for line in text.splitlines() if line.startswith("## ")][1] == "## What stands in the way"
    for name in ("speed-flat-csv.png", "memory-flat-csv.png"):
        assert f"](results/{name})" in text
        assert (tmp_path / "results" / name).read_bytes().startswith(b"\x89PNG")


def test_what_is_kept_here_can_be_read() -> None:
    for result in read_results():
        assert from_json(to_json(result)) == result
        assert render(result)


def made_nowhere(parameters: DataParameters) -> MadeExport:
    size = ExportSize(parameters.dataset, 1, parameters.json_bytes, 1, parameters.files)
    return MadeExport(Path(parameters.key), size)


def test_plans_give_every_case_of_a_part_another_name() -> None:
    setting = Setting(make=made_nowhere, make_merge=lambda base: base)
    for name, make_plan in MEASURES.items():
        for group in make_plan(setting, "flat", "csv").groups:
            assert group
            named = [(case.part, case.name) for case in group]
            assert len(set(named)) == len(named), name


def test_speed_leaves_out_who_misses_something_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Contender("absent", ("x",), needs=("no-such-program",))
    monkeypatch.setitem(PEERS, "flat", (PEERS["flat"][0], absent))
    plan = MEASURES["speed"](Setting(make=made_nowhere), "flat", "csv")
    assert plan.left_out == {"absent": "the program no-such-program"}
    assert [case.name for group in plan.groups for case in group] == [DDB_CONVERT.name, "DuckDB"]


def test_slow_contenders_have_a_smaller_export_and_the_baseline_beside_them() -> None:
    setting = Setting(make=made_nowhere)
    (group,) = MEASURES["speed"](replace(setting, only=("boto3 + pyarrow", "DuckDB")), "flat", "csv").groups[1:]
    assert [(case.name, case.part) for case in group] == [
        *(("DuckDB", SLOW), ("boto3 + pyarrow", SLOW)),
        *(("DuckDB", START), ("boto3 + pyarrow", START)),
    ]
    assert group[0].export.size.json_bytes < setting.json_bytes / 10


def test_every_data_set_has_peers() -> None:
    assert PEERS.keys() == DATASETS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("fmt", run.FORMATS)
def test_a_quick_run_of_both_ways_to_use_duckdb_agrees_and_keeps_nothing(
    fmt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.delattr(run, "keep_result")
    only = ["--only", "DuckDB", "--only", "DuckDB (read_json)"]
    arguments = ["speed", "--dataset", "flat", "--quick", "--format", fmt, "--work", str(tmp_path), *only]
    assert run.main(arguments) == 0
    said = capsys.readouterr()
    assert "| DuckDB (read_json) |" in said.out
    assert said.err == ""


def test_an_unknown_contender_is_an_error_that_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--quick", "--only", "duck"])
    assert "no contender is called 'duck'; there are ddb-convert, DuckDB" in capsys.readouterr().err


def test_a_measure_that_fails_is_told_and_the_others_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.delattr(run, "keep_result")
    broken = python("broken", "import sys; sys.exit('out of ideas')")
    monkeypatch.setitem(PEERS, "single", (broken,))
    only = ["--only", "broken", "--only", "DuckDB (read_json)"]
    data_sets = ["--dataset", "single", "--dataset", "flat"]
    assert run.main(["speed", *data_sets, "--quick", "--format", "csv", "--work", str(tmp_path), *only]) == 1
    said = capsys.readouterr()
    assert "| DuckDB (read_json) |" in said.out
    assert said.err.startswith("speed: single to csv: broken ended with 1:")
    assert "out of ideas" in said.err


def test_equal_values_have_equal_digests_however_a_reader_gives_them() -> None:
    rows = [[Decimal("1.50"), bytearray(b"a"), None, True], [Decimal("0.00"), b"", "", False]]
    same = [[Decimal("1.5"), b"a", None, True], [Decimal(0), b"", "", False]]
    assert digest((["a", "b", "c", "d"], rows)) == digest((["a", "b", "c", "d"], same))
    for names, others in (
        (["a"], [["1"]]),
        (["b"], [[1]]),
        (["a"], [[True]]),
        (["a"], [[None]]),
        (["a"], [[1], [1]]),
        (["a"], [[b"1"]]),
    ):
        assert digest((names, others)) != digest((["a"], [[1]]))
    with pytest.raises(TypeError, match="float is not a type of the output"):
        digest((["a"], [[1.5]]))


def test_exports_of_data_that_takes_long_are_smaller_but_only_large_ones() -> None:
    usual, quick = Setting(make=made_nowhere), Setting(make=made_nowhere, json_bytes=run.QUICK_BYTES)
    assert usual.export("sparse").size.json_bytes < usual.export("flat").size.json_bytes
    assert usual.export("sparse", 0.5).size.json_bytes * 2 == usual.export("sparse").size.json_bytes
    assert quick.export("sparse").size == replace(quick.export("flat").size, dataset="sparse")
