"""Kodi's records as models: every recorded answer, and what is easily got wrong."""

import json
import os
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kodi_syncing import DATA, people_of, recorded_answers
from support.typed_kodi import MANIFEST, folded, typed_people

from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.kinds import EPISODES, MOVIES, SEASONS, SHOWS
from mediasync.backends.kodi.parse import (
    change_token,
    essence,
    parse_episode,
    parse_movie,
    parse_season,
    parse_show,
)
from mediasync.backends.kodi.people import Actor, OwnCast, doubtful_names, parse_cast, seam_by_links, seams
from mediasync.backends.kodi.values import image_reference
from mediasync.models import Season
from mediasync.testing.kodi_records import Link, with_show_cast
from mediasync.vocabulary import Completeness

RECORDED = recorded_answers()
CAPTURES = (
    Path(os.environ.get("MEDIASYNC_TEST_CAPTURES", DATA.parent.parent.parent / "shared" / "captures"))
    / "kodi"
)
KINDS = {"movies": MOVIES, "tvshows": SHOWS, "seasons": SEASONS, "episodes": EPISODES}


def parse(kind, record, own=None, zone=None):
    """Parse any record as the backend does."""
    key, token = kind.key(record), change_token(essence(record, kind.properties))
    if kind is SEASONS:
        return parse_season(record, key, token, SHOWS.key(record))
    if kind is EPISODES:
        cast, _ = parse_cast(JsonRecord(record))
        return parse_episode(record, key, token, zone, "season/1", own or OwnCast(cast))
    return (parse_movie if kind is MOVIES else parse_show)(record, key, token, zone)


def movie(**fields):
    nothing = {"title": "A film", "movieid": 1, "cast": [], "director": [], "writer": []}
    return parse(MOVIES, {**nothing, **fields}, zone=fields.pop("zone", None))


def show_casts():
    records = RECORDED["052-gettvshows-sync"].records("tvshows")
    return {record["tvshowid"]: parse_cast(JsonRecord(record))[0] for record in records}


# The recorded answers


def test_every_recorded_record_is_read_and_no_credit_is_lost():
    parsed = 0
    for recorded in RECORDED.values():
        for name, kind in KINDS.items():
            for record in recorded.records(name):
                finding = parse(kind, record)
                parsed += 1
                assert finding.item.title
                listed = [record.get(part, []) for part in ("cast", "director", "writer")]
                assert len(finding.item.credits or ()) == sum(map(len, listed)), recorded.name
                whole = {"cast", "director", "writer"} if kind in {MOVIES, EPISODES} else {"cast"}
                if whole <= record.keys():
                    assert finding.problems == ()
                    assert finding.item.completeness is Completeness.FULL
    assert parsed == 304


def test_the_recorded_films_are_what_was_typed():
    items = [parse(MOVIES, record).item for record in RECORDED["011-getmovies-sync-all"].records("movies")]
    by_imdb = {item.provider_ids.get("imdb"): item for item in items}
    assert len(items) == 43
    assert len(MANIFEST["movies"]) == 42
    pictures, shown = {}, {}
    for entry in MANIFEST["movies"]:
        item = by_imdb[entry["imdb"]]
        assert folded(people_of(item)) == folded(typed_people(entry)), entry["title"]
        assert (item.title, item.year, item.overview) == (entry["title"], entry["year"], entry["plot"])
        assert item.provider_ids == {"imdb": entry["imdb"], "tmdb": str(entry["tmdb"])}
        assert item.genres == entry["genres"]
        assert item.original_title == entry.get("original")
        typed = {actor["name"].strip(): actor["thumb"] for actor in entry["cast"] if actor.get("thumb")}
        pictures |= {name[:255]: text for name, text in typed.items()}
        shown |= {credit.person.name: credit.person.image_path for credit in item.cast}
    assert {name for name, text in shown.items() if text is None} == {
        name for name in shown if name not in pictures
    }
    assert shown["Marlon Brando"].startswith("image://%2fmedia%2f")
    assert shown["Tim Robbins"] == pictures["Tim Robbins"]


