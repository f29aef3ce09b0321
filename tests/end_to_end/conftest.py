"""Fixtures of the tests that go from one end to the other."""

from __future__ import annotations

import pytest

from tests.servers.dynamodb import PlayedDynamoDb


@pytest.fixture
def service(dynamodb: PlayedDynamoDb, monkeypatch: pytest.MonkeyPatch) -> PlayedDynamoDb:
    """DynamoDB for a test's own process and those it starts; an export is completed when it is first asked about."""
    dynamodb.server.use(monkeypatch)
    dynamodb.polls = 0
    return dynamodb
