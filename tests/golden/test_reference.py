"""The reference pages of the documentation say what the program says."""

from __future__ import annotations

import re

import pytest

import converter
from tests.cli.command import REPOSITORY
from tests.golden.make_reference import PAGES, make_pages

MADE = make_pages()


@pytest.mark.parametrize("name", MADE)
def test_a_reference_page_is_as_the_program_makes_it(name: str) -> None:
    assert (PAGES / name).read_text("utf-8") == MADE[name], "run `make fixtures`"


def test_every_environment_variable_of_the_program_is_in_the_page() -> None:
    sources = "".join(path.read_text("utf-8") for path in (REPOSITORY / "converter").rglob("*.py"))
    names = set(re.findall(r"DDB_CONVERT_[A-Z]\w+", sources))
    assert names >= {"DDB_CONVERT_KERNELS", "DDB_CONVERT_BOUNDS_CHECK"}
    assert names <= set(re.findall(r"^\| `(DDB_CONVERT_\w+)` \|", MADE["environment.md"], re.MULTILINE))


def test_there_is_no_other_page() -> None:
    assert {path.name for path in PAGES.iterdir()} == MADE.keys()


def test_every_public_name_is_in_the_page_of_the_python_interface() -> None:
    page = MADE["python.md"]
    for name in converter.__all__:
        assert name == "__version__" or f"### {name}\n" in page or f"`{name}`" in page.split("## Exceptions")[1], name
