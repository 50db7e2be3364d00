"""Every statement of the package is prepared, and the searches of the public views use indexes."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from support import postgres
from support.engines import POSTGRES, Engine
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import prepared, rows

import mediasync.repositories
from mediasync import Credit, ItemFilter, ItemSort, Library, MediaSync, Source
from mediasync.copying import repository
from mediasync.copying.plan import copied_tables
from mediasync.copying.verification import comparisons
from mediasync.database import schema
from mediasync.database.sqlite.dialect import SQLiteDialect
from mediasync.repositories import lists
from mediasync.repositories.candidates import EXISTING_IN_TITLES

# In one group, so that one process fills the databases.
pytestmark = pytest.mark.xdist_group("plans of the package")

VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ")


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(mediasync.repositories.__path__):
        yield importlib.import_module(f"mediasync.repositories.{found.name}")
    yield schema
    yield repository


def _module_name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def constants() -> dict[str, str]:
    """Return each constant in capitals that is a statement, by module and name, and those of a copy."""
    return {
        **statements_of_a_copy(),
        **named_constants(),
    }


def statements_of_a_copy() -> dict[str, str]:
    """Return each statement that is made from the schema."""
    found = {}
    for table in copied_tables():
        found[f"copying.{table.table}.page"] = table.page()
        found[f"copying.{table.table}.level"] = table.page(2)
        found[f"copying.{table.table}.find"] = table.find
        found[f"copying.{table.table}.write"] = table.write
        for part in table.parts:
            found[f"copying.{part.table}.delete"] = part.delete
            found[f"copying.{part.table}.insert"] = part.insert
            if isinstance(part.read, str):
                found[f"copying.{part.table}.read"] = part.read
    for comparison in comparisons():
        found[f"copying.{comparison.view}.compare"] = comparison.page
        for name, query in comparison.below:
            found[f"copying.{name}.compare"] = query
    return found


def named_constants() -> dict[str, str]:
    """Return each constant in capitals that is a statement, by module and name."""
    return {
        f"{_module_name(module)}.{name}": text
        for module in modules()
        for name, text in vars(module).items()
        if name.isupper()
        and not name.startswith("_")
        and isinstance(text, str)
        and text.lstrip().startswith(VERBS)
    }


def written_out(text: str) -> str:
    """Fill in the parts of a constant that are added before it runs: the words of a search."""
    table = "item" if "media_item" in text else "person"
    one = f"SELECT {table}_key FROM {table}_word WHERE word >= :low0 AND word < :high0"
    others = f"AND w.{table}_key IN ({one})"
    return text.replace("@words", one).replace("@others", others).replace("{n}", "0")


async def test_every_statement_is_prepared(ms: MediaSync, engine: Engine) -> None:
    found = constants()
    assert len(found) > 50
    for name, text in found.items():
        sql = ms._database.dialect.translate(written_out(text))
        names = set(re.findall(r"(?<!:):([a-z_]\w*)", sql))
        try:
            if engine.is_sqlite:
                assert "@" not in sql, name
                params = dict.fromkeys(names, "[]")
                await ms._database._engine._writer.rows(f"EXPLAIN {sql}", params)  # type: ignore[attr-defined]
            else:
                lists = set(re.findall(r"@(?:rows|list)\(:(\w+)", sql))
                numbers = {
                    "now",
                    "limit",
                    "offset",
                    "after",
                    "before",
                    "before_all",
                    "compared_at",
                    "first",
                    "last",
                    "seen",
                    "saved",
                    "unchanged",
                    "failed",
                    "version",
                    "most",
                    "place",
                    "moment",
                    "newest",
                    "number",
                    "pruned",
                    "run_id",
                    "series",
                    "credits_of_each",
                    "id_characters",
                    "name_characters",
                    "provider_characters",
                    "year",
                    "any_type",
                    "any_own_type",
                    "any_media_type",
                    "any_source",
                    "any_genre",
                    "any_year",
                    "roll_up",
                    "no_year",
                    "no_number",
                    "season",
                    "episode",
                    "after_year",
                    "first_year",
                    "last_year",
                    "titles",
                    "rank",
                    "least",
                }
                given = {key: [] if key in lists else 1 if key in numbers else "1" for key in names}
                if name.startswith(("copying.sync_run", "copying.run_problem", "copying.change")):
                    given.update(dict.fromkeys(names - lists, 1))
                if re.search(r"\brun_key = :id|SELECT :id", sql):
                    given["id"] = 1
                if re.search(r"\b[iv]\.(media_item_|library_)?id > :after", sql) and "sync_run" not in name:
                    given.update({key: "1" for key in ("after", "last") if key in names})
                async with ms._database.read() as session:
                    raw = session._connection.raw  # type: ignore[attr-defined]
                    prepared_sql = ms._database.dialect.prepare(sql, given)[0]  # type: ignore[attr-defined]
                    assert "@" not in prepared_sql, name
                    await raw.prepare(prepared_sql)
        except Exception as error:
            raise AssertionError(f"{name}: {error}\n{sql}") from error


async def test_what_needs_one_plan_is_planned_once_for_a_connection(ms: MediaSync, engine: Engine) -> None:
    if engine.is_sqlite:
        pytest.skip("SQLite plans a statement once in any case")
    async with ms._database.read() as session:
        for text in ("lantern", "lamp", "l", "x", "y", "z", "lantern street"):
            assert await session.fetch_all(EXISTING_IN_TITLES, {"words": [text, *"abc"]}) == []
        [(planned_for_values, planned_once)] = await session.fetch_all(
            "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement LIKE :like",
            {"like": "%AS entries%"},
        )
    assert (planned_for_values, planned_once) == (5, 2)


def test_no_statement_holds_a_literal_that_an_engine_might_not_know() -> None:
    for name, text in constants().items():
        if name.startswith("schema."):
            continue
        assert not re.search(
            r"\b(json_each|->>|PRAGMA|AUTOINCREMENT|INSERT OR|rowid|strftime|IFNULL)\b", text
        ), name


def test_every_statement_of_a_repository_stands_below_a_sentence_that_says_what_it_is_for() -> None:
    found = 0
    statements = constants()
    for module in modules():
        if module.__package__ != "mediasync.repositories":
            continue
        lines = inspect.getsource(module).splitlines()
        for above, line in pairwise(lines):
            name = line.partition(": Final")[0]
            if f"{_module_name(module)}.{name}" in statements:
                found += 1
                assert re.fullmatch(r"# .*\.", above), f"{module.__name__}.{name}"
    assert found > 50


def test_macros_are_written_out() -> None:
    sql = SQLiteDialect.translate("SELECT * FROM @rows(:people, id text, n2 integer) r, @list(:ids) l")
    with sqlite3.connect(":memory:") as connection:
        params = {"people": '[["a", 1], ["b"]]', "ids": '["x"]'}
        assert connection.execute(sql, params).fetchall() == [(0, "a", 1, 0, "x"), (1, "b", None, 0, "x")]
    connection.close()


# Query plans, through the public views

QUERIES = {
    "cast of an item": "SELECT p.name, c.role FROM media_people c JOIN people p ON p.id = c.person_id "
    "WHERE c.media_item_id = 'home:m7' AND c.person_type IN ('actor', 'guest_star') ORDER BY c.sort_order",
    "credits of an item": "SELECT * FROM media_people WHERE media_item_id = 'home:m7'",
    "filmography": "SELECT i.title, i.year, c.role FROM media_people c "
    "JOIN media_items i ON i.id = c.media_item_id WHERE c.person_id = 'home:p7' ORDER BY i.year",
    "credits of a person": "SELECT * FROM media_people WHERE person_id = 'home:p7'",
    "a person": "SELECT * FROM people WHERE id = 'home:p7'",
    "people by name": "SELECT * FROM people WHERE name = 'Name 7'",
    "films of a name": "SELECT i.title FROM people p JOIN media_people c ON c.person_id = p.id "
    "JOIN media_items i ON i.id = c.media_item_id WHERE p.name = 'Name 7'",
    "an item": "SELECT * FROM media_items WHERE id = 'home:m7'",
    "items of a library": "SELECT * FROM media_items "
    "WHERE library_id = 'home:movies' AND media_type = 'movie'",
    "children": "SELECT * FROM media_items WHERE parent_id = 'home:s7' ORDER BY season_number",
    "by imdb_id": "SELECT * FROM media_items WHERE imdb_id = 'tt7'",
    "by tmdb_id": "SELECT * FROM media_items WHERE tmdb_id = '7'",
    "by tvdb_id": "SELECT * FROM media_items WHERE tvdb_id = '7'",
    "by external id": "SELECT i.* FROM external_ids x JOIN media_items i ON i.id = x.media_item_id "
    "WHERE x.provider = 'imdb' AND x.value = 'tt7'",
    "external ids of an item": "SELECT * FROM external_ids WHERE media_item_id = 'home:m7'",
    "genres of an item": "SELECT * FROM genres WHERE media_item_id = 'home:m7'",
    "items of a genre": "SELECT media_item_id FROM genres WHERE name = 'Genre 7'",
    "ratings of an item": "SELECT * FROM ratings WHERE media_item_id = 'home:m7'",
    "images of an item": "SELECT * FROM images WHERE media_item_id = 'home:m7'",
    "flat credits of a name": "SELECT title, show_title, role FROM credits_flat WHERE person_name = 'Name 7'",
    "flat credits of two names": "SELECT title FROM credits_flat WHERE person_name IN ('Name 7', 'Name 8')",
    "flat credits of a person": "SELECT title FROM credits_flat WHERE person_id = 'home:p7'",
    "flat credits of a title": "SELECT person_name FROM credits_flat WHERE title = 'Movie m7'",
    "flat credits of an item": "SELECT person_name FROM credits_flat WHERE media_item_id = 'home:m7'",
    "filmography of a name": "SELECT * FROM filmographies WHERE person_name = 'Name 7' ORDER BY first_year",
    "filmography of a person": "SELECT * FROM filmographies WHERE person_id = 'home:p7' ORDER BY first_year",
    "cast of a show": "SELECT * FROM show_cast WHERE show_title = 'Show s7' ORDER BY episodes DESC",
    "cast of a show by id": "SELECT * FROM show_cast WHERE show_id = 'home:s7' ORDER BY episodes DESC",
    "shows of a name": "SELECT * FROM show_cast WHERE person_name = 'Name 2007'",
    "shows of a person": "SELECT * FROM show_cast WHERE person_id = 'home:p2007'",
    "runs of a source": "SELECT * FROM sync_runs WHERE source_id = 'home' ORDER BY started_at DESC LIMIT 5",
    "problems of a run": "SELECT * FROM sync_run_problems WHERE run_id = 7",
}


@pytest.fixture(scope="module", params=["never analysed", "analysed"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of some thousand rows."""
    file = tmp_path_factory.mktemp("plans") / "media.db"
    asyncio.run(fill(f"sqlite:///{file}"))
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM sync_run")
        connection.executemany(
            "INSERT INTO sync_run (run_key, source_key, status, started_at, series) "
            "VALUES (?, ?, 'succeeded', ?, ?)",
            [(n, 1 + n % 20, n, n) for n in range(1, 2_000)],
        )
        connection.executemany(
            "INSERT INTO run_problem VALUES (?, ?, 0, NULL, 'remark', 'a', 'b')",
            [(n, n) for n in range(1, 2_000)],
        )
        if request.param == "analysed":
            connection.execute("ANALYZE")
    connection.close()
    return file


