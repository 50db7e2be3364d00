"""The rules by which the doctor judges names and titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.library.suspicions import (
    are_nearly_equal,
    are_spellings,
    are_unlike,
    are_unlike_titles,
    has_markup,
    have_nobody_in_common,
    is_list,
)

NAMES = st.text(alphabet="aábcdeéfr .-,/三", max_size=20)
ORDINARY = st.from_regex(r"[A-Z][a-zé]{4,8}( [A-Z]\.)?( [A-Z][a-zé']{4,10}){1,2}", fullmatch=True)


def pair(name: str, other: str) -> dict[str, str]:
    return {"name": name, "other_name": other}


@given(ORDINARY, st.sampled_from([", Jr.", ", Sr.", " Jr.", " III", ", III", ", M.D.", ", Ph.D.", ""]))
def test_no_ordinary_name_is_a_list_or_markup(name: str, suffix: str) -> None:
    assert not is_list({"name": name + suffix})
    assert not has_markup({"name": name + suffix})


@given(ORDINARY, ORDINARY, st.sampled_from([", ", " / ", "; ", " | ", "/"]))
def test_two_ordinary_names_with_a_separator_are_a_list(name: str, other: str, separator: str) -> None:
    assert is_list({"name": f"{name}{separator}{other}"})


@given(NAMES, NAMES)
def test_the_order_of_two_names_does_not_matter(name: str, other: str) -> None:
    for rule in (are_spellings, are_nearly_equal, are_unlike):
        assert rule(pair(name, other)) == rule(pair(other, name))


@given(NAMES)
def test_a_name_is_neither_nearly_equal_to_itself_nor_unlike_itself(name: str) -> None:
    assert not are_nearly_equal(pair(name, name))
    assert not are_unlike(pair(name, name))


@pytest.mark.parametrize(
    "name",
    [
        "<i>Al</i>",
        "Al<br/>",
        "Tom &amp; Jerry",
        "Al &#233;",
        "https://example.org/al",
        "www.example.org",
        "&quot;Al&quot;",
    ],
)
def test_markup_is_found(name: str) -> None:
    assert has_markup({"name": name})


@pytest.mark.parametrize(
    "name", ["Simon & Garfunkel", "<3", "AT&T; Friends", "Al (voice)", "will.i.am", "A > B"]
)
def test_what_resembles_markup_is_not(name: str) -> None:
    assert not has_markup({"name": name})


def test_titles_that_contain_or_translate_each_other_are_not_unlike() -> None:
    def titles(name: str, other: str, original: str | None = None) -> dict[str, str | None]:
        return {**pair(name, other), "original_title": original, "other_original_title": None}

    assert are_unlike_titles(titles("Heat", "Bambi and Friends"))
    assert not are_unlike_titles(titles("Star Wars", "Star Wars: A New Hope"))
    assert not are_unlike_titles(titles("Krieg der Sterne", "Star Wars", "Star Wars"))
    assert not are_unlike_titles(titles("七人の侍", "Seven Samurai"))
    assert not are_unlike_titles(titles("Heat", "!!!"))


def test_lists_of_people_resemble_each_other_if_one_name_does() -> None:
    def lists(names: str, others: str) -> dict[str, str]:
        return {"names": names, "other_names": others}

    assert have_nobody_in_common(lists('["Tom Hanks"]', '["Keanu Reeves"]'))
    assert not have_nobody_in_common(lists('["Tom Hanks", "Lana Wachowski"]', '["Larry Wachowski"]'))
    assert not have_nobody_in_common(lists('["Tom Hanks"]', "[]"))
    assert not have_nobody_in_common(lists('["三船敏郎"]', '["Toshiro Mifune"]'))
