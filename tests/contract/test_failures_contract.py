"""A bad item affects no others; a failing environment stops everything, once, with a clear error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, season, show
from support.mirror import Clock, pragma, prepared, public, rows, second_connection, value

from mediasync import Credit, MediaItem, MediaSync, Movie, SaveReport
from mediasync.errors import DatabaseError, DatabaseReadOnly, DataError, DiskFull, InvalidItem, UsageError
from mediasync.testing import count_waiting_writes, database_of, hold_writes

BAD_TEXTS = {"nul": "a\0b", "surrogate": "a\ud800b"}
PLACES: dict[str, dict[str, Any]] = {
    "title": {"title": "?"},
    "original_title": {"original_title": "?"},
    "sort_title": {"sort_title": "?"},
    "overview": {"overview": "?"},
    "tagline": {"tagline": "?"},
    "content_rating": {"content_rating": "?"},
    "path": {"path": "/films/?"},
    "genres[1]": {"genres": ["A", "?"]},
    "ratings[0].name": {"ratings": [{"name": "?", "value": 1}]},
    "provider_ids.imdb": {"provider_ids": {"imdb": "?"}},
    "a key of provider_ids": {"provider_ids": {"?": "tt1"}},
    "images.poster": {"images": {"poster": "?"}},
    "a key of images": {"images": {"?": "p"}},
    "added_at": {"added_at": "?"},
    "changed_at": {"changed_at": "?"},
    "change_token": {"change_token": "?"},
    "credits[0].person.name": {"name": "?"},
    "credits[0].person.remote_id": {"remote_id": "?"},
    "credits[0].person.image_path": {"image_path": "?"},
    "credits[0].person.provider_ids.imdb": {"person_ids": {"imdb": "?"}},
    "a key of credits[0].person.provider_ids": {"person_ids": {"?": "1"}},
    "credits[0].role": {"role": "?"},
    "credits[0].person_type": {"person_type": "?"},
}


def item_with(place: str, text: str) -> Movie:
    """Return an item that has *text* at one place; assigned, as validation lets no surrogate into some."""

    def put(inner: Any) -> Any:
        if isinstance(inner, str):
            return inner.replace("?", text)
        if isinstance(inner, dict):
            return {put(key): put(one) for key, one in inner.items()}
        return [put(one) for one in inner] if isinstance(inner, list) else inner

    item = movie("bad", credits=cast("a", "b"), ratings=[{"name": "x", "value": 1}])
    for field, content in put(PLACES[place]).items():
        one = item.credits[0]  # type: ignore[index]
        match field:
            case "name" | "remote_id" | "image_path":
                setattr(one.person, field, content)
            case "person_ids":
                one.person.provider_ids = content
            case "role" | "person_type":
                setattr(one, field, content)
            case "ratings":
                item.ratings[0].name = content[0]["name"]
            case _:
                setattr(item, field, content)
    return item


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bad", BAD_TEXTS)
async def test_nul_and_lone_surrogates_are_refused_by_name(ms: MediaSync, place: str, bad: str) -> None:
    item = item_with(place, BAD_TEXTS[bad])
    with pytest.raises(InvalidItem) as caught:
        await ms.media.save_media_item(item, **MOVIES)
    assert caught.value.item_id == "home:bad"
    assert place in caught.value.reason
    assert {"nul": "NUL", "surrogate": "surrogate"}[bad] in caught.value.reason
    neighbours = [movie("1", credits=cast("x")), item, movie("2", credits=cast("y"))]
    report = await ms.media.save_media_items(neighbours, **MOVIES)
    assert (report.saved, report.failed) == (2, [("home:bad", caught.value.reason)])
    seen = await public(ms)
    assert [row[0] for row in seen["media_items"]] == ["home:1", "home:2"]
    assert [row[0] for row in seen["people"]] == ["home:x", "home:y"]


@pytest.mark.parametrize("field", ["remote_id", "parent_remote_id"])
@pytest.mark.parametrize("bad", BAD_TEXTS.values(), ids=BAD_TEXTS)
async def test_a_bad_key_is_refused_and_the_report_can_be_stored(ms: MediaSync, field: str, bad: str) -> None:
    item = season("s-1")
    setattr(item, field, bad)
    report = await ms.media.save_media_items([show(), item], **SHOWS)
    assert report.saved == 1
    [(item_id, reason)] = report.failed
    assert field in reason
    assert "\0" not in item_id
    item_id.encode()


@pytest.mark.parametrize(
    "field", ["year", "runtime_seconds", "season_number", "episode_number", "episode_number_end"]
)
@pytest.mark.parametrize("number", [2**31, -(2**31), 2**63, 10**30])
async def test_a_number_out_of_range_is_refused_by_name(ms: MediaSync, field: str, number: int) -> None:
    bad = episode("bad", parent=None, **{field: number})
    report = await ms.media.save_media_items([movie("1"), bad, movie("2")], **MOVIES)
    assert report.saved == 2
    [(item_id, reason)] = report.failed
    assert item_id == "home:bad"
    assert field in reason


async def test_numbers_at_the_edge_are_kept(ms: MediaSync) -> None:
    largest = 2**31 - 1
    given = movie(year=-largest, runtime_seconds=largest, ratings=[{"name": "x", "value": 1, "votes": 2**53}])
    await ms.media.save_media_item(given, **MOVIES)
    found = await ms.media.get_media_item("home:1")
    assert (found.year, found.runtime_seconds, found.ratings[0].votes) == (-largest, largest, 2**53)
    given.ratings[0].votes = 2**53 + 1
    with pytest.raises(InvalidItem, match="votes"):
        await ms.media.save_media_item(given, **MOVIES)


REFUSALS = {
    "media_item": "NEW.title = 'Refused'",
    "person": "NEW.name = 'Refused'",
    "credit": "NEW.role = 'Refused'",
    "item_genre": "NEW.name = 'Refused'",
}


def refuse(file: Path, table: str) -> None:
    """Make the database refuse marked rows of *table*."""
    with second_connection(file) as second:
        for change in ("INSERT", "UPDATE"):
            second.execute(
                f"CREATE TRIGGER refuse_{change} BEFORE {change} ON {table} WHEN {REFUSALS[table]} "
                "BEGIN SELECT RAISE(ABORT, 'this row is refused'); END"
            )


def refused(key: str, table: str) -> Movie:
    return {
        "media_item": movie(key, title="Refused", credits=cast("a", key)),
        "person": movie(key, credits=[credit("a"), credit(key, "Refused")]),
        "credit": movie(key, credits=[credit("a"), credit(key, role="Refused")]),
        "item_genre": movie(key, credits=cast("a", key), genres=["Refused"]),
    }[table]


@pytest.mark.parametrize("table", REFUSALS)
async def test_a_failing_group_splits_down_to_the_bad_item(
    file_ms: MediaSync, file: Path, table: str
) -> None:
    refuse(file, table)
    given = [movie(str(n), credits=cast("a", f"own{n}")) for n in range(40)]
    given[17], given[33] = refused("bad1", table), refused("bad2", table)
    report = await file_ms.media.save_media_items(given, **MOVIES)
    assert report.saved == 38
    assert sorted(item_id for item_id, _ in report.failed) == ["home:bad1", "home:bad2"]
    assert all("this row is refused" in reason for _, reason in report.failed)
    seen = await public(file_ms)
    assert len(seen["media_items"]) == 38
    assert not [row for view in seen.values() for row in view if "bad" in repr(row)]
    assert (await file_ms.check()).flaws == ()


async def test_a_bad_parent_takes_only_its_children_with_it(file_ms: MediaSync, file: Path) -> None:
    refuse(file, "media_item")
    given = [episode(), season(), show(title="Refused"), show("t"), season("t-1", parent="t")]
    report = await file_ms.media.save_media_items(given, **SHOWS)
    assert report.saved == 2
    assert sorted(item_id for item_id, _ in report.failed) == ["home:s", "home:s-1", "home:s-1-1"]


async def test_concurrent_saves_of_single_items_fail_alone(file_ms: MediaSync, file: Path) -> None:
    refuse(file, "media_item")
    given = [movie(str(n), credits=cast("a"), title="Refused" if n % 7 == 3 else "Good") for n in range(30)]
    outcomes = await asyncio.gather(
        *(file_ms.media.save_media_item(item, **MOVIES) for item in given), return_exceptions=True
    )
    for item, outcome in zip(given, outcomes, strict=True):
        assert isinstance(outcome, DataError) == (item.title == "Refused"), outcome
    assert await value(file_ms, "SELECT count(*) FROM media_items") == sum(i.title == "Good" for i in given)


async def test_a_refused_change_leaves_the_previous_state(file_ms: MediaSync, file: Path) -> None:
    await file_ms.media.save_media_item(movie(title="Old", credits=cast("a", "b")), **MOVIES)
    refuse(file, "credit")
    seen = await public(file_ms)
    with pytest.raises(DataError):
        await file_ms.media.save_media_item(
            movie(title="New", credits=[credit("c", "Cee"), credit("a", role="Refused")]), **MOVIES
        )
    with pytest.raises(DataError):
        await file_ms.media.save_media_people("home:1", [credit("c", "Cee"), credit("a", role="Refused")])
    assert await public(file_ms) == seen


class Stream:
    """Many items, and a count of how many were taken."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.taken = 0

    def __iter__(self) -> Iterator[MediaItem]:
        for n in range(self.number):
            self.taken += 1
            yield movie(f"n{n}", overview="x" * 1_000, credits=cast("a", f"own{n}"))


