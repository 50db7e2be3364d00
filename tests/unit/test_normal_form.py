"""The normal form as a function: what it is, that it is stable, and what its fingerprints tell apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.items import credit, episode, movie

from mediasync import Completeness, Credit, Movie, Person, Rating
from mediasync.errors import InvalidId, InvalidItem, UsageError
from mediasync.rows import NormalItem, merge_people, merge_provider_ids
from mediasync.saving.fingerprints import RULE
from mediasync.saving.normal import normal_credits, normal_item, normal_person

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NAMES = st.sampled_from(["Ann", " Ann", "Bo", "", " ", "三船", "Ann\u00a0"])
CREDITS = st.builds(
    Credit,
    person=st.builds(
        Person,
        name=NAMES,
        remote_id=st.sampled_from([None, "1", "2"]),
        image_path=st.sampled_from([None, "", "i"]),
        provider_ids=st.dictionaries(
            st.sampled_from(["imdb", " IMDB", ""]), st.sampled_from(["", "1", " 2"])
        ),
    ),
    person_type=st.sampled_from(["actor", "Actor", "director", "Key Grip"]),
    role=st.sampled_from([None, "", " ", "Neo", " Neo "]),
    sort_order=st.one_of(st.none(), st.integers(-2, 4)),
)
MOVIES = st.builds(
    Movie,
    remote_id=TEXTS.filter(bool),
    title=TEXTS,
    overview=st.one_of(st.none(), TEXTS),
    year=st.one_of(st.none(), st.integers(-(2**31) + 1, 2**31 - 1)),
    genres=st.lists(TEXTS, max_size=3),
    provider_ids=st.dictionaries(TEXTS, TEXTS, max_size=3),
    images=st.dictionaries(TEXTS, TEXTS, max_size=3),
    ratings=st.lists(st.builds(Rating, name=st.just("x"), value=st.floats(0, 10)), max_size=2),
    credits=st.one_of(st.none(), st.lists(CREDITS, max_size=6)),
    completeness=st.sampled_from([None, *Completeness]),
)


def normal(item: Movie, **changes: Any) -> NormalItem:
    return normal_item(item.model_copy(update=changes), "home", "home:movies")


@given(MOVIES)
def test_the_normal_form_is_a_function_of_the_item(item: Movie) -> None:
    assert normal(item) == normal(item.model_copy(deep=True))


@given(MOVIES)
def test_credits_in_normal_form(item: Movie) -> None:
    form = normal(item)
    given_ = item.credits or []
    keys = [(row[0], row[4], row[5]) for row in form.credits]
    assert len(set(keys)) == len(keys), "no repeats"
    assert len(form.credits) + form.repeats + len(form.problems) == len(given_), "nothing is lost silently"
    assert all(row[1] and row[1] == row[1].strip() and row[5] == row[5].strip() for row in form.credits)
    assert len({row[:4] for row in form.credits}) == len({row[0] for row in form.credits}), "one row a person"
    known = [one for one in given_ if one.sort_order is not None and one.sort_order >= 0]
    first = sorted(known, key=lambda one: one.sort_order or 0)
    if first and first[0].person.name.strip():
        assert form.credits[0][1] in {one.person.name.strip() for one in given_}
        assert form.credits[0][4] == str(first[0].person_type)
    if form.completeness is Completeness.NONE:
        assert (form.credits, form.credits_fingerprint) == ([], "")
    else:
        assert form.credits_fingerprint.startswith(f"{RULE}:")


@given(st.lists(CREDITS, max_size=6))
def test_bringing_a_normal_form_into_normal_form_changes_nothing(given_: list[Credit]) -> None:
    first = normal_credits("home:1", given_)
    again = [
        Credit(
            person=Person(
                remote_id=row[0].partition(":")[2],
                name=row[1],
                image_path=row[2] or None,
                provider_ids=json.loads(row[3]) if row[3] else {},
            ),
            person_type=row[4],
            role=row[5] or None,
            sort_order=position,
        )
        for position, row in enumerate(first.credits)
    ]
    second = normal_credits("home:1", again)
    assert (second.credits, second.credits_fingerprint) == (first.credits, first.credits_fingerprint)
    assert (second.repeats, second.problems) == (0, [])


@given(MOVIES, MOVIES)
def test_fingerprints_are_equal_exactly_when_the_forms_are(one: Movie, other: Movie) -> None:
    first, second = normal(one), normal(other)

    def fields(form: NormalItem) -> tuple[Any, ...]:
        lists = (form.external_ids, form.genres, form.ratings, form.images)
        return (form.remote_id, form.media_type, form.values, form.library_id, form.parent_id, *lists)

    assert (first.item_fingerprint == second.item_fingerprint) == (fields(first) == fields(second))
    if Completeness.NONE not in (first.completeness, second.completeness):
        same = first.credits == second.credits
        assert (first.credits_fingerprint == second.credits_fingerprint) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"genres": ["a", "b"]}, {"genres": ["a"], "images": {"b": "x"}}),
        ({"genres": ["ab"]}, {"genres": ["a", "b"]}),
        ({"title": "a", "overview": "b"}, {"title": "ab", "overview": None}),
        ({"year": 1, "runtime_seconds": None}, {"year": None, "runtime_seconds": 1}),
        ({"provider_ids": {"a": "b"}}, {"images": {"a": "b"}}),
        ({"title": "1"}, {"year": 1, "title": ""}),
    ],
)
def test_fields_do_not_run_into_each_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    base = {"remote_id": "1", "title": "t"}
    assert (
        normal(Movie(**{**base, **one})).item_fingerprint
        != normal(Movie(**{**base, **other})).item_fingerprint
    )


def test_neither_token_nor_credits_are_part_of_the_items_fingerprint() -> None:
    plain = normal(movie())
    assert normal(movie(change_token="t", credits=[credit("a")])).item_fingerprint == plain.item_fingerprint
    in_another = normal_item(movie(), "home", "home:other")
    assert in_another.item_fingerprint == plain.item_fingerprint
    assert normal_item(episode(parent="a"), "home", "l").item_fingerprint != (
        normal_item(episode(parent="b"), "home", "l").item_fingerprint
    )


ROWS = st.tuples(
    st.sampled_from(["home:1", "home:name:a"]),
    st.sampled_from(["A", "B"]),
    st.sampled_from(["", "i", "j"]),
    st.sampled_from(["", '{"imdb":"1"}', '{"imdb":"2","tmdb":"3"}']),
)


@given(ROWS, ROWS)
def test_merging_people(first: tuple[str, str, str, str], second: tuple[str, str, str, str]) -> None:
    second = (first[0], *second[1:])
    both = merge_people(first, second)
    assert both[1] == (first[1] if first[0] == "home:name:a" else second[1])
    assert both[2] == (second[2] or first[2])
    ids = {**json.loads(first[3] or "{}"), **json.loads(second[3] or "{}")}
    assert json.loads(both[3] or "{}") == ids
    assert merge_people(both, second) == both, "merging again changes nothing"
    assert merge_people(first, first) == first


def test_merging_provider_ids() -> None:
    assert merge_provider_ids("", "") == ""
    assert merge_provider_ids('{"a":"1"}', "") == '{"a":"1"}'
    assert merge_provider_ids("", '{"a":"1"}') == '{"a":"1"}'
    assert merge_provider_ids('{"b":"1"}', '{"a":"☃"}') == '{"a":"☃","b":"1"}'


def test_normal_person() -> None:
    assert normal_person(Person(name=" A ", remote_id="1"), "home") == ("home:1", "A", "", "")
    assert normal_person(Person(name="A", image_path=" \t"), "home") == ("home:name:a", "A", "", "")
    for wrong, error in (
        (Person(name="A"), UsageError),
        (Person(name="A", id="x"), InvalidId),
        (Person(name=" ", id="a:1"), UsageError),
    ):
        with pytest.raises(error):
            normal_person(wrong)


def test_normal_credits_of_no_id() -> None:
    with pytest.raises(InvalidId):
        normal_credits("nothing", [])
    with pytest.raises(InvalidItem, match="NUL"):
        normal_credits("home:1", [credit("a", role="\0")])
