"""The language of texts and names: see `tests/language.py` for the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import language

CHECKED = [str(path.relative_to(language.REPOSITORY)) for path in language.listed()]
NOT_YET = language.not_yet()
AVOIDED = (
    "'3k' is no size",
    "of two files one is none",
    "the count is behind the name",
    "The file is written anew.",
    "so many rows",
    "an error of ours",
    "Nobody reads it.",
    "The result lies in a folder",
    "? stands for one character",
    "The listener is told of it.",
    "The run hears of it.",
    "Remove it; else it is kept",
    "Else it is kept.",
    "It is kept. Where there is none, it is made.",
    "Who lists the folder sees parts.",
    "What comes out is exact.",
    "Of an export of now the date is today.",
    "The state has the export converted.",
    "the 3. in its files",
    "two twins of an item",
)
FINE = (
    "There is no such table.",
    "The export is no longer there",
    "a server behind a proxy",
    "None if there is none",
    "What is in an export?",
    "Who may read it?",
    "The two differ, otherwise it is kept. Of course, it may be empty.",
    "It has been exported and converted.",
    "the table's 3.5 GB",
    "if x: y else: z",
    "It stands out.",
)


@pytest.mark.parametrize("folder", sorted({path.partition("/")[0] for path in CHECKED}))
def test_texts_and_names_of_all_files_are_plain_english(folder: str) -> None:
    places = [
        f"{path}:{one.line}: {one.found!r}: {one.advice}"
        for path in CHECKED
        if path.partition("/")[0] == folder and path not in NOT_YET
        for one in language.findings(language.REPOSITORY / path)
    ]
    assert not places, "\n".join(places)


def test_the_list_of_files_that_are_not_yet_clean_only_shrinks() -> None:
    clean = [p for p in NOT_YET if p not in CHECKED or not language.findings(language.REPOSITORY / p)]
    assert not clean, f"clean or removed: run `python -m tests.language --shrink` and commit the list: {clean}"
    assert sorted(set(NOT_YET)) == NOT_YET


@pytest.mark.parametrize("text", AVOIDED)
@pytest.mark.parametrize("form", ['x = "{}"', "x = 1  # {}", '"""The module.\n\n{}\n"""'])
def test_avoided_phrases_are_found(text: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(form.format(text) + "\n")
    assert language.findings(path)


@pytest.mark.parametrize("text", FINE)
def test_fine_phrases_are_not_found(text: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f'x = "{text}"\n')
    assert not language.findings(path)


def test_phrases_are_found_across_lines_and_in_every_kind_of_file(tmp_path: Path) -> None:
    for name, text in (
        ("page.md", "The result\nlies in a folder, and it\nis written\n"),
        ("Makefile", "all:  # The result\n\t# lies in a folder\n"),
        ("module.py", 'x = f"The result {1} "\\\n    "lies here"\n'),
    ):
        path = tmp_path / name
        path.write_text(text)
        assert [one.found for one in language.findings(path)] == ["lies"]
    page = tmp_path / "code.md"
    page.write_text("```\nit lies\n```\n")
    assert not language.findings(page)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def judge_value(x): ...", "judge_value"),
        ("class StandingState: ...", "StandingState"),
        ("OURS = 1", "OURS"),
        ("def bad_line() -> LineError: ...", "bad_line"),
        ('def read():\n    """What is read."""', "What"),
        ('def read():\n    """Nothing."""', "Nothing."),
        ('def is_read():\n    """Is it read?"""', "Is"),
    ],
)
def test_names_and_docstrings_are_checked(source: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source + "\n")
    assert found in [one.found for one in language.findings(path)]


@pytest.mark.parametrize(
    "source",
    [
        "spare_threads = 2",
        "def notebook_path(): ...",
        "def bad_line_error() -> LineError: ...",
        'def is_read():\n    """Return whether it is read."""',
    ],
)
def test_fine_names_are_not_found(source: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source + "\n")
    assert not language.findings(path)


def test_a_module_is_named_without_a_metaphor(tmp_path: Path) -> None:
    path = tmp_path / "lanes.py"
    path.write_text("")
    assert [one.found for one in language.findings(path)] == ["lanes"]
