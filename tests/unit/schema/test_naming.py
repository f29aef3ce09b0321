"""Column names: legal, apart from each other, and a function of the set, the rules and the past alone."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.errors import UsageError
from converter.name_policies import NAME_POLICIES, Names
from converter.options import RESERVED_COLUMNS
from converter.schema.naming import NameRules, case_duplicates, legal_name, name_columns
from tests import oracle
from tests.strategies import names

POLICIES: tuple[Names, ...] = get_args(Names)
LEGAL = {"preserve": r"(?s:.*)", "treasure-data": r"\A[a-z_][a-z0-9_]{0,127}\Z", "snake": r"\A[a-z_][a-z0-9_]{0,254}\Z"}
KEPT_FREE = {
    "preserve": {"dt", *RESERVED_COLUMNS},
    "treasure-data": {"dt", "time", "v", *RESERVED_COLUMNS},
    "snake": {"dt", *RESERVED_COLUMNS},
}
LONG = "x" * 300

RESERVED = st.sampled_from(
    ["dt", "DT", "Dt", "dt_1", "DT_1", "dt_2", "dt_1_1", "_op", "_OP", "_op_1", "_old", "a", "ſt"]
)
# Names that come to the same, or to each other's numbers, under one policy or another.
NEAR = st.one_of(
    st.sampled_from(
        ["URL", "Url", "url", "url_1", "URL_1", "url-1", "url 1", "url_2", "time", "Time", "v", "V", "time_1"]
    ),
    st.sampled_from(
        ["é", "e", "É", "e\u0301", "ß", "ss", "İ", "i", "ı", "値", "段", "_", "__1", "", " ", "1st", "_1st"]
    ),
    st.sampled_from([LONG, LONG + "y", LONG[:128], LONG[:126] + "_1", LONG[:255], LONG[:253] + "_1", LONG + "_1"]),
)
ANY_NAMES = st.lists(st.one_of(RESERVED, NEAR, names()), unique=True, max_size=25)


def rules(policy: Names = "preserve", *reserved: str, **renames: str) -> NameRules:
    return NameRules(policy, tuple(renames.items()), frozenset(reserved))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (["dt"], ["dt_1"]),
        (["DT"], ["DT_1"]),
        (["dt", "DT"], ["dt_2", "DT_1"]),
        (["dt", "dt_1"], ["dt_2", "dt_1"]),
        (["dt", "DT_1", "dt_2"], ["dt_3", "DT_1", "dt_2"]),
        (["_op", "_write_ts", "_OLD"], ["_op_1", "_write_ts_1", "_OLD_1"]),
        (["dt ", "d", "dt."], ["dt ", "d", "dt."]),
        (["City", "city"], ["City", "city"]),
        ([""], [""]),
        ([], []),
    ],
)
def test_names_are_preserved_but_a_reserved_one_gets_the_next_free_number(
    attributes: list[str], expected: list[str]
) -> None:
    assert list(name_columns(attributes, rules("preserve", "dt")).values()) == expected


@pytest.mark.parametrize(
    ("attribute", "treasure_data", "snake"),
    [
        ("price", "price", "price"),
        ("_id", "_id", "_id"),
        ("a__b", "a__b", "a__b"),
        ("orderId", "orderid", "order_id"),
        ("HTTPServer", "httpserver", "http_server"),
        ("getURL", "geturl", "get_url"),
        ("sha256Hash", "sha256hash", "sha256_hash"),
        ("Order_Id", "order_id", "order_id"),
        ("__TypeName", "__typename", "__type_name"),
        ("user-name", "user_name", "user_name"),
        ("price (EUR)", "price_eur_", "price_eur"),
        ('a, b\n"c"', "a_b_c_", "a_b_c"),
        ("1st", "_1st", "_1st"),
        ("1.", "_1_", "_1"),
        ("", "_", "_"),
        ("   ", "_", "_"),
        ("-_-", "___", "_"),
        ("é", "_", "e"),
        ("e\u0301", "e_", "e"),
        ("größe", "gr_e", "grosse"),
        ("GRÖẞE", "gr_e", "grosse"),
        ("İstanbul", "_stanbul", "istanbul"),
        ("ısı", "_s_", "isi"),
        ("Ærøskøbing", "_r_sk_bing", "aeroskobing"),
        ("søÆble", "s_ble", "so_aeble"),
        ("\u212a", "_", "k"),  # the Kelvin sign, whose lower case is k
        ("٣", "_", "_"),  # a digit, and none of ASCII
        ("値段", "_", "_"),
        ("値段JPY", "_jpy", "jpy"),
        (LONG, LONG[:128], LONG[:255]),
        ("1" + LONG, "_1" + LONG[:126], "_1" + LONG[:253]),
    ],
)
def test_each_policy_makes_a_name_legal(attribute: str, treasure_data: str, snake: str) -> None:
    assert legal_name(attribute, "treasure-data") == treasure_data
    assert legal_name(attribute, "snake") == snake
    assert legal_name(attribute, "preserve") == attribute


@pytest.mark.parametrize("policy", ["treasure-data", "snake"])
def test_of_names_that_come_to_one_the_legal_one_keeps_it_and_the_others_are_numbered_by_code_points(
    policy: Names,
) -> None:
    assert name_columns(["url", "Url", "URL"], rules(policy)) == {"url": "url", "Url": "url_2", "URL": "url_1"}
    assert name_columns(["Url", "URL"], rules(policy)) == {"Url": "url_1", "URL": "url"}


@pytest.mark.parametrize("policy", ["treasure-data", "snake"])
def test_a_number_never_takes_the_name_that_another_attribute_comes_to(policy: Names) -> None:
    assert name_columns(["URL", "url", "url_1", "url-2"], rules(policy)) == {
        "URL": "url_3",
        "url": "url",
        "url_1": "url_1",
        "url-2": "url_2",
    }


def test_time_and_v_are_treasure_datas_own() -> None:
    assert name_columns(["time", "v", "V", "time_1"], rules("treasure-data")) == {
        "time": "time_2",
        "v": "v_2",
        "V": "v_1",
        "time_1": "time_1",
    }
    assert name_columns(["time"], rules("treasure-data", time="event_time")) == {"time": "event_time"}
    assert name_columns(["time", "v"], rules("snake")) == {"time": "time", "v": "v"}


@pytest.mark.parametrize("policy", POLICIES)
def test_any_name_can_be_reserved(policy: Names) -> None:
    assert name_columns(["time", "Price"], rules(policy, "TIME", "price"))["time"] == "time_1"
    assert name_columns(["time", "Price"], rules(policy, "TIME", "price"))["Price"].casefold() == "price_1"


@pytest.mark.parametrize(("policy", "longest"), [("treasure-data", 128), ("snake", 255)])
def test_a_long_name_is_shortened_in_front_of_its_number(policy: Names, longest: int) -> None:
    attributes = [LONG + letter for letter in "abcdefghijkl"]
    columns = name_columns([*attributes, LONG[: longest - 2] + "_4"], rules(policy))
    assert [columns[name] for name in attributes] == [
        LONG[:longest],
        *(LONG[: longest - 2] + f"_{n}" for n in (1, 2, 3, 5, 6, 7, 8, 9)),
        *(LONG[: longest - 3] + f"_{n}" for n in (10, 11, 12)),
    ]


def test_names_are_compared_case_folded_not_lower_cased() -> None:
    assert name_columns(["STRASSE"], rules("preserve", "straße")) == {"STRASSE": "STRASSE_1"}


def test_nothing_but_our_own_names_is_reserved_without_a_layout_key() -> None:
    assert name_columns(["dt", "_op"], rules()) == {"dt": "dt", "_op": "_op_1"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_renamed_column_has_exactly_its_name_and_an_attribute_that_has_it_gives_way(policy: Names) -> None:
    assert name_columns(["a", "b", "c"], rules(policy, a="b")) == {"a": "b", "b": "b_1", "c": "c"}
    assert name_columns(["a", "b"], rules(policy, a="b", b="a")) == {"a": "b", "b": "a"}


def test_a_number_does_not_take_the_name_of_an_attribute_whose_column_is_called_otherwise() -> None:
    assert name_columns(["dt", "dt_1"], rules("preserve", "dt", dt_1="other")) == {"dt": "dt_2", "dt_1": "other"}
    assert name_columns(["URL", "url", "URL_1"], rules("snake"), {"URL_1": "other"}) == {
        "URL": "url_2",
        "url": "url",
        "URL_1": "other",
    }


def test_the_name_of_a_renamed_column_is_kept_free_on_a_day_without_it() -> None:
    assert name_columns(["b"], rules(a="b")) == {"b": "b_1"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_new_attribute_never_renames_an_old_column(policy: Names) -> None:
    before = {"URL": "url", "dt": "dt_1", "gone": "gone"}
    columns = name_columns(["url", "URL", "dt", "DT", "dt_1", "Gone"], rules(policy, "dt"), before)
    assert {name: columns[name] for name in ("URL", "dt")} == {"URL": "url", "dt": "dt_1"}
    assert (columns["url"], columns["Gone"].casefold(), columns["dt_1"]) == ("url_1", "gone_1", "dt_1_1")


@pytest.mark.parametrize("policy", POLICIES)
def test_an_old_column_keeps_a_name_that_the_policy_would_not_give_it_today(policy: Names) -> None:
    before = {"time": "Time!", "dt": "dt", "orderId": "ORDER"}
    assert name_columns(["time", "dt", "orderId"], rules(policy, "dt"), before) == before


def test_a_rename_of_an_old_column_is_refused_unless_it_has_that_name() -> None:
    assert name_columns(["a"], rules(a="b"), {"a": "b"}) == {"a": "b"}
    with pytest.raises(UsageError, match="'a' is in column 'a' of the destination") as caught:
        name_columns(["a"], rules(a="b"), {"a": "a"})
    assert caught.value.where == "--rename"


@pytest.mark.parametrize("old", ["b", "B"])
def test_a_rename_to_the_name_of_an_old_column_is_refused(old: str) -> None:
    with pytest.raises(UsageError, match=f"a column of that name, for attribute '{old}'"):
        name_columns(["a"], rules(a="b"), {old: old})


@pytest.mark.parametrize("policy", ["treasure-data", "snake"])
def test_many_names_that_come_to_one_are_numbered_quickly(policy: Names) -> None:
    attributes = [chr(0x4E00 + n // 200) + chr(0x4E00 + n % 200) for n in range(20_000)]
    assert len(set(name_columns(attributes, rules(policy)).values())) == len(attributes)


@pytest.mark.parametrize("policy", POLICIES)
@given(ANY_NAMES, st.data())
def test_names_are_legal_apart_and_not_reserved_whatever_the_order(
    policy: Names, attributes: Sequence[str], data: st.DataObject
) -> None:
    columns = name_columns(attributes, rules(policy, "dt"))
    assert list(columns) == list(attributes)
    assert name_columns(data.draw(st.permutations(attributes)), rules(policy, "dt")) == columns
    folded = [column.casefold() for column in columns.values()]
    assert KEPT_FREE[policy].isdisjoint(folded)
    assert all(re.match(LEGAL[policy], column) for column in columns.values())
    if policy == "preserve":
        assert {name for name in attributes if name.casefold() not in KEPT_FREE[policy]} == {
            name for name in attributes if columns[name] == name
        }
        assert len(set(columns.values())) == len(columns)
    else:
        assert len(set(folded)) == len(folded)


@pytest.mark.parametrize("policy", POLICIES)
@given(ANY_NAMES)
def test_a_renamed_column_is_alone_with_its_name(policy: Names, attributes: Sequence[str]) -> None:
    columns = name_columns(attributes, rules(policy, "dt"))
    for attribute, column in columns.items():
        if column != attribute:
            assert [other.casefold() for other in columns.values()].count(column.casefold()) == 1
            if policy == "preserve":
                assert column.casefold() not in [name.casefold() for name in attributes]


@pytest.mark.parametrize("policy", POLICIES)
@given(ANY_NAMES)
def test_naming_the_columns_again_changes_nothing(policy: Names, attributes: Sequence[str]) -> None:
    columns = list(name_columns(attributes, rules(policy, "dt")).values())
    assert name_columns(columns, rules(policy, "dt")) == {column: column for column in columns}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("earlier", POLICIES)
@given(st.lists(ANY_NAMES, min_size=2, max_size=4))
def test_columns_keep_their_names_from_run_to_run_and_new_ones_avoid_them(
    policy: Names, earlier: Names, days: Sequence[Sequence[str]]
) -> None:
    known: Mapping[str, str] = name_columns(days[0], rules(earlier, "dt"))
    for day in days[1:]:
        today = name_columns(day, rules(policy, "dt"), known)
        old = {column.casefold() for column in known.values()}
        for attribute, column in today.items():
            if attribute in known:
                assert column == known[attribute]
            else:
                assert column.casefold() not in old | KEPT_FREE[policy]
                assert re.match(LEGAL[policy], column)
        known = {**known, **today}
        assert name_columns(day, rules(policy, "dt"), known) == today
        assert len(set(known.values())) == len(known)


@given(st.lists(RESERVED, unique=True), st.sets(st.sampled_from(["dt", "DT", "_more", "dt_1"])))
def test_columns_never_take_a_reserved_name_nor_the_name_of_another(attributes: Sequence[str], kept: set[str]) -> None:
    columns = name_columns(attributes, rules("preserve", *kept))
    free = {name.casefold() for name in (*kept, *RESERVED_COLUMNS)}
    assert not free & {column.casefold() for column in columns.values()}
    assert len(set(columns.values())) == len(columns)


@given(st.lists(RESERVED, unique=True), st.randoms(use_true_random=False))
def test_columns_are_named_as_the_oracle_names_them(attributes: list[str], chance: random.Random) -> None:
    chance.shuffle(attributes)
    assert name_columns(attributes, rules("preserve", "dt", "_more")) == oracle.column_names(
        attributes, "_more", "dt={date}"
    )


@pytest.mark.parametrize("policy", ["treasure-data", "snake"])
@given(names())
def test_a_legal_name_stays_and_any_other_becomes_legal(policy: Names, attribute: str) -> None:
    name = legal_name(attribute, policy)
    assert re.match(LEGAL[policy], name)
    assert legal_name(name, policy) == name
    assert (name == attribute) == bool(re.match(LEGAL[policy], attribute))


def test_every_policy_is_tested_here() -> None:
    assert POLICIES == tuple(NAME_POLICIES) == tuple(LEGAL) == tuple(KEPT_FREE)


def test_names_that_differ_in_case_only_are_found_in_groups() -> None:
    assert case_duplicates(["city", "b", "City", "B", "CITY", "c"]) == [("B", "b"), ("CITY", "City", "city")]


def test_names_that_differ_otherwise_are_no_twins() -> None:
    assert case_duplicates(["city", "cıty", "town"]) == []
