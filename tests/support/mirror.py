"""A mirror for tests: its clock, its first rows, and ways to look at what is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mediasync import Library, MediaSync, Source
from mediasync.database.schema import table_and_view_names, view_names
from mediasync.testing import FakeClock as Clock
from mediasync.testing import database_of

START = Clock().now


async def prepared(ms: MediaSync) -> MediaSync:
    """Give an open mirror the source ``home`` with the libraries ``movies`` and ``shows``, and return it."""
    await ms.media.save_source(Source(id="home", kind="jellyfin", name="Home"))
    await ms.media.save_library(Library(id="movies", source_id="home", title="Movies", kind="movies"))
    await ms.media.save_library(Library(id="shows", source_id="home", title="Shows", kind="shows"))
    return ms


async def rows(ms: MediaSync, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    """Run plain SQL with named parameters, as a user of the public views would, on any engine.

    Times come as SQLite shows them.
    """
    async with database_of(ms).read() as session:
        found = map(tuple, await session.fetch_all(sql, params))
        return [tuple(map(_plain, row)) if datetime in map(type, row) else row for row in found]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3].rjust(23, "0") + "Z"
    return value


async def value(ms: MediaSync, sql: str, **params: Any) -> Any:
    """Return the one value that *sql* asks for."""
    [(only,)] = await rows(ms, sql, **params)
    return only


async def public(ms: MediaSync) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every public view, sorted."""
    return {view: sorted(await rows(ms, f"SELECT * FROM {view}"), key=repr) for view in view_names()}


_VERSIONS = (
    "SELECT count(*) AS rows, coalesce(sum(hashtextextended(ctid || ' ' || xmin, 0)), 0) AS rowsum FROM "
)


async def written(ms: MediaSync) -> Any:
    """Return what is another value as soon as a row was inserted, changed or deleted."""
    changes = database_of(ms).changes_made()
    if database_of(ms).dialect.name == "sqlite":
        return changes
    return changes, [
        await rows(ms, _VERSIONS + table) for table in table_and_view_names() if table not in view_names()
    ]


async def write(ms: MediaSync, sql: str, **params: Any) -> int:
    """Change the storage behind the mirror's back, on any engine."""
    return await database_of(ms).write(lambda session: session.execute(sql, params))


async def pragma(ms: MediaSync, text: str) -> list[Any]:
    """Run a PRAGMA on the connection that writes: to make its surroundings fail."""
    return await database_of(ms)._engine._writer.rows(f"PRAGMA {text}")  # type: ignore[union-attr]


_REFUSE = """
CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$
"""


async def refuse(ms: MediaSync, event: str, *, when: str = "", at_commit: bool = False) -> None:
    """Let the engine refuse some rows from now on, as a damaged database might.

    Args:
        ms: an open mirror.
        event: what is refused, as triggers name it: ``INSERT ON credit``.
        when: a condition for the new row: ``NEW.title = 'x'``.
        at_commit: refuse the commit of the transaction instead of the row.
    """
    condition = f"WHEN ({when})" if when else ""
    if database_of(ms).dialect.name == "sqlite":
        action = "INSERT INTO refused VALUES (-1)" if at_commit else "SELECT RAISE(ABORT, 'refused')"
        statements = [
            # Nothing has this key, which is looked for when the transaction is committed.
            "CREATE TABLE refused (n INTEGER REFERENCES source (source_key) DEFERRABLE INITIALLY DEFERRED)",
            f"CREATE TRIGGER refuse AFTER {event} {condition} BEGIN {action}; END",
        ]
    else:
        schema = database_of(ms).options.postgres_schema
        kind, deferred = ("CONSTRAINT ", "DEFERRABLE INITIALLY DEFERRED ") if at_commit else ("", "")
        statements = [
            _REFUSE.format(schema=schema),
            f"CREATE {kind}TRIGGER refuse AFTER {event} {deferred}FOR EACH ROW {condition} "
            f"EXECUTE FUNCTION {schema}.refuse()",
        ]
    for statement in statements:
        await write(ms, statement)


@contextmanager
def second_connection(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file beside the mirror; each statement is a transaction of its own."""
    connection = sqlite3.connect(file, isolation_level=None, timeout=10)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection
    finally:
        connection.close()
