"""A server that takes uploads slowly, and in any order, costs time and no memory, and changes nothing of the parts."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

from converter.testing import write_split_export
from tests.end_to_end.exports import line
from tests.faults.s3_runs import Place, s3_environment
from tests.servers.faults import Call, Fault, Request
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server

MIB = 1 << 20
ROWS_MIB = 150
"""What is uploaded: far more than may wait."""
MORE_MIB = 50
"""What a slow server may cost."""
MEASURED = """
import re, sys
from converter.cli.main import run
code = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
sys.exit(code)
"""


def peak_mib(server: S3Server, source: str, dest: str) -> float:
    """The most memory that a conversion to CSV had."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "convert", source, dest, "--format", "csv", "--workers", "2", "--quiet"],
        env=s3_environment(server),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_slow_uploads_take_no_more_memory_and_end_in_any_order(
    ministack: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "x" * 2_000
    rows = ROWS_MIB * MIB // 2_000 // 3
    files = [[line(id=f'{{"S":"{file}-{row}"}}', text=f'{{"S":"{text}"}}') for row in range(rows)] for file in range(3)]
    source = str(write_split_export(tmp_path_factory.mktemp("bucket"), files).folder)
    source_of = random.Random(7)

    def rule(request: Request) -> Fault | None:
        seconds = 0.3 + source_of.random()
        return Call(lambda: time.sleep(seconds)) if request.operation == "UploadPart" else None

    fast, slow = Place.new(ministack), Place.new(ministack)
    usual = peak_mib(ministack, source, fast.url)
    with start_proxy(ministack, rule) as proxy:
        begun = time.monotonic()
        peak = peak_mib(proxy.server, source, slow.url)
        seconds = time.monotonic() - begun
        pieces = proxy.operations().count("UploadPart")
    print(f"\n{usual:.0f} MiB, slow {peak:.0f} MiB, {pieces} pieces, {seconds:.1f} s")  # noqa: T201 - the figures
    assert pieces >= ROWS_MIB // 6
    assert peak < usual + MORE_MIB
    # The uploads, four at a time, are what it waits for.
    assert seconds > pieces * 0.8 / 8
    parts = [
        {path: data for path, data in place.contents().items() if path.startswith("dt=")} for place in (fast, slow)
    ]
    assert parts[0] == parts[1]
    assert sum(map(len, parts[0].values())) > ROWS_MIB * MIB
