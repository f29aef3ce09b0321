"""Strings in YAML: a reader finds each text as it was."""

from __future__ import annotations

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from converter.yaml_text import yaml_text
from tests.strategies import names, texts


@given(text=st.one_of(texts(), names()))
@example(text="no")
@example(text="12:30:45")
@example(text="\x85\u2028\ufeff\x7f")
@example(text="#a: {b}")
def test_yaml_reads_a_text_back(text: str) -> None:
    quoted = yaml_text(text)
    assert yaml.safe_load(quoted) == text
    assert yaml.safe_load(f"- {{name: {quoted}, type: string}}") == [{"name": text, "type": "string"}]
