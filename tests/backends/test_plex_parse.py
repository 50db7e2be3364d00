"""Entries of Plex answers become items: every field, and what is odd about them."""

from datetime import UTC, date, datetime

import pytest

from mediasync import Episode, Movie, Rating, Season, Show
from mediasync.backends.base import Found, Unreadable
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.plex.client import list_entries, open_container
from mediasync.backends.plex.parse import (
    Listed,
    NotAnItem,
    change_token,
    failed_finding,
    is_placeholder,
    merge_listed,
    parse_details,
    parse_full_item,
    parse_item,
    parse_library,
    parse_listed,
)
from mediasync.backends.plex.people import lists_fewer, parse_credits
from mediasync.backends.plex.values import (
    parse_files,
    parse_images,
    parse_premiere,
    parse_provider_ids,
    parse_ratings,
    parse_runtime,
    parse_time,
    usable_key,
)
from mediasync.errors import SourceUnreadable
from mediasync.saving.normal import normal_item
from mediasync.vocabulary import Completeness, MediaType, PersonType

LONG_AGO = 1_700_000_000
NOW = LONG_AGO + 10_000_000

FILM = {
    "ratingKey": "603",
    "key": "/library/metadata/603",
    "guid": "plex://movie/5d776825880197001ec967c6",
    "type": "movie",
    "title": "The Long Way",
    "titleSort": "Long Way",
    "originalTitle": "Der lange Weg",
    "summary": "Somebody walks.",
    "tagline": "Far.",
    "year": 1999,
    "contentRating": "gb/15",
    "rating": 8.4,
    "ratingImage": "rottentomatoes://image.rating.ripe",
    "audienceRating": "9.1",
    "audienceRatingImage": "rottentomatoes://image.rating.upright",
    "thumb": "/library/metadata/603/thumb/1700000000",
    "art": "/library/metadata/603/art/1700000000",
    "duration": 8160400,
    "originallyAvailableAt": "1999-03-31",
    "addedAt": LONG_AGO - 5,
    "updatedAt": LONG_AGO,
    "Media": [
        {"id": 1, "Part": [{"file": "/films/The Long Way - 4K.mkv"}]},
        {
            "id": 2,
            "Part": [{"file": "/films/The Long Way - cd1.avi"}, {"file": "/films/The Long Way - cd2.avi"}],
        },
    ],
    "Genre": [{"id": 1, "tag": "Action"}, {"id": 2, "tag": "Science Fiction"}],
    "Guid": [{"id": "imdb://tt0133093"}, {"id": "tmdb://603"}, {"id": "tvdb://169"}],
    "Rating": [
        {"image": "imdb://image.rating", "value": 8.7, "type": "audience"},
        {"image": "rottentomatoes://image.rating.ripe", "value": 8.3, "type": "critic"},
    ],
    "Role": [
        {
            "id": 11,
            "tag": "Ann Other",
            "tagKey": "5d77a",
            "role": "Neo",
            "thumb": "https://plex.example/a.jpg",
        },
        {"id": 12, "tag": "Bo Peep", "role": "", "thumb": "/library/metadata/7/thumb/1?X-Plex-Token=geheim"},
        {"id": 11, "tag": "Ann Other", "tagKey": "5d77a", "role": "Neo's twin"},
    ],
    "Director": [{"id": 21, "tag": "Ann Other", "tagKey": "5d77a"}],
    "Writer": [{"id": "31", "tag": "Cy Pher"}],
    "Producer": [{"tag": "Dee Lay"}],
}


def film(**fields):
    entry = {**FILM, **fields}
    return {name: value for name, value in entry.items() if value is not None}


def full(entry, kind=MediaType.MOVIE, parent=None):
    record = JsonRecord(entry)
    return parse_full_item(kind, record, parent=parent, token="1:7"), record.problems


def known(_key):
    return True


