"""Schemes: which places are folders, and which store a place with a scheme is in."""

from __future__ import annotations

import subprocess
import sys

import pytest

from converter.storage import open_destination, open_source
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_source import ObjectSource
from converter.storage.schemes import find_scheme, is_local
from tests.memory_store import MemoryBucket, register_scheme


@pytest.mark.parametrize("place", ["s3://bucket", "s3://bucket/a/b/", "s3://"])
def test_a_place_with_a_known_scheme_is_not_local(place: str) -> None:
    assert not is_local(place)
    assert find_scheme(place) is find_scheme("s3://bucket")


@pytest.mark.parametrize("place", ["", ".", "/a/b", "s3", "s3:", "s3:/a", "S3://bucket", "gs://bucket", "a/s3://b"])
def test_any_other_place_is_local(place: str) -> None:
    assert is_local(place)


def test_the_scheme_of_a_place_opens_its_store(monkeypatch: pytest.MonkeyPatch) -> None:
    register_scheme(monkeypatch)
    bucket = MemoryBucket()
    bucket.store("a/b").put("x", b"abc")
    place = f"{bucket.place}/a/b/"
    source, destination = open_source(place), open_destination(place)
    assert isinstance(source, ObjectSource)
    assert isinstance(destination, ObjectDestination)
    assert source.root == destination.root == f"{bucket.place}/a/b"
    assert source.read("x") == destination.read("x") == b"abc"


def test_a_folder_is_opened_without_the_client_of_a_cloud() -> None:
    program = (
        "import sys\nfrom converter.storage import open_destination, open_source\n"
        "open_source('.'), open_destination('.')\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('boto3', 'botocore')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