def test_the_recorded_shows_and_their_episodes_are_what_was_typed():
    shows = {record["title"]: record for record in RECORDED["052-gettvshows-sync"].records("tvshows")}
    episodes = RECORDED["062-getepisodes-all-shows"].records("episodes")
    casts = show_casts()
    assert len(episodes) == sum(len(entry["episodes"]) for entry in MANIFEST["tvshows"]) == 40
    for entry in MANIFEST["tvshows"]:
        record = shows[entry["title"]]
        show = parse(SHOWS, record).item
        assert people_of(show) == typed_people(entry)
        assert show.provider_ids["tvdb"] == str(entry["tvdb"])
        typed = {(each["season"], each["episode"]): each for each in entry["episodes"]}
        for episode in episodes:
            if episode["tvshowid"] != record["tvshowid"]:
                continue
            listed, _ = parse_cast(JsonRecord(episode))
            possible = seams(listed, casts[record["tvshowid"]])
            own = seam_by_links(listed, possible, ())
            item = parse(EPISODES, episode, OwnCast(listed[:own])).item
            wanted = typed.pop((item.season_number, item.episode_number))
            assert (item.title, people_of(item)) == (wanted["title"], typed_people(wanted))
        assert not typed


def test_details_are_what_the_listing_says():
    listed = {record["movieid"]: record for record in RECORDED["011-getmovies-sync-all"].records("movies")}
    compared = 0
    for name, recorded in RECORDED.items():
        for record in recorded.records("movies") if "getmoviedetails" in name else ():
            if "cast" in record:
                assert record["cast"] == listed[record["movieid"]]["cast"]
                assert people_of(parse(MOVIES, record).item) == people_of(
                    parse(MOVIES, listed[record["movieid"]]).item
                )
                compared += 1
    assert compared == 12


def test_an_episode_in_details_has_the_token_that_it_has_in_a_listing():
    """Kodi labels it differently there, and adds an icon."""
    [detailed] = RECORDED["065-getepisodedetails-every-property"].records("episodes")
    listed = next(
        record
        for record in RECORDED["062-getepisodes-all-shows"].records("episodes")
        if record["episodeid"] == detailed["episodeid"]
    )
    properties = tuple(name for name in listed if name != "label")
    assert detailed["label"] != listed["label"]
    assert change_token(essence(detailed, properties)) == change_token(essence(listed, properties))


def test_a_film_without_anybody_and_one_with_a_broken_nfo_file():
    koyaanisqatsi = parse(MOVIES, RECORDED["038-getmoviedetails-koyaanisqatsi-1982"].records("movies")[0])
    assert koyaanisqatsi.item.cast == []
    assert people_of(koyaanisqatsi.item)[0] == ("director", "Godfrey Reggio", None)
    broken = parse(MOVIES, RECORDED["043-getmoviedetails-broken-nfo-0"].records("movies")[0]).item
    assert (broken.title, broken.year, broken.runtime_seconds, broken.premiere_date) == (
        "Broken Nfo",
        None,
        None,
        None,
    )
    assert (broken.provider_ids, broken.images, broken.ratings) == ({}, {}, [])
    assert people_of(broken) == [("actor", "Someone", None)]


def test_the_order_is_kodis_own():
    """Its numbers are neither dense nor unique, and where none was typed it makes one up."""
    records = {record["title"]: record for record in RECORDED["011-getmovies-sync-all"].records("movies")}
    twice = parse(MOVIES, records["The Parent Trap"]).item
    assert [(credit.role, credit.sort_order) for credit in twice.cast[:3]] == [
        ("Hallie Parker", 0),
        ("Annie James", 1),
        ("Nick Parker", 2),
    ]
    hunting = parse(MOVIES, records["Good Will Hunting"]).item
    assert [credit.person.name for credit in hunting.cast] == [
        *("Matt Damon", "Ben Affleck", "Robin Williams"),
        *("Stellan Skarsgård", "Casey Affleck", "Minnie Driver"),
    ]
    assert [credit.sort_order for credit in hunting.credits] == list(range(len(hunting.credits)))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures of Kodi in {CAPTURES}")
def test_captures_of_other_kodis_are_read_and_no_credit_is_lost():
    read = 0
    for path in sorted(CAPTURES.rglob("*.json")):
        result = json.loads(path.read_text("utf-8")).get("result", {})
        for name, kind in KINDS.items():
            for record in result.get(name, ()):
                finding = parse(kind, record)
                wanted = sum(len(record.get(part, ())) for part in ("cast", "director", "writer"))
                if kind in {MOVIES, EPISODES, SHOWS}:
                    assert len(finding.item.credits or ()) == wanted, (path.name, record["label"])
                    assert finding.item.completeness is Completeness.FULL
                read += 1
    assert read > 800


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures of Kodi in {CAPTURES}")
def test_the_casts_of_captured_episodes_end_with_their_shows():
    """They are of a Kodi that leaves out of the show's cast whoever is in the episode's, with any role."""
    folder = CAPTURES / "kore" / "debug-assets"
    shows, episodes = (
        json.loads((folder / f"VideoLibrary.{name}.json").read_text("utf-8"))["result"]
        for name in ("GetTVShows", "GetEpisodes")
    )
    casts = {record["tvshowid"]: parse_cast(JsonRecord(record))[0] for record in shows["tvshows"]}
    for record in episodes["episodes"]:
        listed, _ = parse_cast(JsonRecord(record))
        assert seams(listed, casts[record["tvshowid"]], roles_matter=False), record["label"]