def test_a_film_with_everything():
    item, problems = full(FILM)
    assert problems == []
    assert isinstance(item, Movie)
    assert item.model_dump(exclude_none=True, exclude={"credits", "cast", "crew", "ratings"}) == {
        "media_type": MediaType.MOVIE,
        "remote_id": "603",
        "title": "The Long Way",
        "original_title": "Der lange Weg",
        "sort_title": "Long Way",
        "overview": "Somebody walks.",
        "tagline": "Far.",
        "year": 1999,
        "premiere_date": date(1999, 3, 31),
        "runtime_seconds": 8160,
        "content_rating": "gb/15",
        "genres": ["Action", "Science Fiction"],
        "provider_ids": {
            "imdb": "tt0133093",
            "tmdb": "603",
            "tvdb": "169",
            "plex": "5d776825880197001ec967c6",
        },
        "images": {
            "poster": "/library/metadata/603/thumb/1700000000",
            "fanart": "/library/metadata/603/art/1700000000",
        },
        "path": "/films/The Long Way - 4K.mkv",
        "added_at": datetime.fromtimestamp(LONG_AGO - 5, UTC),
        "changed_at": datetime.fromtimestamp(LONG_AGO, UTC),
        "change_token": "1:7",
        "completeness": Completeness.FULL,
    }
    assert item.ratings == [
        Rating(name="rottentomatoes", value=8.4),
        Rating(name="rottentomatoes_audience", value=9.1),
        Rating(name="imdb", value=8.7),
    ]
    assert [
        (str(credit.person_type), credit.person.remote_id, credit.person.name, credit.role, credit.sort_order)
        for credit in item.credits
    ] == [
        ("actor", "5d77a", "Ann Other", "Neo", 0),
        ("actor", "actor/12", "Bo Peep", None, 1),
        ("actor", "5d77a", "Ann Other", "Neo's twin", 2),
        ("director", "5d77a", "Ann Other", None, 3),
        ("writer", "writer/31", "Cy Pher", None, 4),
        ("producer", None, "Dee Lay", None, 5),
    ]
    assert [credit.person.image_path for credit in item.credits[:3]] == [
        "https://plex.example/a.jpg",
        "/library/metadata/7/thumb/1",
        None,
    ]


def test_people_with_one_tag_key_are_one_person():
    normal = normal_item(full(FILM)[0], "home", "home:1")
    assert len(normal.credits) == 6
    assert {row[0] for row in normal.credits} == {
        "home:5d77a",
        "home:actor/12",
        "home:writer/31",
        "home:name:dee lay",
    }


def test_an_id_may_be_a_number_or_a_text():
    number, text = (parse_credits(JsonRecord({"Role": [{"id": given, "tag": "A"}]})) for given in (7, "7"))
    assert number == text
    assert number[0][0].person.remote_id == "actor/7"


def test_an_item_whose_lists_are_absent_has_nobody():
    item, problems = full(film(Role=None, Director=None, Writer=None, Producer=None))
    assert (item.credits, item.completeness, item.change_token, problems) == (
        [],
        Completeness.FULL,
        "1:7",
        [],
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"Role": {"0": {}}}, "Role is an object, not a list"),
        ({"Director": [7]}, "Director[0] is a number, not an object"),
        ({"Role": [{"tag": 7}]}, "Role[0].tag is a number, not a text"),
        ({"Role": [{"tag": "A", "role": 7}]}, "Role[0].role is a number, not a text"),
        ({"Writer": [{"tag": "A", "tagKey": 5}]}, "Writer[0].tagKey is a number, not a text"),
        ({"Writer": [{"tag": "A", "id": [5]}]}, "Writer[0].id is a list, not an id"),
    ],
)
def test_lists_of_people_that_are_odd_make_a_preview(fields, problem):
    item, problems = full(film(**fields))
    assert problems == [problem]
    assert item.completeness is Completeness.PREVIEW
    assert item.change_token is None


