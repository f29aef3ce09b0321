"""Text from outside begins no line of the log, tells a terminal nothing, and no message shows a password."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converter.testing import ExportFacts, write_export
from tests.cli.forking import ForkedCommands

FORGED = "a\nerror: the disk is full, run rm -rf /data\x1b[2J\x9b\u202e\u200b"
SHOWN = r"a\nerror: the disk is full, run rm -rf /data\x1b[2J\x9b\u202e\u200b"
SECRET = "5ecret"
AWS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "us-east-1"}
URL = f"http://someone:{SECRET}@127.0.0.1:9"


def check_shown(text: str) -> None:
    """No line is anybody else's, and nothing in it is obeyed."""
    assert all(line.isprintable() for line in text.splitlines()), text
    assert not any(line.startswith("error: the disk") for line in text.splitlines()), text


@pytest.fixture
def export(tmp_path: Path) -> str:
    items = [{"id": {"S": "x"}, FORGED: {"N": "0.1234567890123456789"}, "n": {"NULL": True}}]
    return str(write_export(tmp_path, items, facts=ExportFacts()).folder)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    "options", [("--numbers", "double"), ("--key", f"{FORGED}x"), ("--cast", f"{FORGED}=timestamp")]
)
def test_an_attribute_with_a_line_break_stays_on_its_line(
    export: str, tmp_path: Path, forked: ForkedCommands, options: tuple[str, ...], log_format: str
) -> None:
    done = forked.run("convert", export, "out", *options, "--log-format", log_format, cwd=tmp_path)
    check_shown(done.stderr)
    if log_format == "json":
        said = " ".join(json.loads(line)["message"] for line in done.stderr.splitlines())
        assert "the disk is full" in said
    else:
        assert r"a\nerror: the disk is full" in done.stderr


def test_an_inspection_shows_an_attribute_on_its_line_and_its_json_is_exact(
    export: str, tmp_path: Path, forked: ForkedCommands
) -> None:
    done = forked.run("inspect", export, cwd=tmp_path)
    check_shown(done.stdout)
    check_shown(done.stderr)
    assert any(line.startswith(SHOWN) for line in done.stdout.splitlines())
    exact = json.loads(forked.run("inspect", export, "--json", cwd=tmp_path).stdout)
    assert FORGED in [attribute["attribute"] for attribute in exact["attributes"]]


@pytest.mark.parametrize(
    "arguments", [("convert", FORGED, "out"), ("inspect", FORGED), ("convert", "x", f"{FORGED}/"), (f"--{FORGED}",)]
)
def test_an_argument_with_a_line_break_stays_on_its_line(
    tmp_path: Path, forked: ForkedCommands, arguments: tuple[str, ...]
) -> None:
    done = forked.run(*arguments, cwd=tmp_path)
    assert done.returncode != 0
    check_shown(done.stderr)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("convert", "s3://b/x/", "out", "--endpoint-url", URL), {}),
        (("convert", "s3://b/x/", "out", "--endpoint-url", f"someone:{SECRET}@h"), {}),
        (("convert", "s3://b/x/", "out", "--endpoint-url", f"http://someone:{SECRET}/x@h"), {}),
        (("convert", "s3://b/x/", "out"), {"DDB_CONVERT_ENDPOINT_URL": URL}),
        (("convert", "s3://b/x/", "out"), {"AWS_ENDPOINT_URL": URL}),
        (("convert", "s3://b/x/", "out"), {"AWS_ENDPOINT_URL_S3": f"http://someone:{SECRET}/x@h"}),
        (("convert", "s3://b/x/", "out", "--endpoint-url", "http://127.0.0.1:9"), {"HTTP_PROXY": URL}),
        (("export", "list", "Orders", "--endpoint-url", URL), {}),
        (("export", "list", "Orders"), {"AWS_ENDPOINT_URL_DYNAMODB": URL, "DDB_CONVERT_DEBUG": "1"}),
        (("inspect", URL), {}),
        (("convert", f"{URL}/x", "out"), {}),
    ],
)
def test_the_user_part_of_a_url_is_shown_nowhere(
    tmp_path: Path, forked: ForkedCommands, arguments: tuple[str, ...], variables: dict[str, str], log_format: str
) -> None:
    done = forked.run(*arguments, "--log-format", log_format, cwd=tmp_path, **AWS, **variables)
    assert done.returncode in (2, 3, 5), done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert "someone" not in done.stderr + done.stdout
    assert "a bug in" not in done.stderr
