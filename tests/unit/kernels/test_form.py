"""The form of the kernels by machine, and as tests ask for it."""

from __future__ import annotations

import pytest

from converter.kernels.form import choose_form


@pytest.mark.parametrize(
    ("wanted", "machine", "checked", "form"),
    [
        (None, "x86_64", False, "vector"),
        (None, "AMD64", False, "vector"),
        (None, "aarch64", False, "plain"),
        (None, "x86_64", True, "plain"),
        ("plain", "x86_64", False, "plain"),
        ("vector", "aarch64", False, "vector"),
        ("", "arm64", False, "plain"),
    ],
)
def test_vectors_are_used_where_they_were_measured_unless_a_form_is_asked_for(
    wanted: str | None, machine: str, checked: bool, form: str
) -> None:
    assert choose_form(wanted, machine, checked=checked) == form
