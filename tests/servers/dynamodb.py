"""DynamoDB's exports in front of MiniStack, which answers the requests about them, and neither writes nor refuses.

    table = service.new_table("id", [{"id": {"S": "a"}}])
    service.server.use(monkeypatch)
    ... converter.start_export(table.name, ExportTarget(bucket=bucket)) ...
    assert len(service.exports) == 1

Everything passes through unchanged except what the service does more:

- An export is refused while point-in-time recovery is off (`new_table` turns it on), for times outside of `recovery`,
  for windows that the service takes none of (`tests.servers.windows`), and for a client token that other parameters
  came with. `forget_tokens` is what 8 hours do.
- An export is IN_PROGRESS for the first `polls` answers to DescribeExport; with `polls = None` until `finish`. Then the
  bucket has the files that the service would write, below the export's real id and in the format that was asked for:
  of the items in `history` at the export's time, or of those in the table when it was asked for; of changes, one line
  for each item that was written in the window. What a moment belongs to is said in `tests.servers.history`. Changes of
  a table without a history are refused: only the test that puts them knows what they are.
- It becomes FAILED where there is no such bucket, or as `fail_next` says.
- DescribeExport says what MiniStack leaves out: ExportTime, the window with its defaults, what was counted, and where
  the manifest is.
- `refuse_next` answers with an error, for throttling, missing permissions and quotas; after `lose_next` the request is
  carried out, and its answer does not arrive.

`calls` has every request of DynamoDB's with its parameters, in order.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from converter.testing import Change
from tests.servers.export_files import write_files
from tests.servers.history import History, Items, changes_within, items_at
from tests.servers.relay import Answer, Relaying, listen
from tests.servers.s3 import S3Server
from tests.servers.windows import RefusedError, moment_of, window_of

Parameters = dict[str, Any]

PREFIX = "DynamoDB_20120810."
JSON = {"content-type": "application/x-amz-json-1.0"}
NO_BUCKET = ("S3NoSuchBucket", "The specified bucket does not exist")


@dataclass(frozen=True, slots=True)
class PlayedTable:
    name: str
    arn: str
    table_id: str


@dataclass(slots=True)
class PlayedExport:
    """An export. asked: the request's parameters. items, changes: what it will hold. polls_left: None: until told."""

    arn: str
    asked: Parameters
    description: Parameters
    items: Items
    changes: Sequence[Change]
    polls_left: int | None
    failure: tuple[str, str] | None = None

    @property
    def status(self) -> str:
        return str(self.description["ExportStatus"])


@dataclass(slots=True)
class _Refusal:
    operation: str
    status: int
    code: str
    message: str
    left: int


