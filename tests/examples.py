"""How many examples a property is tried on: a third, or all of them with EXAMPLES=all (`make test-examples`)."""

from __future__ import annotations

import os

ALL = os.environ.get("EXAMPLES") == "all"
_SHARE = 3
_LEAST = 3


def examples(most: int) -> int:
    """For hypothesis' max_examples."""
    return most if ALL else max(most // _SHARE, _LEAST)
