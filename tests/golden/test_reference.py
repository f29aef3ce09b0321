"""The reference pages of the documentation say what the program says."""

from __future__ import annotations

import pytest

from tests.golden.make_reference import PAGES, make_pages

MADE = make_pages()


@pytest.mark.parametrize("name", MADE)
def test_a_reference_page_is_as_the_program_makes_it(name: str) -> None:
    assert (PAGES / name).read_text("utf-8") == MADE[name], "run `make fixtures`"


def test_there_is_no_other_page() -> None:
    assert {path.name for path in PAGES.iterdir()} == MADE.keys()
