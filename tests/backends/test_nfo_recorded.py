"""Whole recorded libraries, compared with what is known to be in them."""

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from nfo_reading import people, read

from mediasync.models import Episode, Movie, Season, Show
from mediasync.vocabulary import Completeness

DATA = Path(__file__).parent.parent / "data" / "nfo"
KODI = DATA / "kodi"
WRITTEN = DATA / "jellyfin-written"
MANIFEST = json.loads((KODI / "manifest.json").read_text("utf-8"))
TRUTH = json.loads((WRITTEN / "truth.json").read_text("utf-8"))

# Kodi's library, against its manifest

#: A film whose file is damaged.
BROKEN = "movies/Broken Nfo (2002)"


def cast_of(entry):
    """Return the manifest's cast in the normal order: by order and place, without a valid order last."""

    def key(actor):
        order = actor.get("order")
        last = order is None or order < 0
        return last, 0 if last else order

    cast = sorted(entry["cast"], key=key)
    return [("actor", actor["name"].strip(), (actor.get("role") or "").strip() or None) for actor in cast]


def people_of(entry):
    return [
        *(entry_ for entry_ in cast_of(entry) if entry_[1] or entry_[2]),
        *(("director", name, None) for name in entry.get("directors", ())),
        *(("writer", name, None) for name in entry.get("writers", ())),
    ]


def pictures_of(entry):
    return Counter((actor["name"].strip(), actor["thumb"]) for actor in entry["cast"] if actor.get("thumb"))


def pictures(item):
    shown = ((credit.person.name, credit.person.image_path) for credit in item.cast)
    return Counter(pair for pair in shown if pair[1])


async def test_every_film_of_kodi_is_read_as_its_manifest_says():
    reading = await read(KODI)
    films = {key for key, item in reading.items.items() if isinstance(item, Movie)} - {BROKEN}
    assert len(films) == len(MANIFEST["movies"]) == 42
    for entry in MANIFEST["movies"]:
        item = reading.items[unicodedata.normalize("NFC", f"movies/{entry['folder']}")]
        ids = {"imdb": entry["imdb"], "tmdb": str(entry["tmdb"])}
        assert (item.title, item.year, item.overview) == (entry["title"], entry["year"], entry["plot"])
        assert (item.provider_ids, item.genres) == (ids, entry["genres"])
        assert item.original_title == entry.get("original")
        assert item.runtime_seconds == 6000
        assert item.completeness is Completeness.FULL
        assert people(item) == people_of(entry), entry["title"]
        assert pictures(item) == pictures_of(entry), entry["title"]
        assert item.path is not None
        assert item.path.endswith(".mkv")


async def test_every_show_and_episode_of_kodi_is_read_as_its_manifest_says():
    items = (await read(KODI)).items
    shows = {item.title: item for item in items.values() if isinstance(item, Show)}
    assert len(shows) == len(MANIFEST["tvshows"]) == 5
    for entry in MANIFEST["tvshows"]:
        show = shows[entry["title"]]
        assert show.year == entry["year"]
        assert (show.provider_ids["imdb"], show.provider_ids["tvdb"]) == (entry["imdb"], str(entry["tvdb"]))
        assert people(show) == people_of(entry)
        for told in entry["episodes"]:
            season = f"{show.remote_id}#s{told['season']:02}"
            [episode] = [
                item
                for item in items.values()
                if isinstance(item, Episode)
                and item.parent_remote_id == season
                and item.episode_number == told["episode"]
            ]
            assert (episode.title, episode.season_number) == (told["title"], told["season"])
            assert people(episode) == people_of(told)
            assert pictures(episode) == pictures_of(told)
            assert isinstance(items[season], Season)
            assert items[season].parent_remote_id == show.remote_id


async def test_what_kodi_lists_wrongly_is_named():
    reading = await read(KODI)
    assert reading.unreadable == {}
    [problem] = reading.problems[BROKEN]
    assert problem.startswith(f"{BROKEN}/movie.nfo: line 1: <name> is not closed")
    broken = reading.items[BROKEN]
    assert (broken.title, people(broken)) == ("Broken Nfo", [("actor", "Someone", None)])
    assert (broken.completeness, broken.change_token) == (Completeness.PREVIEW, None)
    assert reading.remarks == {
        "movies/No Nfo At All (2001)/No Nfo At All (2001).mkv": "a video without an NFO file"
    }
    assert [(library.id, library.kind) for library in reading.libraries] == [
        ("movies", "movies"),
        ("tvshows", "shows"),
    ]


