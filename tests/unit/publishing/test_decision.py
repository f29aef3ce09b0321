"""What may be published next to what is already there, and that publishing does what was decided."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from converter.errors import StorageError, UsageError
from converter.export.manifest import ExportKind, Summary
from converter.options import ConvertOptions
from converter.publishing.decision import Decision
from converter.publishing.decision import decide as decide_by
from converter.publishing.destination_records import RecordCache
from converter.publishing.destination_records import read_records as read_all
from converter.publishing.record import Record
from converter.storage.intent import Removal
from converter.storage.local import LocalDestination
from converter.storage.paths import INDEX, INTENT, record_path
from tests.unit.publishing.published import (
    EXPORT_ID,
    TIME,
    make_export,
    make_window,
    publish_export,
)

LATER_ID = "01701151907109-bbbbbbbb"
DEFAULTS = ConvertOptions()
REPLACE = ConvertOptions(replace=True)
BOTH = ConvertOptions(format="csv,parquet")
REPLACE_BOTH = replace(BOTH, replace=True)
FOLDER = f"dt=2023-11-27/{EXPORT_ID}"
BOTH_FOLDERS = (f"csv/{FOLDER}", f"parquet/{FOLDER}")


@pytest.fixture
def destination(tmp_path: Path) -> LocalDestination:
    return LocalDestination(str(tmp_path / "out"))


def decide(
    destination: LocalDestination, export: Summary, options: ConvertOptions, *, accepts_recreated_table: bool = False
) -> Decision:
    return decide_by(RecordCache(destination, accepts_recreated_table), export, options)


def read_records(destination: LocalDestination) -> list[Record]:
    records = read_all(destination)
    return [records.load(entry) for entry in records.entries]


def files(destination: LocalDestination) -> set[str]:
    root = Path(destination.root)
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {INDEX}


def expected_files(*export_ids: str, date: str = "2023-11-27", parts: int = 2) -> set[str]:
    names = {f"dt={date}/{export_id}/{number:05}.parquet" for export_id in export_ids for number in range(parts)}
    return names | {record_path(export_id) for export_id in export_ids}


def files_of_both(parts: int = 2) -> set[str]:
    names = {f"{name}/{FOLDER}/{number:05}.{name}" for name in ("csv", "parquet") for number in range(parts)}
    return names | {record_path(EXPORT_ID)}


def edit_record(destination: LocalDestination, **members: object) -> None:
    path = Path(destination.root) / record_path(EXPORT_ID)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **members}))


def test_an_empty_destination_takes_any_export(destination: LocalDestination) -> None:
    decision = decide(destination, make_export(), DEFAULTS)
    assert (decision.locations, decision.date) == ((FOLDER,), "2023-11-27")
    assert decision.published is None
    assert not decision.replaced
    assert not decision.kept
    assert not decision.remove
    assert not decision.warnings


def test_deciding_creates_nothing(destination: LocalDestination) -> None:
    decide(destination, make_export(), DEFAULTS)
    assert not Path(destination.root).exists()


def test_what_is_published_is_the_parts_and_the_record(destination: LocalDestination) -> None:
    publish_export(destination)
    assert files(destination) == expected_files(EXPORT_ID)
    (record,) = read_records(destination)
    assert [(part.path, part.rows, part.bytes) for part in record.parts] == [
        (f"{FOLDER}/00000.parquet", 3, 5),
        (f"{FOLDER}/00001.parquet", 3, 6),
    ]
    assert record.report.parts == record.parts


def test_the_same_export_with_the_same_options_is_nothing_to_do(destination: LocalDestination) -> None:
    publish_export(destination)
    workers = ConvertOptions(workers=7, show_values=True)
    for options in (DEFAULTS, workers, REPLACE, ConvertOptions(verify=False)):
        decision = decide(destination, make_export(), options)
        assert decision.published is not None
        assert decision.published.report.status == "published"
        assert decision.locations == (FOLDER,)
        assert not decision.remove
        assert not decision.warnings


def test_a_published_export_stays_done_when_later_ones_come(destination: LocalDestination) -> None:
    publish_export(destination)
    publish_export(destination, make_export(LATER_ID, TIME + timedelta(days=1)))
    decision = decide(destination, make_export(), DEFAULTS)
    assert decision.published is not None
    assert [record.export_id for record in decision.kept] == [LATER_ID]


def test_other_options_are_refused_with_their_differences(destination: LocalDestination) -> None:
    publish_export(destination)
    options = ConvertOptions(format="csv", key=("id",))
    with pytest.raises(UsageError) as caught:
        decide(destination, make_export(), options)
    assert "--format: parquet → csv; --compression: zstd → none; --key: none → id" in caught.value.what
    assert caught.value.where == f"{destination.root}/_exports/{EXPORT_ID}.json"
    assert "--replace" in caught.value.hint


def test_other_options_replace_when_told_to(destination: LocalDestination) -> None:
    publish_export(destination)
    options = ConvertOptions(layout="day={date}", replace=True)
    decision = publish_export(destination, options=options, contents=(b"new",))
    assert [record.export_id for record in decision.replaced] == [EXPORT_ID]
    assert not decision.kept
    assert not decision.warnings
    assert files(destination) == {f"day=2023-11-27/{EXPORT_ID}/00000.parquet", record_path(EXPORT_ID)}
    assert not (Path(destination.root) / "dt=2023-11-27").exists()


def test_other_options_in_the_same_folder_replace_all_old_parts(destination: LocalDestination) -> None:
    publish_export(destination)
    publish_export(destination, options=ConvertOptions(numbers="text", replace=True), contents=(b"new",))
    assert files(destination) == expected_files(EXPORT_ID, parts=1)
    assert destination.read(f"{FOLDER}/00000.parquet") == b"new"


@pytest.mark.parametrize("damage", ["missing", "resized"])
def test_damaged_parts_are_published_again_with_a_warning(destination: LocalDestination, damage: str) -> None:
    publish_export(destination)
    part = Path(destination.root) / FOLDER / "00001.parquet"
    if damage == "missing":
        part.unlink()
    else:
        part.write_bytes(b"longer than before")
    decision = publish_export(destination)
    assert decision.published is None
    (warning,) = decision.warnings
    counts = "1 is missing and 0 have" if damage == "missing" else "0 are missing and 1 has"
    assert counts in warning
    assert files(destination) == expected_files(EXPORT_ID)
    assert part.read_bytes() == b"second"
    assert decide(destination, make_export(), DEFAULTS).published is not None


def test_an_export_whose_folder_is_gone_is_published_anew(destination: LocalDestination) -> None:
    publish_export(destination)
    folder = Path(destination.root) / FOLDER
    folder.rename(destination.root + "/elsewhere")
    assert publish_export(destination).warnings
    assert folder.is_dir()


def test_a_second_full_export_of_a_date_is_refused_by_name(destination: LocalDestination) -> None:
    publish_export(destination)
    later = make_export(LATER_ID, TIME + timedelta(hours=1))
    with pytest.raises(UsageError, match=f"export {EXPORT_ID} .* for 2023-11-27: readers would count items twice"):
        decide(destination, later, DEFAULTS)
    with pytest.raises(UsageError, match="twice"):
        # Another layout does not help: readers go by the date of the records as well.
        decide(destination, later, ConvertOptions(layout="day={date}"))


def test_a_second_full_export_in_a_folder_is_refused_even_of_another_date(destination: LocalDestination) -> None:
    options = ConvertOptions(layout="all")
    publish_export(destination, options=options)
    later = make_export(LATER_ID, TIME + timedelta(days=3))
    with pytest.raises(UsageError, match="twice"):
        decide(destination, later, options)
    assert decide(destination, later, DEFAULTS).published is None


def test_a_second_full_export_replaces_the_first_when_told_to(destination: LocalDestination) -> None:
    publish_export(destination)
    publish_export(destination, make_export("01701324707109-cccccccc", TIME + timedelta(days=3)))
    decision = publish_export(destination, make_export(LATER_ID, TIME + timedelta(hours=1)), REPLACE)
    assert decision.remove == (Removal(EXPORT_ID, FOLDER),)
    assert [record.export_id for record in decision.kept] == ["01701324707109-cccccccc"]
    assert files(destination) == expected_files(LATER_ID) | expected_files("01701324707109-cccccccc", date="2023-11-30")


def test_one_commit_can_replace_its_own_export_and_another(destination: LocalDestination) -> None:
    publish_export(destination)
    other = make_export(LATER_ID, TIME + timedelta(days=1))
    publish_export(destination, other)
    tokyo = ConvertOptions(timezone="Asia/Tokyo", replace=True)
    moved = make_export(EXPORT_ID, datetime(2023, 11, 27, 20, 0, tzinfo=UTC))
    decision = publish_export(destination, moved, tokyo)
    assert [record.export_id for record in decision.replaced] == [EXPORT_ID, LATER_ID]
    assert files(destination) == expected_files(EXPORT_ID, date="2023-11-28")


def test_dates_in_another_time_zone_than_those_that_stay_are_warned_of(destination: LocalDestination) -> None:
    publish_export(destination)
    tokyo = ConvertOptions(timezone="Asia/Tokyo")
    later = make_export(LATER_ID, TIME + timedelta(days=1))
    (warning,) = publish_export(destination, later, tokyo).warnings
    assert "other exports here are days in UTC, and this export's is one in Asia/Tokyo" in warning
    third = make_export("01701324707109-cccccccc", TIME + timedelta(days=3))
    assert len(decide(destination, third, tokyo).warnings) == 1
    (warning,) = decide(destination, third, ConvertOptions(timezone="Europe/Berlin")).warnings
    assert "days in Asia/Tokyo and UTC" in warning
    # What goes in return has no date any more.
    assert not decide(destination, make_export(), replace(tokyo, replace=True)).warnings


def test_windows_of_one_date_lie_side_by_side(destination: LocalDestination) -> None:
    start = datetime(2024, 5, 27, 6, 0, tzinfo=UTC)
    first = make_window(start, start + timedelta(hours=1))
    second = replace(make_window(start + timedelta(hours=1), start + timedelta(hours=2)), export_id=LATER_ID)
    publish_export(destination, first)
    publish_export(destination, second)
    assert files(destination) == expected_files(EXPORT_ID, LATER_ID, date="2024-05-27")


def test_a_destination_belongs_to_one_table(destination: LocalDestination) -> None:
    publish_export(destination)
    stranger = make_export(LATER_ID, TIME + timedelta(days=1), "arn:aws:dynamodb:eu-west-1:1:table/others")
    for options in (DEFAULTS, REPLACE):
        with pytest.raises(UsageError, match=r"belongs to items of .*table/orders.* items of .*table/others"):
            decide(destination, stranger, options)


def test_a_destination_belongs_to_one_kind(destination: LocalDestination) -> None:
    publish_export(destination)
    window = replace(make_window(TIME, TIME + timedelta(hours=1)), export_id=LATER_ID)
    with pytest.raises(UsageError, match=r"belongs to items .* not to changes"):
        decide(destination, window, REPLACE)


def test_items_and_snapshots_share_a_destination_and_changes_have_their_own(destination: LocalDestination) -> None:
    publish_export(destination)
    later = make_export(LATER_ID, TIME + timedelta(days=1))
    assert decide(destination, replace(later, kind=ExportKind.SNAPSHOT), DEFAULTS).kept
    with pytest.raises(UsageError, match="and not to changes"):
        decide(destination, make_window(TIME, TIME + timedelta(hours=1)), DEFAULTS)


def test_a_table_that_was_made_again_goes_on_only_where_that_is_accepted(destination: LocalDestination) -> None:
    publish_export(destination)
    anew = replace(make_export(LATER_ID, TIME + timedelta(days=1)), table_id="12345678-0000-4000-8000-9f1d2b3c4d5e")
    with pytest.raises(UsageError, match="deleted and re-created"):
        decide(destination, anew, DEFAULTS)
    assert decide(destination, anew, DEFAULTS, accepts_recreated_table=True).kept
    with pytest.raises(UsageError, match="belongs to items"):
        decide(destination, replace(anew, kind=ExportKind.CHANGES), DEFAULTS, accepts_recreated_table=True)


def test_what_has_taken_over_goes_on_by_itself(destination: LocalDestination) -> None:
    publish_export(destination)
    anew = replace(make_export(LATER_ID, TIME + timedelta(days=1)), table_id="12345678-0000-4000-8000-9f1d2b3c4d5e")
    publish_export(destination, anew, accepts_recreated_table=True)
    next_day = replace(anew, export_id="01701251907109-cccccccc", export_time=TIME + timedelta(days=2))
    assert len(decide(destination, next_day, DEFAULTS).kept) == 2
    with pytest.raises(UsageError, match="deleted and re-created"):
        decide(destination, make_export("01701251907109-cccccccc", TIME + timedelta(days=2)), DEFAULTS)


def test_files_that_no_record_knows_are_not_covered(destination: LocalDestination) -> None:
    publish_export(destination)
    (Path(destination.root) / record_path(EXPORT_ID)).unlink()
    with pytest.raises(UsageError, match="no record says") as caught:
        decide(destination, make_export(), DEFAULTS)
    assert caught.value.where == f"{destination.root}/{FOLDER}"
    decision = publish_export(destination, options=REPLACE, contents=(b"new",))
    assert decision.remove == (Removal(EXPORT_ID, FOLDER),)
    assert files(destination) == expected_files(EXPORT_ID, parts=1)


def test_an_option_that_an_older_version_did_not_have_was_its_default(destination: LocalDestination) -> None:
    publish_export(destination)
    older = DEFAULTS.published()
    del older["overflow"]
    edit_record(destination, options=older, optionsHash="0" * 64)
    assert decide(destination, make_export(), DEFAULTS).published is not None
    with pytest.raises(UsageError, match=r"\(--overflow: none → _more\)"):
        decide(destination, make_export(), ConvertOptions(overflow="_more"))


def test_an_option_that_only_a_newer_version_has_is_a_difference(destination: LocalDestination) -> None:
    publish_export(destination)
    edit_record(destination, options={**DEFAULTS.published(), "nested": "struct"}, optionsHash="1" * 64)
    with pytest.raises(UsageError, match=r"\(--nested: struct → none\)"):
        decide(destination, make_export(), DEFAULTS)


def test_an_export_that_was_never_checked_is_said_to_be_so(destination: LocalDestination) -> None:
    publish_export(destination, options=ConvertOptions(verify=False))
    decision = decide(destination, make_export(), DEFAULTS)
    assert decision.published is not None
    assert "--no-verify" in decision.warnings[0]
    publish_export(destination, options=REPLACE)
    assert [record.verified for record in read_records(destination)] == [True]


def test_a_damaged_record_stops_every_run_by_name(destination: LocalDestination) -> None:
    publish_export(destination)
    (Path(destination.root) / record_path(EXPORT_ID)).write_text("{")
    with pytest.raises(StorageError, match=f"_exports/{EXPORT_ID}.json: the file is damaged"):
        decide(destination, make_export(LATER_ID, TIME + timedelta(days=1)), DEFAULTS)


def test_records_come_in_the_order_of_the_exports_time(destination: LocalDestination) -> None:
    days = {"01701000000003-a": 1, "01701000000001-a": 2, "01701000000002-a": 0}
    for export_id, day in days.items():
        publish_export(destination, make_export(export_id, TIME + timedelta(days=day)))
    (Path(destination.root) / "_exports" / "._hidden.json").write_text("")
    (Path(destination.root) / "_exports" / "notes.txt").write_text("")
    expected = ["01701000000002-a", "01701000000003-a", "01701000000001-a"]
    assert [record.export_id for record in read_records(destination)] == expected


def test_a_forecast_says_that_a_commit_is_under_way(destination: LocalDestination) -> None:
    publish_export(destination)
    (Path(destination.root) / record_path(EXPORT_ID)).rename(Path(destination.root) / INTENT)
    decision = decide(destination, make_export(), DEFAULTS)
    assert "the next run finishes that first" in decision.warnings[0]


def test_an_export_without_parts_is_nothing_to_do_the_next_time(destination: LocalDestination) -> None:
    publish_export(destination, contents=())
    assert files(destination) == {record_path(EXPORT_ID)}
    assert decide(destination, make_export(), DEFAULTS).published is not None


def test_no_export_can_take_the_name_of_the_intent(destination: LocalDestination) -> None:
    with pytest.raises(UsageError, match="'intent'"):
        publish_export(destination, make_export("intent"))
    assert not Path(destination.root).exists()


def test_each_of_two_formats_has_its_folder_and_both_have_one_record(destination: LocalDestination) -> None:
    decision = publish_export(destination, options=BOTH)
    assert decision.locations == BOTH_FOLDERS
    assert files(destination) == files_of_both()
    (record,) = read_records(destination)
    assert record.locations == BOTH_FOLDERS
    decision = decide(destination, make_export(), BOTH)
    assert decision.published == record
    assert decision.locations == BOTH_FOLDERS


def test_one_format_becomes_two_and_one_again_when_told_to(destination: LocalDestination) -> None:
    publish_export(destination)
    with pytest.raises(UsageError, match="format: parquet → csv,parquet"):
        decide(destination, make_export(), BOTH)
    decision = publish_export(destination, options=REPLACE_BOTH)
    assert decision.remove == (Removal(EXPORT_ID, FOLDER),)
    assert files(destination) == files_of_both()
    decision = publish_export(destination, options=replace(REPLACE_BOTH, numbers="text"), contents=(b"new",))
    assert files(destination) == files_of_both(parts=1)
    decision = publish_export(destination, options=REPLACE)
    assert decision.remove == tuple(Removal(EXPORT_ID, folder) for folder in BOTH_FOLDERS)
    assert files(destination) == expected_files(EXPORT_ID)
    assert not [name for name in ("csv", "parquet") if (Path(destination.root) / name).exists()]


def test_one_format_in_the_folder_of_one_of_two_is_replaced_too(destination: LocalDestination) -> None:
    publish_export(destination, options=ConvertOptions(layout="parquet/dt={date}"))
    publish_export(destination, options=REPLACE_BOTH, contents=(b"new",))
    assert files(destination) == files_of_both(parts=1)
    assert destination.read(f"parquet/{FOLDER}/00000.parquet") == b"new"


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_part_that_is_missing_in_one_of_two_formats_is_noticed(destination: LocalDestination, name: str) -> None:
    publish_export(destination, options=BOTH)
    (Path(destination.root) / f"{name}/{FOLDER}/00001.{name}").unlink()
    decision = publish_export(destination, options=BOTH)
    (warning,) = decision.warnings
    assert warning.startswith(f"{destination.root}/{name}/{FOLDER}: of 2 published parts 1 is missing")
    assert files(destination) == files_of_both()


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_files_in_one_of_two_folders_that_no_record_knows_are_not_covered(
    destination: LocalDestination, name: str
) -> None:
    unknown = Path(destination.root) / name / FOLDER / "mine.txt"
    unknown.parent.mkdir(parents=True)
    unknown.write_bytes(b"mine")
    with pytest.raises(UsageError, match="no record says") as caught:
        decide(destination, make_export(), BOTH)
    assert caught.value.where == str(unknown.parent)
    publish_export(destination, options=REPLACE_BOTH)
    assert files(destination) == files_of_both()


def test_a_second_full_export_is_refused_in_two_formats_too(destination: LocalDestination) -> None:
    publish_export(destination, options=replace(BOTH, layout="all"))
    later = make_export(LATER_ID, TIME + timedelta(days=3))
    for options in (replace(BOTH, layout="all"), ConvertOptions(format="csv", layout="csv/all")):
        with pytest.raises(UsageError, match="twice"):
            decide(destination, later, options)
    assert decide(destination, later, BOTH).published is None
    with pytest.raises(UsageError, match="twice"):
        decide(destination, make_export(LATER_ID), DEFAULTS)
