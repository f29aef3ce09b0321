"""A destination among the files of an export, or the other way round, is refused before a byte is written."""

from __future__ import annotations

from pathlib import Path

import pytest

import converter
from converter import Changes, ConvertOptions, convert, merge
from converter.errors import UsageError
from converter.testing import ExportFacts
from tests.cli.command import ddb_convert
from tests.end_to_end.exports import export_of, line
from tests.end_to_end.syncing import ITEMS, begun, target
from tests.end_to_end.test_merge import base, change, increment
from tests.servers.dynamodb import PlayedDynamoDb

LINES = [line(id='{"S":"a"}')]
IN_EXPORT = "output would be mixed into them"


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_destination_in_its_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool) -> None:
    export = export_of(tmp_path / "bucket", LINES).folder
    (tmp_path / "link").symlink_to(export)
    monkeypatch.chdir(export)
    before = tree(tmp_path)
    bucket, name = export.parent.parent, export.name
    options = ConvertOptions(dry_run=dry_run, replace=True)
    places: list[tuple[Path | str, Path | str]] = [
        (export, export),
        (export, export / "data"),
        (export, export / "new/out"),
        (export, export.parent),
        (export, export.parent / "out"),
        (export, "."),
        (export, f"../{name}/out"),
        (export, tmp_path / "link"),
        (".", tmp_path / "link" / "out"),
        (export / "manifest-summary.json", export),
        (tmp_path / "link", export / "out"),
        (bucket, bucket),
        (bucket, f"{bucket}/x/.."),
    ]
    for source, dest in places:
        with pytest.raises(UsageError, match=IN_EXPORT):
            convert(source, dest, options)
    other = export_of(tmp_path / "bucket" / "other", LINES, facts=ExportFacts(seed=7)).folder
    before = tree(tmp_path)
    for place in (export, other, other.parent):
        with pytest.raises(UsageError, match=IN_EXPORT):
            convert(bucket, place / "out", ConvertOptions(dry_run=dry_run, latest=True))
    for layout in ("AWSDynamoDB", "AWSDynamoDB/{date}"):
        with pytest.raises(UsageError, match="where DEST keeps its own files"):
            convert(export, bucket, ConvertOptions(dry_run=dry_run, replace=True, layout=layout))
    assert tree(tmp_path) == before


def test_a_destination_beside_the_exports_in_the_folder_that_holds_them_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_of(tmp_path, LINES)
    monkeypatch.chdir(tmp_path)
    assert convert(".", "out").status == "published"
    assert convert(tmp_path, "out", ConvertOptions(latest=True)).status == "unchanged"


def test_an_export_among_the_dates_of_a_destination_is_refused_and_one_beside_them_is_not(tmp_path: Path) -> None:
    within = export_of(tmp_path / "out" / "dt=2024-01-01", LINES).folder
    with pytest.raises(UsageError, match="where DEST keeps its own files"):
        convert(within, tmp_path / "out")
    assert not (tmp_path / "out" / "_exports").exists()
    beside = export_of(tmp_path / "lake", LINES).folder
    assert convert(beside, tmp_path / "lake").status == "published"
    assert convert(beside, tmp_path / "lake").status == "unchanged"


def test_the_data_of_increments_is_beside_their_folders_and_no_destination_may_be_in_it(tmp_path: Path) -> None:
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": 1}))
    for dest in (after.parent / "data", after.parent / "data" / "out", after.parent / "out", after):
        with pytest.raises(UsageError, match=IN_EXPORT):
            convert(after, dest)


def test_another_exports_folder_is_no_destination(tmp_path: Path) -> None:
    export, other = export_of(tmp_path / "a", LINES).folder, export_of(tmp_path / "b", LINES).folder
    with pytest.raises(UsageError, match="DEST is the folder of an export"):
        convert(export, other)


def test_a_merge_may_go_into_its_base_that_is_a_destination_and_into_no_export(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": 1}])
    after = increment(tmp_path / "c", 0, 1, change("b", None, {"v": 3}))
    convert(full, tmp_path / "out")
    location = next((tmp_path / "out").glob("dt=*/*"))
    before = tree(tmp_path)
    for one, dest in [
        (full, full / "out"),
        (full, full.parent),
        (full, after / "out"),
        (full, tmp_path / "c"),
        (tmp_path / "out", after.parent / "out"),
        (tmp_path / "out", tmp_path / "out" / "_exports" / "new"),
        (tmp_path / "out", location / "new"),
    ]:
        with pytest.raises(UsageError, match=f"{IN_EXPORT}|folder of an export"):
            merge(one, [tmp_path / "c"], dest)
    assert tree(tmp_path) == before
    assert merge(tmp_path / "out", [after], tmp_path / "out", ConvertOptions(replace=True)).status == "published"


def test_standard_output_is_refused_by_every_verb_that_publishes(tmp_path: Path) -> None:
    export = export_of(tmp_path / "b", LINES).folder
    for words in (
        ["convert", str(export), "-"],
        ["merge", str(export), str(export), "-"],
        ["sync", "Orders", "-", "--bucket", "exports"],
        ["sync", "Orders", "-", "--bucket", "exports", "--incremental"],
    ):
        refused = ddb_convert(*words, cwd=tmp_path)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "standard output can't be a destination" in refused.stderr
    assert not (tmp_path / "-").exists()
    assert convert(export, f"{tmp_path}/-").status == "published"


def test_a_sync_into_the_folder_of_its_exports_is_refused_before_one_is_paid_for(service: PlayedDynamoDb) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    for dest in (place.folder, f"{place.folder}lake/"):
        with pytest.raises(UsageError, match=IN_EXPORT):
            converter.sync(table.name, dest, place)
        with pytest.raises(UsageError, match=IN_EXPORT):
            converter.sync_changes(table.name, dest, place, changes=Changes())
    assert begun(service) == 0


def test_places_in_s3_are_kept_apart_too(service: PlayedDynamoDb) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    arn = converter.start_export(table.name, place).state.arn
    folder = converter.wait_for_export(arn).folder
    for source, dest in [(arn, folder), (arn, f"{place.folder}out"), (folder, folder), (place.folder, place.folder)]:
        with pytest.raises(UsageError, match=f"{IN_EXPORT}|folder of an export"):
            convert(source, dest)
    assert convert(arn, f"s3://{place.bucket}/lake/").status == "published"