def test_a_person_without_a_name_is_a_problem_of_the_credit_alone():
    item, _ = full(
        film(Role=[{"id": 1, "role": "Nobody"}, {"id": 2, "tag": "A"}], Director=None, Writer=None)
    )
    normal = normal_item(item, "home", "home:1")
    assert [row[1] for row in normal.credits] == ["A", "Dee Lay"]
    assert normal.completeness is Completeness.FULL
    assert len(normal.problems) == 1


@pytest.mark.parametrize(
    ("guid", "kind", "ids"),
    [
        ("com.plexapp.agents.imdb://tt0165832?lang=en", MediaType.MOVIE, {"imdb": "tt0165832"}),
        ("com.plexapp.agents.themoviedb://348?lang=en", MediaType.MOVIE, {"tmdb": "348"}),
        ("com.plexapp.agents.thetvdb://74205?lang=en", MediaType.SHOW, {"tvdb": "74205"}),
        ("com.plexapp.agents.thetvdb://74205/1?lang=en", MediaType.SEASON, {}),
        ("com.plexapp.agents.thetvdb://74205/1/1?lang=en", MediaType.EPISODE, {}),
        ("com.plexapp.agents.thetvdb://74205/1/1?lang=en", MediaType.SHOW, {}),
        ("com.plexapp.agents.hama://tvdb4-81797?lang=en", MediaType.SHOW, {"tvdb": "81797"}),
        ("com.plexapp.agents.hama://anidb-123?lang=en", MediaType.SHOW, {"anidb": "123"}),
        ("com.plexapp.agents.none://3c1e?lang=xn", MediaType.MOVIE, {}),
        ("local://417", MediaType.MOVIE, {}),
        ("plex://episode/5d9c0", MediaType.EPISODE, {"plex": "5d9c0"}),
        ("", MediaType.MOVIE, {}),
    ],
)
def test_ids_from_the_guid(guid, kind, ids):
    assert parse_provider_ids(JsonRecord({"guid": guid}), kind) == ids


def test_the_list_of_guids_comes_first():
    record = JsonRecord(
        {
            "guid": "com.plexapp.agents.imdb://tt1?lang=en",
            "Guid": [
                {"id": "imdb://tt2"},
                {"id": "imdb://tt3"},
                {"id": "tmdb://"},
                {"id": "themoviedb://4?x"},
                {},
            ],
        }
    )
    assert parse_provider_ids(record, MediaType.MOVIE) == {"imdb": "tt2", "tmdb": "4"}


def test_ratings_without_pictures_and_out_of_range():
    record = JsonRecord(
        {"rating": "7.5", "audienceRating": 8, "Rating": [{"value": 77, "image": "imdb://image.rating"}]}
    )
    assert parse_ratings(record) == [Rating(name="critics", value=7.5), Rating(name="audience", value=8)]
    assert record.problems == ["Rating[0]: value 77 is not a rating from 0 to 10"]


def test_pictures():
    entry = {"thumb": "/a?X-Plex-Token=geheim&width=3", "art": "", "banner": "/b"}
    assert parse_images(JsonRecord(entry), MediaType.SHOW) == {"poster": "/a?width=3", "banner": "/b"}
    assert parse_images(JsonRecord(entry), MediaType.EPISODE) == {"thumb": "/a?width=3", "banner": "/b"}


@pytest.mark.parametrize(
    ("value", "day", "problems"),
    [
        ("2001-09-09", date(2001, 9, 9), []),
        ("2001-09-09 00:00:00", date(2001, 9, 9), []),
        (LONG_AGO, date(2023, 11, 14), []),
        (None, None, []),
        ("", None, []),
        ("2001-13-09", None, ["originallyAvailableAt '2001-13-09' is not a date"]),
        ("soon", None, ["originallyAvailableAt 'soon' is not a date"]),
        (-1, None, []),
        (True, None, ["originallyAvailableAt is true or false, not a text"]),
    ],
)
def test_the_day_of_release(value, day, problems):
    record = JsonRecord({"originallyAvailableAt": value})
    assert (parse_premiere(record), record.problems) == (day, problems)


