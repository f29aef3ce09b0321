"""The fixtures for S3: each server is started when a test first asks for it, once in each of pytest's processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.dynamodb import PlayedDynamoDb, play_dynamodb
from tests.servers.ministack import start_ministack
from tests.servers.relay import Relay, relay_to
from tests.servers.s3 import S3Server
from tests.servers.swift import start_swift


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """MiniStack's S3; quick to start, so that any test may use it."""
    with start_ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Swift's S3; for tests that are marked as slow."""
    with start_swift(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture(params=["ministack", pytest.param("swift", marks=pytest.mark.slow)])
def s3(request: pytest.FixtureRequest) -> S3Server:
    """Each of the servers."""
    server: S3Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def _relay(ministack: S3Server) -> Iterator[Relay]:
    with relay_to(ministack) as relay:
        yield relay


@pytest.fixture
def relay(_relay: Relay) -> Relay:
    """A relay to MiniStack that keeps what it is asked in this test."""
    _relay.asked.clear()
    return _relay


@pytest.fixture
def dynamodb(ministack: S3Server) -> Iterator[PlayedDynamoDb]:
    """DynamoDB with exports that end in files; S3 is the same server's."""
    with play_dynamodb(ministack) as service:
        yield service
