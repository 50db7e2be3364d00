"""Opening and closing: once each, in any task, on one event loop; anything else is a clear error."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, cast, movie, person
from support.mirror import Clock, pragma, prepared, public, value

from mediasync import Library, MediaSync, MediaSyncError, Source
from mediasync.errors import (
    ConfigurationError,
    DatabaseCorrupt,
    DatabaseError,
    DatabaseMissing,
    DatabaseReadOnly,
    LifecycleError,
)
from mediasync.testing import count_waiting_writes, database_of

CALLS: dict[str, Callable[[MediaSync], Awaitable[Any]]] = {
    "save_source": lambda ms: ms.media.save_source(Source(id="a", kind="plex")),
    "save_library": lambda ms: ms.media.save_library(Library(id="l", source_id="home", kind="movies")),
    "save_media_item": lambda ms: ms.media.save_media_item(movie(), **MOVIES),
    "save_media_items": lambda ms: ms.media.save_media_items([movie()], **MOVIES),
    "save_media_people": lambda ms: ms.media.save_media_people("home:1", cast("a")),
    "delete_media_people": lambda ms: ms.media.delete_media_people("home:1"),
    "delete_media_item": lambda ms: ms.media.delete_media_item("home:1"),
    "get_media_item": lambda ms: ms.media.get_media_item("home:1"),
    "find_by_title": lambda ms: ms.media.find_by_title("a"),
    "upsert": lambda ms: ms.people.upsert(person("a"), source_id="home"),
    "delete": lambda ms: ms.people.delete("home:a"),
    "search": lambda ms: ms.people.search("a"),
    "count": lambda ms: ms.people.count(),
    "sync": lambda ms: ms.sync("nfo:nowhere"),
    "list_runs": lambda ms: ms.list_runs(),
    "check": lambda ms: ms.check(),
}


@pytest.mark.parametrize("call", CALLS)
async def test_used_before_open_and_after_close(url: str, call: str) -> None:
    if call == "sync":
        pytest.skip("a source that is not there is an error of its own")
    ms = MediaSync(url)
    with pytest.raises(LifecycleError, match="not open"):
        await CALLS[call](ms)
    async with ms:
        await prepared(ms)
        await ms.media.save_media_item(movie(), **MOVIES)
    with pytest.raises(LifecycleError, match="closed"):
        await CALLS[call](ms)


async def test_opened_twice_and_closed_twice(url: str) -> None:
    ms = MediaSync(url)
    await ms.open()
    with pytest.raises(LifecycleError, match="open"):
        await ms.open()
    await prepared(ms)
    await ms.close()
    await ms.close()
    with pytest.raises(LifecycleError, match="closed"):
        await ms.open()


async def test_closed_before_it_was_opened(url: str) -> None:
    ms = MediaSync(url)
    await ms.close()
    async with ms:
        await prepared(ms)
        await ms.media.save_media_item(movie(), **MOVIES)


async def test_closed_by_two_tasks_at_once(url: str) -> None:
    ms = MediaSync(url)
    await ms.open()
    await prepared(ms)
    await asyncio.gather(ms.close(), ms.close(), ms.close())


async def test_opened_and_closed_in_different_tasks(url: str) -> None:
    ms = MediaSync(url)
    await asyncio.create_task(ms.open())
    await asyncio.create_task(prepared(ms))  # type: ignore[arg-type]
    await asyncio.gather(*(ms.media.save_media_item(movie(str(n)), **MOVIES) for n in range(5)))
    await asyncio.create_task(ms.close())


async def test_closing_finishes_the_accepted_saves(engine: Engine, url: str) -> None:
    ms = MediaSync(url)
    await ms.open()
    await prepared(ms)
    saves = [asyncio.create_task(ms.media.save_media_item(movie(str(n)), **MOVIES)) for n in range(300)]
    many = asyncio.create_task(ms.people.upsert_batch([person("a")], source_id="home"))
    while not count_waiting_writes(ms):
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    await ms.close()
    outcomes = await asyncio.gather(*saves, many, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(outcome, LifecycleError) for outcome in refused)
    assert len(refused) < len(outcomes)
    if engine.lasts:
        async with MediaSync(url, read_only=True) as again:
            saved = sum(not isinstance(outcome, BaseException) for outcome in outcomes[:-1])
            assert await value(again, "SELECT count(*) FROM media_items") == saved


@pytest.mark.parametrize("engine", [SQLITE_FILE, POSTGRES], ids=lambda one: one.name, indirect=True)
async def test_a_close_that_cannot_wait_fails_what_is_left_with_a_clear_error(url: str) -> None:
    ms = MediaSync(url, close_timeout=0)
    await ms.open()
    await prepared(ms)
    saves = [asyncio.create_task(ms.media.save_media_item(movie(str(n)), **MOVIES)) for n in range(50)]
    while not count_waiting_writes(ms):
        await asyncio.sleep(0)
    await ms.close()
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} <= {LifecycleError}
    async with MediaSync(url) as again:
        assert (await again.check()).flaws == ()


async def test_closed_while_something_is_read(url: str) -> None:
    ms = MediaSync(url)
    await ms.open()
    await prepared(ms)
    await ms.media.save_media_items([movie(str(n), credits=cast("a", "b")) for n in range(50)], **MOVIES)
    reads = [asyncio.create_task(ms.media.get_media_item(f"home:{n}")) for n in range(50)]
    await asyncio.sleep(0)
    await ms.close()
    for outcome in await asyncio.gather(*reads, return_exceptions=True):
        assert not isinstance(outcome, BaseException) or isinstance(outcome, MediaSyncError), outcome


async def test_closed_under_a_read_that_never_ends(file_url: str) -> None:
    ms = MediaSync(file_url, close_timeout=0.01)
    await ms.open()
    async with database_of(ms).read(snapshot=True):
        await ms.close()


def test_used_from_another_event_loop(tmp_path: Path) -> None:
    ms = MediaSync(f"sqlite:///{tmp_path / 'media.db'}")
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(ms.open())
        first.run(prepared(ms))
        for name, call in CALLS.items():
            if name == "sync":
                continue

            async def use(call: Callable[[MediaSync], Awaitable[Any]] = call) -> None:
                await call(ms)

            with pytest.raises(LifecycleError, match="loop"):
                second.run(use())
        with pytest.raises(LifecycleError, match="loop"):
            second.run(ms.close())
        assert first.run(ms.people.count()) == 0
        first.run(ms.media.save_media_item(movie(), **MOVIES))
        first.run(ms.close())


def test_one_object_for_each_loop_shares_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'media.db'}"

    async def once(key: str) -> int:
        async with MediaSync(url) as ms:
            await prepared(ms)
            await ms.media.save_media_item(movie(key), **MOVIES)
            return await value(ms, "SELECT count(*) FROM media_items")

    assert [asyncio.run(once(key)) for key in "abc"] == [1, 2, 3]


async def test_an_error_inside_async_with_still_closes(url: str) -> None:
    ms = MediaSync(url)

    async def use() -> None:
        async with ms:
            await prepared(ms)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        await use()
    with pytest.raises(LifecycleError):
        await ms.people.count()


async def test_memory_is_new_each_time_and_one_for_all_tasks() -> None:
    async with MediaSync("sqlite:///:memory:") as first, MediaSync("sqlite:///:memory:") as second:
        await prepared(first)
        await asyncio.gather(*(first.media.save_media_item(movie(str(n)), **MOVIES) for n in range(20)))
        assert await value(first, "SELECT count(*) FROM media_items") == 20
        assert await value(second, "SELECT count(*) FROM sources") == 0


# Opening what cannot be opened


async def refused(url: str, kind: type[MediaSyncError], **options: Any) -> str:
    """Try to open *url*; return the message of the error, which must be exactly of this class."""
    ms = MediaSync(url, **options)
    with pytest.raises(kind) as caught:
        await ms.open()
    assert type(caught.value) is kind
    with pytest.raises(LifecycleError):
        await ms.people.count()
    await ms.close()
    return str(caught.value)


async def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    message = await refused(f"sqlite:///{tmp_path}/no/such/media.db", DatabaseMissing)
    assert str(tmp_path / "no" / "such") in message
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert "folder" in await refused(f"sqlite:///{tmp_path}", DatabaseError)


async def test_a_file_that_is_not_a_database(file: Path, file_url: str) -> None:
    file.write_bytes(b"<movie><title>Heat</title></movie>" * 100)
    before = file.read_bytes()
    for options in ({}, {"upgrade": False}, {"read_only": True}):
        assert "not a SQLite database" in await refused(file_url, DatabaseCorrupt, **options)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["media.db"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do everything")
async def test_a_file_that_may_not_be_read(file: Path, file_url: str) -> None:
    file.touch(mode=0)
    await refused(file_url, DatabaseError)


@pytest.mark.parametrize("options", [{"read_only": True}, {"upgrade": False}], ids=str)
async def test_a_missing_database_that_must_not_be_created(
    file: Path, file_url: str, options: dict[str, bool]
) -> None:
    assert "does not exist" in await refused(file_url, DatabaseMissing, **options)
    assert not file.exists()
    file.touch()
    assert "empty" in await refused(file_url, DatabaseMissing, **options)
    assert file.read_bytes() == b""
    await refused("sqlite:///:memory:", DatabaseMissing, **options)


async def test_an_empty_file_becomes_a_database(file: Path, file_url: str) -> None:
    file.touch()
    async with MediaSync(file_url) as ms:
        await prepared(ms)


@pytest.mark.parametrize("engine", [SQLITE_FILE, POSTGRES], ids=lambda one: one.name, indirect=True)
async def test_read_only_reads_and_refuses_every_write(url: str, file: Path, clock: Clock) -> None:
    async with MediaSync(url, clock=clock) as ms:
        await prepared(ms)
        await ms.media.save_media_item(movie(credits=cast("a")), **MOVIES)
        seen = await public(ms)
    before = file.read_bytes() if file.exists() else None
    async with MediaSync(url, read_only=True) as ms:
        assert (await ms.media.get_media_item("home:1")).cast[0].person.remote_id == "a"
        assert [one.name for one in await ms.people.search("person")] == ["Person a"]
        assert (await ms.check()).flaws == ()
        with pytest.raises(DatabaseReadOnly):
            await ms.media.save_media_item(movie(title="New"), **MOVIES)
        with pytest.raises(DatabaseReadOnly):
            await ms.people.upsert(person("b"), source_id="home")
        with pytest.raises(DatabaseReadOnly):
            await ms.people.delete("home:a")
        unchanged = await ms.media.save_media_items([movie(credits=cast("a"))], **MOVIES)
        assert unchanged.unchanged == 1
        assert await public(ms) == seen
    assert (file.read_bytes() if file.exists() else None) == before


@pytest.mark.parametrize("engine", [SQLITE_FILE, POSTGRES], ids=lambda one: one.name, indirect=True)
async def test_a_reader_sees_what_a_writer_commits(url: str) -> None:
    async with MediaSync(url) as writer:
        await prepared(writer)
        async with MediaSync(url, read_only=True) as reader:
            await writer.media.save_media_item(movie(), **MOVIES)
            assert (await reader.media.get_media_item("home:1")).title == "Movie 1"


# URLs and options


@pytest.mark.parametrize(
    "url",
    [
        "",
        "media.db",
        "/tmp/media.db",
        "mysql://localhost/db",
        "sqlite:media.db",
        "sqlite:///media.db?mode=ro",
        "sqlite:///media.db#x",
        "http://me:hunter2@host/x",
        "postgresql:me:hunter2@host/db",
        "me:hunter2@host",
    ],
)
def test_urls_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///media\.db|must not contain") as caught:
        MediaSync(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("readers", 0),
        ("readers", 65),
        ("readers", "many"),
        ("lock_timeout", -1),
        ("synchronous", "off"),
        ("synchronous", "normal; DROP TABLE person"),
    ],
)
def test_options_that_cannot_be_used(option: str, given: object) -> None:
    with pytest.raises(ConfigurationError, match=option):
        MediaSync("sqlite:///media.db", **{option: given})


@pytest.mark.parametrize(
    "name",
    [
        "with space.db",
        "ünïcödé ☃.db",
        "percent%20.db",
        "100%.db",
        "a&b=c.db",
        "quo'te\".db",
        "semi;colon.db",
        "-wal",
        "a+b.db",
    ],
)
async def test_odd_names_of_files(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    async with MediaSync("sqlite:///" + path.replace("%", "%25")) as ms:
        await prepared(ms)
    assert name in {entry.name for entry in tmp_path.iterdir()}
    async with MediaSync("sqlite:///" + path.replace("%", "%25"), read_only=True) as ms:
        assert await value(ms, "SELECT count(*) FROM sources") == 1


async def test_question_marks_and_hashes_are_written_escaped(tmp_path: Path) -> None:
    async with MediaSync(f"sqlite:///{tmp_path}/what%3F%23.db") as ms:
        await prepared(ms)
    assert (tmp_path / "what?#.db").exists()


async def test_a_relative_url_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with MediaSync("sqlite:///media.db") as ms:
        monkeypatch.chdir("/")
        await prepared(ms)
        assert await value(ms, "SELECT count(*) FROM sources") == 1
    assert (tmp_path / "media.db").exists()


@pytest.mark.parametrize("synchronous", ["normal", "full"])
async def test_options_reach_the_connection(file_url: str, synchronous: str) -> None:
    async with MediaSync(file_url, synchronous=synchronous, readers=1, writer_cache_kib=128) as ms:
        assert await pragma(ms, "synchronous") == [({"normal": 1, "full": 2}[synchronous],)]
        assert await pragma(ms, "cache_size") == [(-128,)]
        assert await asyncio.gather(*(ms.people.count() for _ in range(20))) == [0] * 20


async def test_the_longest_wait_is_known(ms: MediaSync) -> None:
    assert database_of(ms).longest_wait >= 0


def test_other_event_loops_get_an_error_that_asyncio_is_needed() -> None:
    trio = pytest.importorskip("trio")

    async def use() -> None:
        async with MediaSync("sqlite:///:memory:"):
            raise AssertionError("it cannot be opened")

    for run in (trio.run, _step):
        with pytest.raises(LifecycleError, match="needs a running asyncio event loop"):
            run(use)


def _step(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine without any event loop."""
    function().send(None)
