"""Writes a command's result to stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping


def print_json(facts: Mapping[str, object]) -> None:
    """One JSON object on one line; in ASCII, so that it is the same in every terminal's encoding."""
    sys.stdout.write(json.dumps(facts) + "\n")
