"""The documentation: its commands can be read, those that need no AWS run, and every page is in the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from converter.name_policies import NAME_POLICIES
from converter.schema.naming import legal_name
from tests.cli.command import REPOSITORY
from tests.cli.pages import BLOCK, RUN, check_commands, prepare_folder, run_page, unmarked_blocks
from tests.unit.test_architecture import FLOOR, LADDER

DOCS = REPOSITORY / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
ORDER = (
    "quickstart.md",
    "guide/filtering.md",
    "guide/troubleshooting.md",
    "guide/day-after-day.md",
    "guide/incremental.md",
    "guide/loading.md",
    "guide/notebooks.md",
)
"""Pages whose commands run, in an order in which the later ones find what the earlier ones made."""


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_commands_and_programs_of_the_pages_run(tmp_path: Path) -> None:
    env = prepare_folder(tmp_path)
    for name in ORDER:
        assert run_page(read(name), tmp_path, env), name


def test_all_pages_with_commands_that_need_no_aws_are_run() -> None:
    with_code = {name for name in PAGES if any(language in RUN for language, _ in BLOCK.findall(read(name)))}
    assert with_code == set(ORDER)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_that_are_not_run_say_why(name: str) -> None:
    assert unmarked_blocks(read(name)) == []


def test_a_block_without_a_mark_is_found() -> None:
    page = (
        "```sh\nls\n```\n\n<!-- not run: needs AWS -->\n```sh\nls\n```\n```text\nls\n```\n- a\n  ```bash\n  ls\n  ```\n"
    )
    assert unmarked_blocks(page) == ["sh", "bash"]


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_need_aws_can_be_read(name: str) -> None:
    assert check_commands(read(name)) >= (name in ("guide/sync.md", "guide/schedule.md", "guide/container.md"))


def test_every_page_is_in_the_site() -> None:
    listed = re.findall(r"[\w./-]+\.md", (REPOSITORY / "mkdocs.yml").read_text("utf-8"))
    assert sorted(listed) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if "://" not in link and not link.startswith("#"):
            target = link.partition("#")[0]
            assert (DOCS / name).parent.joinpath(target).is_file(), link


@pytest.mark.parametrize("name", PAGES)
def test_files_that_a_page_names_exist(name: str) -> None:
    for path in re.findall(r"`((?:tests|benchmarks|converter)/[\w/.]+?)/?`", read(name)):
        assert (REPOSITORY / path).exists(), path


def test_the_table_of_names_shows_what_the_policies_make() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` ((?:\| `[^`]+` ){4})\| (?:(\d+) characters)? ?\| (.*) ?\|$",
        read("guide/types.md"),
        re.MULTILINE,
    )
    assert [policy for policy, *_ in rows] == list(NAME_POLICIES)
    for policy, names, longest, reserved in rows:
        attributes = ("orderId", "user-name", "größe", "1st")
        assert re.findall("`(.+?)`", names) == [legal_name(name, policy) for name in attributes]
        assert longest == str(NAME_POLICIES[policy].longest or "")
        assert tuple(re.findall("`(.+?)`", reserved)) == NAME_POLICIES[policy].reserved


def test_the_page_of_the_architecture_lists_the_packages_in_the_order_of_the_ladder() -> None:
    page = read("design/architecture.md").split("## Packages")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert tuple(listed) == LADDER
    floor = page.partition("the floor: ")[2].partition(".\n\n")[0]
    assert [f"converter.{name}" for name in re.findall(r"`([\w.]+)`", floor)] == sorted(FLOOR)
