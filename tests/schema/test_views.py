"""The public names: what they are called, what they show, and that nobody writes through them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.items import MOVIES, cast, movie
from support.mirror import pragma, rows

from mediasync import MediaSync
from mediasync.repositories.times import to_datetime
from mediasync.schema import schema_text, statements, view_names

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


@pytest.mark.parametrize("view", COLUMNS)
async def test_the_names_that_are_fixed_are_there(file_ms: MediaSync, file: Path, view: str) -> None:
    connection = sqlite3.connect(file)
    try:
        found = {column[0] for column in connection.execute(f"SELECT * FROM {view}").description}
    finally:
        connection.close()
    assert COLUMNS[view] <= found
    assert not [name for name in found if name.endswith("_key")], "storage keys never leave the database"


@pytest.mark.parametrize("view", view_names())
async def test_views_are_read_only(file_ms: MediaSync, file: Path, view: str) -> None:
    await file_ms.media.save_media_item(movie(credits=cast("a")), **MOVIES)
    connection = sqlite3.connect(file)
    try:
        [column, *_] = [one[0] for one in connection.execute(f"SELECT * FROM {view}").description]
        for sql in (
            f"DELETE FROM {view}",
            f"UPDATE {view} SET {column} = 'x'",
            f"INSERT INTO {view} ({column}) VALUES ('x')",
        ):
            with pytest.raises(sqlite3.OperationalError, match="view"):
                connection.execute(sql)
    finally:
        connection.close()


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


async def test_every_connection_keeps_foreign_keys(ms: MediaSync) -> None:
    assert await pragma(ms, "foreign_keys") == [(1,)]
    for reader in ms._database._engine._readers:
        assert await reader.rows("PRAGMA foreign_keys") == [(1,)]
        assert await reader.rows("PRAGMA query_only") == [(1,)]


async def test_storage_refuses_what_points_at_nothing(file_ms: MediaSync, file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    try:
        for sql in (
            "INSERT INTO credit (item_key, sort_order, person_key, person_type) VALUES (99, 0, 99, 'actor')",
            "INSERT INTO library (source_key, id, remote_id, title, kind, created_at, updated_at) "
            "VALUES (99, 'x:y', 'y', 'Y', 'movies', 0, 0)",
            "INSERT INTO person (source_key, id, name, created_at, updated_at) VALUES (99, 'x:y', 'Y', 0, 0)",
            "UPDATE media_item SET completeness = 'whole'",
        ):
            if sql.startswith("UPDATE"):
                await file_ms.media.save_media_item(movie(), **MOVIES)
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(sql)
    finally:
        connection.close()


async def test_check_finds_what_must_not_be(file_ms: MediaSync, file: Path) -> None:
    await file_ms.media.save_media_items(
        [movie("1", credits=cast("a", "b"), provider_ids={"imdb": "tt1"}), movie("2", credits=cast("a"))],
        **MOVIES,
    )
    report = await file_ms.check()
    assert report.flaws == ()
    assert len(report.checks) > 5
    breaks = {
        "dense orders": "UPDATE credit SET sort_order = 5 WHERE item_key = 1 AND sort_order = 1",
        "repeated credits": "INSERT INTO credit SELECT item_key, 2, person_key, person_type, role "
        "FROM credit WHERE item_key = 1 AND sort_order = 0",
        "completeness": "UPDATE media_item SET completeness = 'none' WHERE item_key = 1",
        "provider ids": "UPDATE media_item SET imdb_id = 'tt2' WHERE item_key = 1",
        "parents": "UPDATE media_item SET parent_key = 2 WHERE item_key = 1",
        "ids": "UPDATE person SET id = 'other:a' WHERE id = 'home:a'",
        "search words": "DELETE FROM person_word WHERE word = 'a'",
        "foreign keys": "DELETE FROM person WHERE id = 'home:a'",
    }
    connection = sqlite3.connect(file, isolation_level=None, timeout=5)
    try:
        for check, sql in breaks.items():
            connection.execute("SAVEPOINT before")
            connection.execute(sql)
            connection.execute("RELEASE before")
            assert check in {flaw.check for flaw in (await file_ms.check()).flaws}, check
            await restore(file_ms, connection)
    finally:
        connection.close()
    assert await rows(file_ms, "SELECT count(*) AS n FROM media_items") == [(2,)]


async def restore(ms: MediaSync, connection: sqlite3.Connection) -> None:
    """Bring the two items back as they were, whatever was broken."""
    for table in ("credit", "item_external_id", "media_item", "person_word", "person"):
        connection.execute(f"DELETE FROM {table}")
    await ms.media.save_media_items(
        [movie("1", credits=cast("a", "b"), provider_ids={"imdb": "tt1"}), movie("2", credits=cast("a"))],
        **MOVIES,
    )
    assert (await ms.check()).flaws == ()
