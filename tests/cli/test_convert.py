"""`convert` and `inspect` as a person meets them; that the data is right is shown elsewhere."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from converter.cli import convert, inspect
from tests.cli.command import REPOSITORY, ddb_convert
from tests.servers.s3 import S3Server

ORDERS = str(REPOSITORY / "fixtures" / "orders")


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_convert_publishes_and_says_so_on_stderr_alone(tmp_path: Path) -> None:
    done = ddb_convert("convert", ORDERS, "out", cwd=tmp_path, forked=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "published 200 items of Orders as 1 part" in done.stderr
    assert "md5 and item counts of 4 data files" in done.stderr
    [part] = (tmp_path / "out").glob("dt=*/**/*.parquet")
    assert part.stat().st_size


def test_json_is_one_object_on_stdout(tmp_path: Path) -> None:
    done = ddb_convert("convert", ORDERS, "out", "--json", cwd=tmp_path)
    [line] = done.stdout.splitlines()
    report = json.loads(line)
    assert (report["status"], report["items"]) == ("published", 200)


def test_quiet_says_nothing_when_all_is_well(tmp_path: Path) -> None:
    done = ddb_convert("convert", ORDERS, "out", "--quiet", cwd=tmp_path)
    said = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert (done.returncode, done.stdout, said) == (0, "", [])


def test_every_message_for_log_collectors_is_json_and_the_last_is_the_report(tmp_path: Path) -> None:
    done = ddb_convert("convert", ORDERS, "out", "--log-format", "json", cwd=tmp_path)
    messages = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"time", "level", "event", "message"} <= message.keys() for message in messages)
    assert messages[-1]["event"] == "report"
    assert messages[-1]["report"]["items"] == 200


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    ddb_convert("convert", ORDERS, "out", cwd=tmp_path)
    before = _tree(tmp_path)
    done = ddb_convert("convert", ORDERS, "out", cwd=tmp_path)
    assert done.returncode == 0
    assert "nothing to do" in done.stderr
    assert _tree(tmp_path) == before


def test_other_options_need_replace(tmp_path: Path) -> None:
    ddb_convert("convert", ORDERS, "out", cwd=tmp_path)
    refused = ddb_convert("convert", ORDERS, "out", "--numbers", "text", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--replace" in refused.stderr
    assert ddb_convert("convert", ORDERS, "out", "--numbers", "text", "--replace", cwd=tmp_path).returncode == 0


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = ddb_convert("convert", ORDERS, "out", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0
    assert "would publish 200 items of Orders from 4 data files" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_export_is_exit_code_3_and_publishes_nothing(tmp_path: Path) -> None:
    export = tmp_path / "export"
    shutil.copytree(ORDERS, export)
    data_file = sorted(export.rglob("*.json.gz"))[-1]
    data_file.write_bytes(data_file.read_bytes()[:-1] + b"x")
    done = ddb_convert("convert", str(export), "out", cwd=tmp_path)
    assert done.returncode == 3
    assert data_file.name in done.stderr
    assert list((tmp_path / "out").glob("**/*.parquet")) == []


def test_a_source_that_is_not_there_is_exit_code_3(tmp_path: Path) -> None:
    done = ddb_convert("inspect", "nowhere", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "nowhere" in done.stderr


def test_too_many_columns_are_exit_code_4(tmp_path: Path) -> None:
    done = ddb_convert("convert", ORDERS, "out", "--max-columns", "2", cwd=tmp_path)
    assert done.returncode == 4
    assert "--max-columns" in done.stderr


def test_inspect_shows_a_row_for_each_attribute_on_stdout(tmp_path: Path) -> None:
    done = ddb_convert("inspect", ORDERS, cwd=tmp_path)
    assert done.returncode == 0
    assert "200 items in 4 data files" in done.stdout
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert "decimal128(38, 2)" in rows["price"]
    assert rows["deliver_on"].endswith(" string")


def test_a_sample_says_that_it_is_one(tmp_path: Path) -> None:
    assert "approximate" in ddb_convert("inspect", ORDERS, "--sample", cwd=tmp_path).stdout
    assert "approximate" not in ddb_convert("inspect", ORDERS, cwd=tmp_path).stdout


@pytest.mark.parametrize("example", [*convert.EXAMPLES, *inspect.EXAMPLES])
def test_help_examples_work(example: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "fixtures").symlink_to(REPOSITORY / "fixtures")
    env = {}
    if "s3://" in example:
        server: S3Server = request.getfixturevalue("ministack")
        for bucket in re.findall("s3://([a-z]+)/", example):
            server.client().create_bucket(Bucket=bucket)
        server.upload("exports", REPOSITORY / "fixtures" / "orders")
        env = server.environment()
    done = ddb_convert(*shlex.split(example)[1:], cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
