"""Settings of a schedule: the table, its exports, their destination, and the times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.aws.export_request import SHORTEST_WINDOW
from converter.aws.identifiers import check_kms_key
from converter.aws.s3_uri import SCHEME, s3_uri
from converter.aws.target import ExportTarget
from converter.errors import UsageError
from converter.option_values import check_timezone
from converter.options import Buckets, Trigger
from converter.schedule.expressions import check_cron, check_rate, several_a_day, shortest_gap
from converter.syncing.incremental_options import Changes

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_TABLE_ARN = re.compile(r"arn:(aws[a-z-]*):dynamodb:([a-z0-9-]+):([0-9]{12}):table/([A-Za-z0-9_.-]{3,255})", re.ASCII)
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
_DEST = re.compile(rf"{SCHEME}([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(?:/(.*))?", re.ASCII | re.DOTALL)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
# The longest flexible time window: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_FlexibleTimeWindow.html
_LONGEST_WINDOW = 1440
_SHORTEST_GAP = SHORTEST_WINDOW // timedelta(minutes=1)

Role = Literal["StateMachineRole", "TaskRole"]
"""Roles of the stack that may need permissions in other accounts."""


@dataclass(frozen=True, slots=True)
class ScheduledTable:
    """A DynamoDB table. Region, account and partition are None if only the name is known."""

    name: str
    region: str | None = None
    account: str | None = None
    partition: str | None = None

    @classmethod
    def read(cls, text: str) -> ScheduledTable:
        """Parse a name or an ARN. Raises UsageError for other texts."""
        match = _TABLE_ARN.fullmatch(text)
        if match:
            return cls(match[4], match[2], match[3], match[1])
        if _TABLE.fullmatch(text) is None:
            raise UsageError(
                f"{text!r} is neither the name nor the ARN of a table", "TABLE", "use Orders, or arn:aws:…"
            )
        return cls(text)

    @property
    def arn(self) -> str | None:
        """The ARN, or None if it is not known."""
        if self.region is None:
            return None
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Settings of scheduled exports of a table, and of their conversion.

    dest: s3://bucket/prefix/. options: arguments for `ddb-convert convert`, or `sync` with `changes`. aws, replace: the
    parsed options for AWS, for the roles, and whether a later export of a date replaces an earlier one. changes: None
    for exports of all items. trigger: a schedule starts exports, or the manifest of each finished export starts its
    conversion. cron, rate: expressions of EventBridge Scheduler without parentheses. timezone: time zone of the cron.
    window: minutes within which an execution starts. create: the buckets to create. stack: the name of the stack.

    Raises UsageError for settings that AWS would reject, at once or later.
    """

    table: ScheduledTable
    target: ExportTarget
    dest: str
    options: tuple[str, ...] = ()
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS
    replace: bool = False
    changes: Changes | None = None
    trigger: Trigger = "schedule"
    cron: str | None = None
    rate: str | None = None
    timezone: str = "UTC"
    window: int = 0
    create: Buckets | None = None
    stack: str | None = None

    def __post_init__(self) -> None:
        match = _DEST.fullmatch(self.dest)
        if match is None:
            raise UsageError(f"{self.dest!r} is not a location in S3", "DEST", f"use {SCHEME}bucket/folder/")
        folder = (match[2] or "").rstrip("/")
        object.__setattr__(self, "dest", s3_uri(match[1], folder and f"{folder}/"))
        for name, text in (("--export-prefix", self.target.prefix or ""), ("DEST", self.dest)):
            found = re.search(r"[*?$\"\\{}\x00-\x1f\x7f-\x9f\u2028\u2029]", text)
            if found:
                raise UsageError(
                    f"{found[0]!r} has a special meaning in policies and templates", name, "rename the folder"
                )
        for word in self.options:
            if "${" in word or word.startswith("{%"):
                raise UsageError(f"the template would replace {word!r}", "--", "remove ${ and {% from it")
        if self.stack is not None and _STACK.fullmatch(self.stack) is None:
            raise UsageError(f"{self.stack!r} is not a valid name of a stack", "--stack", "use letters, digits and -")
        self._check_aws()
        self._check_changes()
        self._check_times()
        self._check_buckets()

    def _check_aws(self) -> None:
        """Check the options for AWS, because policies contain them and give some characters a special meaning."""
        if self.aws.dest_kms_key_id is not None:
            check_kms_key(self.aws.dest_kms_key_id, "--dest-kms-key-id")
        roles = {"--source-role-arn": self.aws.source_role_arn, "--dest-role-arn": self.aws.dest_role_arn}
        for option, role in roles.items():
            if role is not None and _ROLE_ARN.fullmatch(role) is None:
                raise UsageError(f"{role!r} is not the ARN of a role", option, "use arn:aws:iam::ACCOUNT:role/NAME")

    def _check_changes(self) -> None:
        if self.changes is not None and self.trigger == "manifest":
            raise UsageError(
                "changes must follow each other without a gap, so the task itself exports them",
                "--trigger",
                "remove it, and set the times with --cron or --rate",
            )
        role = self.aws.source_role_arn
        if self.changes is not None and role is not None and role.split(":")[4:5] != [self.table.account]:
            raise UsageError(
                "only a role in the account of the table can export it",
                "--source-role-arn",
                "use a role in that account, and the ARN of TABLE",
            )

    def _check_buckets(self) -> None:
        if self.target.bucket_owner is not None and self.target.sse == "KMS" and self.target.kms_key_id is None:
            raise UsageError(
                "the AWS managed key of an account can't be used for a bucket of another account",
                "--export-kms-key-id",
                "use a key whose policy allows both accounts",
            )
        if self.target.bucket_owner is not None and self.creates("export"):
            raise UsageError(
                "this stack can't create a bucket of another account", "--create-buckets", "create it in that account"
            )
        if self.dest.startswith(self.target.folder):
            raise UsageError(
                "exports are written to this folder, and the output would be mixed with them",
                "DEST",
                "use another prefix or bucket",
            )
        if self.creates("export") and self.dest.startswith(s3_uri(self.target.bucket, self.export_folder)):
            raise UsageError(
                "exports expire in the bucket that the stack creates, and the output in this folder would too",
                "DEST",
                "use another bucket, or an --export-prefix outside DEST",
            )

    def _check_times(self) -> None:
        if self.trigger == "manifest":
            given = {"--cron": self.cron, "--rate": self.rate, "--window": self.window or None}
            for option, value in given.items():
                if value is not None:
                    raise UsageError("with --trigger manifest there is no schedule", option, "remove the option")
            return
        if self.cron is not None and self.rate is not None:
            raise UsageError("a schedule has either a cron or a rate", "--cron, --rate", "remove one of them")
        if self.cron is not None:
            check_cron(self.cron)
            object.__setattr__(self, "cron", " ".join(self.cron.split()))
        if self.rate is not None:
            check_rate(self.rate)
        option = "--cron" if self.cron is not None else "--rate"
        if self.changes is not None:
            if shortest_gap(self.cron, self.rate) < _SHORTEST_GAP:
                raise UsageError(
                    f"an export of changes has at least {_SHORTEST_GAP} minutes, and this schedule runs more often",
                    option,
                    f"leave at least {_SHORTEST_GAP} minutes between two runs",
                )
        elif not self.replace and several_a_day(self.cron, self.rate):
            raise UsageError(
                "DEST has one export for each date, and this schedule runs several times a day",
                option,
                "add `-- --replace` to keep the last export of each day, or use --incremental to publish changes",
            )
        check_timezone(self.timezone)
        if not 0 <= self.window <= _LONGEST_WINDOW:
            raise UsageError(
                f"{self.window} minutes are not allowed", "--window", f"use 0 to {_LONGEST_WINDOW} minutes"
            )

    @property
    def partition(self) -> str:
        """The AWS partition of all resources, such as `aws-cn`."""
        return self.table.partition or "aws"

    @property
    def exporter(self) -> Role | None:
        """The role of the stack that starts exports; None if another role or another program does."""
        if self.trigger == "manifest":
            return None
        if self.changes is None:
            return "StateMachineRole"
        return None if self.aws.source_role_arn is not None else "TaskRole"

    @property
    def stays_with_table(self) -> bool:
        """Whether the stack must be in the account of the table. A role of that account can be assumed elsewhere."""
        return self.changes is None or self.aws.source_role_arn is None

    @property
    def expression(self) -> str:
        """The expression for EventBridge Scheduler. Raises UsageError without --cron and --rate."""
        if self.cron is None and self.rate is None:
            raise UsageError(
                "a schedule needs --cron or --rate", hint="for example, --cron '0 2 * * ? *' or --rate '1 day'"
            )
        return f"cron({self.cron})" if self.cron is not None else f"rate({self.rate})"

    @property
    def dest_bucket(self) -> str:
        """The bucket of the destination."""
        return self.dest.split("/")[2]

    @property
    def dest_folder(self) -> str:
        """The folder of the destination in its bucket, with a final slash; empty for the whole bucket."""
        return self.dest.split("/", 3)[3]

    @property
    def export_folder(self) -> str:
        """The folder of all exports in their bucket, likewise."""
        return f"{self.target.prefix}/" if self.target.prefix else ""

    @property
    def stack_name(self) -> str:
        """The name of the stack."""
        return self.stack or "ddb-convert-" + re.sub(r"[^A-Za-z0-9]+", "-", self.table.name).strip("-")

    def creates(self, bucket: Literal["export", "destination"]) -> bool:
        """Return whether the stack creates this bucket."""
        return self.create in (bucket, "both")

    def container_options(self) -> tuple[str, ...]:
        """Return the arguments after SOURCE and DEST, with the required owner of the export's bucket."""
        if self.target.bucket_owner is not None and self.aws.source_bucket_owner is None:
            return (*self.options, "--source-bucket-owner", self.target.bucket_owner)
        return self.options
