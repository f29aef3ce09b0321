from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from pathlib import Path

from converter.testing import ExportFacts, ExportPaths, seal, write_split_export


def write_three(bucket: Path) -> ExportPaths:
    return write_split_export(bucket, [[{"id": 1}], [{"id": 2}, {"id": 3}], []], facts=ExportFacts(prefix="p"))


def entries(export: ExportPaths) -> list[dict[str, object]]:
    return [json.loads(line) for line in export.files.read_bytes().splitlines()]


def assert_checksums_are_right(export: ExportPaths) -> None:
    for path in (export.files, export.summary):
        assert path.with_suffix(".md5").read_text() == b64encode(hashlib.md5(path.read_bytes()).digest()).decode()
    for entry in entries(export):
        md5 = hashlib.md5((export.bucket / str(entry["dataFileS3Key"])).read_bytes()).digest()
        assert entry["md5Checksum"] == b64encode(md5).decode()
        assert entry["etag"] == hashlib.md5(md5).hexdigest() + "-1"


def test_sealing_an_untouched_export_changes_no_byte(tmp_path: Path) -> None:
    export = write_three(tmp_path)
    before = {path: path.read_bytes() for path in export.folder.rglob("*") if path.is_file()}
    seal(export.folder)
    assert {path: path.read_bytes() for path in export.folder.rglob("*") if path.is_file()} == before


def test_an_edited_data_file_is_counted_and_checksummed_again(tmp_path: Path) -> None:
    export = write_three(tmp_path)
    export.data_files[0].write_bytes(gzip.compress(b'{"Item":{}}\n\n{}\n{"Item":{}}\n{"Item":{}}'))
    seal(export.folder)
    assert [entry["itemCount"] for entry in entries(export)] == [3, 2, 0]
    assert json.loads(export.summary.read_bytes())["itemCount"] == 5
    assert_checksums_are_right(export)


def test_a_file_of_several_gzip_members_is_counted_whole(tmp_path: Path) -> None:
    export = write_three(tmp_path)
    with export.data_files[0].open("ab") as stream:
        stream.write(gzip.compress(b'{"Item":{}}\n'))
    seal(export.folder)
    assert [entry["itemCount"] for entry in entries(export)] == [2, 2, 0]


def test_a_truncated_file_keeps_its_count_and_gets_its_md5(tmp_path: Path) -> None:
    export = write_three(tmp_path)
    export.data_files[1].write_bytes(export.data_files[1].read_bytes()[:-9])
    seal(export.folder)
    assert [entry["itemCount"] for entry in entries(export)] == [1, 2, 0]
    assert_checksums_are_right(export)


def test_a_missing_file_is_struck_off_and_a_new_one_listed_last(tmp_path: Path) -> None:
    export = write_three(tmp_path)
    export.data_files[1].unlink()
    new = export.folder / "data" / "anew.json.gz"
    new.write_bytes(gzip.compress(b'{"Item":{}}\n'))
    seal(export.folder)
    keys = [str(path.relative_to(tmp_path)) for path in (export.data_files[0], export.data_files[2], new)]
    assert [entry["dataFileS3Key"] for entry in entries(export)] == keys
    assert [entry["itemCount"] for entry in entries(export)] == [1, 0, 1]
    assert_checksums_are_right(export)


def test_members_that_are_not_known_are_kept(tmp_path: Path) -> None:
    export = write_three(tmp_path)
    summary = json.loads(export.summary.read_bytes())
    export.summary.write_text(json.dumps({"future": [1], **summary}))
    seal(export.folder)
    assert json.loads(export.summary.read_bytes()) == {"future": [1], **summary}
    assert_checksums_are_right(export)
