"""No line takes more than its share of time: twice as long a one takes about twice as long, whatever is in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from tests.unit.decode.decoding import everything, make_block

LINES: dict[str, Callable[[int], str]] = {
    "names in a map": lambda n: (
        '{"Item":{"m":{"M":{' + ",".join(f'"{k:x}":{{"S":""}}' for k in range(n // 17)) + "}}}}"
    ),
    "escaped names": lambda n: '{"Item":{"m":{"M":{"%s":{"S":""}}}}}' % ('\\"' * (n // 2)),
    "an escaped text": lambda n: '{"Item":{"s":{"S":"%s"}}}' % ("\\u00e9" * (n // 6)),
    "attributes": lambda n: '{{"Item":{{{}}}}}'.format(",".join(f'"{k:x}":{{"S":""}}' for k in range(n // 64))),
    "a number of zeros": lambda n: '{"Item":{"n":{"N":"0.%s"}}}' % ("0" * n),
    "spaces between tokens": lambda n: '{"Item":%s{"n":{"N":"1"}}}' % (" " * n),
    "a text without an end": lambda n: '{"Item":{"s":{"S":"%s' % ("\\\\" * (n // 2)),
    "blank lines": lambda n: " \n" * (n // 2),
}


def seconds(data: bytes) -> float:
    block, best = make_block(data), float("inf")
    for _ in range(5):
        decoder = Decoder(None, wants=everything)
        start = time.thread_time()
        with contextlib.suppress(LineProblem):
            list(decoder.decode(block))
        best = min(best, time.thread_time() - start)
    return best


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_a_line_eight_times_as_long_takes_about_eight_times_as_long(name: str) -> None:
    line = LINES[name]
    short, long = (seconds(line(size).encode() + b"\n") for size in (200_000, 1_600_000))
    # A quadratic scanner takes 64 times as long; the rest is for what does not depend on the size, and for noise.
    assert long < 24 * max(short, 0.001)
