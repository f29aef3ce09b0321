"""The documentation: its commands can be read, those that need no AWS run, and every page is in the site."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from converter.cli.commands import read_command
from tests.cli.command import REPOSITORY
from tests.cli.pages import BLOCK, prepare_folder, run_page

DOCS = REPOSITORY / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
ORDER = (
    "quickstart.md",
    "guide/troubleshooting.md",
    "guide/day-after-day.md",
    "guide/incremental.md",
    "guide/loading.md",
)
"""Pages whose commands run, in an order in which the later ones find what the earlier ones made."""


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_commands_and_programs_of_the_pages_run(tmp_path: Path) -> None:
    env = prepare_folder(tmp_path)
    for name in ORDER:
        assert run_page(read(name), tmp_path, env), name


def test_all_pages_with_commands_that_need_no_aws_are_run() -> None:
    with_console = {name for name in PAGES if any(language == "console" for language, _ in BLOCK.findall(read(name)))}
    assert with_console <= set(ORDER)


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_need_aws_can_be_read(name: str) -> None:
    for language, block in BLOCK.findall(read(name)):
        if language != "sh":
            continue
        for line in re.findall(r"^ddb-convert (.*)", block.replace("\\\n", ""), re.MULTILINE):
            assert read_command(shlex.split(line)) is not None, line


def test_every_page_is_in_the_site() -> None:
    listed = re.findall(r"[\w./-]+\.md", (REPOSITORY / "mkdocs.yml").read_text("utf-8"))
    assert sorted(listed) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if "://" not in link:
            target = link.partition("#")[0]
            assert (DOCS / name).parent.joinpath(target).is_file(), link
