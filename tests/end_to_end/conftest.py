"""Fixtures of the tests that go from one end to the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.machines import ITEMS, server
from tests.end_to_end.scheduled import Night
from tests.servers.dynamodb import PlayedDynamoDb
from tests.servers.s3 import S3Server


@pytest.fixture
def service(dynamodb: PlayedDynamoDb, monkeypatch: pytest.MonkeyPatch) -> PlayedDynamoDb:
    """DynamoDB for a test's own process and those it starts; an export is completed when it is first asked about."""
    dynamodb.server.use(monkeypatch)
    dynamodb.polls = 0
    return dynamodb


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """It waits for nothing, and so runs no tasks."""
    with server(tmp_path_factory.mktemp("hasty"), wait_scale="0") as running:
        yield running


@pytest.fixture
def bad_night(hasty: S3Server, tmp_path: Path) -> Night:
    """A night on which no container comes to its end."""
    return Night(hasty, tmp_path, ITEMS)
