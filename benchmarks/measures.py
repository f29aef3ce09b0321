"""Measures: each is a plan with groups of cases, and the cases of a group are timed in alternation.

speed       one conversion by each contender, for each data set
memory      time and peak memory against the size of the export
workers     two workers against one
one-file    the same on an export that is one large data file
ion         exports in ION with one worker and with two, against DynamoDB JSON
tiny-files  10,000 tiny data files against a few large ones with as much in them
data-sets   every data set against `flat`
formats     CSV and Parquet in one pass against Parquet alone
encodings   --encoding compact against compatible, on every data set
query       a conversion and a query of its result, against the same query of the export itself
merge       a tenth of changes merged into a snapshot of all items
s3          both ends in S3, near and far, against folders
startup     runs that have little or nothing to do
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks import merges
from benchmarks.contenders import DDB_CONVERT, PEERS, QUERIES, Contender
from benchmarks.data import DataParameters, MadeExport
from benchmarks.datasets import DATASETS
from benchmarks.measure import BenchmarkError, Case
from benchmarks.stores import FAR_S3, FOLDERS, S3
from converter.testing import OutputFormat

FULL, SLOW, START = "", "slow", "start-up"
"""The parts of a measure's cases: the usual, the smaller export for slow contenders, and runs without any work."""

SCALES = (0.25, 0.5, 1, 2, 4)
MOST_BYTES = {"sparse": 100_000_000}
"""Beside peers: the size of the export of a data set on which they take many times as long as on the others."""

