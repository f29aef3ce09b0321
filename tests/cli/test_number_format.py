from __future__ import annotations

import pytest

from converter.cli.number_format import format_count, format_duration, format_size


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9_994, "9.99 kB"),
        (9_996, "10.0 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (12_345_678, "12.3 MB"),
        (5_000_000_000, "5.00 GB"),
        (7_000_000_000_000_000, "7000 TB"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(number: int, text: str) -> None:
    assert format_size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.00 s"),
        (0.4, "0.40 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3720, "1 h 2 min"),
    ],
)
def test_a_duration_is_as_exact_as_its_length_allows(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"), [(1, "part", "1 part"), (0, "part", "0 parts"), (1234, "item", "1,234 items")]
)
def test_a_count_agrees_with_its_noun(number: int, noun: str, text: str) -> None:
    assert format_count(number, noun) == text
