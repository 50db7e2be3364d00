"""The models and the vocabulary: what they take, and what they refuse at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mediasync import (
    Credit,
    Episode,
    Library,
    MediaItem,
    MediaType,
    Movie,
    Person,
    PersonType,
    Rating,
    Season,
    Show,
    Source,
)
from mediasync.models import ITEM_MODELS
from mediasync.vocabulary import CAST_TYPES, LEVELS, MEDIA_KINDS, PARENT_TYPES


@pytest.mark.parametrize("kind", list(PersonType))
def test_a_known_type_is_met_in_any_spelling(kind: PersonType) -> None:
    camel = "".join(part.capitalize() for part in kind.value.split("_"))
    for text in (
        kind.value,
        kind.value.upper(),
        camel,
        camel[0].lower() + camel[1:],
        f" {kind.value.replace('_', ' ')} ",
        kind.value.replace("_", "-"),
    ):
        assert PersonType.parse(text) is kind
    assert PersonType.parse(kind) is kind


@given(st.text(max_size=30))
def test_an_unknown_type_is_kept_trimmed(text: str) -> None:
    parsed = PersonType.parse(text)
    assert isinstance(parsed, PersonType) or parsed == text.strip()
    assert PersonType.parse(parsed) == parsed


def test_cast_types() -> None:
    assert {PersonType.ACTOR, PersonType.GUEST_STAR} == CAST_TYPES
    assert Credit(person=Person(name="A"), person_type="Guest Star").is_cast
    assert not Credit(person=Person(name="A"), person_type="stunts").is_cast


@pytest.mark.parametrize("model", [Movie, Show, Season, Episode])
def test_an_unknown_field_is_an_error(model: type[MediaItem]) -> None:
    with pytest.raises(ValidationError, match="titel"):
        model(remote_id="1", title="A", titel="A")


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Movie, {"remote_id": "", "title": "A"}),
        (Movie, {"title": "A"}),
        (Movie, {"remote_id": "1"}),
        (Movie, {"remote_id": "1", "title": "A", "media_type": "show"}),
        (Movie, {"remote_id": "1", "title": "A", "season_number": 1}),
        (Movie, {"remote_id": "1", "title": "A", "year": "soon"}),
        (Movie, {"remote_id": "1", "title": "A", "completeness": "whole"}),
        (Movie, {"remote_id": "1", "title": "A", "added_at": datetime(2020, 1, 1)}),
        (Movie, {"remote_id": "1", "title": "A", "added_at": date(2020, 1, 1)}),
        (Rating, {"name": "x", "value": 10.1}),
        (Rating, {"name": "x", "value": -0.1}),
        (Rating, {"name": "x", "value": float("nan")}),
        (Rating, {"name": "", "value": 1}),
        (Rating, {"name": "x", "value": 1, "votes": -1}),
        (Source, {"id": "Home", "kind": "plex"}),
        (Source, {"id": "home", "kind": "V H S"}),
        (Source, {"id": "home", "kind": "v"}),
        (Library, {"id": "", "source_id": "home", "kind": "movies"}),
        (Library, {"id": "1", "source_id": "Home", "kind": "movies"}),
        (Library, {"id": "1", "source_id": "home", "kind": "music"}),
        (Credit, {"person": {"name": "A"}, "person_type": None}),
        (Person, {"name": None}),
    ],
)
def test_what_is_refused(model: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**fields)


@pytest.mark.parametrize(
    ("given_time", "kept"),
    [
        ("2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=UTC)),
        ("2023-12-11T12:10:40.7607527Z", datetime(2023, 12, 11, 12, 10, 40, 760_752, tzinfo=UTC)),
        (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)),
        ("2020-01-01 00:00:00", "2020-01-01 00:00:00"),
        ("2020-01-01", "2020-01-01"),
        ("20200101", "20200101"),
        ("1577836800", "1577836800"),
        ("yesterday", "yesterday"),
        ("", ""),
        (None, None),
    ],
)
def test_times_of_a_source(given_time: Any, kept: Any) -> None:
    assert Movie(remote_id="1", title="A", added_at=given_time).added_at == kept


def test_the_readme_example() -> None:
    movie = Movie(
        remote_id="603",
        title="The Matrix",
        year=1999,
        credits=[
            Credit(
                person=Person(remote_id="6384", name="Keanu Reeves"),
                person_type="actor",
                role="Neo",
                sort_order=0,
            )
        ],
    )
    assert movie.cast == movie.credits
    assert movie.crew == []
    assert Movie(remote_id="1", title="A").cast == []


def test_every_type_of_item_is_in_the_tables_and_parents_stand_above_their_children() -> None:
    assert set(MEDIA_KINDS) == set(ITEM_MODELS) == set(MediaType)
    assert sorted(kind.rank for kind in MEDIA_KINDS.values()) == list(range(len(MEDIA_KINDS)))
    for media_type, kind in MEDIA_KINDS.items():
        model = ITEM_MODELS[media_type]
        assert model.model_fields["media_type"].default is media_type
        assert model.parent_types == kind.parents
        assert ("parent_remote_id" in model.model_fields) == bool(kind.parents)
        assert kind.level == 1 + max((MEDIA_KINDS[parent].level for parent in kind.parents), default=-1)
    assert set(PARENT_TYPES) == {MediaType.SHOW, MediaType.SEASON}
    assert list(LEVELS) == [0, 1, 2]
