from __future__ import annotations

import pickle
import re

import pytest

import converter
from converter import errors
from converter.errors import ConvertError


def _all(base: type[ConvertError]) -> list[type[ConvertError]]:
    return [base, *(found for child in base.__subclasses__() for found in _all(child))]


ERRORS = _all(ConvertError)


def test_the_documented_tree_is_the_tree() -> None:
    documented = re.findall(r"^    [│├└─ ]*(\w+Error)\b(?: +(\d))?", errors.__doc__ or "", re.MULTILINE)
    assert {name for name, _ in documented} == {
        error.__name__ for error in ERRORS if error.__module__ == errors.__name__
    }
    for name, code in documented:
        if code:
            assert getattr(errors, name).exit_code == int(code)


@pytest.mark.parametrize("error", [error for error in ERRORS if error.__module__ == errors.__name__])
def test_every_error_is_one_of_the_librarys_names(error: type[ConvertError]) -> None:
    assert error.__name__ in converter.__all__
    assert getattr(converter, error.__name__) is error


def test_every_name_of_the_library_is_there() -> None:
    assert len(set(converter.__all__)) == len(converter.__all__)
    assert all(getattr(converter, name) is not None for name in converter.__all__)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_survives_pickling_with_its_parts(error: type[ConvertError]) -> None:
    before = error("it broke", "x.json.gz line 3", "mend it")
    after = pickle.loads(pickle.dumps(before))
    assert type(after) is error
    assert (after.what, after.where, after.hint) == ("it broke", "x.json.gz line 3", "mend it")
    assert str(after) == str(before) == "x.json.gz line 3: it broke\nmend it"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("it broke",), "it broke"),
        (("it broke", "x"), "x: it broke"),
        (("it broke", "", "mend it"), "it broke\nmend it"),
    ],
)
@pytest.mark.parametrize("error", ERRORS)
def test_the_text_has_only_the_parts_that_are_there(
    error: type[ConvertError], parts: tuple[str, ...], text: str
) -> None:
    assert str(error(*parts)) == text


@pytest.mark.parametrize(("error", "builtin"), [(errors.UsageError, ValueError), (errors.StorageError, OSError)])
def test_who_catches_the_builtin_catches_ours(error: type[ConvertError], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)
