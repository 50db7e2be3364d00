"""Access that only reads: the role that sees the views alone, readers of a file, queries of dashboards."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import docs_pages
import pytest
from support import postgres
from support.engines import POSTGRES
from support.items import MOVIES, cast, movie
from support.mirror import prepared

from mediasync import MediaSync
from mediasync.database import schema
from tools import schema_reference

READ_ONLY = docs_pages.DOCS / "how-to" / "give-read-only-access.md"
DASHBOARDS = docs_pages.DOCS / "how-to" / "show-in-grafana-or-metabase.md"
TYPES = {
    "text": "text",
    "integer": "bigint",
    "real": "double precision",
    "time": "timestamp with time zone",
}


def files(page: Path) -> dict[str, str]:
    """Return the files that a page shows, by name."""
    return {block.title: block.text for block in docs_pages.blocks(page) if block.title}


def test_the_role_is_granted_every_view() -> None:
    granted = re.findall(r"mediasync\.(\w+)", files(READ_ONLY)["views.sql"])
    assert sorted(granted) == sorted(schema.view_names())


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A mirror on PostgreSQL with one film."""
    url = POSTGRES.new_mirror_url(tmp_path)

    async def fill() -> None:
        async with MediaSync(url) as ms:
            await prepared(ms)
            await ms.media.save_media_item(movie("1", title="Heat", year=1995, credits=cast("a")), **MOVIES)

    asyncio.run(fill())
    return urlsplit(url).path[1:]


def as_reader(database: str, role: str, sql: str) -> list[Any]:
    """Run a query as the role of the page."""

    async def run() -> list[Any]:
        parts = urlsplit(postgres.server().url(database))
        netloc = f"{role}:secret@{parts.netloc.rpartition('@')[2]}"
        connection = await asyncpg.connect(urlunsplit(parts._replace(netloc=netloc)))
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return postgres.in_thread(run())


@pytest.mark.postgres
def test_the_role_of_the_page_reads_the_views_and_nothing_else(database: str) -> None:
    role = f"media_reader_{database}"
    pages = files(READ_ONLY)
    try:
        for name in ("role.sql", "views.sql"):
            for statement in pages[name].replace("media_reader", role).split(";"):
                if statement.strip():
                    postgres.server().run(statement, database=database)
        for view in schema.view_names():
            assert as_reader(database, role, f"SELECT count(*) FROM {view}")
        for name in set(schema.table_and_view_names()) - set(schema.view_names()):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                as_reader(database, role, f"SELECT * FROM {name}")
        for sql in ("UPDATE media_items SET title = 'x'", "CREATE TABLE mediasync.note (id text)"):
            with pytest.raises(asyncpg.PostgresError):
                as_reader(database, role, sql)
        settings = "SELECT current_setting('join_collapse_limit'), current_setting('statement_timeout')"
        assert as_reader(database, role, settings) == [("20", "30s")]
    finally:
        postgres.server().run(f"DROP OWNED BY {role}", database=database)
        postgres.server().run(f"DROP ROLE {role}")


@pytest.mark.postgres
def test_queries_of_dashboards_run(database: str) -> None:
    pages = files(DASHBOARDS)
    found = {}
    for name, sql in pages.items():
        if name.endswith(".sql") and name != "grafana-sqlite.sql":
            sql = re.sub(
                r"\$__timeFilter\((\w+)\)",
                r"\1 BETWEEN '1970-01-01' AND '2100-01-01'",
                sql,
            ).replace("{{name}}", "'Person a'")
            found[name] = postgres.server().run(sql, database=database)
    assert [row[1:] for row in found.pop("grafana-added.sql")] == [("movie", 1)]
    assert found == {
        "grafana-runs.sql": [],
        "grafana-alert.sql": [(0,)],
        "metabase-person.sql": [(1995, "Heat", "actor", "Role of a", 0)],
        "metabase-decades.sql": [(1990, 1)],
    }


@pytest.mark.postgres
def test_types_of_the_columns_on_postgres(database: str) -> None:
    stored = postgres.server().run(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'mediasync'",
        database=database,
    )
    found = {(table, column): kind for table, column, kind in stored}
    for view in schema_reference.described_views(schema.schema_text()):
        for column in view.columns:
            assert found[view.name, column.name] == TYPES[column.kind], (view.name, column.name)


async def test_a_reader_of_the_file_sees_commits_and_an_immutable_one_misses_them(
    file_url: str, file: Path
) -> None:
    def titles(options: str) -> list[Any]:
        with closing(sqlite3.connect(f"{file.as_uri()}?{options}", uri=True)) as connection:
            return connection.execute("SELECT title FROM media_items ORDER BY title").fetchall()

    async with MediaSync(file_url) as ms:
        await prepared(ms)
        await ms.media.save_media_item(movie("1", title="Heat"), **MOVIES)
    async with MediaSync(file_url) as ms:
        await ms.media.save_media_item(movie("2", title="Ronin"), **MOVIES)
        assert titles("mode=ro") == [("Heat",), ("Ronin",)]
        assert titles("mode=ro&immutable=1") == [("Heat",)]


async def test_the_query_of_a_dashboard_on_sqlite_counts_by_day(file_ms: MediaSync, file: Path) -> None:
    await file_ms.media.save_media_item(movie("1"), **MOVIES)
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        [(time, items)] = connection.execute(files(DASHBOARDS)["grafana-sqlite.sql"]).fetchall()
    assert (time % 86_400, items) == (0, 1)