@pytest.mark.parametrize(
    ("value", "time", "problems"),
    [
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), []),
        (None, None, []),
        (-62135596800, None, []),
        (10**15, None, ["addedAt 1000000000000000 is not a time"]),
    ],
)
def test_times(value, time, problems):
    record = JsonRecord({"addedAt": value})
    assert (parse_time(record, "addedAt"), record.problems) == (time, problems)


@pytest.mark.parametrize(
    ("value", "seconds"), [(5062, 5), ("6997616", 6998), (0, None), (-4, None), (None, None)]
)
def test_the_length(value, seconds):
    assert parse_runtime(JsonRecord({"duration": value})) == seconds


def test_a_show_a_season_and_an_episode():
    show, _ = full(
        {"ratingKey": 22, "title": "Show", "index": 1, "Location": [{"path": "/tv/Show"}]}, MediaType.SHOW
    )
    season, _ = full({"ratingKey": "33", "title": "", "index": 0}, MediaType.SEASON, "22")
    second, _ = full({"ratingKey": "34", "title": " ", "index": 2}, MediaType.SEASON, "22")
    episode, _ = full(
        {"ratingKey": "44", "title": "Pilot", "index": "1", "parentIndex": 0}, MediaType.EPISODE, "33"
    )
    assert (type(show), show.remote_id, show.path) == (Show, "22", "/tv/Show")
    assert (type(season), season.parent_remote_id, season.season_number, season.title) == (
        Season,
        "22",
        0,
        "Specials",
    )
    assert second.title == "Season 2"
    assert isinstance(episode, Episode)
    assert (episode.parent_remote_id, episode.season_number, episode.episode_number) == ("33", 0, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": None}, "it has no title"),
        ({"title": "  "}, "it has no title"),
        ({"title": 1917}, "its title is not a text"),
        ({"ratingKey": None}, "it has no ratingKey"),
    ],
)
def test_what_is_no_item(fields, reason):
    with pytest.raises(NotAnItem, match=reason):
        parse_item(MediaType.MOVIE, JsonRecord(film(**fields)))


def test_what_moves_the_change_token():
    token = change_token(JsonRecord(FILM), None)
    assert token == change_token(JsonRecord(film(updatedAt=str(LONG_AGO))), None)
    assert token == change_token(JsonRecord(film(viewCount=3, lastViewedAt=5)), None)
    others = [
        film(updatedAt=LONG_AGO + 1),
        film(guid="plex://movie/other"),
        film(Media=FILM["Media"][:1]),
        film(index=1),
        film(parentIndex=1),
        film(Genre=[{"tag": "Other"}]),
        film(thumb="/other"),
        film(summary="Another text"),
        film(Role=[{"tag": "Somebody Else"}]),
    ]
    tokens = [change_token(JsonRecord(entry), None) for entry in others]
    assert len({token, change_token(JsonRecord(FILM), "9"), *tokens}) == len(tokens) + 2


@pytest.mark.parametrize("updated", [None, "", "yesterday", [1]])
def test_without_a_time_of_change_there_is_no_token(updated):
    assert change_token(JsonRecord(film(updatedAt=updated)), None) is None


def test_files_come_from_the_listing_where_details_leave_them_out():
    merged = merge_listed(film(Media=None, Guid=[]), FILM)
    assert parse_files(JsonRecord(merged))[0] == "/films/The Long Way - 4K.mkv"
    assert merged["Guid"] == []


def test_details_that_name_fewer_people():
    listing = {"Role": [{"tag": "A"}, {"tag": "B"}], "Writer": [{"tag": "C"}]}
    assert not lists_fewer({"Role": [1, 2, 3], "Writer": [1]}, listing)
    assert lists_fewer({"Role": [1], "Writer": [1]}, listing)
    assert lists_fewer({"Role": [1, 2]}, listing)
    assert not lists_fewer({}, {})


