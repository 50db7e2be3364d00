"""The order in which people sort titles and names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.database.migrations import v0009_sort_keys
from mediasync.sorting import name_sort_key, title_sort_key

KEYS = {
    "The Matrix": "matrix",
    "A Beautiful Mind": "beautiful mind",
    "Godfather, The": "godfather",
    "Das Boot": "boot",
    "Die Welle": "welle",
    "Die Hard": "die hard",
    "Die Another Day": "die another day",
    "Les Misérables": "miserables",
    "L'Avventura": "avventura",
    "L’Atalante": "atalante",
    "L.A. Confidential": "l a confidential",
    "La La Land": "la la land",
    "Los Angeles Plays Itself": "los angeles plays itself",
    "Den of Thieves": "den of thieves",
    "À nous la liberté": "a nous la liberte",
    "A to Z": "a to z",
    "El": "el",
    "The The": "the",
    "Straße": "strasse",
    "2 Fast": "012 fast",
    "10 Things": "0210 things",
    "1,000 Clowns": "041000 clowns",
    "Se7en": "se017en",
    "007": "017",
    "WALL·E": "wall e",
    "…": "…",
}


@pytest.mark.parametrize("title", KEYS)
def test_a_title_is_sorted_without_its_article(title: str) -> None:
    assert title_sort_key(title) == KEYS[title]


def test_the_sort_title_of_the_source_wins() -> None:
    assert title_sort_key("The Godfather Part II", "The Godfather 2") == "the godfather 012"
    assert title_sort_key("The Godfather", "…") == "godfather"


def test_names_are_folded() -> None:
    assert name_sort_key("Renée  O'Connor") == "renee o connor"
    assert name_sort_key("The Rock") == "the rock"
    assert name_sort_key("50 Cent") < name_sort_key("100 Men")


@given(st.text(max_size=30), st.none() | st.text(max_size=10))
def test_a_migration_sorts_as_a_save_does(title: str, sort_title: str | None) -> None:
    assert v0009_sort_keys._title_sort_key(title, sort_title) == title_sort_key(title, sort_title)
    assert v0009_sort_keys._name_sort_key(title) == name_sort_key(title)


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_are_sorted_by_their_value(one: int, other: int) -> None:
    assert (title_sort_key(f"{one} x") < title_sort_key(f"{other} x")) == (one < other)
