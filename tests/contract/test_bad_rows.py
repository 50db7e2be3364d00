"""Rows that another program changed: reading one never fails its page, and a check lists it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from support.engines import Engine
from support.items import MOVIES, cast, credit, movie, person
from support.mirror import prepared, write

from mediasync import MediaSync, copy_mirror
from mediasync.errors import DatabaseError

CHANGES = {
    "UPDATE media_item SET year = 10000000000 WHERE id = 'home:2'": "",
    "UPDATE media_item SET media_type = 'zzz' WHERE id = 'home:2'": "zzz",
    "UPDATE media_item SET premiere_date = '2020-13-45' WHERE id = 'home:2'": "premiere_date",
    "UPDATE media_item SET remote_id = '' WHERE id = 'home:2'": "remote_id",
    "UPDATE item_rating SET value = 55": "value",
    "UPDATE item_rating SET votes = -1": "votes",
    "UPDATE item_rating SET value = 'NaN'": "value",
    "UPDATE item_rating SET value = '-Infinity'": "value",
    "UPDATE credit SET sort_order = 1000000000000 WHERE sort_order = 1": "",
    "UPDATE source SET kind = 'Z Z'": "kind",
    "UPDATE library SET kind = 'zzz' WHERE id = 'home:movies'": "kind",
}
OF_SQLITE = {
    "UPDATE media_item SET added_at = 9000000000000000000 WHERE id = 'home:2'": "added_at",
    "UPDATE media_item SET year = 1999.5 WHERE id = 'home:2'": "year",
    "UPDATE media_item SET year = 'x' WHERE id = 'home:2'": "year",
    "UPDATE media_item SET runtime_seconds = 5400.7 WHERE id = 'home:2'": "runtime_seconds",
    "UPDATE media_item SET created_at = 'x' WHERE id = 'home:2'": "",
    "UPDATE media_item SET year = 1e999 WHERE id = 'home:2'": "year",
    "UPDATE media_item SET updated_at = -1e999 WHERE id = 'home:2'": "",
    "UPDATE item_rating SET value = 1e999": "value",
    "UPDATE credit SET role = 1e999": "",
    "UPDATE credit SET sort_order = 1e999 WHERE sort_order = 1": "",
    "UPDATE source SET created_at = 1e999": "",
    "UPDATE library SET updated_at = -1e999": "",
    "UPDATE media_item SET title = x'ff00' WHERE id = 'home:2'": "",
    "UPDATE media_item SET overview = CAST(x'ff41' AS TEXT) WHERE id = 'home:2'": "",
    "UPDATE media_item SET id = CAST(id AS BLOB) WHERE id = 'home:2'": "",
    "UPDATE item_genre SET name = x'ff' WHERE item_key = (SELECT max(item_key) FROM item_genre)": "",
    "UPDATE person SET name = x'ff'": "",
    "UPDATE credit SET role = x'ff'": "",
    "UPDATE credit SET person_type = 7": "",
    "UPDATE person_external_id SET value = x'ff'": "",
    "UPDATE person_external_id SET value = CAST(x'ff41' AS TEXT)": "",
}


@pytest.mark.parametrize("change", [*CHANGES, *OF_SQLITE])
async def test_one_bad_row_never_fails_its_page(
    ms: MediaSync, engine: Engine, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    if change in OF_SQLITE and not engine.is_sqlite:
        pytest.skip("the columns of PostgreSQL hold nothing else")
    items = [
        movie(
            str(number),
            genres=["Drama"],
            ratings=[{"name": "imdb", "value": 7, "votes": 3}],
            provider_ids={"imdb": "tt1"},
            credits=[credit("a", role="A", provider_ids={"imdb": "nm1"}), credit("b", role="B")],
        )
        for number in range(4)
    ]
    await ms.media.save_media_items(items, **MOVIES)
    await write(ms, change)
    field = {**CHANGES, **OF_SQLITE}[change]
    with caplog.at_level(logging.WARNING, "mediasync"):
        ids = [f"home:{number}" for number in range(4)]
        found = {item.id for item in await ms.media.find_media_items(ids)}
        iterated = {item.id async for item in ms.media.iter_media_items("home:movies")}
        by_id = {item.id for item in await ms.media.find_by_provider_id("imdb", "tt1")}
        assert found == iterated == by_id
        assert len(found) >= 3
        assert len(await ms.people.filmography("home:a")) >= 3
        await ms.people.search("person")
        await ms.media.find_change_tokens("home:movies")
        await ms.media.list_sources()
        await ms.media.list_libraries()
        await ms.media.count_by_library()
    if field:
        assert any(field in record.getMessage() for record in caplog.records)
        assert any(field in flaw.reason for flaw in (await ms.check()).flaws if flaw.check == "values")
    report = await ms.media.save_media_items(items, **MOVIES)
    assert report.failed == []
    await ms.people.upsert(person("a", "Renamed", provider_ids={"imdb": "nm1"}), source_id="home")
    saved = await ms.people.find_by_id("home:a")
    assert saved is not None
    assert (saved.name, saved.provider_ids) == ("Renamed", {"imdb": "nm1"})


DAMAGED_CHANGES = {
    "UPDATE change SET changed_at = 9000000000000000000 WHERE number = :n": ("changed_at", "at"),
    "UPDATE change SET before = '{' WHERE number = :n": ("JSON", "before"),
    "UPDATE change SET before = '[1]' WHERE number = :n": ("JSON", "before"),
    "UPDATE change SET entity = 'zzz' WHERE number = :n": ("zzz", None),
    "UPDATE change SET what = 'zzz' WHERE number = :n": ("zzz", None),
}


@pytest.mark.parametrize("damage", DAMAGED_CHANGES)
@pytest.mark.parametrize("behind", [0, 600], ids=["last", "before a page"])
async def test_a_damaged_change_hides_no_other(
    ms: MediaSync, damage: str, behind: int, caplog: pytest.LogCaptureFixture
) -> None:
    said, field = DAMAGED_CHANGES[damage]
    await ms.media.save_media_item(movie("1"), **MOVIES)
    start = await ms.newest_change()
    await ms.media.save_media_item(movie("1", title="Damaged"), **MOVIES)
    await ms.media.save_media_items([movie(f"a{n}") for n in range(behind)], **MOVIES)
    whole = [change async for change in ms.changes(after=start, follow=False)]
    await write(ms, damage, n=start + 1)
    with caplog.at_level(logging.WARNING, "mediasync"):
        found = [change async for change in ms.changes(after=start, follow=False)]
    left = [] if field is None else [replace(whole[0], **{field: {"at": None, "before": {}}[field]})]
    assert found == [*left, *whole[1:]]
    messages = [record.getMessage() for record in caplog.records]
    assert any(f"change {start + 1}: " in message and said in message for message in messages)
    [flaw] = [flaw for flaw in (await ms.check()).flaws if flaw.check == "values"]
    assert flaw.subject == f"change {start + 1}"
    assert said in flaw.reason


async def test_paging_ends_when_ids_are_not_texts(ms: MediaSync, engine: Engine) -> None:
    if not engine.is_sqlite:
        pytest.skip("the columns of PostgreSQL hold nothing else")
    keys = [f"{number:03}" for number in range(300)]
    await ms.media.save_media_items(map(movie, keys), **MOVIES)
    await write(ms, "UPDATE media_item SET id = CAST(id AS BLOB) WHERE id > 'home:120'")
    async with asyncio.timeout(20):
        iterated = [item.id async for item in ms.media.iter_media_items("home:movies")]
        tokens = await ms.media.find_change_tokens("home:movies")
    assert iterated == [f"home:{key}" for key in keys[:121]]
    assert set(tokens) == set(keys)


@pytest.mark.parametrize("table", ["item_word", "person_word"])
async def test_a_check_ends_when_words_are_not_texts(ms: MediaSync, engine: Engine, table: str) -> None:
    if not engine.is_sqlite:
        pytest.skip("the columns of PostgreSQL hold nothing else")
    await ms.media.save_media_item(movie("1", title="Some Title", credits=cast("a")), **MOVIES)
    await write(ms, f"UPDATE {table} SET word = CAST(word AS BLOB) WHERE word LIKE '%e%'")
    async with asyncio.timeout(20):
        assert (await ms.check()).flaws


async def test_a_mirror_with_ids_that_are_not_texts_is_not_copied(tmp_path: Path) -> None:
    origin, target = (f"sqlite:///{tmp_path / name}" for name in ("origin.db", "target.db"))
    async with MediaSync(origin) as ms:
        await prepared(ms)
        await ms.media.save_media_item(movie("1"), **MOVIES)
        await write(ms, "UPDATE media_item SET id = CAST(id AS BLOB)")
    async with asyncio.timeout(20):
        with pytest.raises(DatabaseError):
            await copy_mirror(origin, target)


async def test_a_check_lists_values_longer_than_a_save_allows(ms: MediaSync) -> None:
    """An older version stored it; a save of the same value fails now."""
    await ms.media.save_media_item(
        movie("1", genres=["Drama"], provider_ids={"imdb": "tt1"}, credits=cast("a", "b")), **MOVIES
    )
    fits, long = "é" * 500, "é" * 501
    name, genre = "UPDATE person SET name = :text WHERE id = 'home:b'", "UPDATE item_genre SET name = :text"
    value = "UPDATE item_external_id SET value = :text"
    provider = "UPDATE item_external_id SET provider = :text"
    key = "UPDATE media_item SET remote_id = :text"
    for statement in (name, genre, value):
        await write(ms, statement, text=fits)
    assert [flaw for flaw in (await ms.check()).flaws if flaw.check == "limits"] == []
    for statement, text in (
        (name, long),
        (genre, long),
        (value, long),
        (provider, "p" * 101),
        (key, "k" * 1_601),
    ):
        await write(ms, statement, text=text)
    report = await ms.check()
    assert "limits" in report.checks
    assert [(flaw.subject, flaw.reason) for flaw in report.flaws if flaw.check == "limits"] == [
        ("home:1", "a genre is 1,002 bytes long, and at most 1,000 can be stored"),
        ("home:1", "remote_id is 1,601 bytes long, and at most 1,600 can be stored"),
        ("home:1", "the id of a provider is 1,002 bytes long, and at most 1,000 can be stored"),
        ("home:1", "the name of a provider is 101 bytes long, and at most 100 can be stored"),
        ("home:b", "name is 1,002 bytes long, and at most 1,000 can be stored"),
    ]
