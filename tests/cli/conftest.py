"""What several tests of the command share."""

from __future__ import annotations

import pytest

from tests.cli.forking import ForkedCommands, forked_commands


@pytest.fixture(scope="session")
def forked() -> ForkedCommands:
    """The command, quick to start."""
    return forked_commands()
