"""From a command line and the environment to the library's options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn, cast

import pytest

import converter
from converter import AwsOptions
from converter.cli.commands import read_command
from converter.options import ConvertOptions, usable_cpus
from converter.run.listener import Listener

Parse = Callable[..., ConvertOptions]
ParseAws = Callable[..., AwsOptions]


class _Reached(Exception):
    """The library was called with these options."""

    def __init__(self, options: ConvertOptions | None, aws: AwsOptions) -> None:
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

    @staticmethod
    def recipe(consumer: str, dest: str, *, aws: AwsOptions, **options: object) -> NoReturn:
        assert (consumer, dest) == ("duckdb", "b")
        raise _Reached(None, aws)


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
    """The options that reach the library."""
    return lambda *arguments, **environment: cast(ConvertOptions, reach(*arguments, **environment).options)


@pytest.fixture
def parse_aws(reach: Callable[..., _Reached]) -> ParseAws:
    """The options for AWS that reach the library."""
    return lambda *arguments, **environment: reach(*arguments, **environment).aws


def test_without_options_the_librarys_defaults_apply(parse: Parse) -> None:
    assert parse("convert", "a", "b") == ConvertOptions()
    assert parse("inspect", "a") == ConvertOptions()


def test_every_option_reaches_the_library(parse: Parse) -> None:
    given = (
        "convert a b --format csv --compression gzip --layout day={date} --timezone Europe/Berlin --numbers double "
        "--mixed json --key k --select s,k --exclude e --max-columns 7 --overflow _more --part-size 5MB --workers 3 "
        "--names snake --rename k=id --latest --no-verify --show-values --replace --dry-run --json --quiet "
        "--log-format json"
    )
    assert parse(*given.split()) == ConvertOptions(
        format="csv",
        compression="gzip",
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
        part_size=5_000_000,
        workers=3,
        latest=True,
        verify=False,
        show_values=True,
        replace=True,
        dry_run=True,
    )
    given = "inspect a --sample --numbers text --mixed fail --key k --max-columns 7 --workers 3 --latest --no-verify"
    assert parse(*given.split(), "--show-values", "--names", "treasure-data", "--rename", "a=b") == ConvertOptions(
        numbers="text",
        mixed="fail",
        key=("k",),
        max_columns=7,
        names="treasure-data",
        rename=(("a", "b"),),
        workers=3,
        latest=True,
        verify=False,
        show_values=True,
    )


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


def test_workers_left_out_are_the_usable_cpus(parse: Parse) -> None:
    assert parse("convert", "a", "b").workers == usable_cpus()


OF_AWS = {
    "profile": "p",
    "region": "eu-west-3",
    "endpoint_url": "http://localhost:9000",
    "source_role_arn": "arn:aws:iam::111122223333:role/r",
    "dest_role_arn": "arn:aws:iam::111122223333:role/w",
    "source_bucket_owner": "111122223333",
    "dest_bucket_owner": "444455556666",
    "dest_sse": "aws:kms",
    "dest_kms_key_id": "k",
    "acl": "private",
    "storage_class": "STANDARD_IA",
}
OF_A_VERB = {
    ("convert", "a", "b"): set(OF_AWS),
    ("inspect", "a"): {"profile", "region", "endpoint_url", "source_role_arn", "source_bucket_owner"},
    ("recipe", "duckdb", "b"): {"profile", "region", "endpoint_url", "dest_role_arn", "dest_bucket_owner"},
}


@pytest.mark.parametrize("verb", OF_A_VERB)
def test_every_option_for_aws_reaches_the_library(parse_aws: ParseAws, verb: tuple[str, ...]) -> None:
    given = {name: value for name, value in OF_AWS.items() if name in OF_A_VERB[verb]}
    options = [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", value)]
    expected = AwsOptions(**given)  # type: ignore[arg-type]
    assert parse_aws(*verb, *options) == expected
    assert parse_aws(*verb) == AwsOptions()
    assert parse_aws(*verb, **{name.upper(): value for name, value in given.items()}) == expected


def test_an_id_reaches_the_library(parse: Parse) -> None:
    for verb in (("convert", "a", "b"), ("inspect", "a")):
        assert parse(*verb, "--export-id", "i").export_id == "i"
        assert parse(*verb, EXPORT_ID="j").export_id == "j"
