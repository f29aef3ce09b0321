"""From a command line and the environment to the library's options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from types import ModuleType
from typing import NoReturn, cast

import pytest

import converter
from converter.aws.access import AwsOptions
from converter.cli.commands import read_command
from converter.conversion.progress import Listener
from converter.cpus import usable_cpus
from converter.options import ConvertOptions

Parse = Callable[..., ConvertOptions]


class _Reached(Exception):
    """The library was called with these options."""

    def __init__(self, options: ConvertOptions, aws: AwsOptions) -> None:
        super().__init__(options, aws)
        self.options = options
        self.aws = aws


class _Api:
    """Stands where the library is, and converts nothing."""

    @staticmethod
    def convert(source: str, dest: str, options: ConvertOptions, *, aws: AwsOptions, listener: Listener) -> NoReturn:
        assert (source, dest) == ("a", "b")
        raise _Reached(options, aws)

    @staticmethod
    def inspect(source: str, options: ConvertOptions, *, sample: bool, aws: AwsOptions, listener: Listener) -> NoReturn:
        assert source == "a"
        raise _Reached(options, aws)


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Callable[..., _Reached]:
    """Read a command line and give what its verb hands to the library."""
    monkeypatch.setitem(sys.modules, "converter.api", cast(ModuleType, _Api))
    monkeypatch.setattr(converter, "api", _Api, raising=False)

    def read(*arguments: str, **environment: str) -> _Reached:
        for name, value in environment.items():
            monkeypatch.setenv(f"DDB_CONVERT_{name}", value)
        job = read_command(list(arguments))
        assert job is not None
        with pytest.raises(_Reached) as reached:
            job()
        return reached.value

    return read


@pytest.fixture
def parse(reach: Callable[..., _Reached]) -> Parse:
    """The same, of which the options alone."""
    return lambda *arguments, **environment: reach(*arguments, **environment).options


def test_without_options_the_librarys_defaults_apply(parse: Parse) -> None:
    assert parse("convert", "a", "b") == ConvertOptions()
    assert parse("inspect", "a") == ConvertOptions()


def test_every_option_reaches_the_library(parse: Parse) -> None:
    given = (
        "convert a b --format csv --compression gzip --encoding compact --layout day={date} --timezone "
        "Europe/Berlin --numbers double --mixed json --key k --select s,k --exclude e --max-columns 7 --overflow "
        "_more --part-size 5MB --workers 3 --names snake --rename k=id --old-image --latest --no-verify "
        "--show-values --replace --dry-run --json --quiet --log-format json"
    )
    assert parse(*given.split()) == ConvertOptions(
        format="csv",
        compression="gzip",
        encoding="compact",
        layout="day={date}",
        timezone="Europe/Berlin",
        numbers="double",
        mixed="json",
        key=("k",),
        select=("s", "k"),
        exclude=("e",),
        max_columns=7,
        overflow="_more",
        names="snake",
        rename=(("k", "id"),),
        old_image=True,
        part_size=5_000_000,
        workers=3,
        latest=True,
        verify=False,
        show_values=True,
        replace=True,
        dry_run=True,
    )
    given = "inspect a --sample --numbers text --mixed fail --key k --max-columns 7 --workers 3 --latest --no-verify"
    assert parse(
        *given.split(), "--show-values", "--names", "treasure-data", "--rename", "a=b", "--old-image"
    ) == ConvertOptions(
        numbers="text",
        mixed="fail",
        key=("k",),
        max_columns=7,
        names="treasure-data",
        rename=(("a", "b"),),
        old_image=True,
        workers=3,
        latest=True,
        verify=False,
        show_values=True,
    )


AWS_OPTIONS = {
    "profile": "p",
    "region": "eu-west-1",
    "endpoint_url": "http://127.0.0.1:1",
    "source_role_arn": "arn:aws:iam::1:role/a",
    "source_bucket_owner": "111122223333",
    "dest_role_arn": "arn:aws:iam::1:role/b",
    "dest_bucket_owner": "444455556666",
    "dest_sse": "aws:kms",
    "dest_kms_key_id": "k",
    "acl": "bucket-owner-full-control",
    "storage_class": "STANDARD_IA",
}


@pytest.mark.parametrize("environment", [False, True])
def test_every_option_for_aws_reaches_the_library(reach: Callable[..., _Reached], environment: bool) -> None:
    for verb, places, without in (("convert", ("a", "b"), ""), ("inspect", ("a",), "dest_ acl storage_class")):
        given = {name: value for name, value in AWS_OPTIONS.items() if not name.startswith(tuple(without.split()))}
        words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
        variables = {name.upper(): value for name, value in given.items()}
        reached = reach(verb, *places, **variables) if environment else reach(verb, *places, *words)
        assert reached.aws == AwsOptions(**given)  # type: ignore[arg-type]
    assert set(AWS_OPTIONS) == {field.name for field in fields(AwsOptions)}


def test_every_option_can_come_from_the_environment(parse: Parse) -> None:
    options = parse(
        "convert",
        "a",
        "b",
        FORMAT="csv",
        COMPRESSION="gzip",
        LAYOUT="day={date}",
        TIMEZONE="Europe/Berlin",
        NUMBERS="double",
        MIXED="json",
        KEY="k 1,k\\,2",
        SELECT="s,k 1,k\\,2,s=t",
        EXCLUDE="e",
        MAX_COLUMNS="7",
        OVERFLOW="_more",
        NAMES="treasure-data",
        RENAME="k 1=id,s\\=t=c",
        OLD_IMAGE="1",
        PART_SIZE="5MB",
        WORKERS="3",
        LATEST="1",
        NO_VERIFY="true",
        SHOW_VALUES="yes",
        REPLACE="on",
        DRY_RUN="1",
    )
    assert options == ConvertOptions(
        format="csv",
        compression="gzip",
        layout="day={date}",
        timezone="Europe/Berlin",
        numbers="double",
        mixed="json",
        key=("k 1", "k,2"),
        select=("s", "k 1", "k,2", "s=t"),
        exclude=("e",),
        max_columns=7,
        overflow="_more",
        names="treasure-data",
        rename=(("k 1", "id"), ("s=t", "c")),
        old_image=True,
        part_size=5_000_000,
        workers=3,
        latest=True,
        verify=False,
        show_values=True,
        replace=True,
        dry_run=True,
    )


def test_the_command_line_goes_before_the_environment(parse: Parse) -> None:
    options = parse("convert", "a", "b", "--format", "parquet", "--key", "x", FORMAT="csv", KEY="y", LATEST="0")
    assert (options.format, options.key, options.latest) == ("parquet", ("x",), False)


def test_an_empty_variable_is_none(parse: Parse) -> None:
    empty = {"FORMAT": "", "KEY": "", "PART_SIZE": "", "WORKERS": "", "REPLACE": "", "COMPRESSION": "", "OVERFLOW": ""}
    empty |= {"NAMES": "", "RENAME": ""}
    assert parse("convert", "a", "b", **empty) == ConvertOptions()


def test_name_options_are_repeatable(parse: Parse) -> None:
    assert parse("convert", "a", "b", "--key", "x,y", "--key", "z,x").key == ("x", "y", "z")


def test_renames_are_repeatable(parse: Parse) -> None:
    assert parse("inspect", "a", "--rename", "x=y,z=w", "--rename", "a=b").rename == (
        ("x", "y"),
        ("z", "w"),
        ("a", "b"),
    )


def test_the_unit_of_a_time_is_read_by_every_verb(parse: Parse) -> None:
    for verb in (("convert", "a", "b"), ("inspect", "a")):
        options = parse(*verb, "--time", "created_at=ms")
        assert (options.time, options.time_unit) == ("created_at", "ms")


def test_workers_left_out_are_the_usable_cpus(parse: Parse) -> None:
    assert parse("convert", "a", "b").workers == usable_cpus()


def test_an_id_reaches_the_library(parse: Parse) -> None:
    for verb in (("convert", "a", "b"), ("inspect", "a")):
        assert parse(*verb, "--export-id", "i").export_id == "i"
        assert parse(*verb, EXPORT_ID="j").export_id == "j"
