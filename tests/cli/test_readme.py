"""The README: its commands run and print what it shows, its picture is current, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from converter import errors
from tests.cli.command import REPOSITORY
from tests.cli.pages import BLOCK, check_commands, prepare_folder, run_page, unmarked_blocks
from tests.golden.make_pictures import PICTURE, make_picture

README = (REPOSITORY / "README.md").read_text("utf-8")
JAPANESE = (REPOSITORY / "README.ja.md").read_text("utf-8")
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
TROUBLESHOOTING = (REPOSITORY / "docs" / "guide" / "troubleshooting.md").read_text("utf-8")
MOST_LINES = 150


def test_commands_and_programs_run_in_the_order_of_the_page_and_print_what_it_shows(tmp_path: Path) -> None:
    assert run_page(README, tmp_path, prepare_folder(tmp_path)) == 5


def test_the_picture_shows_what_the_commands_print() -> None:
    assert PICTURE.read_text("utf-8") == make_picture(), "run `make fixtures`"


def test_the_page_stays_short() -> None:
    assert README.count("\n") <= MOST_LINES


@pytest.mark.parametrize("page", [README, JAPANESE], ids=["English", "Japanese"])
def test_commands_that_need_aws_can_be_read(page: str) -> None:
    assert check_commands(page) >= 1


@pytest.mark.parametrize("page", [README, JAPANESE, CONTRIBUTING], ids=["English", "Japanese", "contributing"])
def test_blocks_that_are_not_run_say_why(page: str) -> None:
    assert unmarked_blocks(page) == []


def test_contributing_names_files_and_targets_that_exist() -> None:
    for path in re.findall(r"`((?:tests|docs|converter)/[\w/.]+?)/?`", CONTRIBUTING):
        assert (REPOSITORY / path).exists(), path
    targets = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"make ([a-z-]+)", CONTRIBUTING)) <= set(targets)


def test_the_japanese_page_shows_the_commands_of_the_page() -> None:
    def commands(page: str) -> list[str]:
        return re.findall(r"^(?:\$ )?ddb-convert .*", "".join(block for _, block in BLOCK.findall(page)), re.MULTILINE)

    assert set(commands(README)) <= set(commands(JAPANESE))


@pytest.mark.parametrize("page", [JAPANESE, TROUBLESHOOTING], ids=["Japanese", "troubleshooting"])
def test_every_exit_code_is_listed(page: str) -> None:
    listed = set(re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE))))
    codes = {
        str(error.exit_code)
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ConvertError)
    }
    assert codes | {"0", "130", "141", "143"} == listed


def test_links_to_files_lead_somewhere() -> None:
    for page in (README, JAPANESE, CONTRIBUTING):
        links = [link for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
        assert links
        for link in links:
            assert (REPOSITORY / link.partition("#")[0]).exists(), link
