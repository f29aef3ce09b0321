"""Machine code from a place that others can write is not run, and the user is told where and why."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from converter.kernels.toolchain.cache import SOURCE_HASH, cache_folder
from converter.kernels.toolchain.loader import machine_code
from tests.cli.command import REPOSITORY, ddb_convert


def test_a_cache_that_everyone_can_write_is_left_alone_with_one_warning(tmp_path: Path) -> None:
    machine_code(["items", "values", "pages"])
    kept = cache_folder()
    assert kept is not None
    private = tmp_path / "tmp" / f"ddb-convert-{os.getuid()}"
    shared = tmp_path / "shared" / "ddb-convert"
    for folder in (private, shared):
        folder.mkdir(parents=True, mode=0o700)
        shutil.copytree(kept, folder / SOURCE_HASH)
    shared.chmod(0o777)
    for file in shared.rglob("*.o"):
        # Nothing in it could be loaded.
        file.write_bytes(file.read_bytes()[:100])
    variables = {"DDB_CONVERT_CACHE_DIR": str(shared.parent), "TMPDIR": str(private.parent)}
    source = str(REPOSITORY / "fixtures" / "orders")
    command = ("convert", source, str(tmp_path / "out"), "--key", "order_id")
    done = ddb_convert(*command, env=variables, forked=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "machine code" in line] == [
        f"warning: machine code is neither read from nor kept in {shared}: everyone can write {shared} (mode 0777); "
        "name a folder that only you can write with DDB_CONVERT_CACHE_DIR"
    ]
    assert "compiling" not in done.stderr
    assert all(file.stat().st_size == 100 for file in shared.rglob("*.o"))
