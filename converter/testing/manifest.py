"""The two manifests of an export, and their checksums, byte for byte as the service writes them."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from converter.utc import EPOCH, format_utc

OutputFormat = Literal["DYNAMODB_JSON", "ION"]

EXPORT_TIME = datetime(2023, 11, 27, 6, 11, 47, 109_000, tzinfo=UTC)
VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonFacts(ABC):
    """Facts of every export.

    prefix: the folders of the export in the bucket, such as `dynamodb` or `raw/dynamodb`.
    start_time, end_time: aware, cut to milliseconds; an export takes nine minutes by default.
    id: the export's id, where it is not to be made from its start: as another server has made it.
    id_suffix: the eight hex digits that end the export's id.
    seed: gives the names of the data files, and id_suffix where it is left out: another seed, another export.
    table_id: depends on the table's name alone when left out, so that exports of one table belong together.
    billed_size_bytes: the bytes of all lines when left out; the service counts differently, and nothing depends on it.
    output_format: what the lines of the data files are in.
    """

    start_delay: ClassVar = timedelta()

    table: str = "Orders"
    prefix: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    id: str | None = None
    id_suffix: str | None = None
    seed: int = 0
    bucket: str = "example-exports"
    region: str = "eu-central-1"
    account: str = "111122223333"
    table_id: str | None = None
    sse_algorithm: str | None = "AES256"
    sse_kms_key_id: str | None = None
    billed_size_bytes: int | None = None
    output_format: OutputFormat = "DYNAMODB_JSON"

    def __post_init__(self) -> None:
        for time in (*self.instants(), self.start_time, self.end_time):
            if time is not None and time.tzinfo is None:
                raise ValueError(f"{time} has no time zone")
        if self.id_suffix is not None and not re.fullmatch("[0-9a-f]{8}", self.id_suffix):
            raise ValueError(f"an export's id ends with eight hex digits, not {self.id_suffix!r}")
        if self.id is not None and not re.fullmatch("[0-9]{13,14}-[0-9a-f]{8}", self.id):
            raise ValueError(f"an export's id is milliseconds, a dash and eight hex digits, not {self.id!r}")
        if self.id is not None and self.id_suffix is not None:
            raise ValueError("an id has its own end")
        if self.prefix is not None and (not self.prefix or self.prefix.strip("/") != self.prefix):
            raise ValueError(f"a prefix has text and no slash at its ends, unlike {self.prefix!r}")

    @abstractmethod
    def instants(self) -> tuple[datetime, ...]:
        """The moments of the table that the export knows of, the last one last."""

    @property
    @abstractmethod
    def data_prefix(self) -> str:
        """Prefix of the keys of its data files."""

    @property
    def started(self) -> datetime:
        """The start of the export; its id contains these milliseconds."""
        return self.start_time or self.instants()[-1] + self.start_delay

    @property
    def ended(self) -> datetime:
        """The time of completion."""
        return self.end_time or self.started + timedelta(minutes=9, milliseconds=1418)

    @property
    def export_id(self) -> str:
        """Fourteen digits of milliseconds, a dash and eight hex digits, unless one is given; it sorts by time."""
        if self.id is not None:
            return self.id
        millis = (self.started - EPOCH) // timedelta(milliseconds=1)
        return f"{millis:014d}-{self.id_suffix or self.digest('id').hex()[:8]}"

    @property
    def table_arn(self) -> str:
        """The table's ARN."""
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{self.table}"

    @property
    def export_arn(self) -> str:
        """The export's ARN."""
        return f"{self.table_arn}/export/{self.export_id}"

    @property
    def exports_prefix(self) -> str:
        """Prefix of the keys of all exports below `prefix`."""
        return f"{self.prefix}/AWSDynamoDB/" if self.prefix else "AWSDynamoDB/"

    @property
    def key_prefix(self) -> str:
        """Prefix of the keys of its manifests."""
        return f"{self.exports_prefix}{self.export_id}/"

    def digest(self, *parts: object) -> bytes:
        """16 bytes that depend on the table, the export's time, the seed and the parts alone."""
        return _digest(self.table, format_utc(self.started), self.seed, *parts)

    def table_uuid(self) -> str:
        """Return the given id of the table, or an id that depends only on its name."""
        hexed = _digest(self.table).hex()
        made = f"{hexed[:8]}-{hexed[8:12]}-4{hexed[13:16]}-a{hexed[17:20]}-{hexed[20:]}"
        return self.table_id or made


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFacts(CommonFacts):
    """Facts of a full export.

    export_time: aware, cut to milliseconds; the export starts then by default.
    """

    export_time: datetime = EXPORT_TIME

    def instants(self) -> tuple[datetime, ...]:
        """The export's time."""
        return (self.export_time,)

    @property
    def data_prefix(self) -> str:
        """Its own folder's."""
        return f"{self.key_prefix}data/"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFacts(CommonFacts):
    """Facts of an incremental export. It starts five minutes after its window by default.

    from_time (inclusive), to_time (exclusive): aware, cut to milliseconds. view: NEW_IMAGE or NEW_AND_OLD_IMAGES.
    """

    # A window must be over for some minutes before the service exports it.
    start_delay: ClassVar = timedelta(minutes=5)

    from_time: datetime = EXPORT_TIME
    to_time: datetime = EXPORT_TIME + timedelta(minutes=15)
    view: str = "NEW_AND_OLD_IMAGES"

    def __post_init__(self) -> None:
        CommonFacts.__post_init__(self)
        if self.view not in VIEWS:
            raise ValueError(f"a view is {' or '.join(VIEWS)}, not {self.view!r}")
        if self.from_time >= self.to_time:
            raise ValueError("a window ends after it begins")

    def instants(self) -> tuple[datetime, ...]:
        """The window's ends."""
        return self.from_time, self.to_time

    @property
    def data_prefix(self) -> str:
        """The folder's that all incremental exports share."""
        return f"{self.exports_prefix}data/"


