"""The members of reports and records, as JSON Schemas and as tables: `make_reference` writes both."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, get_args

from converter.export.manifest import ExportKind
from converter.publishing.report import ChangeKind, Status
from converter.schema.column_types import Origin
from converter.schema.tags import TAGS
from converter.time_options import UNITS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Member:
    """One member of an object: its schema, what it means, and whether it may be left out."""

    name: str
    schema: dict[str, Any]
    text: str
    optional: bool = False


@dataclass(frozen=True)
class Object:
    """An object of the JSON."""

    name: str
    text: str
    members: tuple[Member, ...]

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {
            "type": "object",
            "description": self.text,
            "properties": {m.name: {**m.schema, "description": m.text} for m in self.members},
            "required": [m.name for m in self.members if not m.optional],
            "additionalProperties": False,
        }


TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
FLAG: dict[str, Any] = {"type": "boolean"}
TIME: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"}
DAY: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
SHA256: dict[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
KIND: dict[str, Any] = {"enum": [str(kind) for kind in ExportKind]}
ORIGIN: dict[str, Any] = {"enum": [str(origin) for origin in Origin]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_PART = Object(
    "part",
    "A published file.",
    (
        Member("path", TEXT, "relative to the destination, with `/` as the separator"),
        Member("rows", COUNT, "rows in the file"),
        Member("bytes", COUNT, "size of the file"),
        Member("sha256", SHA256, "SHA-256 digest of the file, in hexadecimal"),
    ),
)
_COLUMN = Object(
    "column",
    "A column, as the next run must keep it.",
    (
        Member("name", TEXT, "name of the column"),
        Member("attribute", _or_null(TEXT), "attribute in DynamoDB; null for a column that holds no single attribute"),
        Member("type", TEXT, "`string`, `int64`, `decimal128(38, S)`, `double`, `binary`, `bool`, `timestamp`, `date`"),
        Member("origin", ORIGIN, "what the values were in DynamoDB, or `change`, `added`"),
        Member("unit", {"enum": list(UNITS)}, "for times: what numbers count", optional=True),
    ),
)
_TIMES = Object(
    "times",
    "Counts for a column of times. A count of 0 is left out.",
    (
        Member("unit", _or_null({"enum": list(UNITS)}), "what numbers count; null if there are none"),
        Member("bad", COUNT, "values that are not times and became null", optional=True),
        Member("badPlaces", _list(TEXT), "places of the first of them", optional=True),
        Member("cut", COUNT, "times finer than microseconds that were cut", optional=True),
        Member("cutPlaces", _list(TEXT), "places of the first of them", optional=True),
        Member("untimed", COUNT, "items without a value in the column `time`", optional=True),
        Member("untimedDeletes", COUNT, "deletes without a value in the column `time`", optional=True),
        Member("untimedPlace", TEXT, "place of the first item without a value", optional=True),
        Member("default", {"type": "integer"}, "the value that these rows got, in Unix seconds", optional=True),
    ),
)
_COLUMN_REPORT = Object(
    "columnReport",
    "A column, and what was seen of its attribute.",
    (
        *_COLUMN.members[:4],
        Member(
            "types",
            {"type": "object", "propertyNames": {"enum": list(TAGS)}, "additionalProperties": COUNT},
            "number of items for each DynamoDB type",
        ),
        Member("nulls", COUNT, "items that have the attribute as NULL"),
        Member("absent", COUNT, "items without the attribute"),
        Member("integerDigits", COUNT, "most digits of a number in front of the decimal point"),
        Member("decimals", COUNT, "most digits of a number after the decimal point"),
        Member("longest", COUNT, "bytes of the longest value that is not a number"),
        Member("changed", COUNT, "values that were rounded: numbers as doubles, times as whole seconds"),
        Member("nuls", COUNT, "texts with the character NUL"),
        Member("times", _ref("times"), "only for a column of times", optional=True),
    ),
)
_CHANGE = Object(
    "columnChange",
    "How a column differs from the newest record of the destination.",
    (
        Member("column", TEXT, "name of the column"),
        Member("attribute", _or_null(TEXT), "attribute in DynamoDB"),
        Member(
            "change",
            {"enum": list(get_args(ChangeKind))},
            "`added`; `widened`: another type or origin; `unseen`: no value in this export",
        ),
        Member("before", _or_null(TEXT), "type and origin before; null for an added column"),
        Member("after", TEXT, "type and origin now"),
    ),
)
_LINK = Object(
    "link",
    "An export or a snapshot that a merge reads.",
    (
        Member("exportId", TEXT, "ID of the export"),
        Member("exportArn", TEXT, "ARN of the export"),
        Member("kind", KIND, "kind of its rows"),
        Member("from", TIME, "start of its window; for a base, its time"),
        Member("to", TIME, "end of its window; for a base, its time"),
    ),
)
_NOT_YET = "; null before the merge has run"
_MERGE = Object(
    "merge",
    "The exports that a snapshot consists of.",
    (
        Member("base", _ref("link"), "the full export or snapshot"),
        Member("increments", _list(_ref("link")), "the incremental exports, in the order of their windows"),
        Member("through", TIME, "end of the last window: the snapshot contains everything written before"),
        Member("inserted", _or_null(COUNT), f"items that are new{_NOT_YET}"),
        Member("updated", _or_null(COUNT), f"items that were replaced{_NOT_YET}"),
        Member("deleted", _or_null(COUNT), f"items that were removed{_NOT_YET}"),
        Member("unknownDeletes", _or_null(COUNT), f"deletes of items that the base did not have{_NOT_YET}"),
        Member("oldImages", _or_null(COUNT), "with `--verify`: old images that were compared"),
        Member("differentImages", _or_null(COUNT), "with `--verify`: old images that differ from the item before"),
    ),
)
_REPORT = Object(
    "report",
    "The result of `convert` and `merge`.",
    (
        Member(
            "status",
            {"enum": list(get_args(Status))},
            "`published`; `unchanged`: it was already published; `planned`: a dry run",
        ),
        Member("exportId", TEXT, "ID of the export; of a snapshot, that of its last increment"),
        Member("table", TEXT, "name of the table"),
        Member("kind", KIND, "`items`, `changes`, or `snapshot` (items that a merge produced)"),
        Member("exportTime", TIME, "the last moment that the export includes, in UTC"),
        Member("date", DAY, "the day of that moment in `--timezone`"),
        Member("source", TEXT, "SOURCE, or BASE of a merge"),
        Member("destination", TEXT, "DEST"),
        Member("locations", _list(TEXT), "folders of the files, relative to the destination: one for each format"),
        Member("format", TEXT, "`parquet`, `csv`, or `csv,parquet`"),
        Member("compression", TEXT, "compression; with two formats, for example `csv=none,parquet=zstd`"),
        Member("items", COUNT, "items, or changes, in the result: the rows that a reader finds"),
        Member("dataFiles", COUNT, "data files of the export"),
        Member("parts", _list(_ref("part")), "the published files"),
        Member("bytesIn", COUNT, "compressed bytes of the export"),
        Member("bytesRead", COUNT, "compressed bytes that were read, in all passes"),
        Member("bytesJson", COUNT, "bytes of the export as JSON, uncompressed"),
        Member("bytesOut", COUNT, "bytes of all published files"),
        Member("seconds", {"type": "number", "minimum": 0}, "duration of the run"),
        Member("passes", COUNT, "how often the data was read: 1, or 2 if it did not fit the first schema"),
        Member("columns", _list(_ref("columnReport")), "the columns in their order"),
        Member(
            "columnChanges", _list(_ref("columnChange")), "how the columns differ from those that the destination had"
        ),
        Member("warnings", _list(TEXT), "all warnings of the run"),
        Member("verified", FLAG, "false if `--no-verify` skipped the digests and item counts"),
        Member(
            "unknownAttributes",
            _list(TEXT),
            "attributes that an option or the schema file names, and that no export has had",
        ),
        Member("merge", _ref("merge"), "only for a snapshot", optional=True),
        Member("notChecked", _list(TEXT), "only in a dry run: what it did not look at", optional=True),
        Member(
            "filtered",
            COUNT,
            "only with `--where`: items that do not satisfy it; `items` are the others",
            optional=True,
        ),
    ),
)
_RECORD = Object(
    "record",
    "`DEST/_exports/<ExportId>.json`: it exists only while all of its parts do.",
    (
        Member("version", {"type": "integer", "minimum": 3}, "version of this format"),
        Member("exportId", TEXT, "ID of the export, and name of the file"),
        Member("exportArn", TEXT, "ARN of the export"),
        Member("tableArn", TEXT, "ARN of the table"),
        Member("tableId", TEXT, "ID of the table: a table that was deleted and created again has another one"),
        Member("kind", KIND, "`items`, `changes`, or `snapshot`"),
        Member("sequence", {"type": "integer", "minimum": 1}, "position in the order in which records were published"),
        Member("exportTime", TIME, "the last moment that the export includes, in UTC"),
        Member("date", DAY, "the day of that moment in `timezone`"),
        Member("timezone", TEXT, "IANA time zone"),
        Member("layout", TEXT, "`--layout`"),
        Member("source", TEXT, "SOURCE as it was given"),
        Member("parts", _list(_ref("part")), "the published files"),
        Member("columns", _list(_ref("column")), "the columns in their order"),
        Member("options", {"type": "object"}, "the options that decide what is published, by name"),
        Member("optionsHash", SHA256, "SHA-256 digest of these options"),
        Member("verified", FLAG, "false if `--no-verify` skipped the digests and item counts"),
        Member("writer", TEXT, "program and version"),
        Member("report", _ref("report"), "the report of the run, without `parts`"),
    ),
)
_SEEN = ("types", "nulls", "absent", "integerDigits", "decimals", "longest")
_ATTRIBUTE = Object(
    "attribute",
    "An attribute of the export, and the column that it becomes.",
    (
        Member("attribute", TEXT, "attribute in DynamoDB"),
        *(member for member in _COLUMN_REPORT.members if member.name in _SEEN),
        Member("column", _or_null(TEXT), "name of its column; null if it has none"),
        Member("columnType", _or_null(TEXT), "type of its column"),
        Member("origin", _or_null(ORIGIN), "origin of its column"),
        Member("unit", _or_null({"enum": list(UNITS)}), "for times: what numbers count"),
    ),
)
_INSPECTION = Object(
    "inspection",
    "The result of `inspect`.",
    (
        Member("exportId", TEXT, "ID of the export"),
        Member("table", TEXT, "name of the table"),
        Member("tableArn", TEXT, "ARN of the table"),
        Member("kind", KIND, "`items` or `changes`"),
        Member("outputFormat", TEXT, "`DYNAMODB_JSON` or `ION`"),
        Member("exportTime", TIME, "the last moment that the export includes"),
        Member("fromTime", _or_null(TIME), "start of the window of an incremental export"),
        Member("toTime", _or_null(TIME), "end of the window of an incremental export"),
        Member("outputView", _or_null(TEXT), "`NEW_IMAGE` or `NEW_AND_OLD_IMAGES`, of an incremental export"),
        Member("operations", {"type": "object", "additionalProperties": COUNT}, "changes by operation"),
        Member("items", COUNT, "items by the manifest"),
        Member("dataFiles", COUNT, "data files of the export"),
        Member("dataBytes", COUNT, "compressed bytes of all data files"),
        Member("approximate", FLAG, "true with `--sample`: only the beginnings of data files were read"),
        Member("itemsSeen", COUNT, "items that were read"),
        Member("attributes", _list(_ref("attribute")), "the attributes in the order of their names"),
        Member("columns", _list(_ref("column")), "the columns in their order"),
        Member("warnings", _list(TEXT), "all warnings"),
    ),
)
_REPORT_OR_NULL = _or_null(_ref("report"))
_EXPORT = Member(
    "export",
    {"enum": ["published", "found", "started", "none"]},
    "`published` before; an export that was `found` or `started`; `none` in a dry run that would start one",
)
_PLANNED = (
    Member(
        "columns",
        _list(_ref("column")),
        "without a report: the columns that the destination promises",
        optional=True,
    ),
    Member("notChecked", _list(TEXT), "without a report: what the dry run did not look at", optional=True),
)
_SYNC = Object(
    "sync",
    "The result of `sync` for a day.",
    (
        Member("date", DAY, "the day"),
        _EXPORT,
        Member("exportArn", _or_null(TEXT), "ARN of the export"),
        Member("report", _REPORT_OR_NULL, "report of the conversion"),
        *_PLANNED,
    ),
)
_WINDOW = Object(
    "window",
    "Changes of a window; or all items at a moment, which is then both start and end.",
    (
        Member("from", TIME, "start of the window"),
        Member("to", TIME, "end of the window"),
        _EXPORT,
        Member("exportArn", _or_null(TEXT), "ARN of the export"),
        Member("report", _REPORT_OR_NULL, "report of the conversion"),
        *_PLANNED,
    ),
)
_CHANGES = Object(
    "incrementalSync",
    "The result of `sync --incremental`.",
    (
        Member("table", TEXT, "name of the table"),
        Member("through", _or_null(TIME), "the destination contains everything that was written before"),
        Member("gap", _or_null(TEXT), "why all items had to be exported again"),
        Member("full", _or_null(_ref("window")), "the full export, if there was one"),
        Member("changes", _list(_ref("window")), "the windows of changes"),
        Member("snapshot", _REPORT_OR_NULL, "report of the merge"),
    ),
)
_INNER = (_PART, _COLUMN_REPORT, _TIMES, _CHANGE, _MERGE, _LINK)
_RECORDED = replace(_REPORT, members=tuple(m for m in _REPORT.members if m.name != "parts"))
SCHEMAS = {
    "report.schema.json": (_REPORT, *_INNER),
    "record.schema.json": (_RECORD, _COLUMN, _RECORDED, *_INNER),
    "inspection.schema.json": (_INSPECTION, _ATTRIBUTE, _COLUMN),
    "sync.schema.json": (_SYNC, _REPORT, _COLUMN, *_INNER),
    "incremental-sync.schema.json": (_CHANGES, _WINDOW, _REPORT, _COLUMN, *_INNER),
}
"""By file: the object that it is about, and those inside of it."""


def schema_text(name: str) -> str:
    """Return the text of a schema file."""
    top, *inner = SCHEMAS[name]
    schema = {
        "$schema": _DIALECT,
        "title": f"ddb-convert {top.name}",
        **top.schema(),
        "$defs": {each.name: each.schema() for each in inner},
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def members_page() -> str:
    """Return the page that describes reports and records."""
    lines = [
        "# Reports and records\n",
        "With `--json` a command prints its result as one JSON object on one line. Every published export has a record"
        " at the destination, `_exports/<ExportId>.json`. When it is written is part of the"
        " [commit protocol](../design/commit-protocol.md).\n",
        "| result of | object | JSON Schema |\n|---|---|---|",
        "| `convert`, `merge` | [report](#report) | [report.schema.json](report.schema.json) |",
        "| a published export | [record](#record) | [record.schema.json](record.schema.json) |",
        "| `inspect` | [inspection](#inspection) | [inspection.schema.json](inspection.schema.json) |",
        "| `sync` | [sync](#sync) | [sync.schema.json](sync.schema.json) |",
        "| `sync --incremental` | [incrementalSync](#incrementalsync)"
        " | [incremental-sync.schema.json](incremental-sync.schema.json) |\n",
        "A later version may add members; readers should ignore those that they do not know.\n",
    ]
    described = (_REPORT, _RECORD, _INSPECTION, _SYNC, _CHANGES, _ATTRIBUTE, _WINDOW, _PART, _COLUMN, *_INNER[1:])
    for each in described:
        lines += [f"## {each.name}\n", f"{each.text}\n", "| member | type | meaning |\n|---|---|---|"]
        lines += [f"| `{m.name}` | {_type_text(m)} | {m.text} |" for m in each.members]
        lines.append("")
    return "\n".join(lines)


def _type_text(member: Member) -> str:
    text = _schema_text(member.schema)
    return f"{text}, optional" if member.optional else text


def _schema_text(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_schema_text, schema["anyOf"]))
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return "text"
    if schema["type"] == "array":
        return f"list of {_schema_text(schema['items'])}"
    if schema is TIME:
        return "UTC time"
    return {"string": "text", "boolean": "true or false"}.get(str(schema["type"]), str(schema["type"]))
