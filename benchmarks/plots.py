"""Draws what is kept in results/, as PNG files beside it: `python -m benchmarks.plots HOME`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.contenders import DDB_CONVERT
from benchmarks.measure import Timing
from benchmarks.measures import FULL
from benchmarks.results import Result, read_results
from benchmarks.tables import FORMAT_NAMES

OURS_COLOUR, PEER_COLOUR, FLOOR_COLOUR = "#1f6f8b", "#b8b8b8", "#e3b778"
COLOURS = {DDB_CONVERT.name: OURS_COLOUR, "floor": FLOOR_COLOUR}


def draw_all(home: Path) -> None:
    """All plots there are results for."""
    folder = home / "results"
    results = read_results(home)
    for fmt in FORMAT_NAMES:
        speeds = {result.dataset: result for result in results if result.measure == "speed" and result.fmt == fmt}
        _draw_data_sets(speeds, fmt, folder / f"overview-{fmt}.png")
    for result in results:
        if result.measure == "speed":
            _draw_contenders(result, folder / f"{result.name}.png")
        elif result.measure == "memory":
            _draw_growth(result, folder / f"{result.name}.png")
        elif result.measure == "data-sets":
            _draw_peaks(result, folder / f"{result.name}.png")


def _draw_data_sets(speeds: dict[str, Result], fmt: str, path: Path) -> None:
    """Our MB/s beside DuckDB's and the floor's, by data set."""
    names = [name for name, result in speeds.items() if _named(result, DDB_CONVERT.name)]
    if len(names) < 2:
        return
    names.sort(key=lambda name: -_rate(_named(speeds[name], DDB_CONVERT.name)))
    figure, axes = _figure(0.8 + 0.55 * len(names))
    for shift, contender in enumerate(("floor", DDB_CONVERT.name, "DuckDB")):
        rates = [_rate(_named(speeds[name], contender)) for name in names]
        places = [place + (shift - 1) * 0.27 for place in range(len(names))]
        axes.barh(places, rates, 0.25, color=COLOURS.get(contender, PEER_COLOUR), label=contender)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.legend(frameon=False, loc="lower right")
    axes.set_title(f"MB of JSON a second to {FORMAT_NAMES[fmt]}")
    _save(figure, path)


def _draw_contenders(result: Result, path: Path) -> None:
    """MB/s of all contenders on the same export."""
    timings = sorted(result.part(FULL), key=lambda timing: timing.seconds)
    if len(timings) < 2:
        return
    figure, axes = _figure(0.9 + 0.32 * len(timings))
    bars = axes.barh(
        [timing.name for timing in timings],
        [_rate(timing) for timing in timings],
        color=[COLOURS.get(timing.name, PEER_COLOUR) for timing in timings],
    )
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.invert_yaxis()
    size = timings[0].size
    axes.set_title(f"{result.dataset}: {size.json_bytes / 1e6:,.0f} MB of JSON to {FORMAT_NAMES[result.fmt]}, MB/s")
    _save(figure, path)


def _draw_growth(result: Result, path: Path) -> None:
    """Seconds and peak memory against bytes, side by side."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    timings = result.part(FULL)
    for name in dict.fromkeys(timing.name for timing in timings):
        own = [timing for timing in timings if timing.name == name]
        sizes = [timing.size.json_bytes / 1e9 for timing in own]
        for axes, values in (
            (seconds, [timing.seconds for timing in own]),
            (memory, [timing.peak_bytes / 1e6 for timing in own]),
        ):
            axes.plot(sizes, values, "o-", color=COLOURS.get(name, PEER_COLOUR), label=name)
    for axes, what in ((seconds, "seconds"), (memory, "peak MB")):
        axes.set_xlabel("GB of JSON")
        axes.set_xlim(left=0)
        axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
        axes.set_title(f"{result.dataset} to {FORMAT_NAMES[result.fmt]}: {what}")
        axes.legend(frameon=False, loc="upper left")
    _save(figure, path)


def _draw_peaks(result: Result, path: Path) -> None:
    """Our MB/s and peak memory on every data set."""
    timings = sorted(result.part(FULL), key=lambda timing: timing.seconds)
    figure = Figure(figsize=(9, 0.9 + 0.32 * len(timings)), layout="constrained")
    for axes, what, values in zip(
        figure.subplots(1, 2, sharey=True),
        ("MB/s", "peak MB"),
        ([_rate(timing) for timing in timings], [timing.peak_bytes / 1e6 for timing in timings]),
        strict=True,
    ):
        bars = axes.barh([timing.name for timing in timings], values, color=OURS_COLOUR)
        axes.bar_label(bars, fmt="{:,.0f}", padding=3)
        axes.set_title(f"{DDB_CONVERT.name} to {FORMAT_NAMES[result.fmt]}: {what}")
        axes.margins(x=0.15)
    axes.invert_yaxis()
    _save(figure, path)


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, height), layout="constrained")
    axes = figure.subplots()
    axes.margins(x=0.1)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    # Without the version of matplotlib, the same figures give the same file.
    figure.savefig(path, metadata={"Software": None})


def _named(result: Result, name: str) -> Timing | None:
    return next((timing for timing in result.part(FULL) if timing.name == name), None)


def _rate(timing: Timing | None) -> float:
    return timing.size.json_bytes / 1e6 / timing.seconds if timing else 0.0


def main(arguments: Sequence[str]) -> None:
    """Draw for the results below the first argument."""
    with mpl.rc_context(
        {
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "figure.dpi": 110,
            "font.size": 10,
        }
    ):
        draw_all(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