async def test_local_artwork_of_kodi_is_found():
    godfather = (await read(KODI)).items["movies/The Godfather (1972)"]
    assert godfather.images["poster"] == "movies/The Godfather (1972)/poster.jpg"


# What Jellyfin wrote, against what it read back

#: Where the backend rightly differs from what the server read back, and why.
PEOPLE_BETTER_THAN_TRUTH = {
    # The server keeps "Writer One / Writer Two" as another person beside the two.
    "movies/Every Kind of Credit (2020)": {("writer", "Writer One / Writer Two", None)},
}
#: The server returned no ids for these films, although their files have a <tmdbid>.
IDS_BETTER_THAN_TRUTH = {
    "movies/Every Kind of Credit (2020)": {"tmdb": "9990001"},
    "movies/Two Roles One Person (2021)": {"tmdb": "9990002"},
    "movies/Same Name A (2022)": {"tmdb": "9990003"},
    "movies/Same Name B (2022)": {"tmdb": "9990004"},
    "movies/Hard Names (2023)": {"tmdb": "9990005"},
    "movies/Big Cast (2024)": {"tmdb": "9990006"},
    "movies/Out of Order (2025)": {"tmdb": "9990007"},
}


def truth_people(entry):
    kinds = {"GuestStar": "guest_star"}
    return [
        (kinds.get(one["type"], one["type"].lower()), one["name"], one["role"] or None)
        for one in entry["people"]
    ]


def key_of(path, kind, items):
    """Return the key of the item that the server knows by the path of its video or folder."""
    if kind == "Movie":
        folder = path.rpartition("/")[0]
        return folder if folder in items else path.removesuffix(".mkv")
    if kind == "Episode":
        stem = path.removesuffix(".mkv")
        [key] = [key for key in items if key.startswith(f"{stem}#")]
        return key
    if kind == "Season":
        show, _, season = path.rpartition("/")
        return f"{show}#s{int(season.removeprefix('Season ')):02}"
    return path


async def test_every_file_that_jellyfin_wrote_is_read_as_jellyfin_reads_it():
    reading = await read(WRITTEN)
    items = reading.items
    assert len(items) == len(TRUTH) + 1  # "No Seasons" has a season here, made from its episode
    assert "tvshows/No Seasons (2013)#s01" in items
    assert (reading.unreadable, reading.problems) == ({}, {})
    for path, entry in TRUTH.items():
        key = key_of(path, entry["type"], items)
        item = items[key]
        surplus = PEOPLE_BETTER_THAN_TRUTH.get(key, set())
        expected = [one for one in truth_people(entry) if one not in surplus]
        assert people_by_type(people(item)) == people_by_type(expected), key
        ids = {name.lower(): value for name, value in entry["provider_ids"].items()}
        assert item.provider_ids == ids | IDS_BETTER_THAN_TRUTH.get(key, {}), key
        assert item.completeness is Completeness.FULL
        assert (item.title, item.year) == (entry["name"], entry["year"])
        assert getattr(item, "season_number", None) == entry["season"]
        assert getattr(item, "episode_number", None) == entry["episode"]
        assert getattr(item, "episode_number_end", None) == entry["episode_end"]


def people_by_type(entries):
    """Return the people of each type in order: the server lists guest stars last, the file may not."""
    by_type = {}
    for kind, name, role in entries:
        by_type.setdefault(kind, []).append((name, role))
    return by_type


# Hard films, and odd folders

HARD = DATA / "jellyfin-hard"
ODD = DATA / "jellyfin-odd"


async def test_hard_films_lose_nothing():
    reading = await read(HARD)
    assert [(library.id, library.kind) for library in reading.libraries] == [(".", "movies")]
    assert len(reading.items) == 7
    assert (reading.unreadable, reading.remarks, reading.problems) == ({}, {}, {})
    items = {item.title: item for item in reading.items.values()}
    assert people(items["Every Kind of Credit"]) == [
        ("actor", "Lead Player", "The Lead"),
        ("actor", "Second Player", None),
        ("actor", "Third Player", None),
        ("guest_star", "Guest Player", "The Visitor"),
        ("director", "Director One", None),
        ("director", "Director Two", None),
        ("writer", "Writer One", None),
        ("writer", "Writer Two", None),
        ("writer", "Credit One", None),
        ("writer", "Director One", None),
        ("producer", "Money Person", "Executive Producer"),
        ("composer", "Score Person", "Composer"),
        ("editor", "Cut Person", "Editor"),
        ("Grip", "Odd Person", "Key Grip"),
    ]
    ids = [credit.person.provider_ids for credit in items["Every Kind of Credit"].credits]
    assert ids[0] == {"tmdb": "501", "imdb": "nm0000501"}
    assert ids[4:6] == [{"tmdb": "601"}, {}]
    assert people(items["Two Roles One Person"]) == [
        ("actor", "Double Player", "First Twin"),
        ("actor", "Double Player", "Second Twin"),
        ("director", "Double Player", None),
        ("writer", "Double Player", None),
        ("producer", "Double Player", "Stunts"),
    ]
    same = [items[f"Same Name {letter}"].credits[0].person for letter in "AB"]
    assert [(person.name, person.provider_ids["tmdb"]) for person in same] == [
        ("John Homonym", "701"),
        ("John Homonym", "702"),
    ]
    order = [(name, role) for _, name, role in people(items["Out of Order"])]
    assert order == [("First Billed", "a"), ("Second Billed", "b"), ("Third Billed", "c"), ("No Order", "d")]
    crowd = [(name, role) for _, name, role in people(items["Big Cast"])]
    assert crowd == [(f"Crowd Member {number:03}", f"Face {number}") for number in range(150)]


