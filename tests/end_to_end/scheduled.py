"""A schedule at work on MiniStack: its state machine is executed there, and this is the Fargate that runs its tasks."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from converter.testing import ExportFacts, write_export
from tests.cli.command import ddb_convert
from tests.servers.dynamodb import PlayedDynamoDb
from tests.servers.s3 import S3Server

LONGEST_SECONDS = 60


@dataclass
class Execution:
    """How an execution ended. states: all that it entered, in order. notices: what the topic was told meanwhile."""

    arn: str
    status: str
    states: list[str]
    output: dict[str, Any]
    attempts: int
    notices: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Night:
    """A table, buckets, a cluster and a topic, which no other test knows.

    service: for tasks that have exports made themselves, the one that they ask. exports: by ARN, the folder with what
    DynamoDB would have written, once a task has asked for it. runs: the commands of tasks and how each ended.
    """

    server: S3Server
    scratch: Path
    items: Sequence[dict[str, dict[str, Any]]]
    service: PlayedDynamoDb | None = None
    exports: dict[str, Path] = field(default_factory=dict)
    runs: list[subprocess.CompletedProcess[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        name = f"Orders-{uuid.uuid4().hex[:8]}"
        dynamodb = self.server.service("dynamodb")
        described = dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.table, self.table_arn = name, described["TableDescription"]["TableArn"]
        for item in self.items:
            dynamodb.put_item(TableName=name, Item=item)
        self.bucket, self.lake = self.server.new_bucket(), self.server.new_bucket()
        self.ecs = self.server.service("ecs")
        self.states = self.server.service("stepfunctions")
        self.sqs = self.server.service("sqs")
        self.queue = self.sqs.create_queue(QueueName=f"told-{name}")["QueueUrl"]
        self.cluster = ""

    def settings(self) -> dict[str, object]:
        """What a state machine that was rendered alone must be told, made anew."""
        self.cluster = self.ecs.create_cluster(clusterName=f"cluster-{self.table}")["cluster"]["clusterArn"]
        container = {"name": "convert", "image": "ddb-convert", "essential": True}
        task = self.ecs.register_task_definition(family=self.table, containerDefinitions=[container])
        topic = self.server.service("sns").create_topic(Name=f"topic-{self.table}")["TopicArn"]
        self.subscribe(topic)
        return {
            "cluster": self.cluster,
            "taskDefinition": task["taskDefinition"]["taskDefinitionArn"],
            "subnets": ["subnet-1"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "DISABLED",
            "topicArn": topic,
        }

    def subscribe(self, topic: str) -> None:
        """From now on the notices of this topic are read."""
        queue = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        arn = queue["Attributes"]["QueueArn"]
        self.server.service("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def create_machine(self, definition: str, name: str) -> str:
        """A state machine's ARN; its name is the one of the tests that play its tasks."""
        for machine in self.states.list_state_machines()["stateMachines"]:
            if machine["name"] == name:
                self.states.delete_state_machine(stateMachineArn=machine["stateMachineArn"])
        role = "arn:aws:iam::000000000000:role/any"
        return str(self.states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"])

    def execute(self, machine: str, given: dict[str, object], case: str = "") -> Execution:
        """Run an execution to its end. case: the one of the server's configuration that plays some of its tasks."""
        arn = f"{machine}#{case}" if case else machine
        return self.follow(self.states.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"])

    def follow(self, arn: str) -> Execution:
        """Run the tasks of an execution until it has ended."""
        end = time.monotonic() + LONGEST_SECONDS
        while (described := self.states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < end, f"{arn} does not end"
            self._run_tasks()
            time.sleep(0.02)
        events = self.states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        states = [entered["name"] for event in events if (entered := event.get("stateEnteredEventDetails"))]
        attempts = sum(event["type"] == "TaskFailed" for event in events)
        output = json.loads(described.get("output") or "{}")
        return Execution(arn, described["status"], states, output, attempts, self._notices())

    def descriptions(self) -> list[dict[str, Any]]:
        """What the service says of each export of the table."""
        dynamodb = self.server.service("dynamodb")
        listed = dynamodb.list_exports(TableArn=self.table_arn)["ExportSummaries"]
        return [dynamodb.describe_export(ExportArn=one["ExportArn"])["ExportDescription"] for one in listed]

    def write_export(self, arn: str, folder: str) -> None:
        """What DynamoDB would have written for an export; MiniStack writes nothing."""
        facts = ExportFacts(
            table=self.table,
            export_time=self._export_time(arn),
            id=arn.rsplit("/", 1)[1],
            bucket=self.bucket,
            region=self.server.region,
            account="000000000000",
        )
        made = write_export(self.scratch / uuid.uuid4().hex, self.items, files=2, facts=facts)
        self.server.upload(self.bucket, made.folder, folder)
        self.exports[arn] = made.folder

    def _export_time(self, arn: str) -> datetime:
        described = self.server.service("dynamodb").describe_export(ExportArn=arn)["ExportDescription"]
        moment: datetime = described.get("ExportTime") or described["StartTime"]
        return moment

    def parts(self) -> dict[str, Path]:
        """Copies of the parts that are published, by their keys."""
        folder = self.scratch / "parts"
        copies = self.server.download(self.lake, folder)
        return {str(copy.relative_to(folder)): copy for copy in copies if copy.suffix == ".parquet"}

    def _run_tasks(self) -> None:
        if not self.cluster:
            return
        for task in self.ecs.list_tasks(cluster=self.cluster, desiredStatus="RUNNING")["taskArns"]:
            [described] = self.ecs.describe_tasks(cluster=self.cluster, tasks=[task])["tasks"]
            [container] = described["overrides"]["containerOverrides"]
            assert container["name"] == "convert"
            self._run_container(container["command"])
            self.ecs.stop_task(cluster=self.cluster, task=task)

    def _run_container(self, command: list[str]) -> None:
        if command[0] == "convert":
            folder = command[1].removeprefix(f"s3://{self.bucket}/").removesuffix("manifest-summary.json")
            arn = f"{self.table_arn}/export/{folder.rstrip('/').rsplit('/', 1)[1]}"
            if arn not in self.exports:
                self.write_export(arn, folder)
        server = self.server if self.service is None else self.service.server
        self.runs.append(ddb_convert(*command, env=server.environment()))

    def _notices(self) -> list[dict[str, str]]:
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found