# Casts of episodes

WALTER, JESSE, SKYLER = Actor("Bryan", "Walter", 0), Actor("Aaron", "Jesse", 1), Actor("Anna", "Skyler", 2)
SHOW = [WALTER, JESSE, SKYLER]
TUCO, HECTOR = Actor("Raymond", "Tuco", 0), Actor("Mark", "Hector", 1)


@pytest.mark.parametrize(
    ("listed", "possible"),
    [
        ([TUCO, HECTOR, *SHOW], [2]),
        ([TUCO, *SHOW], [1, 2, 3, 4]),
        (SHOW, [0, 1, 2, 3]),
        ([*SHOW, Actor("Guest", "", 3)], [4]),
        ([*SHOW[:2], Actor("Guest", "", 2), SKYLER], [3, 4]),
        ([TUCO, Actor("Aaron", "Jesse", 5), WALTER, SKYLER], [2]),
        ([TUCO, Actor("Bryan", "Walter's twin", 1), *SHOW], [2]),
        ([TUCO, HECTOR], []),
        ([TUCO, HECTOR, *SHOW[:2]], []),
        ([TUCO, HECTOR, JESSE, WALTER, SKYLER], [3]),
        ([TUCO, HECTOR, WALTER, Actor("Aaron", "Jesse P.", 1), SKYLER], []),
        ([Actor("Mark", "", 3), Actor("Raymond", "", 1)], []),
        ([], []),
    ],
)
def test_where_an_episodes_own_cast_can_end(listed, possible):
    assert seams(listed, SHOW) == possible


def test_a_show_without_a_cast_leaves_the_episodes_alone():
    assert seams([TUCO, HECTOR], []) == [2]
    assert seams([], []) == [0]


def test_before_kodi_19_an_actor_of_both_stands_there_once_whatever_the_role():
    other = Actor("Bryan", "Heisenberg", 1)
    assert seams([TUCO, other, JESSE, SKYLER], SHOW, roles_matter=False) == [2, 3, 4]
    assert seams([TUCO, other, JESSE, SKYLER], SHOW) == []


def test_links_tell_where_the_lists_do_not():
    possible = seams(SHOW, SHOW)
    assert doubtful_names(SHOW, possible) == ["Bryan", "Aaron", "Anna"]
    assert seam_by_links(SHOW, possible, []) == 0
    assert seam_by_links(SHOW, possible, ["Bryan"]) == 1
    assert seam_by_links(SHOW, possible, ["Anna", "Aaron", "Bryan"]) == 3
    assert seam_by_links(SHOW, possible, ["Aaron"]) is None


def test_links_do_not_tell_one_role_of_an_actor_from_another():
    listed = [Actor("Bryan", "Heisenberg", 0), *SHOW]
    assert seam_by_links(listed, seams(listed, SHOW), ["Bryan"]) is None


actors = st.builds(
    Link, st.sampled_from("ABCD"), st.sampled_from(["", "x", "y"]), st.integers(0, 4), st.just("")
)
casts = st.lists(actors, max_size=6, unique_by=lambda link: link[:2]).map(
    lambda links: sorted(links, key=lambda link: link.order)
)
casts_before_19 = st.lists(actors, max_size=6, unique_by=lambda link: link[0]).map(
    lambda links: sorted(links, key=lambda link: link.order)
)


@given(st.data(), st.booleans())
def test_the_true_seam_is_always_among_the_possible_ones_and_never_missed_for_another(data, roles_matter):
    own, show = (data.draw(casts if roles_matter else casts_before_19) for _ in range(2))
    listed = [Actor(*link) for link in with_show_cast(own, show, roles_matter=roles_matter)]
    possible = seams(listed, [Actor(*link) for link in show], roles_matter=roles_matter)
    assert len(own) in possible
    linked = {link.name for link in own} & set(doubtful_names(listed, possible))
    assert seam_by_links(listed, possible, linked) in {len(own), None}


