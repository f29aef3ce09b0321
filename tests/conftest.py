"""Settings of all tests: hypothesis' profile, machine code, where files are, the server marker, real exports."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from converter.cpus import usable_cpus
from converter.kernels.library import NATIVE, library_name
from converter.kernels.toolchain.build import build_library
from tests.examples import examples

pytest_plugins = ["tests.servers.fixtures"]

# The first example of a kernel's test compiles it: a deadline for each example would measure that.
settings.register_profile("project", deadline=None, max_examples=examples(100))
settings.load_profile("project")

SERVERS = {"ministack", "swift", "s3"}
"""Fixtures that start a server; `s3` is one of the other two."""

MEMORY = Path("/dev/shm")
ROOM_BYTES = 512 << 20


def starts_workers(config: pytest.Config) -> bool:
    """Whether tests run in processes that this one starts."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


def pytest_xdist_auto_num_workers() -> int:
    """Half again as many workers as CPUs: some tests wait for servers, signals, or the disk."""
    return usable_cpus() * 3 // 2


def pytest_configure(config: pytest.Config) -> None:
    """Keep the files of quick tests in memory, if there is room: each run of the program waits for the disk often."""
    if "not slow" in config.option.markexpr and "TMPDIR" not in os.environ and has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def has_room(folder: Path) -> bool:
    """Whether the folder exists, has room for the files of quick tests, and lets programs in it run."""
    if not folder.is_dir():
        return False
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize >= ROOM_BYTES and not system.f_flag & os.ST_NOEXEC


def pytest_sessionstart(session: pytest.Session) -> None:
    """Build the kernels if their sources have changed; workers find them built."""
    if not hasattr(session.config, "workerinput") and not (NATIVE / library_name()).is_file():
        build_library()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what is collected, ten thousand tests, to no later garbage collection."""
    gc.disable()
    result = yield
    gc.enable()
    gc.freeze()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a server, before pytest selects tests by their marks."""
    for item in items:
        if isinstance(item, pytest.Function) and not SERVERS.isdisjoint(item.fixturenames):
            item.add_marker("server")


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """Print nothing for a test that passes in a quiet run with workers: dots for thousands say nothing."""
    if report.passed and config.option.verbose < 0 and starts_workers(config):
        return ("passed" if report.when == "call" else "", "", "")
    return None


@pytest.fixture(scope="session")
def sample_exports() -> Path:
    """The folder of real exports that SAMPLE_EXPORTS names; the test is skipped without it."""
    folder = os.environ.get("SAMPLE_EXPORTS")
    if not folder:
        pytest.skip("SAMPLE_EXPORTS names no folder of real exports")
    return Path(folder)
