"""Magnitudes of Unix times: a mask of units that a number may be in (kernels/parse/unix_times.py), or one of these."""

from __future__ import annotations

from typing import Final

SMALL: Final = 16
"""Between -10^8 and 10^8: near 1970 in every unit."""
ZERO: Final = 17
"""1970-01-01T00:00:00Z in every unit."""
