"""What is written as an NFO file is read as the same item, whatever its texts hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync import Completeness, Credit, Episode, Movie, Person, Rating, Season, Show
from mediasync.backends.nfo.folders import naming
from mediasync.exports.nfo_layout import (
    MAX_NAME_BYTES,
    episode_name,
    film_file,
    library_name,
    parts_of,
    root_of,
    safe_name,
    title_name,
)
from mediasync.formats.nfo.parse import parse_nfo
from mediasync.formats.nfo.writing import HEADER, write_item
from mediasync.models import AnyMediaItem, Library, zoned_or_text
from mediasync.vocabulary import MediaType, PersonType

HARD = [
    *(
        "A & B",
        "A, B",
        "Ada One / Bob Two",
        "x\ny",
        "&amp;",
        "<i>x</i>",
        "Director: Cy Three",
        "a\r\nb",
        "\t",
    ),
    *("\x01z", "Ada One (Writer)", "&#146;", "\x85 q", "1,234", "tt12345678", "]]>", "<!-- x -->", "\ufffe"),
    *("  leading", "Drama / Crime", "Sci-Fi; Fantasy", '"quoted"', "Tyler, The Creator", "100%", "a=b|c\\d"),
]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(HARD)
FILLED = TEXTS.filter(bool)
TRIMMED = TEXTS.map(str.strip).filter(bool)
LOWER = TRIMMED.map(lambda text: text.lower().strip()).filter(bool)
IDS = st.dictionaries(LOWER | st.sampled_from(["imdb", "tmdb", "tvdb", "tmdb-show"]), TRIMMED, max_size=3)
CREDITS = st.lists(
    st.builds(
        Credit,
        person=st.builds(
            Person,
            name=TRIMMED,
            provider_ids=IDS,
            image_path=st.none() | st.just("https://image.tmdb.org/t/p/a.jpg"),
        ),
        person_type=st.sampled_from([*PersonType, "Key Grip", "a=b c&d;", "Foley / Sound"]),
        role=st.none() | TRIMMED,
    ),
    max_size=5,
)
FIELDS: dict[str, Any] = {
    "remote_id": st.just("1"),
    "title": FILLED,
    **{
        name: st.none() | FILLED
        for name in ("original_title", "sort_title", "overview", "tagline", "content_rating")
    },
    "year": st.none() | st.integers(-(2**31) + 1, 2**31 - 1) | st.integers(1900, 2030),
    "premiere_date": st.none() | st.dates(),
    "runtime_seconds": st.none() | st.integers(-(2**31) + 1, 2**31 - 1) | st.integers(0, 20_000),
    "ratings": st.lists(
        st.builds(
            Rating,
            name=TRIMMED,
            value=st.floats(0, 10).map(lambda value: round(value, 4)),
            votes=st.none() | st.integers(0, 2**53),
        ),
        max_size=3,
    ),
    "genres": st.lists(TRIMMED, unique=True, max_size=3),
    "provider_ids": IDS,
    "added_at": st.none() | TRIMMED | st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1)),
    "credits": CREDITS,
    "completeness": st.sampled_from(Completeness),
}
NUMBER = st.none() | st.integers(0, 9_999)
EPISODES = st.builds(
    Episode, season_number=NUMBER, episode_number=NUMBER, episode_number_end=NUMBER, **FIELDS
)
ITEMS = st.one_of(
    st.builds(Movie, **FIELDS),
    st.builds(Show, **FIELDS),
    st.builds(Season, season_number=NUMBER, **FIELDS),
    EPISODES,
)
AS_STORED = (
    *("title", "original_title", "sort_title", "overview", "tagline", "content_rating", "year"),
    *("premiere_date", "runtime_seconds", "genres", "provider_ids"),
)


def credits_of(item: AnyMediaItem) -> list[tuple[Any, ...]]:
    return [
        (one.person.name, one.person_type, one.role, one.person.image_path, one.person.provider_ids)
        for one in item.credits or ()
    ]


@given(ITEMS)
def test_an_item_is_read_as_it_was_written(item: AnyMediaItem) -> None:
    if bool(item.credits) is not (item.completeness is not Completeness.NONE):
        item.completeness = Completeness.FULL
    [record] = parse_nfo((HEADER + write_item(item)).encode(), item.media_type)
    assert record.kind is item.media_type
    assert record.problems == []
    assert {name: getattr(record, name) for name in AS_STORED} == {
        name: getattr(item, name) for name in AS_STORED
    }
    assert [tuple(one) for one in record.ratings] == [
        (one.name, one.value, one.votes) for one in item.ratings
    ]
    assert record.added_at == item.added_at or zoned_or_text(record.added_at) == item.added_at
    for name, number in (
        ("season_number", record.season),
        ("episode_number", record.episode),
        ("episode_number_end", record.episode_end),
    ):
        assert getattr(item, name, None) == number
    assert (record.completeness or Completeness.NONE) == item.completeness
    read = [
        (one.name, one.person_type, one.role, one.image_path, one.provider_ids)
        for one in record.credits or ()
    ]
    assert read == credits_of(item)


@given(st.lists(EPISODES, min_size=2, max_size=3))
def test_several_episodes_in_one_file(episodes: list[AnyMediaItem]) -> None:
    text = HEADER + "".join(map(write_item, episodes))
    records = parse_nfo(text.encode(), MediaType.EPISODE)
    assert [record.title for record in records] == [episode.title for episode in episodes]
    assert [len(record.credits or ()) for record in records] == [len(one.credits or ()) for one in episodes]


def read(text: str) -> Any:
    [record] = parse_nfo(text.encode(), MediaType.MOVIE)
    return record


def test_whoever_edits_a_file_wins_over_its_marks() -> None:
    ada = Credit(
        person=Person(name="Ada / One", provider_ids={"x": "1"}), person_type="Key Grip", role="R&amp;D"
    )
    text = write_item(Movie(remote_id="1", title="A<b>c</b>", genres=["X / Y"], credits=[ada], year=12))
    record = read(text)
    assert (record.title, record.year, record.genres) == ("A<b>c</b>", 12, ["X / Y"])
    assert [(one.name, one.role) for one in record.credits] == [("Ada / One", "R&amp;D")]
    edited = (
        text.replace(">A&lt;b&gt;c&lt;/b&gt;<", ">Heat<")
        .replace(">12<", ">1995<")
        .replace(">X / Y<", ">Crime / Drama<")
        .replace(">Ada / One<", ">Bo Two<")
        .replace("</movie>", "<director>Cy Three</director></movie>")
    )
    record = read(edited)
    assert (record.title, record.year, record.genres) == ("Heat", 1995, ["Crime", "Drama"])
    assert [(one.name, str(one.person_type)) for one in record.credits] == [
        ("Bo Two", "Key Grip"),
        ("Cy Three", "director"),
    ]


def test_marks_count_only_in_a_file_that_an_export_wrote() -> None:
    text = (
        '<movie><title exact="Ran">Ran</title><director credit="billing=0">A One / B Two</director></movie>'
    )
    assert [one.name for one in read(text).credits] == ["A One", "B Two"]
    text = text.replace("<movie>", '<movie mediasync="full">')
    assert [one.name for one in read(text).credits] == ["A One / B Two"]


@pytest.mark.parametrize("mark", ["", "billing", "billing=x", "type=%00", "billing=99999999999", "=", "%%%"])
def test_a_damaged_mark_leaves_the_element_to_be_read_as_usual(mark: str) -> None:
    director = f'<director credit="{mark}">A One / B Two</director>'
    text = f'<movie mediasync="full"><title>Ran</title>{director}</movie>'
    assert [one.name for one in read(text).credits] == ["A One", "B Two"]


def test_no_mark_brings_what_no_database_stores() -> None:
    record = read(
        '<movie mediasync="full"><title exact="a%00b">ab</title><year exact="9e9">1995</year></movie>'
    )
    assert record.title == "ab"
    assert record.year == 1995


def test_an_empty_list_says_what_is_known() -> None:
    for completeness, credits_ in ((Completeness.FULL, []), (Completeness.NONE, None)):
        item = Movie(remote_id="1", title="Ran", credits=[], completeness=completeness)
        assert read(write_item(item)).credits == credits_


# Names


ANY = st.text(max_size=40) | st.sampled_from(
    ["..", ".", "", "CON", "a/b", "C:\\x", "\udcff", "ä" * 300, "Movies"]
)


@given(ANY, st.booleans())
def test_a_safe_name_is_one_name(text: str, portable: bool) -> None:
    name = safe_name(text, portable=portable)
    assert name not in {"", ".", ".."}
    assert not set(name) & set("/\0\n")
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not naming.is_hidden(name)
    assert safe_name(name, portable=portable) == name
    if portable:
        assert not set(name) & set('<>:"\\|?*')
        assert name == name.rstrip(" .")


@given(
    st.lists(ANY | st.sampled_from(["/", "\\", "C:\\", "//", "stack://", "smb://", " , "]), max_size=8).map(
        "".join
    ),
    st.lists(ANY, max_size=3).map("/".join),
)
def test_no_path_leads_out(path: str, other: str) -> None:
    parts = parts_of(path, root_of(*sorted([path, other])))
    for part in parts or ():
        assert part == safe_name(part)


def test_paths_of_all_systems() -> None:
    assert parts_of("/m/Heat (1995)/Heat.mkv", "/m/") == ["Heat (1995)", "Heat.mkv"]
    assert parts_of("\\\\nas\\films\\Heat.mkv", "\\\\nas\\") == ["films", "Heat.mkv"]
    assert parts_of("smb://nas/films/Heat.mkv", "") == ["smb", "nas", "films", "Heat.mkv"]
    assert parts_of("stack:///m/Heat-cd1.avi , /m/Heat-cd2.avi", "") == ["m", "Heat-cd1.avi"]
    assert parts_of("/m/" + "x" * 200 + "/y" * 2000, "/m/") is None
    assert root_of("/m/Heat/a.mkv", "/m/Heat/a.mkv") == "/m/Heat/"
    assert root_of("movies/A", "other/B") == ""
    assert film_file(["Ran", "BDMV", "index.bdmv"]) == ["Ran", "movie.nfo"]
    assert film_file(["Adaptation. (2002)"]) == ["Adaptation. (2002)", "movie.nfo"]


def test_names_by_titles() -> None:
    assert title_name(Movie(remote_id="1", title="BDMV")) == "_BDMV"
    assert title_name(Movie(remote_id="1", title=" \n ")) == "_"
    long = title_name(Movie(remote_id="1", title="x" * 1_000_000, year=1999))
    assert len(long) < 200
    assert long.endswith(" (1999)")
    assert title_name(Movie(remote_id="1", title="CON")) == "_CON"
    assert library_name(Library(id="1", source_id="home", title="Movies", kind="shows")) == "Movies (shows)"
    assert library_name(Library(id="a/b", source_id="home", kind="mixed")) == "a_b"
    assert episode_name(
        Episode(remote_id="1", title="", season_number=0, episode_number=3, episode_number_end=5)
    ) == ("S00E03-E05")
    assert episode_name(Episode(remote_id="1", title="")).startswith("Unnumbered ")
