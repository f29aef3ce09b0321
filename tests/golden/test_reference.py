"""The reference pages of the documentation say what the program says."""

from __future__ import annotations

import pytest

import converter
from tests.golden.make_reference import PAGES, make_pages

MADE = make_pages()


@pytest.mark.parametrize("name", MADE)
def test_a_reference_page_is_as_the_program_makes_it(name: str) -> None:
    assert (PAGES / name).read_text("utf-8") == MADE[name], "run `make fixtures`"


def test_there_is_no_other_page() -> None:
    assert {path.name for path in PAGES.iterdir()} == MADE.keys()


def test_every_public_name_is_in_the_page_of_the_python_interface() -> None:
    page = MADE["python.md"]
    for name in converter.__all__:
        assert name == "__version__" or f"### {name}\n" in page or f"`{name}`" in page.split("## Exceptions")[1], name