def test_a_cast_that_is_no_list_or_holds_no_actors_is_not_the_whole():
    for cast, noted in (
        ("Bryan", "the cast is not a list"),
        (None, "the cast is missing"),
        ([{"name": "Bryan"}, "Aaron"], "cast[1] is not an actor"),
        ([{"name": "Bryan"}, {"name": None}], "cast[1] is not an actor"),
        ([{"name": "Bryan"}, {"name": "Aaron", "role": 7}], "cast[1] is not an actor"),
        ([{"name": "Bryan"}, {"name": "Aaron", "order": "1"}], "cast[1] is not an actor"),
        ([{"name": "Bryan"}, {"name": "Aaron", "thumbnail": []}], "cast[1] is not an actor"),
    ):
        finding = movie(cast=cast)
        assert noted in finding.problems
        assert finding.item.change_token is None
        assert finding.item.completeness is (Completeness.PREVIEW if isinstance(cast, list) else None)
        assert bool(finding.item.credits) == isinstance(cast, list)


def test_a_crew_that_is_missing_makes_the_list_a_preview():
    actor = {"name": "Bryan", "role": "Walter", "order": 0}
    for crew, noted in (
        ({"director": None}, "the list of directors is missing"),
        ({"writer": "One"}, "writer is not a list"),
        ({"writer": [7]}, "writer[0] is a number, not a text"),
    ):
        finding = movie(cast=[actor], **crew)
        assert noted in finding.problems
        assert (finding.item.completeness, finding.item.change_token) == (Completeness.PREVIEW, None)
        assert people_of(finding.item) == [("actor", "Bryan", "Walter")]


def test_nobody_is_a_full_list():
    item = movie().item
    assert (item.credits, item.completeness) == ([], Completeness.FULL)
    assert item.change_token


def test_an_episode_whose_own_cast_is_not_known_is_a_preview_that_is_read_again():
    record = {"episodeid": 5, "title": "Down", "cast": [SHOW[0]._asdict()], "director": ["A"], "writer": []}
    finding = parse(EPISODES, record, OwnCast([WALTER], "it cannot be told"))
    assert finding.problems == ("it cannot be told",)
    assert (finding.item.completeness, finding.item.change_token) == (Completeness.PREVIEW, None)
    assert people_of(finding.item) == [("actor", "Bryan", "Walter"), ("director", "A", None)]


# Fields


def test_what_kodi_writes_for_nothing_is_nothing():
    item = movie(
        year=0,
        runtime=0,
        premiered="",
        originaltitle="",
        plot="",
        ratings={"default": {"default": True, "rating": 0.0, "votes": 0}},
        art={"icon": "image://DefaultVideo.png/"},
        dateadded="",
        uniqueid=None,
        imdbnumber="",
        file="",
    ).item
    nothing = item.model_dump(exclude={"media_type", "remote_id", "title", "change_token", "completeness"})
    assert not any(nothing.values())


def test_an_episode_without_numbers_and_a_special():
    def numbers(**fields):
        item = parse(EPISODES, {"episodeid": 1, "title": "E", "cast": [], **fields}).item
        return item.season_number, item.episode_number

    assert numbers(season=-1, episode=-1) == (None, None)
    assert numbers(season=0, episode=7) == (0, 7)


def test_a_season_is_named_as_kodi_shows_it_and_nothing_is_known_of_its_people():
    [record] = RECORDED["058-getseasondetails"].records("seasons")
    item = parse(SEASONS, record).item
    assert isinstance(item, Season)
    assert (item.remote_id, item.parent_remote_id) == ("season/3", "show/1")
    assert (item.title, item.season_number, item.credits) == ("Season 1", 1, None)
    assert item.completeness is None


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("2008-01-20", date(2008, 1, 20)),
        ("2008-01-20 00:00:00", date(2008, 1, 20)),
        ("1601-01-01", None),
        ("0000-00-00", None),
    ],
)
def test_dates(text, parsed):
    finding = movie(premiered=text)
    assert (finding.item.premiere_date, finding.problems) == (parsed, ())


def test_a_date_that_is_none_is_a_problem():
    finding = movie(premiered="2008-13-45")
    assert finding.item.premiere_date is None
    assert finding.problems == ("premiered '2008-13-45' is not a date",)


def test_times_are_of_the_zone_that_is_configured():
    summer = "2024-07-01 12:00:00"
    assert movie(dateadded=summer).item.added_at == summer
    berlin = ZoneInfo("Europe/Berlin")
    in_berlin = movie(dateadded=summer, zone=berlin).item.added_at
    assert in_berlin == datetime(2024, 7, 1, 12, tzinfo=berlin)
    assert in_berlin.utcoffset().total_seconds() == 7200
    assert movie(dateadded="some day", zone=berlin).item.added_at == "some day"
    assert movie(dateadded="2024-07-01 12:00:00+00:00", zone=berlin).item.added_at.utcoffset().seconds == 0