@dataclass(slots=True)
class PlayedDynamoDb:
    """The service, and what a test may tell it.

    server: where it is. polls: how many answers say IN_PROGRESS for exports that begin from now on. recovery: the first
    and the last moment that tables can be exported of. history: by a table's name, its items from each moment on.
    begun_ago: how long ago, by our clock, exports begin.
    """

    server: S3Server
    behind: S3Server
    polls: int | None = 1
    recovery: tuple[datetime, datetime] | None = None
    begun_ago: timedelta = timedelta(0)
    history: dict[str, History] = field(default_factory=dict)
    exports: dict[str, PlayedExport] = field(default_factory=dict)
    calls: list[tuple[str, Parameters]] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)
    _forgotten: int = 0
    _refusals: list[_Refusal] = field(default_factory=list)
    _lost: list[str] = field(default_factory=list)
    _failures: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def new_table(
        self, key: str | Mapping[str, str] = "id", items: Items = (), *, recovers: bool = True
    ) -> PlayedTable:
        """A table that no other test knows, with these items, with point-in-time recovery or without.

        key: a text attribute, or the types of the partition key and the sort key: `{"id": "S", "rank": "N"}`.
        """
        keys = {key: "S"} if isinstance(key, str) else key
        client = self.behind.service("dynamodb")
        name = f"Orders-{uuid.uuid4().hex[:12]}"
        described = client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": attribute, "KeyType": "RANGE" if number else "HASH"}
                for number, attribute in enumerate(keys)
            ],
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": tag} for attribute, tag in keys.items()
            ],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]
        for item in items:
            client.put_item(TableName=name, Item=item)
        specification = {"PointInTimeRecoveryEnabled": recovers}
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)
        return PlayedTable(name, described["TableArn"], described["TableId"])

    def refuse_next(self, operation: str, code: str, message: str = "", *, status: int = 400, times: int = 1) -> None:
        """The next requests of this operation are answered with an error."""
        self._refusals.append(_Refusal(operation, status, code, message or f"{code}, said by a test", times))

    def lose_next(self, operation: str) -> None:
        """The connection is closed in place of the answer to the next request of this operation."""
        self._lost.append(operation)

    def fail_next(self, code: str, message: str) -> None:
        """The next export that begins will fail."""
        self._failures.append((code, message))

    def finish(self, arn: str) -> None:
        """The export ends with the next answer about it."""
        self.exports[arn].polls_left = 0

    def forget_tokens(self) -> None:
        """Eight hours go by: every token is a new one."""
        self._tokens.clear()
        self._forgotten += 1

    def wait_until_asked(self, operation: str, after: int = 0) -> int:
        """Until there was a request of this operation, not counting the first `after` requests; how many there were."""
        deadline = time.monotonic() + 60
        while True:
            for number, (asked, _) in enumerate(self.calls[after:], after + 1):
                if asked == operation:
                    return number
            assert time.monotonic() < deadline, f"there was no {operation}"
            time.sleep(0.02)

    def tokens(self) -> list[str]:
        """The client token of each request to export, in order."""
        return [str(asked["ClientToken"]) for operation, asked in self.calls if operation == "ExportTableToPointInTime"]

    def answer(self, handler: Relaying, headers: dict[str, str], body: bytes) -> Answer | None:
        """To one request."""
        target = headers.get("x-amz-target", "")
        if not target.startswith(PREFIX):
            return handler.ask(body, headers)
        operation, asked = target.removeprefix(PREFIX), json.loads(body or b"{}")
        with self._lock:
            self.calls.append((operation, asked))
            for refusal in self._refusals:
                if refusal.operation == operation and refusal.left:
                    refusal.left -= 1
                    return _error(refusal.code, refusal.message, refusal.status)
            answer = self._carry_out(_Asking(handler, headers), operation, asked)
            if operation in self._lost:
                self._lost.remove(operation)
                return None
            return answer

    def _carry_out(self, ask: _Asking, operation: str, asked: Parameters) -> Answer:
        if operation == "ExportTableToPointInTime":
            return self._export(ask, asked)
        answer = ask(operation, asked)
        if answer.status != 200:
            return answer
        said = json.loads(answer.content)
        if operation == "DescribeContinuousBackups":
            self._say_recovery(said["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"])
        elif operation == "DescribeExport" and asked["ExportArn"] in self.exports:
            said["ExportDescription"] = self._describe(str(asked["ExportArn"]))
        elif operation == "ListExports":
            for summary in said["ExportSummaries"]:
                if summary["ExportArn"] in self.exports:
                    summary["ExportStatus"] = self.exports[summary["ExportArn"]].status
        return _changed(answer, said)

    def _recovery(self) -> tuple[datetime, datetime]:
        now = datetime.now(UTC).replace(microsecond=0)
        return self.recovery or (now - timedelta(days=34), now - timedelta(minutes=5))

    def _say_recovery(self, description: Parameters) -> None:
        if description["PointInTimeRecoveryStatus"] == "ENABLED":
            earliest, latest = self._recovery()
            description["EarliestRestorableDateTime"] = earliest.timestamp()
            description["LatestRestorableDateTime"] = latest.timestamp()

    def _export(self, ask: _Asking, asked: Parameters) -> Answer:
        token = str(asked.get("ClientToken", uuid.uuid4()))
        before = self.exports.get(self._tokens.get(token, ""))
        if before is not None:
            if before.asked != asked:
                return _error("ExportConflictException", "Request parameters do not match those of an earlier export")
            return Answer(200, JSON, *_sized({"ExportDescription": before.description}))
        try:
            window = self._window(ask, asked)
        except RefusedError as refused:
            return _error(refused.code, refused.message)
        # MiniStack does not forget tokens.
        answer = ask("ExportTableToPointInTime", {**asked, "ClientToken": f"{token}.{self._forgotten}"})
        if answer.status != 200:
            return answer
        said = json.loads(answer.content)
        export = self._begin(ask, asked, {**said["ExportDescription"], "ClientToken": token}, window)
        self.exports[export.arn] = export
        self._tokens[token] = export.arn
        return _changed(answer, {"ExportDescription": export.description})

    def _window(self, ask: _Asking, asked: Parameters) -> Parameters | None:
        """The window of a request, None for a full export. Raises RefusedError."""
        name = _table_of(asked)
        backups = ask("DescribeContinuousBackups", {"TableName": name})
        if backups.status != 200:
            # There is no such table, which MiniStack says itself.
            return None
        recovery = json.loads(backups.content)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
            message = f"Point in time recovery is not enabled for table '{name}'"
            raise RefusedError("PointInTimeRecoveryUnavailableException", message)
        window = window_of(asked, self._recovery())
        if window is not None and name not in self.history:
            raise RefusedError("ValidationException", f"a test that has changes exported gives {name} a history")
        return window

    def _begin(
        self, ask: _Asking, asked: Parameters, description: Parameters, window: Parameters | None
    ) -> PlayedExport:
        description["StartTime"] -= self.begun_ago.total_seconds()
        name = _table_of(asked)
        items: Items = ()
        changes: Sequence[Change] = ()
        if window is not None:
            description["IncrementalExportSpecification"] = window
            begin, end = (moment_of(window[side]) for side in ("ExportFromTime", "ExportToTime"))
            changes = changes_within(self.history[name], ask.keys(name), begin, end)
        else:
            description["ExportTime"] = asked.get("ExportTime", description["StartTime"])
            history = self.history.get(name)
            items = list(ask.scan(name)) if history is None else items_at(history, moment_of(description["ExportTime"]))
        failure = self._failures.pop(0) if self._failures else None
        return PlayedExport(description["ExportArn"], asked, description, items, changes, self.polls, failure)

    def _describe(self, arn: str) -> Parameters:
        export = self.exports[arn]
        if export.status == "IN_PROGRESS" and export.polls_left is not None:
            if export.polls_left > 0:
                export.polls_left -= 1
            else:
                self._end(export)
        return export.description

    def _end(self, export: PlayedExport) -> None:
        description = export.description
        description["EndTime"] = datetime.now(UTC).timestamp()
        try:
            self.behind.client().head_bucket(Bucket=description["S3Bucket"])
        except ClientError:
            export.failure = export.failure or NO_BUCKET
        if export.failure is not None:
            description["ExportStatus"] = "FAILED"
            description["FailureCode"], description["FailureMessage"] = export.failure
            return
        with tempfile.TemporaryDirectory() as folder:
            written = write_files(Path(folder), description, export.items, export.changes)
            self.behind.upload(description["S3Bucket"], written.bucket)
            summary = json.loads(written.summary.read_text("utf-8"))
            description["ExportStatus"] = "COMPLETED"
            description["ExportManifest"] = str(written.summary.relative_to(written.bucket))
            description["ItemCount"] = summary["itemCount"]
            description["BilledSizeBytes"] = summary["billedSizeBytes"]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks MiniStack in the name of the one who has asked: in the same region and account."""

    handler: Relaying
    headers: Mapping[str, str]

    def __call__(self, operation: str, parameters: Parameters) -> Answer:
        body = json.dumps(parameters).encode()
        own = {"x-amz-target": f"{PREFIX}{operation}", "content-length": str(len(body))}
        return self.handler.ask(body, {**self.headers, **own})

    def keys(self, table: str) -> list[str]:
        """The names of a table's key attributes."""
        schema = json.loads(self("DescribeTable", {"TableName": table}).content)["Table"]["KeySchema"]
        return [str(key["AttributeName"]) for key in schema]

    def scan(self, table: str) -> Iterator[Mapping[str, Any]]:
        """All items of a table."""
        following: Parameters = {}
        while True:
            page = json.loads(self("Scan", {"TableName": table, **following}).content)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            following = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _table_of(asked: Parameters) -> str:
    return str(asked["TableArn"]).rpartition("/")[2]


def _error(code: str, message: str, status: int = 400) -> Answer:
    return Answer(status, JSON, *_sized({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}))


def _changed(answer: Answer, said: Parameters) -> Answer:
    # botocore compares it with the body that it was of.
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "x-amz-crc32"}
    return Answer(answer.status, headers, *_sized(said))


def _sized(said: Parameters) -> tuple[bytes, int]:
    content = json.dumps(said).encode()
    return content, len(content)


@contextmanager
def play_dynamodb(behind: S3Server) -> Iterator[PlayedDynamoDb]:
    """The service in front of a MiniStack while the block lasts; S3 and all else pass through."""

    class Handler(Relaying):
        def decide(self, headers: dict[str, str], body: bytes) -> Answer | None:
            return service.answer(self, headers, body)

    service = PlayedDynamoDb(behind, behind)
    with listen(Handler, behind) as url:
        service.server = replace(behind, endpoint_url=url)
        yield service