async def test_hard_names_come_as_they_are():
    items = (await read(HARD)).items
    names = [(name, role) for _, name, role in people(items["Hard Names (2023)"])]
    assert names[:13] == [
        ("Ólafur Darri Ólafsson", "Jón"),
        ("Olafur Darri Olafsson", "Jon"),
        ("三船 敏郎", "侍"),
        ("Name with & ampersand", "R & D"),
        ("Spaced   Out", "padded role"),
        ("slash/name", "a/b"),
        ("pipe|name", "a|b"),
        ("UPPER CASE", None),
        ("upper case", None),
        ("", "Nobody"),
        ("Emoji 😀 Person", "😀"),
        ("<b>Bold</b>", "<i>"),
        ("عمر الشريف", "شريف"),
    ]
    [long] = names[13:]
    assert set(long[0]) == {"x"}
    assert set(long[1]) == {"y"}
    assert (len(long[0]), len(long[1])) == (300, 1200)


async def test_odd_folders_give_each_film_and_episode_once():
    reading = await read(ODD)
    assert (reading.unreadable, reading.remarks, reading.problems) == ({}, {}, {})
    movies, shows = "movies", "tvshows/Odd Show (2014)"
    items = reading.items
    assert {key for key, item in items.items() if isinstance(item, Movie)} == {
        f"{movies}/Loose Film (2015)",
        f"{movies}/Part One (2016)",
        f"{movies}/Set One (2011)",
        f"{movies}/Set Two (2012)",
        f"{movies}/Two Versions (2019)",
        f"{movies}/With Extras (2018)",
    }
    assert people(items[f"{movies}/Two Versions (2019)"]) == [("actor", "Version Player", "HD")]
    double = f"{shows}/Season 01/Odd Show S01E01-E02"
    assert [key for key in items if key.startswith(shows)] == [
        shows,
        f"{shows}#s00",
        f"{shows}#s01",
        f"{shows}/Odd Show 2014.12.24#s01e24",
        f"{shows}/Season 00/Odd Show S00E01#s00e01",
        f"{double}#s01e01",
        f"{double}#s01e02",
        f"{shows}/Season 01/Odd Show S01E03#s01e03",
    ]
    assert people(items[f"{double}#s01e01"]) == [("guest_star", "First Half", "A")]
    assert people(items[f"{double}#s01e02"]) == [("guest_star", "Second Half", "B")]
    assert items[f"{double}#s01e02"].title == "Double Two"
    assert people(items[f"{shows}#s01"]) == [("actor", "Season Player", "SP")]
    assert items[f"{shows}#s01"].title == "The First"
    assert people(items[shows]) == [("actor", "Show Lead", "Lead"), ("guest_star", "Show Guest", "G")]
    flat = "tvshows/No Seasons (2013)"
    made = items[f"{flat}#s01"]
    assert (made.title, made.credits) == ("Season 1", None)
    assert items[f"{flat}/No Seasons 1x01#s01e01"].parent_remote_id == f"{flat}#s01"


@pytest.mark.parametrize("root", [KODI, WRITTEN, HARD, ODD])
async def test_an_unchanged_library_is_not_opened(root, monkeypatch):
    first = await read(root)

    def refuse(*_arguments):
        raise AssertionError("a file was opened")

    if BROKEN not in first.items:
        monkeypatch.setattr("mediasync.backends.nfo.loading.read_file", refuse)
    second = await read(root, first.tokens)
    assert set(second.unchanged) == set(first.tokens)
    assert set(second.items) == set(first.items) - set(first.tokens)
    made = [item for key, item in second.items.items() if key != BROKEN]
    assert all(item.change_token is None and item.credits is None for item in made)
