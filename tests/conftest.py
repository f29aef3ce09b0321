"""What all tests share: hypothesis' settings, the servers, and the real exports that some of them read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.examples import examples

pytest_plugins = ["tests.servers.fixtures"]

# The first example of a kernel's test compiles it: a deadline for each example would measure that.
settings.register_profile("project", deadline=None, max_examples=examples(100))
settings.load_profile("project")


@pytest.fixture(scope="session")
def sample_exports() -> Path:
    """The folder of real exports that SAMPLE_EXPORTS names; the test is skipped without it."""
    folder = os.environ.get("SAMPLE_EXPORTS")
    if not folder:
        pytest.skip("SAMPLE_EXPORTS names no folder of real exports")
    return Path(folder)
