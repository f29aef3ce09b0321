"""DynamoDB's exports of one table, and the bucket in which they end, in the process of the tests and at any time.

Tests need no other server: requests are answered from a few members, and the bucket is a folder.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from converter.api import _execution
from converter.aws.access import AwsOptions
from converter.aws.tables import Table
from converter.aws.target import ExportTarget
from converter.conversion.progress import SilentListener
from converter.options import ConvertOptions
from converter.syncing.pending_exports import Clock, Exporting
from tests.servers.export_files import write_files
from tests.servers.history import History, changes_within, items_at
from tests.servers.listening import ListeningServer
from tests.servers.process import LOOPBACK
from tests.servers.s3 import S3Server
from tests.servers.windows import moment_of
from tests.unit.publishing.published import make_export

EXPORT = make_export()
TABLE = Table(
    arn=EXPORT.table_arn,
    table_id=EXPORT.table_id,
    name=EXPORT.table,
    region="eu-west-1",
    account="123456789012",
    keys=(("id", "S"),),
)
TARGET = ExportTarget(bucket="exports", prefix="nightly")
NOON = datetime(2024, 3, 9, 12, 7, tzinfo=UTC)
ITEM = {"id": {"S": "a"}, "n": {"N": "7"}}

Description = dict[str, Any]


class Heard(SilentListener):
    """Keeps what a run reports."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.phases: list[str] = []

    def warned(self, text: str) -> None:
        self.warnings.append(text)

    def phase(self, text: str) -> None:
        self.phases.append(text)


@dataclass
class Service:
    """The service. now: its time. polls: answers that an export is in progress, before it ends as `failure` says.

    history: the items of the table from each moment on. asked: the requests for exports.
    """

    folder: Path
    now: datetime = NOON
    polls: int = 0
    failure: str | None = None
    history: History = field(default_factory=lambda: {NOON - timedelta(days=30): [ITEM]})
    earliest: datetime | None = NOON - timedelta(days=30)
    latest: datetime | None = None
    busy_after: int | None = None
    exports: dict[str, Description] = field(default_factory=dict)
    asked: list[Description] = field(default_factory=list)
    _polls_left: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def read_clock(self) -> datetime:
        return self.now

    def add(self, begun: datetime, **changed: Any) -> str:
        """An export that is completed; its ARN. changed: members of its description."""
        full = {"ExportType": "FULL_EXPORT", "ExportTime": begun.timestamp()}
        described = {**full, **changed}
        arn = self._begin(begun, {name: value for name, value in described.items() if value is not None})
        if described.get("ExportStatus", "COMPLETED") == "COMPLETED":
            self._complete(self.exports[arn])
        return arn

    def add_window(self, begun: datetime, from_time: datetime, to_time: datetime, **changed: Any) -> str:
        """A completed export of changes."""
        window = {
            "ExportFromTime": from_time.timestamp(),
            "ExportToTime": to_time.timestamp(),
            "ExportViewType": "NEW_AND_OLD_IMAGES",
        }
        return self.add(
            begun, ExportType="INCREMENTAL_EXPORT", ExportTime=None, IncrementalExportSpecification=window, **changed
        )

    def remove_files(self, arn: str) -> None:
        """Remove the data files of an export, not its manifests."""
        folder = self.folder / str(Path(self.exports[arn]["ExportManifest"]).parent)
        for path in (*folder.glob("data/*"), *folder.parent.glob("data/*")):
            path.unlink()

    def answer(self, operation: str, asked: Description) -> tuple[int, Description]:
        """The status and the answer to a request."""
        if operation == "DescribeTable":
            return 200, {
                "Table": {
                    "TableArn": TABLE.arn,
                    "TableId": TABLE.table_id,
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                }
            }
        if operation == "DescribeContinuousBackups":
            latest = self.latest or self.now - timedelta(minutes=5)
            recovery: Description = {"PointInTimeRecoveryStatus": "DISABLED"}
            if self.earliest is not None:
                recovery = {
                    "PointInTimeRecoveryStatus": "ENABLED",
                    "EarliestRestorableDateTime": self.earliest.timestamp(),
                    "LatestRestorableDateTime": latest.timestamp(),
                }
            return 200, {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}
        if operation == "ListExports":
            names = ("ExportArn", "ExportStatus", "ExportType")
            found = [{name: each[name] for name in names} for each in self.exports.values()]
            return 200, {"ExportSummaries": found}
        if operation == "DescribeExport":
            return self._describe(str(asked["ExportArn"]))
        return self._start(asked)

    def _describe(self, arn: str) -> tuple[int, Description]:
        if arn not in self.exports:
            return 400, {"__type": "x#ExportNotFoundException", "message": "There is none."}
        described = self.exports[arn]
        if described["ExportStatus"] == "IN_PROGRESS":
            self._polls_left[arn] = self._polls_left.get(arn, self.polls) - 1
            if self._polls_left[arn] < 0:
                self._complete(described)
        return 200, {"ExportDescription": described}

    def _start(self, asked: Description) -> tuple[int, Description]:
        before = self._tokens.get(asked["ClientToken"])
        if before is None and self.busy_after is not None and len(self.asked) >= self.busy_after:
            return 400, {"__type": "x#LimitExceededException", "message": "Too many exports."}
        if before is None:
            self.asked.append(asked)
            names = ("S3Bucket", "S3Prefix", "ExportFormat", "ExportType", "IncrementalExportSpecification")
            described = {name: asked[name] for name in names if name in asked}
            if asked["ExportType"] == "FULL_EXPORT":
                described["ExportTime"] = asked.get("ExportTime", self.now.timestamp())
            before = self._begin(self.now, {"ExportStatus": "IN_PROGRESS", **described})
            self._tokens[asked["ClientToken"]] = before
        return 200, {"ExportDescription": self.exports[before]}

    def _begin(self, begun: datetime, described: Description) -> str:
        export_id = f"{int(begun.timestamp() * 1000):014}-{len(self.exports):08x}"
        arn = f"{TABLE.arn}/export/{export_id}"
        self.exports[arn] = {
            "ExportArn": arn,
            "ExportStatus": "COMPLETED",
            "TableArn": TABLE.arn,
            "TableId": TABLE.table_id,
            "StartTime": begun.timestamp(),
            "S3Bucket": TARGET.bucket,
            "S3Prefix": TARGET.prefix,
            "ExportFormat": TARGET.format,
            **described,
        }
        return arn

    def _complete(self, described: Description) -> None:
        if self.failure is not None:
            described.update(ExportStatus="FAILED", FailureCode=self.failure, FailureMessage="Said by a test.")
            return
        described.update(ExportStatus="COMPLETED", EndTime=described["StartTime"] + 60)
        items, changes = items_at(self.history, self.now), []
        window = described.get("IncrementalExportSpecification")
        if window is not None:
            begin, end = (moment_of(window[side]) for side in ("ExportFromTime", "ExportToTime"))
            changes = changes_within(self.history, ["id"], begin, end)
        elif described.get("ExportTime"):
            items = items_at(self.history, moment_of(described["ExportTime"]))
        written = write_files(self.folder, described, items, changes)
        described["ExportManifest"] = str(written.summary.relative_to(written.bucket))


