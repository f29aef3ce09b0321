"""The verb `clean`: what it says, where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from converter.testing import write_export
from tests.cli.command import REPOSITORY, ddb_convert, environment
from tests.cli.failures import check_failure
from tests.conformance import dying
from tests.servers.s3 import S3Server

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"


@contextmanager
def run_that(moment: str, dest: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A run at the destination that dies, or lives until its stdin ends; see tests/conformance/dying.py."""
    with subprocess.Popen(
        [sys.executable, "-m", dying.__name__, dest, moment, EXPORT, FOLDER],
        cwd=REPOSITORY,
        env=environment(**env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def die(moment: str, dest: Path | str, **env: str) -> None:
    with run_that(moment, str(dest), **env) as process:
        assert process.wait() == -9


def test_a_destination_where_nothing_is_left_over(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", [{"id": "a"}])
    assert ddb_convert("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    for option in ("--complete", "--dry-run"):
        done = ddb_convert("clean", "out", option, cwd=tmp_path, forked=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing to clean at out\n")


def test_what_is_left_over_is_shown_then_removed(tmp_path: Path) -> None:
    die("writing", tmp_path / "out")
    [folder] = (tmp_path / "out" / "_exports").glob(".run-*")
    shown = ddb_convert("clean", "out", "--dry-run", cwd=tmp_path)
    first, *rest = shown.stderr.splitlines()
    assert (shown.returncode, shown.stdout) == (0, "")
    assert first == "out: would remove 1 lease and 1 folder; nothing was changed"
    assert [line.split(",")[0].split() for line in rest] == [
        ["remove", "lease", "_exports/lease"],
        ["remove", "folder", f"_exports/{folder.name}"],
    ]
    assert folder.exists()
    done = ddb_convert("clean", "out", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("out: removed 1 lease and 1 folder\n  removed   lease  _exports/lease, ")
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["_exports"]


@pytest.mark.slow
def test_json_is_one_object_and_the_only_thing_on_stdout(tmp_path: Path) -> None:
    die("begun", tmp_path / "out")
    done = ddb_convert("clean", "out", "--dry-run", "--complete", "--json", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert list(shown) == ["destination", "dryRun", "removed", "completed", "kept", "warnings"]
    assert (shown["destination"], shown["dryRun"], shown["kept"], shown["warnings"]) == ("out", True, [], [])
    assert [left["kind"] for left in shown["removed"]] == ["lease"]
    commit, folder = shown["completed"]
    assert list(commit) == ["kind", "path", "time", "state", "detail", "uploadId"]
    assert (commit["kind"], commit["path"], commit["state"]) == ("commit", "_exports/intent.json", "begun")
    assert (commit["detail"], commit["uploadId"]) == (f"export {EXPORT}, 2 parts", None)
    assert folder["path"].startswith(f"_exports/.run-{EXPORT}-")


@pytest.mark.slow
def test_a_commit_that_is_kept_is_a_warning_that_says_what_finishes_it(tmp_path: Path) -> None:
    die("begun", tmp_path / "out")
    done = ddb_convert("clean", "out", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("warning: a commit has begun and is not done: the next convert here finishes it")
    finished = ddb_convert("clean", "out", "--complete", cwd=tmp_path)
    assert finished.returncode == 0
    assert finished.stderr.startswith("out: completed 1 commit and 1 folder\n")
    assert "warning" not in finished.stderr
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {f"{FOLDER}/00000-0000.parquet", f"{FOLDER}/00001-0000.parquet", f"_exports/{EXPORT}.json"}


@pytest.mark.slow
def test_log_format_json_says_one_line_with_everything(tmp_path: Path) -> None:
    die("begun", tmp_path / "out")
    done = ddb_convert("clean", "out", "--log-format", "json", cwd=tmp_path)
    warning, outcome = map(json.loads, done.stderr.splitlines())
    assert warning["level"] == "warning"
    assert (outcome["event"], outcome["message"]) == (
        "clean",
        "out: removed 1 lease, kept 1 commit and 1 folder",
    )
    assert [left["kind"] for left in outcome["leftovers"]["kept"]] == ["commit", "folder"]


def test_where_a_run_lives_the_exit_code_is_6(tmp_path: Path) -> None:
    with run_that("living", str(tmp_path / "out")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "living\n"
        for option in ("--quiet", "--complete"):
            done = ddb_convert("clean", "out", option, cwd=tmp_path)
            check_failure(done, 6, f"process {process.pid} on ", "out/_exports/lease")
        shown = ddb_convert("clean", "out", "--dry-run", cwd=tmp_path)
        assert shown.returncode == 0
        assert f"warning: another run holds the destination: process {process.pid} on " in shown.stderr
        assert "out: would keep 1 lease and 1 folder; nothing was changed" in shown.stderr
        process.communicate("")
        assert process.returncode == 0


def test_a_place_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    for option in ("--quiet", "--dry-run"):
        check_failure(ddb_convert("clean", "out", option, cwd=tmp_path), 5, "out", dest=tmp_path / "out")
    (tmp_path / "file").write_text("mine")
    check_failure(ddb_convert("clean", "file", cwd=tmp_path), 2, "file: the destination is not a folder")
    check_failure(ddb_convert("clean", "gs://bucket/prefix", cwd=tmp_path), 2, "gs://bucket/prefix")
    assert (tmp_path / "file").read_text() == "mine"


def test_what_can_not_be_removed_is_named(tmp_path: Path) -> None:
    (tmp_path / "out" / "_exports" / ".run-x").mkdir(parents=True)
    # A folder is no file that could be locked.
    (tmp_path / "out" / "_exports" / "lease").mkdir()
    check_failure(ddb_convert("clean", "out", cwd=tmp_path), 5, "out/_exports/lease")
    assert (tmp_path / "out" / "_exports" / ".run-x").exists()


@pytest.mark.slow
def test_in_s3_uploads_are_removed_and_those_of_others_stay(ministack: S3Server, tmp_path: Path) -> None:
    bucket, env = ministack.new_bucket(), ministack.environment()
    dest = f"s3://{bucket}/lake"
    ministack.client().create_multipart_upload(Bucket=bucket, Key="lake/film.mp4")
    die("writing", dest, **env)
    shown = ddb_convert("clean", dest, "--dry-run", env=env)
    assert (shown.returncode, shown.stdout) == (0, "")
    first, *rest = shown.stderr.splitlines()
    assert first == f"{dest}: would remove 1 lease and 2 uploads, would keep 1 upload; nothing was changed"
    assert rest[0].startswith("  remove    lease  _exports/lease, ")
    assert rest[-1].startswith("  keep      upload film.mp4, ")
    assert rest[-1].endswith(" s old: no part of ddb-convert is called so")
    done = ddb_convert("clean", dest, "--json", "--quiet", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(left["path"] for left in json.loads(done.stdout)["removed"]) == [
        "_exports/lease",
        f"{FOLDER}/00000-0000.parquet",
        f"{FOLDER}/00001-0000.parquet",
    ]
    assert ministack.uploads(bucket) == ["lake/film.mp4"]
    assert ministack.listing(bucket) == {}
    again = ddb_convert("clean", dest, env=env)
    assert again.returncode == 0
    assert again.stderr.startswith(f"nothing to clean at {dest}; kept 1 upload of other programs")


def test_a_bucket_that_does_not_exist_is_an_error(ministack: S3Server) -> None:
    done = ddb_convert("clean", "s3://no-such-bucket/lake", env=ministack.environment())
    check_failure(done, 5, "no-such-bucket")


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--complete", "--dry-run"])
def test_an_option_may_come_from_the_environment(option: str, tmp_path: Path) -> None:
    die("begun", tmp_path / "out")
    name = f"DDB_CONVERT_{option[2:].upper().replace('-', '_')}"
    done = ddb_convert("clean", "out", "--json", cwd=tmp_path, env={name: "1"})
    shown = json.loads(done.stdout)
    assert (shown["dryRun"], bool(shown["completed"])) == (option == "--dry-run", option == "--complete")