class TestListing:
    """What an entry of a listing names."""

    def look(self, entry, kind=MediaType.MOVIE, is_known=known, now=NOW):
        return parse_listed(kind, entry, is_known, now)

    def test_an_item(self):
        listed = self.look(FILM)
        assert isinstance(listed, Listed)
        assert (listed.key, listed.parent, listed.token) == (
            "603",
            None,
            change_token(JsonRecord(FILM), None),
        )

    @pytest.mark.parametrize("now", [LONG_AGO - 60, LONG_AGO, LONG_AGO + 60])
    def test_what_changed_just_now_has_no_token(self, now):
        assert self.look(FILM, now=now).token is None
        assert self.look(FILM, now=LONG_AGO + 61).token

    def test_an_entry_without_a_key(self):
        assert self.look(film(ratingKey=None)) == "The Long Way has no ratingKey"
        assert self.look({}) == "an entry has no ratingKey"

    def test_a_key_that_no_request_can_name(self):
        assert self.look(film(ratingKey="1,2")) == Unreadable(
            "1,2", "its ratingKey cannot be used in a request"
        )
        assert usable_key({"ratingKey": "1/../2"}) is None

    def test_an_entry_of_another_type(self):
        assert self.look(FILM, MediaType.SHOW) == (
            "603 is of type 'movie', though only items of type 'show' were asked for"
        )

    def test_an_entry_without_a_type_is_what_was_asked_for(self):
        assert isinstance(self.look(film(type=None)), Listed)

    def test_the_parent_of_an_episode(self):
        entry = {"ratingKey": "4", "type": "episode", "parentRatingKey": "33", "grandparentRatingKey": 22}
        assert self.look(entry, MediaType.EPISODE).parent == "33"
        assert self.look(entry, MediaType.EPISODE, lambda _: False).parent == "22"
        del entry["grandparentRatingKey"]
        assert self.look(entry, MediaType.EPISODE, lambda _: False).parent == "33"
        del entry["parentRatingKey"]
        assert self.look(entry, MediaType.EPISODE).parent is None

    def test_the_parent_of_a_season(self):
        entry = {"ratingKey": "33", "type": "season", "parentRatingKey": "22"}
        assert self.look(entry, MediaType.SEASON).parent == "22"

    def test_all_episodes_and_collections_are_no_items(self):
        assert is_placeholder({"title": "All episodes", "key": "/library/metadata/22/allLeaves"})
        assert is_placeholder({"ratingKey": "5", "type": "collection"})
        assert not is_placeholder(FILM)
        assert not is_placeholder({})


