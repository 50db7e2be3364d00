"""The plans of all queries in the docs, in a library of 40,000 credits: none reads a big table whole."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docs_pages
import pytest
from support import postgres
from support.engines import POSTGRES
from support.items import MOVIES, SHOWS, episode, season, show
from support.mirror import prepared

from benchmarks import data
from mediasync import MediaSync, Source

# In one group, so that one process fills the databases.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans of the docs")]

CREDITS = 40_000
SMALL = {"source", "library", "lease", "item_library", "schema_version", "sync_run"}
"""Tables that do not grow with the library."""
COUNTING = re.compile(r"\b(library_counts|totals)\b")
"""The views that count: they scan an index, but no table."""

COUNTED = re.compile(r"SCAN (library_counts|totals|[mx]|person USING INDEX person_uncredited)$")
"""SQLite's names for scanning the counts of such a view, the few items with several libraries, and the few
people without credits."""

_IN_A_COMMAND = re.compile(r'(?:sqlite3 |-c )[^"\n]*"(SELECT [^"]+)"')


WHOLE = "Questions about the whole library"
"""The heading of queries that read everything, and whose times are on their page instead."""


def queries() -> dict[str, str]:
    """Return every query of the views in the docs, by its place, without those about the whole library."""
    found: dict[str, str] = {}
    whole = docs_pages.section(docs_pages.DOCS / "how-to" / "query-with-sql.md", WHOLE)
    for page in docs_pages.pages():
        for block in docs_pages.blocks(page):
            if block.text.strip() in whole:
                continue
            if block.language == "sql" and block.title is None:
                found[block.where] = block.text
            elif block.language in {"console", "sh"}:
                for number, query in enumerate(_IN_A_COMMAND.findall(block.text)):
                    found[f"{block.where}+{number}"] = query.replace("mediasync.", "")
    return found


QUERIES = queries()


async def fill(url: str) -> None:
    async with MediaSync(url) as ms:
        await prepared(ms)
        await ms.media.save_source(Source(id=data.SOURCE_ID, kind="plex"))
        films = map(data.build_model, data.stream_movies(data.movies_for(CREDITS)))
        await ms.media.save_media_items(
            (film.model_copy(update={"path": None, "genres": ["Drama", "Crime"]}) for film in films), **MOVIES
        )
        family = (
            item
            for n in range(500)
            for item in (
                show(f"s{n}"),
                season(f"s{n}-1", parent=f"s{n}"),
                *(episode(f"s{n}-1-{k}", parent=f"s{n}-1") for k in range(8)),
            )
        )
        report = await ms.media.save_media_items(family, **SHOWS)
        assert report.saved == 5_000
        assert (await ms.media.count_credits()) >= CREDITS - data.CREDITS_PER_MOVIE


@pytest.fixture(scope="module")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plans") / "media.db"
    asyncio.run(fill(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="module")
def postgres_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    if reason := postgres.is_available():
        pytest.skip(reason)
    url = POSTGRES.new_url(tmp_path_factory.mktemp("plans"))
    asyncio.run(fill(url))
    return urlsplit(url).path[1:]


def test_the_docs_have_queries() -> None:
    assert len(QUERIES) >= 12


def scans(plan: list[str]) -> list[str]:
    """Return the steps of a plan of SQLite that read a big table, or an index of one, from end to end."""
    return [
        step
        for step in plan
        if step.startswith("SCAN ")
        # What a view grouped has no more rows than the answer.
        and not re.match(r"SCAN (sync_run|CONSTANT|\(|[rls]$|[rls] |(filmographies|show_cast)$)", step)
    ]


@pytest.mark.parametrize("where", QUERIES)
def test_no_query_scans_on_sqlite(sqlite_file: Path, where: str) -> None:
    connection = sqlite3.connect(sqlite_file)
    try:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[where]}")]
    finally:
        connection.close()
    found = scans(plan)
    if COUNTING.search(QUERIES[where]):
        found = [step for step in found if "COVERING" not in step and not COUNTED.match(step)]
    elif "ORDER BY" in QUERIES[where] and "LIMIT" in QUERIES[where]:
        # Read in the order of the answer, an index is left after the first rows.
        sorts = any("TEMP B-TREE FOR ORDER BY" in step for step in plan)
        found = [step for step in found if sorts or "USING INDEX" not in step]
    assert not found, plan


def whole_tables(plan: Any) -> list[str]:
    """Return the big tables that a plan of PostgreSQL reads from end to end."""
    found = [table for one in plan.get("Plans", []) for table in whole_tables(one)]
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] not in SMALL:
        found.append(plan["Relation Name"])
    return found


@pytest.mark.parametrize("where", QUERIES)
def test_no_query_scans_on_postgres(postgres_database: str, where: str) -> None:
    if COUNTING.search(QUERIES[where]):
        pytest.skip("to count all rows, PostgreSQL reads the table where that is smaller than the index")
    [_, _, (text,)] = [
        postgres.server().run(sql, database=postgres_database)
        for sql in (
            f"ALTER DATABASE {postgres_database} SET join_collapse_limit = 20",
            f"ALTER DATABASE {postgres_database} SET search_path = mediasync",
            f"EXPLAIN (FORMAT JSON) {QUERIES[where]}",
        )
    ]
    plan = json.loads(text[0])[0]["Plan"]
    assert not whole_tables(plan), plan


def test_the_first_save_of_many_gathers_statistics(sqlite_file: Path, postgres_database: str) -> None:
    connection = sqlite3.connect(sqlite_file)
    try:
        analysed = {table for (table,) in connection.execute("SELECT tbl FROM sqlite_stat1")}
    finally:
        connection.close()
    assert {"media_item", "person", "credit", "item_word", "person_word"} <= analysed
    [(tuples,)] = postgres.server().run(
        "SELECT reltuples FROM pg_class WHERE oid = 'mediasync.credit'::regclass", database=postgres_database
    )
    assert tuples > CREDITS / 2


def test_a_scan_would_be_seen(sqlite_file: Path, postgres_database: str) -> None:
    query = "SELECT role FROM media_people WHERE role = 'Neo'"
    connection = sqlite3.connect(sqlite_file)
    try:
        assert scans([row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")])
    finally:
        connection.close()
    [(text,)] = postgres.server().run(f"EXPLAIN (FORMAT JSON) {query}", database=postgres_database)
    assert whole_tables(json.loads(text)[0]["Plan"]) == ["credit"]
