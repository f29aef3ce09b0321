"""What several tests of the command share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.forking import ForkedCommands


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommands]:
    """The command, quick to start."""
    commands = ForkedCommands(tmp_path_factory.mktemp("forked"))
    yield commands
    commands.close()
