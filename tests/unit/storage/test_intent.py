"""The intent of a commit: it survives its file, and a file that no run can have written is damaged."""

from __future__ import annotations

import json

import pytest

from converter.errors import StorageError, UsageError
from converter.storage.intent import Intent, PendingPart, Removal, check_names

EXPORT = "01701065507109-cce6a3f8"
OTHER = "01701065507110-aaaaaaaa"
PART = PendingPart("0.parquet", 3, "ab" * 32, "receipt")
INTENT = Intent(EXPORT, f"{EXPORT}-0a1b2c3d", (f"dt=1/{EXPORT}",), "{}", (PART,), (Removal(OTHER, f"dt=1/{OTHER}"),))


def changed(**values: object) -> bytes:
    return json.dumps({**json.loads(INTENT.to_json()), **values}).encode()


def test_it_survives_its_file() -> None:
    assert Intent.from_json(INTENT.to_json(), "intent.json") == INTENT


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"exportId": ".."}, "'..' is not the name of a file"),
        ({"run": "a/b"}, "'a/b' is not the name of a file"),
        ({"run": f"{OTHER}-0a1b2c3d"}, "is not a run of export"),
        ({"folders": []}, "a part has no folder"),
        ({"folders": [], "parts": []}, "are not folders of export"),
        ({"folders": [f"../{EXPORT}"]}, "are not folders of export"),
        ({"folders": [EXPORT, f"{EXPORT}/{EXPORT}"]}, "one of its folders is in another"),
        ({"remove": [{"exportId": "intent", "folder": ""}]}, "'intent' is not the id of an export"),
        ({"remove": [{"exportId": OTHER, "folder": f"dt=1/{EXPORT}"}]}, "is not the folder of export"),
        ({"record": "\ud800"}, "record"),
        ({"parts": [{"name": "0.parquet"}]}, "parts[0].bytes: missing"),
    ],
)
def test_an_intent_that_no_run_can_have_written_is_damaged(values: dict[str, object], problem: str) -> None:
    with pytest.raises(StorageError) as damaged:
        Intent.from_json(changed(**values), "intent.json")
    assert problem in damaged.value.what
    assert damaged.value.where == "intent.json"


def test_two_parts_of_one_name_are_damage() -> None:
    part = json.loads(INTENT.to_json())["parts"][0]
    with pytest.raises(StorageError, match="two parts have the same name"):
        Intent.from_json(changed(parts=[part, part]), "intent.json")


def test_a_newer_version_is_left_alone() -> None:
    with pytest.raises(UsageError, match="it has version 3"):
        Intent.from_json(changed(version=3), "intent.json")


def test_names_of_parts_are_checked_before_they_are_committed() -> None:
    check_names([PART, PendingPart("0.parquet", 3, "", "", 1)])
    with pytest.raises(ValueError, match="two parts have the same name"):
        check_names([PART, PART])
    with pytest.raises(ValueError, match="not the name of a file"):
        check_names([PendingPart("a/b", 3, "", "")])
