"""What a schedule is made of: the table, where its exports go and what becomes of them, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.aws.keys import check_kms_key
from converter.aws.s3_uri import SCHEME, s3_uri
from converter.aws.target import ExportTarget
from converter.errors import UsageError
from converter.options import Buckets, Trigger
from converter.schedule.times import check_cron, check_rate, several_a_day, shortest_gap
from converter.syncing.incremental_options import Changes

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_TABLE_ARN = re.compile(r"arn:(aws[a-z-]*):dynamodb:([a-z0-9-]+):([0-9]{12}):table/([A-Za-z0-9_.-]{3,255})", re.ASCII)
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
_DEST = re.compile(rf"{SCHEME}([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(?:/(.*))?", re.ASCII | re.DOTALL)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
# The longest flexible time window: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_FlexibleTimeWindow.html
_LONGEST_WINDOW = 1440
# The service exports changes of 15 minutes or more.
_SHORTEST_GAP = 15

Role = Literal["StateMachineRole", "TaskRole"]
"""The roles in the stack that may need rights in other accounts."""


@dataclass(frozen=True, slots=True)
class ScheduledTable:
    """A table of DynamoDB; region, account and partition are None where it is given by name alone."""

    name: str
    region: str | None = None
    account: str | None = None
    partition: str | None = None

    @classmethod
    def read(cls, text: str) -> ScheduledTable:
        """From a name or an ARN; UsageError for what is neither."""
        match = _TABLE_ARN.fullmatch(text)
        if match:
            return cls(match[4], match[2], match[3], match[1])
        if _TABLE.fullmatch(text) is None:
            raise UsageError(f"{text!r} is neither a table's name nor its ARN", "TABLE", "write Orders, or arn:aws:…")
        return cls(text)

    @property
    def arn(self) -> str | None:
        """The ARN, where it is known."""
        if self.region is None:
            return None
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Exports of a table, and what is made of each.

    dest: s3://bucket/prefix/. options: words for `ddb-convert convert`, or `sync` where `changes` are brought. aws,
    replace: what these words say about AWS, for the roles, and whether a later export of a date replaces an earlier
    one. changes: None where each export is of all items. trigger: a schedule starts the exports, or somebody else does
    and their manifests are the sign. cron, rate: when, as EventBridge Scheduler writes it without its parentheses;
    timezone: of the cron; window: minutes within which it starts. create: the buckets that are to be made. stack: what
    the stack is called.

    Raises UsageError for what AWS would refuse, or accept now and fail on later.
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
            raise UsageError(f"{self.dest!r} is not a place in S3", "DEST", f"write {SCHEME}bucket/folder/")
        folder = (match[2] or "").rstrip("/")
        object.__setattr__(self, "dest", s3_uri(match[1], folder and f"{folder}/"))
        for name, text in (("--export-prefix", self.target.prefix or ""), ("DEST", self.dest)):
            found = re.search(r"[*?$\"\\{}\x00-\x1f\x7f-\x9f\u2028\u2029]", text)
            if found:
                raise UsageError(f"{found[0]!r} means something else in policies and templates", name, "rename it")
        for word in self.options:
            if "${" in word or word.startswith("{%"):
                raise UsageError(f"{word!r} would be replaced in the template", "--", "write it without ${ and {%")
        if self.stack is not None and _STACK.fullmatch(self.stack) is None:
            raise UsageError(f"{self.stack!r} is no name of a stack", "--stack", "use letters, digits and -")
        self._check_aws()
        self._check_changes()
        self._check_times()
        self._check_buckets()

    def _check_aws(self) -> None:
        """What the task is told of AWS goes into policies, where some texts mean more than one thing."""
        if self.aws.dest_kms_key_id is not None:
            check_kms_key(self.aws.dest_kms_key_id, "--dest-kms-key-id")
        roles = {"--source-role-arn": self.aws.source_role_arn, "--dest-role-arn": self.aws.dest_role_arn}
        for option, role in roles.items():
            if role is not None and _ROLE_ARN.fullmatch(role) is None:
                raise UsageError(f"{role!r} is not the ARN of a role", option, "write arn:aws:iam::ACCOUNT:role/NAME")

    def _check_changes(self) -> None:
        if self.changes is not None and self.trigger == "manifest":
            raise UsageError(
                "changes must follow each other without a gap, so the task itself has them exported",
                "--trigger",
                "leave it out, and say when by --cron or --rate",
            )
        role = self.aws.source_role_arn
        if self.changes is not None and role is not None and role.split(":")[4:5] != [self.table.account]:
            raise UsageError(
                "only a role of the table's own account can have it exported",
                "--source-role-arn",
                "name one of that account, and TABLE by its ARN",
            )

    def _check_buckets(self) -> None:
        if self.target.bucket_owner is not None and self.target.sse == "KMS" and self.target.kms_key_id is None:
            raise UsageError(
                "the account's own key can't be used for a bucket of another account",
                "--export-kms-key-id",
                "name a key whose policy allows both accounts",
            )
        if self.target.bucket_owner is not None and self.creates("export"):
            raise UsageError(
                "a bucket of another account can't be made by this stack", "--create-buckets", "make it there"
            )
        if self.dest.startswith(self.target.folder):
            raise UsageError(
                "exports are written there, and what is published would be mixed into them",
                "DEST",
                "use another prefix or bucket",
            )
        if self.creates("export") and self.dest.startswith(s3_uri(self.target.bucket, self.export_folder)):
            raise UsageError(
                "exports expire in the bucket that the stack makes, and what is published here would with them",
                "DEST",
                "use another bucket, or an --export-prefix that DEST is not below",
            )

    def _check_times(self) -> None:
        if self.trigger == "manifest":
            given = {"--cron": self.cron, "--rate": self.rate, "--window": self.window or None}
            for option, value in given.items():
                if value is not None:
                    raise UsageError("exports that others start have no schedule here", option, "leave it out")
            return
        if self.cron is not None and self.rate is not None:
            raise UsageError("a schedule has one of both", "--cron, --rate", "drop one of the two")
        if self.cron is not None:
            check_cron(self.cron)
            object.__setattr__(self, "cron", " ".join(self.cron.split()))
        if self.rate is not None:
            check_rate(self.rate)
        option = "--cron" if self.cron is not None else "--rate"
        if self.changes is not None:
            if shortest_gap(self.cron, self.rate) < _SHORTEST_GAP:
                raise UsageError(
                    f"changes are exported {_SHORTEST_GAP} minutes at a time or more, and this comes more often",
                    option,
                    f"leave {_SHORTEST_GAP} minutes or more between two times",
                )
        elif not self.replace and several_a_day(self.cron, self.rate):
            raise UsageError(
                "a date of DEST holds one export, and this makes several a day",
                option,
                "add `-- --replace`, so that the last one of each day stays; or bring changes alone, by --incremental",
            )
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise UsageError(
                f"unknown time zone {self.timezone!r}", "--timezone", "use an IANA name such as Europe/Berlin"
            ) from None
        if not 0 <= self.window <= _LONGEST_WINDOW:
            raise UsageError(f"a window has 0 to {_LONGEST_WINDOW} minutes", "--window")

    @property
    def partition(self) -> str:
        """The partition of AWS (`aws-cn`) that all of it is in."""
        return self.table.partition or "aws"

    @property
    def exporter(self) -> Role | None:
        """The role that has the service write exports; None: one that is not in the stack, or somebody else."""
        if self.trigger == "manifest":
            return None
        if self.changes is None:
            return "StateMachineRole"
        return None if self.aws.source_role_arn is not None else "TaskRole"

    @property
    def stays_with_table(self) -> bool:
        """Must the stack be in the table's account? A role of that account can have exports made from elsewhere."""
        return self.changes is None or self.aws.source_role_arn is None

    @property
    def expression(self) -> str:
        """When, as EventBridge Scheduler reads it; UsageError where this is not said."""
        if self.cron is None and self.rate is None:
            raise UsageError(
                "a schedule needs one of --cron and --rate", hint="for example --cron '0 2 * * ? *', or --rate '1 day'"
            )
        return f"cron({self.cron})" if self.cron is not None else f"rate({self.rate})"

    @property
    def dest_bucket(self) -> str:
        """The bucket of the destination."""
        return self.dest.split("/")[2]

    @property
    def dest_folder(self) -> str:
        """The destination's folder in its bucket, with a slash at its end; empty for the whole bucket."""
        return self.dest.split("/", 3)[3]

    @property
    def export_folder(self) -> str:
        """The folder that all exports lie below, likewise."""
        return f"{self.target.prefix}/" if self.target.prefix else ""

    @property
    def stack_name(self) -> str:
        """What the stack is called."""
        return self.stack or "ddb-convert-" + re.sub(r"[^A-Za-z0-9]+", "-", self.table.name).strip("-")

    def creates(self, bucket: Literal["export", "destination"]) -> bool:
        """Is this bucket to be made by the stack?"""
        return self.create in (bucket, "both")

    def container_options(self) -> tuple[str, ...]:
        """The words after SOURCE and DEST, with the owner that the export's bucket must have."""
        if self.target.bucket_owner is not None and self.aws.source_bucket_owner is None:
            return (*self.options, "--source-bucket-owner", self.target.bucket_owner)
        return self.options
