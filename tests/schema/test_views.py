"""The public views: their names, their contents, and that nobody can write through them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import postgres
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, cast, movie
from support.mirror import pragma, public, rows, second_connection, write

from mediasync import MediaSync
from mediasync.database.schema import schema_text, statements, view_names
from mediasync.errors import DatabaseError
from mediasync.repositories.times import to_datetime

COLUMNS = {
    "people": {"id", "name", "image_path", "created_at", "updated_at"},
    "media_people": {"media_item_id", "person_id", "person_type", "role", "sort_order"},
    "media_items": {
        "id", "source_id", "library_id", "parent_id", "media_type", "title", "year",
        "season_number", "episode_number", "imdb_id", "tmdb_id", "tvdb_id",
    },
    "libraries": {"id", "source_id", "title", "kind"},
    "sources": {"id", "kind", "name"},
    "sync_runs": {
        "id", "source_id", "status", "started_at", "finished_at", "seen", "saved", "unchanged", "failed",
    },
}  # fmt: skip


LASTING = pytest.mark.parametrize(
    "engine", [SQLITE_FILE, POSTGRES], ids=lambda engine: engine.name, indirect=True
)


def outside(ms: MediaSync, url: str, sql: str) -> None:
    """Run one statement from a connection that is not the mirror's."""
    sql = ms._database.dialect.translate(sql)
    if url.startswith("postgresql"):
        postgres.server().run(sql, database=urlsplit(url).path[1:])
        return
    with second_connection(Path(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(sql)


async def columns_of(ms: MediaSync, engine: Engine, view: str) -> set[str]:
    found = await rows(
        ms,
        "SELECT name FROM pragma_table_info(:view)"
        if engine.is_sqlite
        else "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = 'mediasync' AND table_name = :view",
        view=view,
    )
    return {name for (name,) in found}


@pytest.mark.parametrize("view", COLUMNS)
async def test_the_names_that_are_fixed_are_there(ms: MediaSync, engine: Engine, view: str) -> None:
    names = await columns_of(ms, engine, view)
    assert COLUMNS[view] <= names
    assert not [name for name in names if name.endswith("_key")], "storage keys never leave the database"


@pytest.mark.parametrize("view", view_names())
async def test_views_are_read_only(ms: MediaSync, engine: Engine, view: str) -> None:
    await ms.media.save_media_item(movie(credits=cast("a")), **MOVIES)
    changes = [f"DELETE FROM {view}"]
    for column in sorted(await columns_of(ms, engine, view)):
        changes += [f"UPDATE {view} SET {column} = NULL", f"INSERT INTO {view} ({column}) VALUES (NULL)"]
    for sql in changes:
        with pytest.raises(DatabaseError, match="view"):
            await write(ms, sql)


def test_schema_sql_runs_as_it_is() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema_text())
    views = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    connection.close()
    assert sorted(views) == sorted(view_names())
    assert len(statements("views")) == len(view_names())


TIMES = st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999)


@given(st.lists(TIMES, min_size=50, max_size=200))
@example([0, -1, 1, 999, -999, 1_700_000_000_123, 253_402_300_799_999, -62_135_596_800_000])
def test_times_in_views_are_exact_for_every_millisecond(times: list[int]) -> None:
    expression = "strftime('%Y-%m-%dT%H:%M:%fZ', t / 1000.0, 'unixepoch')"
    assert schema_text().count("strftime('%Y-%m-%dT%H:%M:%fZ', ") == schema_text().count(
        "/ 1000.0, 'unixepoch')"
    )
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE x (t INTEGER)")
    connection.executemany("INSERT INTO x VALUES (?)", [(time,) for time in times])
    shown = [text for (text,) in connection.execute(f"SELECT {expression} FROM x")]
    connection.close()
    expected = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)).isoformat(timespec="milliseconds")
        for time in times
    ]
    assert shown == [text.replace("+00:00", "Z") for text in expected]
    assert [to_datetime(time).isoformat(timespec="milliseconds") for time in times] == expected


EXTREMES = [
    0,
    -1,
    1,
    999,
    -999,
    -1000,
    1_700_000_000_123,
    253_402_300_799_999,
    -62_135_596_800_000 + 1,
    -8e12 + 1,
]


