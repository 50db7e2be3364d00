"""Every answer of a mirror takes one to three statements, whatever its size."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.engines import POSTGRES, SQLITE_FILE
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, season, show
from support.mirror import prepared

from mediasync import ItemFilter, MediaSync, PersonFilter
from mediasync.database.postgres.connection import PostgresSession
from mediasync.database.sqlite.connection import SQLiteSession
from mediasync.library.answers import LibraryReads
from mediasync.library.lists import LibraryLists
from mediasync.library.media import MediaReads
from mediasync.library.people import PeopleReads

MANY = 230
IDS = [f"home:{n}" for n in range(MANY)]

Calls = dict[str, Callable[[MediaSync], Awaitable[Any]]]

MEDIA: Calls = {
    "find_source": lambda ms: ms.media.find_source("home"),
    "list_sources": lambda ms: ms.media.list_sources(),
    "list_libraries": lambda ms: ms.media.list_libraries("home"),
    "get_media_item": lambda ms: ms.media.get_media_item("home:0"),
    "get_media_item of many credits": lambda ms: ms.media.get_media_item("home:large"),
    "find_media_items": lambda ms: ms.media.find_media_items(IDS),
    "find_media_items, few": lambda ms: ms.media.find_media_items(IDS[:3]),
    "find_by_title": lambda ms: ms.media.find_by_title("Same Title", limit=MANY),
    "find_by_provider_id": lambda ms: ms.media.find_by_provider_id("tmdb", "1"),
    "list_children": lambda ms: ms.media.list_children("home:s1"),
    "find_watermark": lambda ms: ms.media.find_watermark("home"),
    "count_by_library": lambda ms: ms.media.count_by_library(),
    "count_credits": lambda ms: ms.media.count_credits(),
}
PEOPLE: Calls = {
    "find_by_id": lambda ms: ms.people.find_by_id("home:a"),
    "find_by_id of an alias": lambda ms: ms.people.find_by_id("home:name:ann lee"),
    "find_by_media_item": lambda ms: ms.people.find_by_media_item("home:0"),
    "find_by_media_item of many credits": lambda ms: ms.people.find_by_media_item("home:large"),
    "find_by_media_items": lambda ms: ms.people.find_by_media_items([*IDS, "home:large"]),
    "filmography": lambda ms: ms.people.filmography("home:a"),
    "search": lambda ms: ms.people.search("lee ann"),
    "count": lambda ms: ms.people.count("home"),
}
FULL = ItemFilter(source_id="home", genre="Drama", year_from=1990, with_people="home:a", media_types="movie")
LIBRARY: Calls = {
    "find_items": lambda ms: ms.library.find_items(IDS),
    "find_people": lambda ms: ms.library.find_people([f"home:l{n}" for n in range(MANY)]),
    "list_items": lambda ms: ms.library.list_items(limit=1_000, with_total=True),
    "list_items, filtered": lambda ms: ms.library.list_items(FULL, sort="added", limit=9, with_total=True),
    "list_people": lambda ms: ms.library.list_people(limit=1_000, with_total=True),
    "list_people, filtered": lambda ms: ms.library.list_people(
        PersonFilter(source_id="home", person_type="actor", min_works=1), with_total=True
    ),
    "list_cast": lambda ms: ms.library.list_cast("home:large", limit=1_000, with_total=True),
    "find_by_provider_id": lambda ms: ms.library.find_by_provider_id("tmdb", "1"),
    "count_items": lambda ms: ms.library.count_items(FULL),
    "count_people": lambda ms: ms.library.count_people(PersonFilter(source_id="home")),
    "count_items_by": lambda ms: ms.library.count_items_by("library", FULL),
}
SEARCHES: Calls = {
    "find_by_title, words": lambda ms: ms.media.find_by_title("titl sam", limit=MANY),
    "search, common words": lambda ms: ms.people.search("perso c1"),
}
"""A search by words counts the words first, and then reads what it found."""

IN_PAGES = {"iter_media_items", "iter_items", "iter_people", "find_change_tokens"}
"""They read everything page by page."""


@pytest.fixture
async def asked(ms: MediaSync, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that are asked of a mirror with some hundred items."""
    await prepared(ms)
    ann = credit(None, "Ann Lee", provider_ids={"tmdb": "7"})
    movies = [
        movie(str(n), title="Same Title", year=1990 + n % 9, genres=["Drama"], provider_ids={"tmdb": "1"},
              credits=cast("a", "b", *(f"c{n}-{k}" for k in range(12))))
        for n in range(MANY)
    ]  # fmt: skip
    large = movie("large", title="Large", credits=[*cast(*(f"l{n}" for n in range(2_100))), ann])
    await ms.media.save_media_items([*movies, large], **MOVIES)
    episodes = [episode(f"e{n}", parent="s1", episode_number=n, credits=cast("a")) for n in range(MANY)]
    await ms.media.save_media_items([show("s"), season("s1", parent="s"), *episodes], **SHOWS)
    found: list[str] = []
    for kind in (SQLiteSession, PostgresSession):
        for name in ("fetch_all", "fetch_many"):
            real = getattr(kind, name)

            async def noted(self: Any, sql: str, params: Any = None, real: Any = real) -> Any:
                found.append(sql)
                return await real(self, sql, params)

            monkeypatch.setattr(kind, name, noted)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("engine", [SQLITE_FILE, POSTGRES], ids=lambda engine: engine.name)
async def test_every_answer_takes_one_to_three_statements(ms: MediaSync, asked: list[str]) -> None:
    for group, most in ((MEDIA, 3), (PEOPLE, 3), (LIBRARY, 3), (SEARCHES, 5)):
        for name, call in group.items():
            asked.clear()
            answer = await call(ms)
            assert answer is not None, name
            assert answer not in ([], {}), f"{name} finds something"
            assert 1 <= len(asked) <= most, (name, len(asked))
    assert len(await ms.media.find_media_items(IDS)) == MANY
    assert len(await ms.people.find_by_media_item("home:large")) == 2_101


def test_every_call_that_reads_is_counted() -> None:
    services = ((MEDIA, [MediaReads]), (PEOPLE, [PeopleReads]), (LIBRARY, [LibraryReads, LibraryLists]))
    for calls, classes in services:
        methods = {
            name
            for one in classes
            for name, _ in inspect.getmembers(one, inspect.isfunction)
            if not name.startswith("_")
        }
        assert {name.split(",")[0].split(" of ")[0] for name in calls} == methods - IN_PAGES
