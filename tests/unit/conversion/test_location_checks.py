"""Where a destination may be: never in an export, and not around one so that both would be mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.aws.access import AwsOptions
from converter.conversion.location_checks import check_dest, check_locations, check_source
from converter.errors import UsageError

EXPORT = "s3://b/AWSDynamoDB/01701065507109-cce6a3f8"


@pytest.mark.parametrize(
    ("dest", "what"),
    [
        (EXPORT, f"DEST is {EXPORT},"),
        (f"{EXPORT}/", f"DEST is {EXPORT},"),
        (f"{EXPORT}/out", f"DEST is inside {EXPORT},"),
        (f"{EXPORT}//data/", f"DEST is inside {EXPORT},"),
    ],
)
def test_a_destination_in_an_export_in_s3_is_refused(dest: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_dest(dest, [EXPORT])
    assert caught.value.what.startswith(what)
    assert caught.value.where == dest


@pytest.mark.parametrize("dest", [f"{EXPORT}-out", "s3://b/AWSDynamoDB", "s3://b", "s3://other/AWSDynamoDB", "b", ""])
def test_a_destination_beside_or_above_an_export_in_s3_is_taken(dest: str) -> None:
    check_dest(dest, [EXPORT])


def test_local_folders_are_compared_without_links_and_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = tmp_path / "AWSDynamoDB" / "x"
    export.mkdir(parents=True)
    (tmp_path / "link").symlink_to(export)
    monkeypatch.chdir(tmp_path)
    for dest in ("AWSDynamoDB/x", "link", "link/new", "AWSDynamoDB/y/../x/out", str(export / "data"), "./link/.."):
        inside = dest != "./link/.."
        if not inside:
            check_dest(dest, [str(export)])
            continue
        with pytest.raises(UsageError, match="which exports are read from"):
            check_dest(dest, [str(export)])
    monkeypatch.chdir(export)
    with pytest.raises(UsageError, match=r"DEST is \.,"):
        check_dest(str(export), ["."])


def test_standard_output_is_not_a_destination() -> None:
    with pytest.raises(UsageError, match="standard output can't be a destination") as caught:
        check_dest("-")
    assert "./-" in caught.value.hint
    check_dest("./-")


@pytest.mark.parametrize(
    ("folder", "location"),
    [
        ("s3://b/_exports/x", "dt=2023-11-27/x"),
        ("s3://b/_exports", "dt=2023-11-27/x"),
        ("s3://b/dt=2023-11-26/raw", "dt=2023-11-27/x"),
        ("s3://b/raw/dt=1/x", "dt=2023-11-27/x"),
        ("s3://b/AWSDynamoDB/x", "AWSDynamoDB/x"),
        ("s3://b/AWSDynamoDB/x/data", "AWSDynamoDB/x"),
        ("s3://b/a", "a/b/x"),
    ],
)
def test_an_export_among_the_files_of_the_destination_is_refused(folder: str, location: str) -> None:
    with pytest.raises(UsageError, match="where DEST keeps its own files"):
        check_locations("s3://b/", [location], [folder])


@pytest.mark.parametrize("folder", ["s3://b/AWSDynamoDB/x", "s3://b/raw", "s3://c/dt=2023-11-27/x"])
def test_an_export_beside_the_files_of_the_destination_is_taken(folder: str) -> None:
    check_locations("s3://b", ["dt=2023-11-27/x"], [folder])


def test_a_destination_beside_the_exports_that_a_source_holds_is_taken_and_one_in_them_is_not(tmp_path: Path) -> None:
    for name in ("AWSDynamoDB/x", "copied", "lake/a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "copied" / "manifest-summary.json").touch()
    for dest in ("out", "lake/a/out", "copied2", "../out"):
        check_source(str(tmp_path / dest), str(tmp_path), AwsOptions())
    for dest in (".", "copied", "copied/data/out", "AWSDynamoDB", "AWSDynamoDB/out", "lake/AWSDynamoDB/out"):
        with pytest.raises(UsageError, match="output would be mixed into them"):
            check_source(str(tmp_path / dest), str(tmp_path), AwsOptions())
    with pytest.raises(UsageError, match=r"DEST is inside .*copied,"):
        check_source(str(tmp_path / "copied" / "out"), str(tmp_path / "copied" / "manifest-summary.json"), AwsOptions())
    check_source("out", "arn:aws:dynamodb:eu-west-1:1:table/t/export/x", AwsOptions())