def test_ratings_begin_with_the_main_one_and_must_be_on_the_scale():
    finding = movie(
        ratings={
            "imdb": {"default": False, "rating": 7.9, "votes": 1200},
            "tmdb": {"default": True, "rating": 8.25, "votes": 0},
            "metacritic": {"default": False, "rating": 79, "votes": 30},
            "own": {"default": False, "rating": None},
            "none": 7,
        }
    )
    ratings = [(rating.name, rating.value, rating.votes) for rating in finding.item.ratings]
    assert ratings == [("tmdb", 8.25, 0), ("imdb", 7.9, 1200)]
    assert "ratings: 'metacritic': 79 is not a rating from 0 to 10" in finding.problems
    assert "ratings.none is a number, not an object" in finding.problems


def test_provider_ids():
    def ids(**fields):
        return movie(**fields).item.provider_ids

    assert ids(uniqueid={"imdb": "tt1", "tmdb": 603}, imdbnumber="603") == {"imdb": "tt1", "tmdb": "603"}
    assert ids(imdbnumber="tt0133093") == {"imdb": "tt0133093"}
    assert ids(imdbnumber="603") == {}
    assert ids(uniqueid={"unknown": "tt0133093"}) == {"imdb": "tt0133093"}
    assert ids(uniqueid={"unknown": "81189"}) == {"unknown": "81189"}


def test_secrets_in_paths_and_pictures_are_cut():
    item = movie(
        file="smb://me:geheim@nas/films/Heat.mkv",
        art={
            "poster": "image://smb%3a%2f%2fme%3ageheim%40nas%2fposter.jpg/",
            "fanart": "image://https%3a%2f%2fjelly.example%2fi.jpg%3fapi_key%3dgeheim/",
        },
    ).item
    assert item.path == "smb://nas/films/Heat.mkv"
    assert item.images == {
        "poster": "image://smb%3a%2f%2fnas%2fposter.jpg/",
        "fanart": "https://jelly.example/i.jpg",
    }


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("", None),
        ("DefaultFolder.png", None),
        ("https://image.tmdb.org/a.jpg", "https://image.tmdb.org/a.jpg"),
        ("image://http%3a%2f%2f8.8.8.8%2fa.jpg/", "http://8.8.8.8/a.jpg"),
        *(
            (local, local)
            for local in (
                "image://%2fmedia%2fHeat%2fposter.jpg/",
                "image://video@%2fmedia%2fHeat.mkv/",
                "image://http%3a%2f%2f192.168.1.7%3a8096%2fa.jpg/",
                "image://http%3a%2f%2fnas%2fa.jpg/",
                "image://http%3a%2f%2fnas.local%2fa.jpg/",
                "image://http%3a%2f%2f%5bfe80%3a%3a1%5d%2fa.jpg/",
                "image://https%3a%2f%2fa.example%2f%ff.jpg/",
                "special://profile/a.jpg",
            )
        ),
    ],
)
def test_references_to_pictures(text, reference):
    assert image_reference(text) == reference


def test_pictures_of_the_parents_are_not_the_items():
    record = {"episodeid": 1, "title": "E", "cast": [], "art": {"thumb": "a.jpg", "tvshow.poster": "b.jpg"}}
    assert parse(EPISODES, record).item.images == {"thumb": "a.jpg"}


# Change tokens


def test_a_token_covers_everything_that_is_asked_for():
    record = {name: f"some {name}" for name in MOVIES.properties} | {"movieid": 1, "label": "L"}
    token = change_token(essence(record, MOVIES.properties))
    for name in MOVIES.properties:
        assert change_token(essence({**record, name: "other"}, MOVIES.properties)) != token, name
    assert change_token(essence({**record, "playcount": 3, "label": "M"}, MOVIES.properties)) == token
    assert change_token(essence(dict(reversed(record.items())), MOVIES.properties)) == token
    assert change_token(essence(record, MOVIES.properties), ZoneInfo("Europe/Berlin")) != token


def test_a_token_of_an_item_without_a_title_covers_its_label():
    first, second = ({"seasonid": 1, "season": 1, "label": label} for label in ("Season 1", "Winter"))
    assert change_token(essence(first, SEASONS.properties)) != change_token(
        essence(second, SEASONS.properties)
    )


@pytest.mark.parametrize("value", [None, True, "1", 0, -1, 1.5])
def test_an_id_must_be_a_number(value):
    assert MOVIES.key({"movieid": value}) is None


def test_keys_are_taken_apart_again():
    assert MOVIES.id_of("movie/7") == 7
    assert [MOVIES.id_of(key) for key in ("movie/x", "show/7", "movie/", "movie", "movie/²")] == [None] * 5