@LASTING
async def test_times_in_views_are_exact_on_every_engine(ms: MediaSync, url: str) -> None:
    for time in map(int, EXTREMES):
        await ms.media.save_media_item(movie(str(time), added_at=to_datetime(time)), **MOVIES)
    assert dict(await rows(ms, "SELECT remote_id, added_at FROM media_items")) == {  # type: ignore[arg-type]
        str(time): to_datetime(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for time in map(int, EXTREMES)
    }


async def test_every_connection_keeps_foreign_keys(ms: MediaSync, engine: Engine) -> None:
    if engine.is_sqlite:
        assert await pragma(ms, "foreign_keys") == [(1,)]
        for reader in ms._database._engine._readers:
            assert await reader.rows("PRAGMA foreign_keys") == [(1,)]
            assert await reader.rows("PRAGMA query_only") == [(1,)]
        return
    role = "SHOW session_replication_role"
    assert await ms._database.write(lambda session: session.fetch_all(role)) == [("origin",)]
    off = "SELECT tgname FROM pg_trigger WHERE tgconstraint <> 0 AND tgenabled <> 'O'"
    assert await rows(ms, off) == []
    kept = (
        "SELECT count(*) AS n FROM pg_constraint "
        "WHERE contype = 'f' AND connamespace = 'mediasync'::regnamespace"
    )
    assert await rows(ms, kept) == [(schema_text().count(" REFERENCES "),)]
    assert await rows(ms, "SHOW transaction_read_only") == [("on",)]


REFUSED = {
    "credits of nobody": "INSERT INTO credit (item_key, sort_order, person_key, person_type) "
    "VALUES (99, 0, 99, 'actor')",
    "a library of no source": "INSERT INTO library "
    "(source_key, id, remote_id, title, kind, created_at, updated_at) "
    "VALUES (99, 'x:y', 'y', 'Y', 'movies', 0, 0)",
    "a person of no source": "INSERT INTO person (source_key, id, name, created_at, updated_at) "
    "VALUES (99, 'x:y', 'Y', 0, 0)",
    "a person who has credits": "DELETE FROM person",
    "an unknown completeness": "UPDATE media_item SET completeness = 'whole'",
}


@LASTING
@pytest.mark.parametrize("name", REFUSED)
async def test_storage_refuses_what_points_at_nothing(ms: MediaSync, url: str, name: str) -> None:
    await ms.media.save_media_item(movie(credits=cast("a")), **MOVIES)
    seen = await public(ms)
    with pytest.raises((sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)):
        outside(ms, url, REFUSED[name])
    assert await public(ms) == seen


ITEM = "item_key = (SELECT item_key FROM media_item WHERE id = 'home:1')"
BREAKS = {
    "dense orders": f"UPDATE credit SET sort_order = 5 WHERE {ITEM} AND sort_order = 1",
    "repeated credits": "INSERT INTO credit SELECT item_key, 2, person_key, person_type, role "
    f"FROM credit WHERE {ITEM} AND sort_order = 0",
    "completeness": "UPDATE media_item SET completeness = 'none' WHERE id = 'home:1'",
    "provider ids": "UPDATE media_item SET imdb_id = 'tt2' WHERE id = 'home:1'",
    "parents": "UPDATE media_item SET parent_key = (SELECT item_key FROM media_item WHERE id = 'home:2') "
    "WHERE id = 'home:1'",
    "ids": "UPDATE person SET id = 'other:a' WHERE id = 'home:a'",
    "aliases of people": "INSERT INTO person_alias (id, person_key) SELECT p.id, q.person_key "
    "FROM person p JOIN person q ON q.person_key > p.person_key",
    "search words": "DELETE FROM person_word WHERE word = 'a'",
    "change log": "DELETE FROM change WHERE number = 1",
    "ratings": "UPDATE media_item SET rating = 9 WHERE id = 'home:1'",
    "sort keys": "UPDATE media_item SET title = 'Another' WHERE id = 'home:1'",
}


@LASTING
@pytest.mark.parametrize("check", BREAKS)
async def test_check_finds_what_must_not_be(ms: MediaSync, url: str, check: str) -> None:
    await save_two(ms)
    report = await ms.check()
    assert (report.flaws, len(report.checks) > 5) == ((), True)
    outside(ms, url, BREAKS[check])
    assert check in {flaw.check for flaw in (await ms.check()).flaws}


async def test_check_finds_keys_that_point_at_nothing(file_ms: MediaSync, file: Path) -> None:
    await save_two(file_ms)
    with second_connection(file) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM person WHERE id = 'home:a'")
    assert "foreign keys" in {flaw.check for flaw in (await file_ms.check()).flaws}


@pytest.mark.parametrize("engine", [POSTGRES], ids=["postgresql"], indirect=True)
async def test_check_finds_constraints_that_nobody_validated(ms: MediaSync, url: str) -> None:
    outside(ms, url, "ALTER TABLE credit ADD CONSTRAINT few CHECK (sort_order < 10) NOT VALID")
    [flaw] = (await ms.check()).flaws
    assert (flaw.check, "few" in flaw.subject) == ("constraints", True)


async def save_two(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [movie("1", credits=cast("a", "b"), provider_ids={"imdb": "tt1"}), movie("2", credits=cast("a"))],
        **MOVIES,
    )
