"""The digest of the sources of the kernels: it depends on each of them, and on nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from converter.kernels import source_digest
from converter.kernels.source_digest import hash_sources

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGE = REPOSITORY / "converter"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that a test may change."""
    return shutil.copytree(PACKAGE, tmp_path / "converter", ignore=shutil.ignore_patterns("native", "__pycache__"))


def test_the_digest_changes_with_every_source_of_the_kernels(package: Path) -> None:
    digests = {hash_sources(package)}
    assert digests == {hash_sources()}
    sources = [
        *(package / "kernels").rglob("*.py"),
        package / "schema" / "tags.py",
        package / "schema" / "magnitudes.py",
    ]
    for path in sources:
        path.write_bytes(path.read_bytes() + b"\n")
        digests.add(hash_sources(package))
    assert len(digests) == len(sources) + 1


def test_text_that_moves_from_one_source_to_the_next_changes_the_digest(package: Path) -> None:
    before = hash_sources(package)
    first, second = sorted((package / "kernels" / "parse").glob("*.py"))[:2]
    text = first.read_bytes()
    first.write_bytes(text[:-20])
    second.write_bytes(text[-20:] + second.read_bytes())
    assert hash_sources(package) != before


def test_the_digest_does_not_change_with_other_files(package: Path) -> None:
    before = hash_sources(package)
    for name in ("kernels/notes.txt", "kernels/parse/items.pyc", "decode/more.py", "schema/more.py"):
        (package / name).write_text("anything")
    assert hash_sources(package) == before


def test_the_digest_changes_with_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_sources()
    monkeypatch.setattr(source_digest, "FORM", "another")
    assert hash_sources() != before


def test_a_package_without_sources_has_no_digest(tmp_path: Path) -> None:
    assert hash_sources(tmp_path) == ""


def test_the_digest_is_of_every_module_that_the_compiler_imports() -> None:
    program = (
        "import sys, converter.kernels.toolchain.emit; print(*(m for m in sys.modules if m.startswith('converter.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    others = {name for name in done.stdout.split() if not name.startswith("converter.kernels")}
    # These hold messages, no code that is compiled.
    assert others - {"converter.schema", "converter.display", "converter.errors", "converter.version"} == {
        "converter.schema.magnitudes",
        "converter.schema.tags",
    }