def actor(number: int) -> Credit:
    return credit(f"p{number}", f"Name {number}", provider_ids={"imdb": f"nm{number}"})


async def fill(url: str) -> None:
    async with MediaSync(url) as ms:
        await prepared(ms)
        for n in range(19):
            await ms.media.save_source(Source(id=f"other{n}", kind="nfo"))
        movies = [
            movie(
                f"m{n}",
                year=1950 + n % 70,
                provider_ids={"imdb": f"tt{n}", "tmdb": f"{n}", "tvdb": f"{n}"},
                genres=[f"Genre {n % 20}"],
                images={"poster": "p"},
                ratings=[{"name": "imdb", "value": 5}],
                credits=[actor((n * 7 + k) % 3_000) for k in range(5)],
            )
            for n in range(2_000)
        ]
        report = await ms.media.save_media_items(movies, **MOVIES)
        family = [
            item
            for n in range(200)
            for item in (
                show(f"s{n}", credits=[actor(2_000 + n)]),
                season(f"s{n}-1", parent=f"s{n}"),
                episode(f"s{n}-1-1", parent=f"s{n}-1", credits=[actor(2_000 + n), actor(n)]),
            )
        ]
        report = await ms.media.save_media_items(family, report=report, **SHOWS)
        assert report.saved == 2_600


