"""From SOURCE to one export."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from converter.errors import ExportError, ManifestError, UsageError
from converter.export.locate import open_export
from converter.export.manifest import check_files
from tests.unit.export.manifests import FULL_ID, WINDOW_ID, MakeExport, full_summary, window_summary

LATER_ID = "01700086400000-ffffffff"


def later_summary() -> dict[str, object]:
    return full_summary(export_id=LATER_ID, exportTime="2023-11-15T22:13:20.000Z")


@pytest.mark.parametrize("ending", ["", "/", "/manifest-summary.json"])
def test_an_export_is_named_by_its_folder_or_its_summary(make_export: MakeExport, ending: str) -> None:
    folder = make_export()
    source, export = open_export(f"{folder}{ending}")
    assert (export.export_id, export.source) == (FULL_ID, str(folder))
    assert check_files(source, export) > 0


@pytest.mark.parametrize("under", [".", "AWSDynamoDB", "prefix", "prefix/AWSDynamoDB"])
def test_a_folder_with_one_export_in_it_is_enough(make_export: MakeExport, tmp_path: Path, under: str) -> None:
    folder = make_export(under=under)
    (tmp_path / "other" / "thing").mkdir(parents=True)
    if under == "prefix":
        tmp_path = tmp_path / "prefix"
    source, export = open_export(str(tmp_path))
    assert Path(export.source) == folder
    assert check_files(source, export) > 0


def test_relative_paths_work_and_are_kept(
    make_export: MakeExport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_export(window_summary())
    monkeypatch.chdir(tmp_path)
    assert open_export("AWSDynamoDB")[1].source == f"AWSDynamoDB/{WINDOW_ID}"
    assert open_export(f"AWSDynamoDB/{WINDOW_ID}")[1].source == f"AWSDynamoDB/{WINDOW_ID}"
    monkeypatch.chdir(folder)
    for text in (".", "manifest-summary.json", f"../{WINDOW_ID}"):
        source, export = open_export(text)
        assert check_files(source, export) > 0


@pytest.mark.parametrize("under", ["AWSDynamoDB", "copied"])
def test_an_increments_data_files_are_found_beside_its_folder(make_export: MakeExport, under: str) -> None:
    source, export = open_export(str(make_export(window_summary(), under=under)))
    assert check_files(source, export) > 0


def test_an_increment_that_was_copied_alone_has_its_data_files_inside(make_export: MakeExport) -> None:
    source, export = open_export(str(make_export(window_summary(), under="copied", alone=True)))
    assert check_files(source, export) > 0


def test_below_awsdynamodb_an_increments_data_files_are_always_beside_its_folder(make_export: MakeExport) -> None:
    folder = make_export(window_summary())
    (folder / "data").mkdir()
    source, export = open_export(str(folder))
    assert check_files(source, export) > 0


def test_an_increment_behind_a_link_still_finds_its_data_files(make_export: MakeExport, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    os.symlink(make_export(window_summary()), tmp_path / "elsewhere" / "newest")
    source, export = open_export(str(tmp_path / "elsewhere" / "newest"))
    assert check_files(source, export) > 0


def test_the_files_of_a_full_export_cannot_link_to_its_neighbours(make_export: MakeExport) -> None:
    folder, other = make_export(), make_export(later_summary())
    victim = sorted((folder / "data").iterdir())[0]
    victim.unlink()
    os.symlink(sorted((other / "data").iterdir())[0], victim)
    source, export = open_export(str(folder))
    with pytest.raises(ExportError, match="symbolic link"):
        check_files(source, export)


def test_several_exports_are_listed_oldest_first(make_export: MakeExport, tmp_path: Path) -> None:
    make_export(later_summary())
    make_export()
    make_export(window_summary())
    with pytest.raises(UsageError) as raised:
        open_export(str(tmp_path))
    assert raised.value.exit_code == 2
    _, *rows = raised.value.hint.splitlines()
    assert [row.split() for row in rows] == [
        ["2023-11-14T22:13:20.001Z", "orders", "items", "2", "items", f"AWSDynamoDB/{FULL_ID}"],
        ["2023-11-14T22:28:19.999Z", "orders", "changes", "2", "items", f"AWSDynamoDB/{WINDOW_ID}"],
        ["2023-11-15T22:13:20.000Z", "orders", "items", "2", "items", f"AWSDynamoDB/{LATER_ID}"],
    ]
    assert "--latest" in raised.value.hint


def test_a_long_list_of_exports_is_cut_to_the_newest(make_export: MakeExport, tmp_path: Path) -> None:
    for day in range(1, 24):
        time = f"2023-01-{day:02}T00:00:00.000Z"
        make_export(full_summary(export_id=f"{day:014}-00000000", exportTime=time), files=0)
    with pytest.raises(UsageError, match="3 older ones") as raised:
        open_export(str(tmp_path))
    assert "2023-01-03" not in raised.value.hint
    assert "2023-01-04" in raised.value.hint


def test_latest_goes_by_the_exports_time_and_not_by_its_id(make_export: MakeExport, tmp_path: Path) -> None:
    make_export()
    make_export(full_summary(export_id=LATER_ID, exportTime="2023-11-01T00:00:00.000Z"))
    assert open_export(str(tmp_path), latest=True)[1].export_id == FULL_ID


def test_of_two_exports_of_one_moment_the_later_made_is_the_latest(make_export: MakeExport, tmp_path: Path) -> None:
    make_export(under="b/AWSDynamoDB")
    make_export(full_summary(export_id=LATER_ID), under="a/AWSDynamoDB")
    assert open_export(str(tmp_path), latest=True)[1].export_id == LATER_ID


def test_a_newer_export_that_is_not_finished_is_passed_over_with_a_warning(
    make_export: MakeExport, tmp_path: Path
) -> None:
    make_export()
    (make_export(later_summary()) / "manifest-summary.json").unlink()
    export = open_export(str(tmp_path), latest=True)[1]
    assert export.export_id == FULL_ID
    assert any(LATER_ID in warning and "not finished" in warning for warning in export.warnings)


def test_an_older_export_that_never_finished_is_no_reason_to_warn(make_export: MakeExport, tmp_path: Path) -> None:
    (make_export() / "manifest-summary.json").unlink()
    make_export(later_summary())
    assert open_export(str(tmp_path))[1].warnings == ()


def test_only_unfinished_exports_are_said_to_be_that(make_export: MakeExport, tmp_path: Path) -> None:
    folder = make_export()
    (folder / "manifest-summary.json").unlink()
    for text in (tmp_path, folder):
        with pytest.raises(ManifestError, match="not finished") as raised:
            open_export(str(text))
        assert raised.value.where == str(folder)


def test_a_folder_without_exports_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"AWSDynamoDB/\*/manifest-summary\.json") as raised:
        open_export(str(tmp_path))
    assert raised.value.exit_code == 3


def test_exports_are_not_searched_for_deeper_than_said(make_export: MakeExport, tmp_path: Path) -> None:
    make_export(under="a/b/AWSDynamoDB")
    with pytest.raises(ExportError, match="no export found"):
        open_export(str(tmp_path))
    assert open_export(str(tmp_path / "a"))[1].export_id == FULL_ID


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="nowhere"):
        open_export(str(tmp_path / "nowhere"))


def test_a_renamed_folder_keeps_the_exports_id(make_export: MakeExport, tmp_path: Path) -> None:
    shutil.move(make_export(), tmp_path / "monday")
    source, export = open_export(str(tmp_path / "monday"))
    assert export.export_id == FULL_ID
    assert check_files(source, export) > 0


def test_verify_reaches_the_manifests(make_export: MakeExport) -> None:
    path = make_export() / "manifest-summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"itemCount": 5}))
    with pytest.raises(ManifestError, match="together"):
        open_export(str(path))
    assert open_export(str(path), verify=False)[1].items == 5


def test_real_exports_open_by_every_form(real_export: Path) -> None:
    for text in (str(real_export), f"{real_export}/manifest-summary.json"):
        source, export = open_export(text)
        assert export.export_id == real_export.name
        assert check_files(source, export) > 0


def test_an_export_is_taken_by_its_id_whatever_its_folder_is_called(make_export: MakeExport, tmp_path: Path) -> None:
    make_export()
    shutil.move(make_export(later_summary()), tmp_path / "monday")
    for export_id in (FULL_ID, LATER_ID):
        assert open_export(str(tmp_path), export_id=export_id)[1].export_id == export_id
    with pytest.raises(UsageError, match=f"no export has the id {WINDOW_ID}") as raised:
        open_export(str(tmp_path), export_id=WINDOW_ID)
    assert [line.split()[-1] for line in raised.value.hint.splitlines()[1:]] == [f"AWSDynamoDB/{FULL_ID}", "monday"]


def test_the_same_export_twice_is_no_answer_to_an_id(make_export: MakeExport, tmp_path: Path) -> None:
    for under in ("a/AWSDynamoDB", "b/AWSDynamoDB"):
        make_export(under=under)
    with pytest.raises(UsageError, match="2 exports found"):
        open_export(str(tmp_path), export_id=FULL_ID)


def test_an_id_must_be_that_of_the_export_that_is_named(make_export: MakeExport) -> None:
    folder = make_export()
    assert open_export(str(folder), export_id=FULL_ID)[1].export_id == FULL_ID
    with pytest.raises(UsageError, match=f"this is the export {FULL_ID}, not {LATER_ID}") as raised:
        open_export(str(folder), export_id=LATER_ID)
    assert raised.value.where == str(folder)


@pytest.mark.parametrize("under", ["", "AWSDynamoDB", "prefix/AWSDynamoDB"])
def test_data_files_without_manifests_are_named(tmp_path: Path, under: str) -> None:
    data = tmp_path / under / FULL_ID / "data"
    data.mkdir(parents=True)
    (data / "one.gz").write_bytes(b"")
    with pytest.raises(ExportError, match=r"data files, but no manifest-summary\.json") as raised:
        open_export(str(tmp_path))
    assert raised.value.where == str(data.parent)
    assert "exports of emulators without manifests" in raised.value.hint


def test_an_id_of_nothing_finished_is_an_export_error(make_export: MakeExport, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no export found"):
        open_export(str(tmp_path), export_id=FULL_ID)
    (make_export() / "manifest-summary.json").unlink()
    make_export(later_summary())
    with pytest.raises(ManifestError, match="not finished") as raised:
        open_export(str(tmp_path), export_id=FULL_ID)
    assert raised.value.where == str(tmp_path / "AWSDynamoDB" / FULL_ID)


def test_the_latest_may_be_in_a_folder_that_was_renamed(make_export: MakeExport, tmp_path: Path) -> None:
    make_export()
    shutil.move(make_export(later_summary()), tmp_path / "a")
    assert open_export(str(tmp_path), latest=True)[1].export_id == LATER_ID


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
        "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2023-11-14T22:13:20.000",
        "arn:aws:s3:::exports/AWSDynamoDB",
        "arn:",
    ],
)
def test_an_arn_that_is_not_one_of_an_export_is_refused(arn: str) -> None:
    with pytest.raises(UsageError, match="not the ARN of an export") as raised:
        open_export(arn)
    assert "table/TABLE/export/ID" in raised.value.hint
