"""Makes the manifests of an export agree with its data files again, after a test or a person edited them."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from contextlib import suppress
from os import PathLike
from pathlib import Path

from converter.testing.maker import count_items, write_manifest
from converter.testing.manifest import compact, etag, md5_text


def seal(folder: str | PathLike[str]) -> None:
    """Recompute counts, md5s and etags of the export in `folder`, and the checksums of its manifests.

    The files stay in the manifest's order. A listed file that is gone is struck off, a file in `data/` that isn't
    listed is appended (by name). Other members of the manifests are kept. A data file that can't be inflated keeps
    its count: its new md5 is right, and only the gzip is wrong.
    """
    folder = Path(folder)
    lines = (folder / "manifest-files.json").read_bytes().split(b"\n")
    entries: list[dict[str, object]] = [json.loads(line) for line in lines if line.strip()]
    summary = json.loads((folder / "manifest-summary.json").read_bytes())
    key_folder = str(summary["manifestFilesS3Key"]).rpartition("/")[0] + "/data/"
    known = {str(entry["dataFileS3Key"]).rpartition("/")[2] for entry in entries}
    # Incremental exports share one data folder beside theirs: what isn't listed belongs to another export.
    entries.extend(
        {"itemCount": 0, "md5Checksum": "", "etag": "", "dataFileS3Key": key_folder + path.name}
        for path in sorted((folder / "data").glob("*.gz"))
        if path.name not in known
    )
    kept = [entry for entry in entries if _seal_entry(folder, entry)]
    summary["itemCount"] = sum(count for entry in kept if isinstance(count := entry["itemCount"], int))
    write_manifest(folder, "files", b"".join(compact(entry) + b"\n" for entry in kept))
    write_manifest(folder, "summary", compact(summary))


def _seal_entry(folder: Path, entry: dict[str, object]) -> bool:
    """Bring one line of the manifest up to date; False if its file is gone."""
    name = str(entry["dataFileS3Key"]).rpartition("/")[2]
    path = next((p for p in (folder / "data" / name, folder.parent / "data" / name) if p.exists()), None)
    if path is None:
        return False
    compressed = path.read_bytes()
    md5 = hashlib.md5(compressed, usedforsecurity=False).digest()
    entry["md5Checksum"] = md5_text(md5)
    entry["etag"] = etag(md5)
    with suppress(OSError, EOFError, zlib.error):
        entry["itemCount"] = count_items(gzip.decompress(compressed))
    return True