@dataclass(frozen=True, slots=True)
class DataFileFacts:
    """One line of manifest-files.json. `key` begins at the bucket's root, `md5` is of the compressed bytes."""

    key: str
    items: int
    md5: bytes


def summary_text(facts: ExportFacts | WindowFacts, items: int, size: int) -> bytes:
    """Return manifest-summary.json: one line without a newline. `size` is billedSizeBytes."""
    window = isinstance(facts, WindowFacts)
    times = ("exportFromTime", "exportToTime") if window else ("exportTime",)
    kind = {"outputView": facts.view, "exportType": "INCREMENTAL_EXPORT"} if isinstance(facts, WindowFacts) else {}
    return compact(
        {
            "version": "2023-08-01" if window else "2020-06-30",
            "exportArn": facts.export_arn,
            "startTime": format_utc(facts.started),
            "endTime": format_utc(facts.ended),
            "tableArn": facts.table_arn,
            "tableId": facts.table_uuid(),
            **dict(zip(times, map(format_utc, facts.instants()), strict=True)),
            "s3Bucket": facts.bucket,
            "s3Prefix": facts.prefix,
            "s3SseAlgorithm": facts.sse_algorithm,
            "s3SseKmsKeyId": facts.sse_kms_key_id,
            "manifestFilesS3Key": f"{facts.key_prefix}manifest-files.json",
            "billedSizeBytes": size if facts.billed_size_bytes is None else facts.billed_size_bytes,
            "itemCount": items,
            "outputFormat": facts.output_format,
            **kind,
        }
    )


def files_text(files: Iterable[DataFileFacts]) -> bytes:
    """manifest-files.json: a line for each data file, in the order given, each with a newline."""
    return b"".join(
        compact(
            {
                "itemCount": file.items,
                "md5Checksum": md5_text(file.md5),
                "etag": etag(file.md5),
                "dataFileS3Key": file.key,
            }
        )
        + b"\n"
        for file in files
    )


def md5_text(md5: bytes) -> str:
    """An md5 as manifests and `.md5` objects give it: 24 characters of base64."""
    return b64encode(md5).decode("ascii")


def etag(md5: bytes) -> str:
    """The etag of an object that was uploaded in one part of a multipart upload: an md5 of the md5."""
    return hashlib.md5(md5, usedforsecurity=False).hexdigest() + "-1"


def _digest(*parts: object) -> bytes:
    return hashlib.md5(json.dumps(parts).encode(), usedforsecurity=False).digest()


def compact(members: Mapping[str, object]) -> bytes:
    """Return an object as the service writes it: compact, raw UTF-8."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
