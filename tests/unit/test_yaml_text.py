"""Values as YAML: a reader finds each of them as it was."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from converter.yaml_text import Sub, to_yaml, yaml_text
from tests.strategies import names, texts
from tests.templates import parse_template

HARD = ("yes", "1", "1e3", "null", "~", "- a", "a: b", "a #b", "!Sub x", "&a", "*a", "%", "'", '"', "\\", "|", "\x85")


@given(text=st.one_of(texts(), names(), st.sampled_from(HARD)))
@example(text="no")
@example(text="12:30:45")
@example(text="\x85\u2028\ufeff\x7f")
@example(text="#a: {b}")
def test_yaml_reads_a_text_back(text: str) -> None:
    quoted = yaml_text(text)
    assert yaml.safe_load(quoted) == text
    assert quoted.isprintable()
    assert yaml.safe_load(f"- {{name: {quoted}, type: string}}") == [{"name": text, "type": "string"}]


def test_lists_mappings_numbers_and_variables_are_read_back() -> None:
    value = {"a: b": ["x", 1, True, None, {"c": "d # e"}], "s": Sub("arn:${AWS::Partition}:s3:::a\nb")}
    assert parse_template(to_yaml(value)) == {**value, "s": {"Fn::Sub": "arn:${AWS::Partition}:s3:::a\nb"}}


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="can't be converted to YAML"):
        to_yaml(object())
