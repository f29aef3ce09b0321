"""A run that dies: `python -m tests.conformance.dying DEST MOMENT EXPORT FOLDER`, with S3 as the environment says.

It dies as by `kill -9`: at `taking` when it has the lease and has not looked what an earlier run left; with two parts
written at `writing` before its commit, at `begun` when the commit has begun and
nothing of it is done, at `placed` when all parts are in place and the record is not. At `living` it holds the
destination, says so, and lives until stdin ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from converter.storage import open_destination
from converter.storage.destination import Destination


def die(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives")


def main(dest: str, moment: str, export: str, folder: str) -> None:
    """Never returns, but at `living`."""
    run_until(moment, open_destination(dest), export, folder, die)


def run_until(moment: str, destination: Destination, export: str, folder: str, die: Callable[..., NoReturn]) -> None:
    """Publish two parts, and die at the moment."""
    with destination.lease(recover=moment != "taking") as lease:
        if moment == "taking":
            die()
        steps = {"begun": "_remove_records", "placed": "_write_record"}
        if moment in steps:
            setattr(lease, steps[moment], die)
        staging = lease.begin(export, folder)
        parts = []
        for number in range(2):
            sink = staging.open_part(f"{number:05}-0000.parquet")
            sink.write(b"part %d" % number)
            parts.append(sink.finish())
        if moment == "living":
            sys.stdout.write("living\n")
            sys.stdout.flush()
            sys.stdin.read()
        elif moment == "writing":
            # In S3 an upload is begun by another thread; settling is what waits for it.
            settle = getattr(getattr(staging, "_uploads", None), "settle", None)
            if settle is not None:
                settle(parts)
            die()
        else:
            staging.commit(b'{"record": 1}', parts)


if __name__ == "__main__":
    main(*sys.argv[1:])