ENCODINGS = ("compatible", "compact")
TINY_FILES = 10_000
_HELP = replace(DDB_CONVERT, argv=("{python}", "cli.py", "--help"), columns=False)
_FIXTURE = replace(
    DDB_CONVERT, argv=tuple("fixtures/orders" if word == "{source}" else word for word in DDB_CONVERT.argv)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Settings of all measures. make: generates an export, or finds it; make_merge: generates the inputs of a merge."""

    make: Callable[[DataParameters], MadeExport]
    make_merge: Callable[[MadeExport], MadeExport] = merges.prepare_merge
    json_bytes: int = 2_000_000_000
    files: int = 8
    tiny_files: int = TINY_FILES
    workers: int = 2
    only: Sequence[str] = ()

    def export(
        self,
        dataset: str,
        share: float = 1,
        files: int | None = None,
        most: Mapping[str, int] = MOST_BYTES,
        output_format: OutputFormat = "DYNAMODB_JSON",
    ) -> MadeExport:
        """An export with this share of the bytes, and at least a few items; `most` bounds those of some data sets."""
        files = files or self.files
        json_bytes = 0
        if share:
            whole = min(self.json_bytes, most.get(dataset, self.json_bytes))
            json_bytes = max(int(whole * share), 2 * files * DATASETS[dataset].line_bytes)
        parameters = DataParameters(dataset=dataset, json_bytes=json_bytes, files=files, output_format=output_format)
        return self.make(parameters)

    def chosen(self, contenders: Iterable[Contender]) -> list[Contender]:
        """Those that are asked for, or all."""
        return [contender for contender in contenders if not self.only or contender.name in self.only]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One measure of one data set and format.

    baseline: the contender that ratios are to. left_out: why a contender is not among the cases, by its name.
    """

    measure: str
    dataset: str
    about: str
    fmt: str
    groups: tuple[tuple[Case, ...], ...]
    baseline: str | None = None
    left_out: Mapping[str, str]


def check_names(names: Sequence[str]) -> None:
    """Raise BenchmarkError for a name that no contender has."""
    known = list(dict.fromkeys(c.name for c in (DDB_CONVERT, *(peer for peers in PEERS.values() for peer in peers))))
    for name in names:
        if name not in known:
            raise BenchmarkError(f"no contender is called {name!r}; there are {', '.join(known)}")


def _plan_speed(setting: Setting, dataset: str, fmt: str) -> Plan:
    wanted = setting.chosen((DDB_CONVERT, *PEERS[dataset]))
    left_out = {contender.name: missing for contender in wanted if (missing := contender.missing())}
    contenders = [contender for contender in wanted if contender.name not in left_out]
    quick = [contender for contender in contenders if not contender.slow]
    groups = []
    if quick:
        groups.append(_cases(quick, setting, setting.export(dataset), fmt, FULL))
    if len(quick) < len(contenders):
        # Beside the slow ones run those that everything is compared with.
        beside = [c for c in contenders if c.slow or c.name in (DDB_CONVERT.name, PEERS[dataset][0].name)]
        groups.append(
            (
                *_cases(beside, setting, setting.export(dataset, 0.05), fmt, SLOW),
                *_cases(beside, setting, setting.export(dataset, 0.000_001, files=1), fmt, START),
            )
        )
    baseline = PEERS[dataset][0].name
    return _plan("speed", dataset, fmt, groups, baseline, left_out)


def _plan_memory(setting: Setting, dataset: str, fmt: str) -> Plan:
    contenders = [c for c in setting.chosen((DDB_CONVERT, *PEERS[dataset][:1])) if not c.missing()]
    groups = [_cases(contenders, setting, setting.export(dataset, scale), fmt, FULL) for scale in SCALES]
    return _plan("memory", dataset, fmt, groups)


def _plan_workers(setting: Setting, dataset: str, fmt: str) -> Plan:
    return _plan("workers", dataset, fmt, [_by_workers(setting, setting.export(dataset), fmt)], "1 worker")


def _plan_one_file(setting: Setting, dataset: str, fmt: str) -> Plan:
    export = setting.export(dataset, 0.5, files=1)
    return _plan("one-file", dataset, fmt, [_by_workers(setting, export, fmt)], "1 worker")


def _plan_ion(setting: Setting, dataset: str, fmt: str) -> Plan:
    share = 0.5
    ion = setting.export(dataset, share, output_format="ION")
    json = Case(
        name=f"DynamoDB JSON, {setting.workers} workers",
        contender=DDB_CONVERT,
        export=setting.export(dataset, share),
        fmt=fmt,
        workers=setting.workers,
        part=FULL,
    )
    return _plan("ion", dataset, fmt, [(json, *_by_workers(setting, ion, fmt))], json.name)


def _by_workers(setting: Setting, export: MadeExport, fmt: str) -> tuple[Case, ...]:
    """One worker and all, on this export and on an empty one."""
    exports = ((FULL, export), (START, setting.export(export.size.dataset, 0, files=1)))
    return tuple(
        Case(name=name, contender=DDB_CONVERT, export=export, fmt=fmt, workers=workers, part=part)
        for part, export in exports
        for name, workers in (("1 worker", 1), (f"{setting.workers} workers", setting.workers))
    )


def _plan_tiny_files(setting: Setting, dataset: str, fmt: str) -> Plan:
    share = 0.1
    group = tuple(
        Case(name=f"{files:,} files", contender=DDB_CONVERT, export=export, fmt=fmt, workers=setting.workers, part=part)
        for part, files, export in (
            (FULL, setting.files, setting.export(dataset, share)),
            (FULL, setting.tiny_files, setting.export(dataset, share, files=setting.tiny_files)),
            (START, 1, setting.export(dataset, 0, files=1)),
        )
    )
    return _plan("tiny-files", dataset, fmt, [group], group[0].name)


def _plan_data_sets(setting: Setting, dataset: str, fmt: str) -> Plan:
    group = tuple(
        Case(name=name, contender=DDB_CONVERT, export=export, fmt=fmt, workers=setting.workers, part=part)
        for name, part, export in (
            *((name, FULL, setting.export(name, most={})) for name in DATASETS),
            (dataset, START, setting.export(dataset, 0, files=1)),
        )
    )
    return replace(_plan("data-sets", dataset, fmt, [group], dataset), about="ours on every data set")


def _plan_formats(setting: Setting, dataset: str, fmt: str) -> Plan:
    export = setting.export(dataset)
    group = tuple(
        Case(name=name, contender=DDB_CONVERT, export=export, fmt=given, workers=setting.workers, part=FULL)
        for name, given in (("Parquet", fmt), ("CSV and Parquet in one pass", f"csv,{fmt}"))
    )
    return _plan("formats", dataset, fmt, [group], group[0].name)


def _plan_encodings(setting: Setting, dataset: str, fmt: str) -> Plan:
    """Two cases for each data set: compatible, then compact."""
    encoders = [replace(DDB_CONVERT, argv=(*DDB_CONVERT.argv, "--encoding", name)) for name in ENCODINGS]
    group = tuple(
        Case(name=f"{dataset}, {name}", contender=encoder, export=export, fmt=fmt, workers=setting.workers, part=FULL)
        for dataset, export in ((name, setting.export(name, most={})) for name in DATASETS)
        for name, encoder in zip(ENCODINGS, encoders, strict=True)
    )
    return replace(_plan("encodings", dataset, fmt, [group]), about="ours on every data set")


def _plan_query(setting: Setting, dataset: str, fmt: str) -> Plan:
    groups = []
    contenders = [contender for contender in setting.chosen((DDB_CONVERT, *QUERIES)) if not contender.missing()]
    if dataset == "flat":
        groups.append(_cases(contenders, setting, setting.export(dataset, 0.75), fmt, FULL))
    return _plan("query", dataset, fmt, groups, DDB_CONVERT.name)


def _plan_merge(setting: Setting, dataset: str, fmt: str) -> Plan:
    groups = []
    if dataset == "flat":
        inputs = setting.make_merge(setting.export(dataset))
        contenders = [c for c in setting.chosen((merges.DDB_CONVERT, merges.DUCKDB, merges.POLARS)) if not c.missing()]
        groups.append(_cases(contenders, setting, inputs, fmt, FULL))
    return _plan("merge", dataset, fmt, groups, merges.DUCKDB.name)


def _plan_s3(setting: Setting, dataset: str, fmt: str) -> Plan:
    export = setting.export(dataset)
    group = tuple(
        Case(name=store, contender=DDB_CONVERT, export=export, fmt=fmt, workers=setting.workers, part=FULL, store=store)
        for store in (FOLDERS, S3, FAR_S3)
    )
    return _plan("s3", dataset, fmt, [group], group[0].name)


def _plan_startup(setting: Setting, dataset: str, fmt: str) -> Plan:
    empty = setting.export(dataset, 0, files=1)
    group = tuple(
        Case(name=name, contender=contender, export=empty, fmt=fmt, workers=setting.workers, part=START)
        for name, contender in (
            ("--help", _HELP),
            ("an empty export", DDB_CONVERT),
            ("a small export (fixtures/orders)", _FIXTURE),
        )
    )
    return replace(_plan("startup", dataset, fmt, [group]), about="next to nothing")


def _cases(
    contenders: Iterable[Contender], setting: Setting, export: MadeExport, fmt: str, part: str
) -> tuple[Case, ...]:
    return tuple(
        Case(name=contender.name, contender=contender, export=export, fmt=fmt, workers=setting.workers, part=part)
        for contender in contenders
    )


def _plan(
    measure: str,
    dataset: str,
    fmt: str,
    groups: Sequence[tuple[Case, ...]],
    baseline: str | None = None,
    left_out: Mapping[str, str] | None = None,
) -> Plan:
    return Plan(
        measure=measure,
        dataset=dataset,
        about=DATASETS[dataset].about,
        fmt=fmt,
        groups=tuple(groups),
        baseline=baseline,
        left_out=left_out or {},
    )


MEASURES: Mapping[str, Callable[[Setting, str, str], Plan]] = {
    "speed": _plan_speed,
    "memory": _plan_memory,
    "workers": _plan_workers,
    "one-file": _plan_one_file,
    "ion": _plan_ion,
    "tiny-files": _plan_tiny_files,
    "data-sets": _plan_data_sets,
    "formats": _plan_formats,
    "encodings": _plan_encodings,
    "query": _plan_query,
    "merge": _plan_merge,
    "s3": _plan_s3,
    "startup": _plan_startup,
}
SCALING = ("workers", "one-file", "ion", "tiny-files", "data-sets")
