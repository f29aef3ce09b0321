"""The form of the kernels in this process, and whether they check bounds."""

from __future__ import annotations

import os
import platform
from typing import Final, Literal, cast

Form = Literal["vector", "plain"]

BOUNDS_CHECKED: Final = os.environ.get("DDB_CONVERT_BOUNDS_CHECK") == "1"
"""Numba calls the kernels and checks every array access (tests only: about ten times slower). Needs the plain form."""


def choose_form(wanted: str | None, machine: str, *, checked: bool) -> Form:
    """Return the form that is wanted, or the one that is fastest on a machine.

    `vector` loads 64 bytes at a time, `plain` does the same in loops. Vector was measured on x86-64 only.
    """
    if wanted in ("vector", "plain"):
        return cast(Form, wanted)
    return "vector" if machine in ("x86_64", "AMD64") and not checked else "plain"


FORM: Final = choose_form(os.environ.get("DDB_CONVERT_KERNELS"), platform.machine(), checked=BOUNDS_CHECKED)
