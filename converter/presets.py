"""What a consumer needs of the output, as options: one word in the place of four, and each of them can be overridden.

    treasure-data   gzipped CSV; names that it takes; a column `time`, by which it partitions, with the export's time in
                    Unix seconds (`time=ATTRIBUTE` takes that of each item)
    athena          Parquet with zstd; lower-case names without quotes

Numbers stay exact for both: the recipes give Treasure Data what is neither a long nor exact as a double as a string.
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
    """The options for a consumer; those that are given take the place of its own, columns are added to its own.

    Raises UsageError for a consumer without a preset, and what ConvertOptions raises.
    """
    own = preset(consumer, given)
    added = (*own.pop("add_column", ()), *given.get("add_column", ()))
    return ConvertOptions(**{**own, **given, "add_column": added})


def preset(consumer: PresetConsumer, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the consumer's preset sets beside these options."""
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
    """`--for athena sets --format parquet …`, as it would be written out."""
    pieces = []
    for name, value in preset(consumer, given).items():
        text = ",".join("=".join(pair) for pair in value) if isinstance(value, tuple) else value
        pieces.append(f"--{name.replace('_', '-')} {text}")
    return f"--for {consumer} sets {' '.join(pieces) or 'nothing beside the other options'}"
