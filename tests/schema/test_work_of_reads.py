"""How much a read does: the queries of a page, and the rows that a search looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.items import MOVIES, cast, movie, person

from mediasync import MediaSync
from mediasync.database.postgres.connection import PostgresSession
from mediasync.database.sqlite.connection import SQLiteSession
from mediasync.repositories import item_reading, person_reading
from mediasync.repositories.search import RARE


async def names(ms: MediaSync, text: str, **options: Any) -> list[str]:
    return [found.name for found in await ms.people.search(text, **options)]


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
    asked: list[str] = []
    for kind in (SQLiteSession, PostgresSession):
        fetch_all = kind.fetch_all

        async def noted(self: Any, sql: str, params: Any = None, fetch_all: Any = fetch_all) -> Any:
            asked.append(sql)
            return await fetch_all(self, sql, params)

        monkeypatch.setattr(kind, "fetch_all", noted)
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

    monkeypatch.setattr(person_reading, "words_of_name", noted(person_reading.words_of_name))
    monkeypatch.setattr(item_reading, "words_of_title", noted(item_reading.words_of_title))
    assert await names(ms, "kar ren mil") == ["Rene Kara Milo", "Karamel Renegade Milonga"]
    assert await names(ms, "kar ren", limit=1) == ["Kara Rene"]
    assert await names(ms, "kar ren", offset=1, source_id="home") == given[-2:]
    found = await ms.media.find_by_title("kar ren mil")
    assert [item.title for item in found] == ["Rene Kara Milo", "Karamel Renegade Milonga"]
    assert await names(ms, "kara rene smith") == []
    assert len(looked_at) < 2 * common