@pytest.mark.parametrize("name", QUERIES)
def test_a_search_through_the_views_scans_no_big_table(filled: Path, name: str) -> None:
    connection = sqlite3.connect(filled)
    try:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}")]
        assert connection.execute(QUERIES[name]).fetchone() is not None, "the query finds something"
    finally:
        connection.close()
    assert plan
    made = {"SCAN filmographies", "SCAN show_cast"}  # the rows of the answer, grouped
    scans = [
        step
        for step in plan
        if step not in made
        and re.match(r"SCAN (?!sync_run|r\b.*sync_run|s\b|l\b|source|library|listed\b)", step)
    ]
    assert not scans, plan
    if "run" in name:
        assert not [step for step in plan if re.match(r"SCAN (r|sync_run|p|run_problem)\b", step)], plan


@pytest.fixture(scope="module")
def filled_postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the same database on PostgreSQL, analysed."""
    url = POSTGRES.new_url(tmp_path_factory.mktemp("plans"))
    asyncio.run(fill(url))
    asyncio.run(fill_few(url))
    database = urlsplit(url).path[1:]
    for sql in (
        "INSERT INTO mediasync.sync_run (run_key, source_key, status, started_at, series) "
        "SELECT n, s.source_key, 'succeeded', n, n FROM generate_series(1, 1999) n "
        "JOIN mediasync.source s ON s.id = CASE n % 20 WHEN 0 THEN 'home' ELSE 'other' || n % 20 - 1 END",
        "INSERT INTO mediasync.run_problem "
        "SELECT n, n, 0, NULL, 'remark', 'a', 'b' FROM generate_series(1, 1999) n",
        "ANALYZE",
    ):
        postgres.server().run(sql, database=database)
    return url


async def fill_few(url: str) -> None:
    """Add many libraries of few items each."""
    async with MediaSync(url) as ms:
        for library in ("few", *(f"few{n}" for n in range(60))):
            await ms.media.save_library(Library(id=library, source_id="home", kind="movies"))
            few = [movie(f"{library}-{n}") for n in range(20)]
            await ms.media.save_media_items(few, library_id=library, source_id="home")


SMALL = {"source", "library", "lease", "person_alias", "item_library", "item_rekeyed"}
"""Here; the last two are small everywhere: few items are in several libraries or get another key."""


def whole_tables(plan: Any) -> list[str]:
    """Return the tables that a plan, in JSON, reads from end to end."""
    if isinstance(plan, list):
        return [table for one in plan for table in whole_tables(one)]
    found = whole_tables(plan.get("Plans", []))
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] not in SMALL:
        found.append(plan["Relation Name"])
    return found


async def plan_of(ms: MediaSync, sql: str) -> Any:
    [(plan,)] = await rows(ms, f"EXPLAIN (FORMAT JSON) {sql}")
    return json.loads(plan)[0]["Plan"]


async def test_a_search_through_the_views_scans_no_big_table_on_postgres(filled_postgres: str) -> None:
    async with MediaSync(filled_postgres, read_only=True) as ms:
        for name, sql in QUERIES.items():
            if name == "films of a name":
                continue  # It joins nine tables: from nine on PostgreSQL tries fewer orders.
            sql = sql.replace("home:movies", "home:few")  # of most rows a scan is right
            assert await rows(ms, sql), f"{name} finds something"
            plan = await plan_of(ms, sql)
            assert not whole_tables(plan), (name, plan)


SEARCHES = [
    "person_reading.SEARCH_FEW_PEOPLE",
    "person_reading.SEARCH_MANY_PEOPLE",
    "item_reading.SEARCH_FEW_ITEMS",
    "item_reading.SEARCH_MANY_ITEMS",
    "item_reading.FIND_ITEMS_BY_TITLE",
    "credits.SELECT_CREDITS",
    "credits.SELECT_SHORT_LIST",
    "credits.COUNT_CREDITS_OF_PERSON",
    "credits.SELECT_FILMOGRAPHY",
    "people.SELECT_PEOPLE",
    "item_reading.FIND_BY_PROVIDER_ID",
    "item_reading.LIST_CHILD_IDS",
    "exporting.SELECT_EXPORTED_CHILDREN",
    "item_reading.SELECT_ITEMS",
    "items.SELECT_STATES",
    "works.SELECT_WORKS_OF_PERSON",
    "works.SELECT_TITLE_FACTS",
    "works.SELECT_CREDITS_BELOW",
    "works.FIND_WORKS",
    "works.LIST_COSTARS",
]


async def test_the_packages_own_searches_scan_no_big_table_on_postgres(filled_postgres: str) -> None:
    async with MediaSync(filled_postgres, read_only=True) as ms, ms._database.read() as session:
        for name in SEARCHES:
            sql = written_out(constants()[name])
            given: dict[str, Any] = {
                "low0": "777", "high0": "777\U0010ffff", "low": "777", "high": "777\U0010ffff",
                "word": "=m777", "source_id": None, "limit": 50, "offset": 0,
                "ids": ["home:m7"], "person_id": "home:p7", "provider": "imdb", "value": "tt7",
                "parent_id": "home:s7", "id": "home:p7", "items": [("home:m7",)],
                "asked": [(0, "home:p7", ""), (1, "home:p14", "actor")], "number": 2, "titles": 3,
                "types": [], "any_type": 1, "own_types": [], "any_own_type": 1, "media_type": "show",
                "media_types": [], "any_media_type": 1, "genres": [], "any_genre": 1, "any_year": 1,
                "first_year": 0, "last_year": 0, "sources": [], "any_source": 1, "roll_up": 1,
                "talk_genres": [], "no_year": 9, "after_year": 0, "after_title": "", "after_id": "",
            }  # fmt: skip
            params = {key: one for key, one in given.items() if f":{key}" in sql}
            [(plan,)] = await session.fetch_all(f"EXPLAIN (FORMAT JSON) {sql}", params)
            assert not whole_tables(json.loads(plan)[0]["Plan"]), (name, plan)


# The statements of lists, which are made of a filter and a sort

FILTERED = ItemFilter(
    media_types="movie", year_from=1960, genre="Genre 7", min_rating=1, with_provider="imdb",
    with_people=["home:p7"], library_id="home:movies", source_id="home",
    added_since=datetime(2020, 1, 1, tzinfo=UTC),
)  # fmt: skip
WALKS = [
    (given, sort, descending, after)
    for given in (ItemFilter(), ItemFilter(media_types="movie"), FILTERED)
    for sort in ItemSort
    for descending in (False, True)
    for after in (None, (1, "home:m7"), (None, "home:m7"))
    if after != (None, "home:m7")
    or (given is not FILTERED and sort not in {ItemSort.TITLE, ItemSort.CHANGED})
]
INDEXES = {
    ItemSort.TITLE: "media_item_by_sort_key",
    ItemSort.YEAR: "media_item_by_year",
    ItemSort.RATING: "media_item_by_rating",
    ItemSort.ADDED: "media_item_by_added",
    ItemSort.CHANGED: "media_item_by_updated",
}


def walk(given: ItemFilter, sort: ItemSort, descending: bool, after: Any) -> tuple[str, dict[str, Any]]:
    """Return the statement of a page, and its parameters."""
    conditions = lists.item_conditions(given)
    value = {ItemSort.TITLE: "m7", ItemSort.RATING: 5.0}.get(sort, 1)
    place = after if after is None or after[0] is None else (value, after[1])
    rows = lists.walk_items(conditions, tuple(given.media_types), sort, descending, place)
    params = {name: value for one in conditions for name, value in one.params.items()}
    if place is not None:
        params |= {"id": place[1]} if place[0] is None else {"value": place[0], "id": place[1]}
    return lists.page_of_items(rows, descending, None), {**params, "limit": 50}


@pytest.mark.parametrize(("given", "sort", "descending", "after"), WALKS)
def test_a_page_of_a_list_walks_the_index_of_its_order(
    filled: Path, given: ItemFilter, sort: ItemSort, descending: bool, after: Any
) -> None:
    sql, params = walk(given, sort, descending, after)
    with closing(sqlite3.connect(filled)) as connection:
        sql = SQLiteDialect.translate(sql)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    walked = [step for step in plan if re.match(r"(SCAN|SEARCH) i USING (COVERING )?INDEX", step)]
    assert walked, plan
    assert all(INDEXES[sort] in step for step in walked), plan
    ordered = [step for step in plan if not step.startswith(("CO-ROUTINE", "MERGE", "LEFT", "RIGHT"))]
    after_walks = [ordered[n + 1] for n, step in enumerate(ordered[:-1]) if step in walked]
    assert not [step for step in after_walks if "TEMP B-TREE" in step], plan
    assert not [step for step in plan if re.match(r"SCAN (i|x|c|g|k|parent|upper|r|m)$", step)], plan


async def test_a_page_of_a_list_scans_no_big_table_on_postgres(filled_postgres: str) -> None:
    async with MediaSync(filled_postgres, read_only=True) as ms, ms._database.read() as session:
        for given, sort, descending, after in WALKS:
            if given is FILTERED:
                continue  # few fit all of it, and the planner begins with those
            sql, params = walk(given, sort, descending, after)
            [(plan,)] = await session.fetch_all(f"EXPLAIN (FORMAT JSON) {sql}", params)
            assert not whole_tables(json.loads(plan)[0]["Plan"]), (sort, descending, after, plan)


async def test_the_test_of_postgres_plans_would_see_a_scan(filled_postgres: str) -> None:
    async with MediaSync(filled_postgres, read_only=True) as ms:
        plan = await plan_of(ms, "SELECT * FROM people WHERE name LIKE '%x'")
        assert whole_tables(plan) == ["person"]


PAGES_OF_EXPORTS = [
    "SELECT_EXPORTED_ITEMS",
    "SELECT_EXPORTED_ORPHANS",
    "SELECT_EXPORTED_PEOPLE",
    "SELECT_PEOPLE_OF_EXPORTED_ITEMS",
    "SELECT_LAST_CHANGES",
]


@pytest.mark.parametrize("name", PAGES_OF_EXPORTS)
def test_a_page_of_an_export_is_neither_sorted_nor_searched_from_the_beginning(
    filled: Path, name: str
) -> None:
    sql = SQLiteDialect().translate(constants()[f"exporting.{name}"])
    params = {"above": "h", "end": "z", "low": "h", "after": 1, "limit": 9, "library_id": None, "types": "[]"}
    connection = sqlite3.connect(filled)
    try:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    finally:
        connection.close()
    assert plan[0].startswith("SEARCH"), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_the_test_of_plans_would_see_a_scan(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    try:
        plan = [
            row[3]
            for row in connection.execute("EXPLAIN QUERY PLAN SELECT * FROM people WHERE name LIKE '%x'")
        ]
    finally:
        connection.close()
    assert any(step.startswith("SCAN p") for step in plan), plan


async def test_the_packages_own_queries_search_by_indexes(filled: Path) -> None:
    whole = {
        "sources", "source_summaries", "checks", "doctor", "schema", "repository",
        "item_reading.COUNT_BY_LIBRARY", "credits.COUNT_CREDITS", "person_reading.COUNT_PEOPLE",
        "runs.SELECT_RUNS",
        "copying.source.find", "copying.library.find",  # tables of a few rows
        "leases.SELECT_HELD",  # one row for each source
        "inbox.SELECT_NEXT", "inbox.SELECT_SOURCES",  # at most 500 rows for each source
        "source_renaming.UPDATE_OTHERS",  # once for a renaming
        "works.RANK_BY_WORKS", "works.RANK_BY_EPISODES", "works.RANK_PAIRS",  # over all credits
        "candidates.PROMINENT_PEOPLE",  # once in ten minutes
    }  # fmt: skip
    async with MediaSync(f"sqlite:///{filled}") as ms:
        for name, text in constants().items():
            if name in whole or name.partition(".")[0] in whole:
                continue
            sql = ms._database.dialect.translate(written_out(text))
            params = dict.fromkeys(re.findall(r":([a-z_]\w*)", sql), "[]")
            engine = ms._database._engine
            plan = [row[3] for row in await engine._writer.rows(f"EXPLAIN QUERY PLAN {sql}", params)]  # type: ignore[union-attr]
            scans = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
            scans = [
                step
                for step in scans
                if step not in {"SCAN change_counter", "SCAN counter", "SCAN schema_version"}  # one row each
                and not re.match(
                    r"SCAN (json_each|CONSTANT|\(subquery|[abfglrsw]\b|(begun|below|above|listed|found)\b)"
                    r"|SCAN of_\w+\b"
                    r"|SCAN t_(library|source)_key\b|SCAN p USING INDEX person_uncredited\b",
                    step,
                )
            ]
            assert not scans, (name, plan)
        assert await rows(ms, "SELECT count(*) AS n FROM media_items") == [(2_600,)]
