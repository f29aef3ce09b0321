"""Working memory of kernels: room for what they may store, and secrets that no one can guess."""

from __future__ import annotations

from converter.kernels.layout import NUMBER_ROOM
from converter.kernels.scratch import new_scratch, new_secret
from converter.kernels.value_limits import DEPTH


def test_the_scratch_has_room_for_numbers_names_and_levels() -> None:
    scratch = new_scratch(7)
    assert scratch.number.size == NUMBER_ROOM
    assert scratch.names.size == 7
    # An image has one level more than an attribute.
    assert scratch.closers.size == scratch.marks.size == DEPTH + 1
    assert scratch.binary.size == 1


def test_two_secrets_differ_in_both_words() -> None:
    one, two = new_secret(), new_secret()
    assert len({*one.tolist(), *two.tolist()}) == 4
    assert new_scratch(0).secret.tolist() != new_scratch(0).secret.tolist()