@pytest.mark.parametrize("concurrency", [1, 20])
async def test_a_full_disk_fails_the_group_once_and_stops_intake(
    file_ms: MediaSync, concurrency: int
) -> None:
    await file_ms.media.save_media_item(movie("before"), **MOVIES)
    [(pages,)] = await pragma(file_ms, "page_count")
    await pragma(file_ms, f"max_page_count = {pages + 40}")
    stream, report = Stream(5_000), SaveReport()
    with pytest.raises(DiskFull, match="disk is full"):
        await file_ms.media.save_media_items(stream, concurrency=concurrency, report=report, **MOVIES)
    assert stream.taken <= report.saved + 3 * concurrency + 64, "intake stopped"
    assert report.failed == [], "no item is blamed"
    assert await value(file_ms, "SELECT count(*) FROM media_items") == report.saved + 1
    assert (await file_ms.check()).flaws == ()
    await pragma(file_ms, "max_page_count = 1000000")
    assert (await file_ms.media.save_media_items(Stream(100), **MOVIES)).failed == []
    assert (await file_ms.check()).flaws == ()


async def test_a_full_disk_fails_single_saves(file_ms: MediaSync) -> None:
    [(pages,)] = await pragma(file_ms, "page_count")
    await pragma(file_ms, f"max_page_count = {pages}")
    with pytest.raises(DiskFull):
        await file_ms.media.save_media_item(movie(overview="x" * 100_000), **MOVIES)
    assert await rows(file_ms, "SELECT id FROM media_items") == []


