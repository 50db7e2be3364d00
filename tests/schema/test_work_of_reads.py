"""How much a read does: the queries of a page, and the rows that a search looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, person, season, show

from mediasync import FindQuery, MediaSync
from mediasync.database.postgres.connection import PostgresSession
from mediasync.database.sqlite.connection import SQLiteSession
from mediasync.repositories import item_reading, person_reading
from mediasync.repositories.search import RARE


async def names(ms: MediaSync, text: str, **options: Any) -> list[str]:
    return [found.name for found in await ms.people.search(text, **options)]


def noting_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which every statement that reads is added from now on."""
    asked: list[str] = []
    for kind in (SQLiteSession, PostgresSession):
        fetch_all = kind.fetch_all

        async def noted(self: Any, sql: str, params: Any = None, fetch_all: Any = fetch_all) -> Any:
            asked.append(sql)
            return await fetch_all(self, sql, params)

        monkeypatch.setattr(kind, "fetch_all", noted)
    return asked


async def test_a_page_takes_two_queries_and_an_item_one(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [
        movie(
            str(n),
            credits=cast("a", "b"),
            genres=["Drama", "Comedy"],
            provider_ids={"tmdb": "1", "imdb": "tt1"},
            ratings=[{"name": "imdb", "value": 7.5, "votes": 3}, {"name": "other", "value": 5}],
            images={"poster": "p", "fanart": "f"},
        )
        for n in range(100)
    ]
    await ms.media.save_media_items(full, **MOVIES)
    asked = noting_statements(monkeypatch)
    found = await ms.media.find_media_items([f"home:{n}" for n in range(100)])
    assert len(asked) == 2
    assert found[0].genres == ["Drama", "Comedy"]
    assert list(found[0].provider_ids) == ["imdb", "tmdb"]
    assert [(one.name, one.value, one.votes) for one in found[0].ratings] == [
        ("imdb", 7.5, 3),
        ("other", 5, None),
    ]
    assert list(found[0].images.items()) == [("fanart", "f"), ("poster", "p")]
    asked.clear()
    assert await ms.media.get_media_item("home:1") == found[1]
    assert len(asked) == 1


async def test_search_for_common_words_reads_only_the_few_people_with_all_of_them(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = RARE + 50
    given = [f"{first}{n} Smith" for first in ("Kara", "Rene", "Milo") for n in range(common)]
    given += ["Kara Rene", "Rene Kara Milo", "Karamel Renegade Milonga"]
    await ms.media.upsert_people([person(f"{n}", name) for n, name in enumerate(given)], source_id="home")
    await ms.media.save_media_items(
        [movie(f"{n}", title=name.replace("Smith", "Street")) for n, name in enumerate(given)], **MOVIES
    )
    looked_at: list[str] = []

    def noted(fold: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
        return lambda text: looked_at.append(text) or fold(text)  # type: ignore[func-returns-value]

    monkeypatch.setattr(person_reading, "searchable_words", noted(person_reading.searchable_words))
    monkeypatch.setattr(item_reading, "searchable_words", noted(item_reading.searchable_words))
    assert await names(ms, "kar ren mil") == ["Rene Kara Milo", "Karamel Renegade Milonga"]
    assert await names(ms, "kar ren", limit=1) == ["Kara Rene"]
    assert await names(ms, "kar ren", offset=1, source_id="home") == given[-2:]
    found = await ms.media.find_by_title("kar ren mil")
    assert [item.title for item in found] == ["Rene Kara Milo", "Karamel Renegade Milonga"]
    assert await names(ms, "kara rene smith") == []
    assert len(looked_at) < 2 * common


async def test_each_answer_about_works_takes_one_to_three_statements(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bo, director = credit("a", "Ann"), credit("b", "Bo"), credit("d", "Di", kind="director")
    await ms.media.save_media_items([movie(f"{n}", credits=[ann, bo, director]) for n in range(3)], **MOVIES)
    parts = [episode(f"s-1-{n}", "s-1", n, season_number=1, credits=[ann, bo]) for n in range(1, 4)]
    await ms.media.save_media_items([show("s"), season("s-1", "s"), *parts], **SHOWS)
    asked = noting_statements(monkeypatch)
    library = ms.library
    for ask, statements in (
        (lambda: library.filmography("home:a"), 3),
        (lambda: library.filmography("home:a", by="credit"), 3),
        (lambda: library.show_cast("home:s"), 2),
        (lambda: library.season_cast("home:s-1"), 2),
        (lambda: library.find(FindQuery(with_people=["home:a", "home:b"])), 1),
        (lambda: library.costars("home:a"), 2),
        (lambda: library.top("actor"), 2),
        (lambda: library.pairs("director", "actor"), 3),
    ):
        asked.clear()
        assert await ask()
        assert len(asked) == statements, asked