class TestFindings:
    """What is told of an item, from its listing and its details."""

    listed = Listed("603", MediaType.MOVIE, FILM, None, "1:7")

    def test_found(self):
        found = parse_details(self.listed, FILM, refreshing=False)
        assert isinstance(found, Found)
        assert found.problems == ()
        assert found.item.change_token == "1:7"

    def test_details_of_another_type(self):
        found = parse_details(self.listed, film(type="show"), refreshing=False)
        assert found == Unreadable("603", "it is listed as of type 'movie', and its details are of 'show'")

    def test_details_without_a_title(self):
        assert parse_details(self.listed, film(title=None), refreshing=False) == Unreadable(
            "603", "it has no title"
        )

    def test_details_with_fewer_people_than_the_listing(self):
        found = parse_details(self.listed, film(Role=FILM["Role"][:2]), refreshing=True)
        assert (found.item.completeness, found.item.change_token) == (Completeness.PREVIEW, None)
        assert found.problems == (
            "its details name fewer people than the listing does: its people stay as they are, "
            "and it is read again next time",
        )

    @pytest.mark.parametrize("refreshing", [True, False])
    def test_nobody_is_not_believed_while_the_library_is_refreshed(self, refreshing):
        nobody = film(Role=None, Director=None, Writer=None, Producer=None)
        found = parse_details(
            Listed("603", MediaType.MOVIE, nobody, None, "1:7"), nobody, refreshing=refreshing
        )
        assert (found.item.completeness is Completeness.PREVIEW) is refreshing
        assert (found.item.change_token is None) is refreshing

    def test_a_season_has_nobody_in_any_case(self):
        entry = {"ratingKey": "33", "type": "season", "title": "Season 1", "index": 1}
        found = parse_details(Listed("33", MediaType.SEASON, entry, "22", "1:7"), entry, refreshing=True)
        assert found.item.completeness is Completeness.FULL

    def test_a_film_that_failed(self):
        assert failed_finding(self.listed, "gone", stored=False) == Unreadable("603", "gone")

    def test_a_new_show_that_failed_is_saved_for_its_episodes(self):
        entry = {"ratingKey": "22", "type": "show", "title": "Show", "Role": [{"tag": "A"}]}
        listed = Listed("22", MediaType.SHOW, entry, None, "1:7")
        found = failed_finding(listed, "gone", stored=False)
        assert (found.item.title, found.item.credits, found.item.change_token) == ("Show", None, None)
        assert found.failure == "gone"
        assert failed_finding(listed, "gone", stored=True) == Unreadable("22", "gone")

    def test_a_new_show_of_which_not_even_the_title_is_known(self):
        listed = Listed("22", MediaType.SHOW, {"ratingKey": "22"}, None, None)
        assert failed_finding(listed, "gone", stored=False) == Unreadable(
            "22", "gone; in the listing, it has no title"
        )


class TestAnswers:
    """The envelope of every answer."""

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ({}, "without a MediaContainer"),
            ({"MediaContainer": []}, "without a MediaContainer"),
            ({"_elementType": "MediaContainer", "_children": []}, "update the server to 1.3"),
            ([], "a list where an object was expected"),
            (None, "null where an object was expected"),
        ],
    )
    def test_no_container(self, answer, reason):
        with pytest.raises(SourceUnreadable, match=reason):
            open_container(answer, "home", "GET /identity")

    def test_entries(self):
        def entries(container):
            return list_entries(
                open_container({"MediaContainer": container}, "home", "GET /x"), "Metadata", "home", "GET /x"
            )

        assert entries({"size": 0}) == []
        assert entries({}) == []
        assert entries({"size": 2, "Metadata": [{"a": 1}, 7]}) == [{"a": 1}, {}]
        for broken in ({"size": 2}, {"size": 1, "Metadata": {}}):
            with pytest.raises(SourceUnreadable, match="without the list of Metadata"):
                entries(broken)

    def test_sections(self):
        sections = [
            {"key": "1", "type": "movie", "title": "Films", "refreshing": True},
            {"key": 2, "type": "show"},
            {"key": "3", "type": "artist", "title": "Music"},
            {"key": "4", "type": "movie", "title": "Home videos", "agent": "com.plexapp.agents.none"},
            {"type": "photo"},
        ]
        found = [parse_library(JsonRecord(section), "home") for section in sections]
        assert [(library.id, library.title, library.kind) for library in found if library is not None] == [
            ("1", "Films", "movies"),
            ("2", "", "shows"),
            ("4", "Home videos", "movies"),
        ]

    @pytest.mark.parametrize(
        ("section", "reason"),
        [
            ({"type": "movie"}, "without a usable key"),
            ({"key": "1"}, "without a type"),
            ({}, "without a type"),
        ],
    )
    def test_a_section_that_cannot_be_named(self, section, reason):
        with pytest.raises(SourceUnreadable, match=reason):
            parse_library(JsonRecord(section), "home")


def test_people_types_are_of_the_vocabulary():
    assert {credit.person_type for credit in full(FILM)[0].credits} == {
        PersonType.ACTOR,
        PersonType.DIRECTOR,
        PersonType.WRITER,
        PersonType.PRODUCER,
    }
