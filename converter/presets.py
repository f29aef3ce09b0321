"""Presets of options for consumers. Explicit options override those of a preset.

    treasure-data   gzipped CSV; names for Treasure Data; a column `time`, which it partitions by, with the export's
                    time in Unix seconds (`time=ATTRIBUTE` uses an attribute of each item instead)
    athena          Parquet with zstd; lower-case names that need no quotes

Numbers stay exact for both: in Treasure Data, a number that is neither a long nor an exact double is a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from converter.errors import UsageError
from converter.option_values import BOTH_FORMATS
from converter.options import TIME_COLUMN, ConvertOptions

PresetConsumer = Literal["treasure-data", "athena"]

_PRESETS: Final[dict[str, dict[str, Any]]] = {
    "treasure-data": {
        "format": "csv",
        "compression": "gzip",
        "names": "treasure-data",
        "add_column": ((TIME_COLUMN, "unix_time"),),
    },
    "athena": {"format": "parquet", "compression": "zstd", "names": "snake"},
}


def options_for(consumer: PresetConsumer, **given: Any) -> ConvertOptions:
    """Return the options for a consumer. Given options override its preset; given columns are added to its columns.

    Raises UsageError for a consumer without a preset, and the errors of ConvertOptions.
    """
    own = preset(consumer, given)
    added = (*own.pop("add_column", ()), *given.get("add_column", ()))
    return ConvertOptions(**{**own, **given, "add_column": added})


def preset(consumer: PresetConsumer, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the preset sets in addition to the given ones."""
    if consumer not in _PRESETS:
        known = ", ".join(get_args(PresetConsumer))
        raise UsageError(f"there is no preset for {consumer!r}", "--for", f"use one of: {known}")
    chosen = {name: value for name, value in _PRESETS[consumer].items() if name not in given or name == "add_column"}
    if "format" in given and given["format"] != _PRESETS[consumer]["format"]:
        compression = chosen.pop("compression", None)
        if compression is not None and sorted(given["format"].split(",")) == BOTH_FORMATS.split(","):
            chosen["compression"] = f"{_PRESETS[consumer]['format']}={compression}"
    if "add_column" in chosen:
        taken = {name for name, _ in given.get("add_column", ())}
        taken |= {TIME_COLUMN} if given.get("time") is not None else set()
        chosen["add_column"] = tuple(pair for pair in chosen["add_column"] if pair[0] not in taken)
        if not chosen["add_column"]:
            del chosen["add_column"]
    return chosen


def describe_preset(consumer: PresetConsumer, given: Mapping[str, Any]) -> str:
    """Describe a preset on the command line: `--for athena sets --format parquet …`."""
    pieces = []
    for name, value in preset(consumer, given).items():
        text = ",".join("=".join(pair) for pair in value) if isinstance(value, tuple) else value
        pieces.append(f"--{name.replace('_', '-')} {text}")
    return f"--for {consumer} sets {' '.join(pieces) or 'nothing in addition to the other options'}"