async def test_a_database_that_turns_read_only_stops_intake(file_ms: MediaSync) -> None:
    ms = file_ms
    await pragma(ms, "query_only = ON")
    stream, report = Stream(1_000), SaveReport()
    with pytest.raises(DatabaseReadOnly):
        await ms.media.save_media_items(stream, concurrency=10, report=report, **MOVIES)
    assert (report.saved, report.failed) == (0, [])
    assert stream.taken <= 100
    await pragma(ms, "query_only = OFF")
    assert (await ms.media.save_media_items(Stream(10), **MOVIES)).saved == 10


async def test_a_group_is_tried_once_if_its_environment_fails(file_ms: MediaSync) -> None:
    with hold_writes(file_ms):
        before = database_of(file_ms).transactions_begun()
        saves = [
            asyncio.create_task(file_ms.media.save_media_item(movie(str(n)), **MOVIES)) for n in range(50)
        ]
        while count_waiting_writes(file_ms) < 50:
            await asyncio.sleep(0)
        await pragma(file_ms, "query_only = ON")
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseReadOnly}
    assert database_of(file_ms).transactions_begun() == before + 1
    await pragma(file_ms, "query_only = OFF")


async def test_a_lock_that_another_process_holds_fails_in_time(file_url: str, file: Path) -> None:
    async with MediaSync(file_url, lock_timeout=0.05) as ms:
        await prepared(ms)
        with second_connection(file) as second:
            second.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseError, match="lock"):
                await ms.media.save_media_item(movie(), **MOVIES)
            second.execute("ROLLBACK")
        await ms.media.save_media_item(movie(), **MOVIES)


async def test_a_stream_stopped_by_a_lock_ends_after_one_try(file_url: str, file: Path) -> None:
    async with MediaSync(file_url, lock_timeout=0.05) as ms:
        await prepared(ms)
        before = database_of(ms).transactions_begun()
        report = SaveReport()
        with second_connection(file) as second:
            second.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseError, match="lock"):
                await ms.media.save_media_items(Stream(3_000), report=report, **MOVIES)
            second.execute("ROLLBACK")
        tried = database_of(ms).transactions_begun() - before
        assert tried == 1, "what waits behind the group that failed is not tried for itself"
        assert (report.saved, report.failed) == (0, [])
        assert (await ms.media.save_media_items(Stream(10), **MOVIES)).saved == 10


