"""Values as YAML: a reader finds each of them as it was."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from converter.schedule.yaml import Sub, to_yaml
from tests.templates import parse_template

HARD = ("yes", "1", "1e3", "null", "~", "- a", "a: b", "a #b", "!Sub x", "&a", "*a", "%", "'", '"', "\\", "|", "\x85")


@given(st.one_of(st.sampled_from(HARD), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    written = to_yaml(text)
    assert yaml.safe_load(written) == text
    assert written.isprintable()


def test_lists_mappings_numbers_and_variables_are_read_back() -> None:
    value = {"a: b": ["x", 1, True, None, {"c": "d # e"}], "s": Sub("arn:${AWS::Partition}:s3:::a\nb")}
    assert parse_template(to_yaml(value)) == {**value, "s": {"Fn::Sub": "arn:${AWS::Partition}:s3:::a\nb"}}


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="can't be converted to YAML"):
        to_yaml(object())