def exporting(service: Service, heard: Heard, *, timeout: float | None = None, verify: bool = True) -> Exporting:
    """Settings of a run that begins now."""
    return Exporting(
        execution=_execution(ConvertOptions(workers=1), AwsOptions(), heard),
        clock=Clock(service.read_clock, service.sleep),
        begun=service.now,
        timeout=timeout,
        verify=verify,
    )


def _listing(folder: Path, query: Mapping[str, list[str]]) -> bytes:
    """The page of ListObjectsV2 with all objects."""
    prefix, delimiter = (query.get(name, [""])[0] for name in ("prefix", "delimiter"))
    found: dict[str, str] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = path.relative_to(folder).as_posix()
        if key.startswith(prefix):
            inner = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            name = escape(prefix + inner[0] + inner[1] if inner[1] else key)
            found[name] = (
                f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
                if inner[1]
                else f"<Contents><Key>{name}</Key><Size>{path.stat().st_size}</Size></Contents>"
            )
    return f"<ListBucketResult>{''.join(found.values())}</ListBucketResult>".encode()


@contextmanager
def start_service(folder: Path) -> Iterator[Service]:
    """The service, which the program in this process takes for AWS."""
    service, lock = Service(folder), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # See tests/servers/relay.py.
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            target = self.headers.get("x-amz-target", "")
            if target:
                with lock:
                    status, said = service.answer(target.partition(".")[2], json.loads(body))
                return self.send(status, json.dumps(said).encode())
            place = urlsplit(self.path)
            _, bucket, key = f"{unquote(place.path)}/".split("/", 2)
            path = service.folder / key.rstrip("/")
            if bucket != TARGET.bucket:
                return self.send(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            if not key:
                return self.send(200, _listing(service.folder, parse_qs(place.query)))
            if not path.is_file():
                return self.send(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return self.send(200, path.read_bytes())

        def send(self, status: int, content: bytes) -> None:
            self.send_response_only(status)
            self.send_header("Date", format_datetime(service.now, usegmt=True))
            self.send_header("Last-Modified", format_datetime(service.now, usegmt=True))
            self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    for method in ("GET", "HEAD", "POST"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with pytest.MonkeyPatch.context() as environment, ListeningServer((LOOPBACK, 0), Handler) as server:
        url = f"http://{LOOPBACK}:{server.server_address[1]}"
        S3Server(url, "testing", "testing", "us-east-1", "service", conditional=True).use(environment)
        environment.setenv("AWS_MAX_ATTEMPTS", "1")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield service
        server.shutdown()
