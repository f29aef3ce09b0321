"""Keeps what was measured, one JSON file a measure, and writes RESULTS.md from all of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.data import ExportSize
from benchmarks.measure import Run, Timing

HOME = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Result of one plan.

    baseline: the name of the timing that ratios are to. left_out: why a contender has no timing, by its name.
    """

    measure: str
    dataset: str
    about: str
    fmt: str
    machine: str
    versions: str
    baseline: str | None
    left_out: dict[str, str]
    timings: tuple[Timing, ...]

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.measure}-{self.dataset}-{self.fmt}"

    def part(self, part: str) -> list[Timing]:
        """The timings of one part."""
        return [timing for timing in self.timings if timing.part == part]


def to_json(result: Result) -> str:
    """A result as the text of its file."""
    return json.dumps(asdict(result), indent=2) + "\n"


def from_json(text: str) -> Result:
    """The result that `to_json` wrote."""
    members = json.loads(text)
    timings = [
        Timing(
            **{
                **timing,
                "size": ExportSize(**timing["size"]),
                "runs": tuple(Run(**run) for run in timing["runs"]),
            }
        )
        for timing in members.pop("timings")
    ]
    return Result(**members, timings=tuple(timings))


def keep_result(result: Result, home: Path = HOME) -> None:
    """Keep a result in place of an older one of the same plan."""
    folder = home / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{result.name}.json").write_text(to_json(result), encoding="utf-8")


def read_results(home: Path = HOME) -> list[Result]:
    """All results that are kept."""
    return [from_json(path.read_text(encoding="utf-8")) for path in sorted((home / "results").glob("*.json"))]
