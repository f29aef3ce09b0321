"""Names and paths in a destination: which are valid, and which belong to an export."""

from __future__ import annotations

import pytest

from converter.errors import UsageError
from converter.storage.paths import check_folder, is_name, is_own_folder, is_path, record_path

EXPORT = "01701065507109-cce6a3f8"


def test_the_record_of_an_export_is_never_at_the_intents_path() -> None:
    assert record_path(EXPORT) == f"_exports/{EXPORT}.json"
    with pytest.raises(UsageError, match="'intent'"):
        record_path("intent")


@pytest.mark.parametrize("name", ["a", "a b", "é", ".hidden", "...", "a\\b"])
def test_names(name: str) -> None:
    assert is_name(name)
    assert is_path(name)
    assert is_path(f"{name}/{name}")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\n", "a\0", "\x7f"])
def test_texts_that_are_not_names(name: str) -> None:
    assert not is_name(name)
    assert not is_path(f"a/{name}/b") or name == "a/b"


@pytest.mark.parametrize("path", ["/a", "a/", "a//b", "../a", "a/..", "./a"])
def test_paths_that_may_leave_the_root_or_have_two_spellings(path: str) -> None:
    assert not is_path(path)


def test_the_root_is_a_path() -> None:
    assert is_path("")


@pytest.mark.parametrize("folder", [EXPORT, f"dt=1/{EXPORT}", f"csv/a/b/{EXPORT}", f"_exports-2/{EXPORT}"])
def test_own_folders(folder: str) -> None:
    assert is_own_folder(folder, EXPORT)
    check_folder(folder, EXPORT)


@pytest.mark.parametrize(
    "folder",
    ["", "dt=1", f"{EXPORT}/a", f"_exports/{EXPORT}", f"../{EXPORT}", f"/{EXPORT}", f"a//{EXPORT}", f"x{EXPORT}"],
)
def test_folders_that_are_not_an_exports_own(folder: str) -> None:
    assert not is_own_folder(folder, EXPORT)
    with pytest.raises(ValueError, match="is not a folder for"):
        check_folder(folder, EXPORT)
    assert not is_own_folder("..", "..")