async def test_a_reader_is_not_held_up_by_a_writer(file_ms: MediaSync, file: Path) -> None:
    with second_connection(file) as second:
        second.execute("BEGIN IMMEDIATE")
        assert await file_ms.people.count() == 0
        second.execute("ROLLBACK")


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_an_iterable_that_raises_saves_what_came_before(ms: MediaSync, asynchronous: bool) -> None:
    def items() -> Iterator[MediaItem]:
        yield season("lost", parent="none")
        for n in range(100):
            yield movie(str(n))
        raise RuntimeError("the source broke")

    async def async_items() -> AsyncIterator[MediaItem]:
        for item in items():
            yield item

    report = SaveReport()
    with pytest.raises(RuntimeError, match="the source broke"):
        await ms.media.save_media_items(async_items() if asynchronous else items(), report=report, **MOVIES)
    assert report.saved == 100
    assert [item_id for item_id, _ in report.failed] == ["home:lost"]
    assert await value(ms, "SELECT count(*) FROM media_items") == 100


@pytest.mark.parametrize("wrong", [None, "text", {"remote_id": "1"}, Credit])
async def test_an_object_that_is_not_an_item_is_refused_and_earlier_items_are_saved(
    ms: MediaSync, wrong: object
) -> None:
    with pytest.raises(UsageError, match="item 2 of the stream"):
        await ms.media.save_media_items([movie("1"), movie("2"), wrong, movie("3")], **MOVIES)  # type: ignore[list-item]
    assert await rows(ms, "SELECT id FROM media_items ORDER BY id") == [("home:1",), ("home:2",)]


@pytest.mark.parametrize("given", [[], (), iter(())])
async def test_nothing_to_save(ms: MediaSync, given: Any) -> None:
    assert await ms.media.save_media_items(given, **MOVIES) == SaveReport()


@pytest.mark.parametrize("option", ["concurrency", "orphan_window"])
@pytest.mark.parametrize("number", [0, -1])
async def test_options_that_make_no_sense(ms: MediaSync, option: str, number: int) -> None:
    with pytest.raises(UsageError, match=option):
        await ms.media.save_media_items([], **{option: number}, **MOVIES)  # type: ignore[arg-type]


async def test_concurrency_limits_the_items_taken_ahead(ms: MediaSync) -> None:
    report, ahead = SaveReport(), []

    def items() -> Iterator[MediaItem]:
        for n in range(200):
            ahead.append(n - report.saved)
            yield movie(str(n))

    await ms.media.save_media_items(items(), concurrency=7, report=report, **MOVIES)
    assert max(ahead) <= 7
    assert report.saved == 200


async def test_a_given_report_continues_to_count(ms: MediaSync) -> None:
    report = SaveReport()
    assert await ms.media.save_media_items([movie("1")], report=report, **MOVIES) is report
    await ms.media.save_media_items([movie("1"), movie("2", year=2**40)], report=report, **MOVIES)
    assert (report.saved, report.unchanged, len(report.failed)) == (1, 1, 1)


async def test_concurrent_calls_do_not_mix_their_reports(ms: MediaSync) -> None:
    async def one(prefix: str) -> SaveReport:
        given = [
            movie(f"{prefix}{n}", credits=cast("a", f"{n}"), year=2**40 if n == 5 else 1) for n in range(50)
        ]
        return await ms.media.save_media_items(given, **MOVIES)

    for prefix, report in zip("abc", await asyncio.gather(*map(one, "abc")), strict=True):
        assert (report.saved, [item_id for item_id, _ in report.failed]) == (49, [f"home:{prefix}5"])


async def test_a_text_that_no_query_can_hold_is_an_error_of_this_package(ms: MediaSync) -> None:
    bad = "home:\ud800"
    for call in (
        lambda: ms.media.get_media_item(bad),
        lambda: ms.media.find_media_items([bad]),
        lambda: ms.people.find_by_id(bad),
        lambda: ms.people.find_by_media_items([bad]),
        lambda: ms.media.delete_media_item(bad),
        lambda: ms.media.delete_media_people(bad),
        lambda: ms.people.delete(bad),
    ):
        with pytest.raises((DataError, UsageError)):
            await call()
    assert await ms.people.search("\ud800 \0") == []
    assert await ms.media.find_by_title(bad) == []
    await ms.media.save_media_item(movie(), **MOVIES)


async def test_a_damaged_file_is_called_damaged(file: Path, file_url: str, clock: Clock) -> None:
    async with MediaSync(file_url, clock=clock) as ms:
        await prepared(ms)
        await ms.media.save_media_items([movie(str(n), credits=cast("a")) for n in range(500)], **MOVIES)
    content = bytearray(file.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 12288)
    file.write_bytes(content)

    async def use() -> None:
        async with MediaSync(file_url, clock=clock) as ms:
            await ms.media.save_media_items([movie(str(n), title="New") for n in range(500)], **MOVIES)
            await public(ms)

    with pytest.raises(DatabaseError, match=r"damaged|malformed|no database"):
        await use()
