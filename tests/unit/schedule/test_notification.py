"""There is advice for each way in which the program and the service are known to fail."""

from __future__ import annotations

import botocore.session

from converter import errors
from converter.schedule.notification import ADVICE, ADVICE_FOR_CHANGES


def test_each_exit_code_has_its_advice() -> None:
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ConvertError)
    }
    assert {f"ExitCode{code}" for code in codes} <= set(ADVICE)


def test_each_refusal_of_an_export_has_its_advice() -> None:
    model = botocore.session.Session().get_service_model("dynamodb")
    refusals = {
        f"DynamoDb.{error.name}"
        for operation in ("ExportTableToPointInTime", "DescribeExport")
        for error in model.operation_model(operation).error_shapes
        # A fault of the service, which is tried again.
        if error.name != "InternalServerError"
    }
    assert refusals == {name for name in ADVICE if name.startswith("DynamoDb.")}


def test_advice_that_differs_for_changes_is_for_errors_that_both_have() -> None:
    assert set(ADVICE_FOR_CHANGES) <= set(ADVICE)
    assert all(ADVICE[error] != text for error, text in ADVICE_FOR_CHANGES.items())
