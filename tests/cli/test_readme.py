"""The README's commands and programs do what they seem to do, and its tables name what there is."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

from converter import errors
from converter.cli.commands import commands, read_command
from converter.cli.convert import ConvertArguments
from converter.options import NAME_POLICIES
from converter.schema.naming import legal_name
from tests.cli.command import REPOSITORY
from tests.cli.pages import BLOCK, prepare_folder, run_page

README = (REPOSITORY / "README.md").read_text("utf-8")
JAPANESE = (REPOSITORY / "README.ja.md").read_text("utf-8")
BLOCKS = BLOCK.findall(README)


def test_commands_and_programs_run_in_the_order_of_the_page_and_print_what_it_shows(tmp_path: Path) -> None:
    assert run_page(README, tmp_path, prepare_folder(tmp_path)) >= 8


def test_the_japanese_page_shows_commands_that_can_be_read_and_those_of_the_page_as_they_are() -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", JAPANESE, re.MULTILINE | re.DOTALL)
    seen = 0
    for language, block in blocks:
        if language == "console":
            # These are run above.
            assert block in "".join(own for kind, own in BLOCKS if kind == "console")
        for line in re.findall(r"^(?:\$ )?ddb-convert (.*)", block.replace("\\\n", ""), re.MULTILINE):
            assert read_command(shlex.split(line)) is not None
            seen += 1
    assert seen >= 7


def test_the_japanese_page_lists_every_exit_code() -> None:
    def codes(page: str) -> list[str]:
        return re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE)

    assert codes(JAPANESE) == codes(README)


def test_the_page_lists_every_option_of_convert() -> None:
    listed = set(re.findall(r"--([a-z-]+)", README.split("## Options")[1].split("| exit code")[0]))
    options = {
        f.name.rstrip("_").replace("_", "-")
        for f in dataclasses.fields(ConvertArguments)
        if f.default is not dataclasses.MISSING
    }
    assert options <= listed


def test_the_page_lists_every_command() -> None:
    listed = re.findall(r"^\| `ddb-convert ((?:[a-z]+ )+)", README, re.MULTILINE)
    groups = [group.typer_instance for group in commands.registered_groups if group.typer_instance is not None]
    verbs = [str(command.name) for command in commands.registered_commands]
    verbs += [f"{group.info.name} {command.name}" for group in groups for command in group.registered_commands]
    assert sorted(name.strip() for name in listed) == sorted(verbs)


def test_the_page_lists_every_exit_code() -> None:
    listed = set(re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE))))
    codes = {
        str(error.exit_code)
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ConvertError)
    }
    assert codes | {"0", "130", "141", "143"} == listed


def test_the_table_of_names_shows_what_the_policies_make() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` ((?:\| `[^`]+` ){4})\| (?:(\d+) characters)? ?\| (.*) ?\|$", README, re.MULTILINE
    )
    assert [policy for policy, *_ in rows] == list(NAME_POLICIES)
    for policy, names, longest, reserved in rows:
        attributes = ("orderId", "user-name", "größe", "1st")
        assert re.findall("`(.+?)`", names) == [legal_name(name, policy) for name in attributes]
        assert longest == str(NAME_POLICIES[policy].longest or "")
        assert tuple(re.findall("`(.+?)`", reserved)) == NAME_POLICIES[policy].reserved


def test_links_to_files_lead_somewhere() -> None:
    for page in (README, JAPANESE):
        links = [link for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
        assert links
        for link in links:
            assert (REPOSITORY / link.partition("#")[0]).exists(), link
