"""The parts of Jellyfin's JSON, one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from mediasync.backends.base import Unreadable
from mediasync.backends.jellyfin.parse import change_token, parse_item, parse_library
from mediasync.backends.jellyfin.people import parse_person
from mediasync.backends.jellyfin.values import (
    image_reference,
    parse_date,
    parse_images,
    parse_ratings,
    parse_ticks,
    parse_time,
)
from mediasync.backends.json_record import JsonRecord
from mediasync.vocabulary import Completeness, MediaType


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-12-11T12:10:40.7607527Z", datetime(2023, 12, 11, 12, 10, 40, 760752, tzinfo=UTC)),
        ("2023-12-11T12:10:40Z", datetime(2023, 12, 11, 12, 10, 40, tzinfo=UTC)),
        ("2023-12-11T12:10:40.5+00:00", datetime(2023, 12, 11, 12, 10, 40, 500_000, tzinfo=UTC)),
        (
            "2023-12-11T12:10:40+02:00",
            datetime(2023, 12, 11, 12, 10, 40, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("2023-12-11T12:10:40", "2023-12-11T12:10:40"),
        ("2023-13-41T12:10:40Z", "2023-13-41T12:10:40Z"),
        ("yesterday", "yesterday"),
        ("0001-01-01T00:00:00.0000000Z", None),
        ("", None),
    ],
)
def test_times(text, expected):
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-01-10T00:00:00.0000000Z", date(2017, 1, 10)),
        ("1888-10-14", date(1888, 10, 14)),
        ("0001-01-01T00:00:00.0000000Z", None),
        ("soon", None),
    ],
)
def test_premieres(text, expected):
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [(81_600_000_000, 8_160), (11_279_999, 1), (1, None), (0, None), (-5, None), (None, None)],
)
def test_lengths(ticks, expected):
    assert parse_ticks(ticks) == expected


def test_ratings_are_out_of_ten():
    problems = []
    assert [(r.name, r.value) for r in parse_ratings(7.5, 88, problems)] == [
        ("community", 7.5),
        ("critics", 8.8),
    ]
    assert parse_ratings(None, None, problems) == []
    assert problems == []
    assert parse_ratings(11, -1, problems) == []
    assert len(problems) == 2


def test_pictures_by_kind():
    record = JsonRecord(
        {"ImageTags": {"Primary": "a", "Logo": "b", "Menu": "c"}, "BackdropImageTags": ["d", "e"]}
    )
    assert parse_images(record, "7", MediaType.MOVIE) == {
        "poster": "Items/7/Images/Primary?tag=a",
        "clearlogo": "Items/7/Images/Logo?tag=b",
        "fanart": "Items/7/Images/Backdrop/0?tag=d",
    }
    assert parse_images(record, "7", MediaType.EPISODE)["thumb"] == image_reference("7", "Primary", "a")


def item(kind="Movie", **fields):
    record = {"Id": "1", "Type": kind, "Name": "Name", "Etag": "e", "People": [], **fields}
    return parse_item(JsonRecord(record), trusted=True, people_ids={})


def test_a_film_with_everything():
    film = item(
        OriginalTitle="Original",
        SortName="sort",
        Overview="plot",
        Taglines=["one", "two"],
        ProductionYear="1999",
        PremiereDate="1999-03-31T00:00:00.0000000Z",
        RunTimeTicks=81_600_000_000,
        OfficialRating="R",
        CommunityRating=8.7,
        CriticRating=83,
        Genres=["Action"],
        ProviderIds={"Imdb": "tt0133093", "Tmdb": 603, "TmdbCollection": "2344", "Empty": ""},
        ImageTags={"Primary": "a"},
        Path="/films/The Matrix.mkv",
        DateCreated="2024-01-01T00:00:00.0000000Z",
    ).item
    assert (film.original_title, film.sort_title, film.overview, film.tagline) == (
        "Original",
        "sort",
        "plot",
        "one",
    )
    assert (film.year, film.premiere_date, film.runtime_seconds) == (1999, date(1999, 3, 31), 8_160)
    assert (film.content_rating, film.genres) == ("R", ["Action"])
    assert film.provider_ids == {"imdb": "tt0133093", "tmdb": "603", "tmdbcollection": "2344"}
    assert film.added_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert (film.path, film.changed_at) == ("/films/The Matrix.mkv", None)
    assert film.change_token == change_token("e") == "1:e"


def test_a_length_that_no_film_has_is_a_problem():
    found = item(RunTimeTicks=10**400)
    assert found.item.runtime_seconds is None
    assert found.problems == ("RunTimeTicks is a number, not a 64-bit integer",)
    assert found.item.change_token is None


def test_a_person_whose_id_cannot_be_stored():
    found = item(People=[{"Id": "\ud800", "Name": "One"}])
    assert found.item.credits[0].person.remote_id is None
    assert found.item.completeness is Completeness.PREVIEW
    assert found.problems == ("People[0].Id is a text, not an id",)


def test_credits():
    people = [
        {"Name": "One", "Id": "p1", "Role": "", "Type": "GuestStar", "PrimaryImageTag": "t"},
        {"Name": "Two", "Type": "Key Grip", "Role": "Lights"},
        {"Name": "Three", "Id": "p3"},
    ]
    found = parse_item(
        JsonRecord({"Id": "1", "Type": "Movie", "Name": "Name", "People": people}),
        trusted=True,
        people_ids={"p1": {"imdb": "nm1"}},
    )
    one, two, three = found.item.credits
    assert (str(one.person_type), one.role, one.sort_order) == ("guest_star", None, 0)
    assert one.person.image_path == "Items/p1/Images/Primary?tag=t"
    assert one.person.provider_ids == {"imdb": "nm1"}
    assert (two.person_type, two.role, two.person.remote_id) == ("Key Grip", "Lights", None)
    assert (str(three.person_type), three.sort_order) == ("unknown", 2)
    assert found.item.change_token == "1:", "there was no Etag"


def test_what_is_not_trusted_is_a_preview_without_a_token():
    record = {"Id": "1", "Type": "Movie", "Name": "Name", "Etag": "e", "People": []}
    film = parse_item(JsonRecord(record), trusted=False, people_ids={}).item
    assert (film.completeness, film.change_token, film.credits) == (Completeness.PREVIEW, None, [])


def test_an_empty_list_says_that_there_is_nobody():
    assert item().item.completeness is Completeness.FULL


def test_an_item_without_a_name():
    assert isinstance(item(Name=" "), Unreadable)
    assert isinstance(item(Name=None), Unreadable)


def test_an_episode_belongs_to_its_season_if_that_is_listed():
    record = {"Id": "1", "Type": "Episode", "Name": "Pilot", "People": [], "SeasonId": "s", "SeriesId": "t"}
    for seasons, parent in ((None, "s"), ({"s"}, "s"), (set(), "t")):
        found = parse_item(JsonRecord(record), trusted=True, people_ids={}, seasons=seasons)
        assert found.item.parent_remote_id == parent
    assert item("Episode", SeriesId="t").item.parent_remote_id == "t"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ({"CollectionType": "movies"}, "movies"),
        ({"CollectionType": "tvshows"}, "shows"),
        ({"Type": "CollectionFolder"}, "mixed"),
        ({"Type": "CollectionFolder", "CollectionType": "mixed"}, "mixed"),
        ({"Type": "CollectionFolder", "CollectionType": "boxsets"}, None),
        ({"Type": "Channel"}, None),
        ({"CollectionType": "movies", "Id": None}, None),
        ({"CollectionType": "movies", "Id": "\ud800"}, None),
    ],
)
def test_libraries(folder, kind):
    library = parse_library(JsonRecord({"Id": "1", "Name": "Name", **folder}), "jf")
    assert (library.kind if library else None) == kind


def test_persons():
    person = parse_person(
        JsonRecord({"Id": "p", "Name": " Name ", "ImageTags": {"Primary": "t"}, "ProviderIds": {"Tmdb": "1"}})
    )
    assert (person.name, person.image_path) == ("Name", "Items/p/Images/Primary?tag=t")
    assert parse_person(JsonRecord({"Id": "p", "Name": "Name", "ImageTags": {}})).image_path is None
    assert parse_person(JsonRecord({"Id": "p", "Name": "Name"})).provider_ids == {}
    assert person.person().model_dump(exclude_none=True) == {
        "remote_id": "p",
        "name": "Name",
        "image_path": "Items/p/Images/Primary?tag=t",
        "provider_ids": {"tmdb": "1"},
    }
    assert parse_person(JsonRecord({"Id": "p", "Name": "Name", "Type": "Movie"})) is None
    assert parse_person(JsonRecord({"Id": "p", "Name": ""})) is None
    assert parse_person(JsonRecord({"Name": "Name"})) is None
