"""The metadata for datasette, as the real datasette reads it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from mediasync import MediaSync
from mediasync.database import schema
from mediasync.database.tables import view_columns
from mediasync.database.views import describe_views
from mediasync.integrations.datasette import make_metadata
from mediasync.testing import make_movie

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="datasette listens on a Unix socket here"),
    pytest.mark.xdist_group("datasette"),  # so that one process starts it
]

LIBRARY = Path(__file__).parents[2] / "examples" / "library"
METADATA: dict[str, Any] = make_metadata("media")
TABLES: dict[str, Any] = METADATA["databases"]["media"]["tables"]
QUERIES: dict[str, Any] = METADATA["databases"]["media"]["queries"]
GIVEN = {
    "title": "Citizen Kane",
    "name": "Orson Welles",
    "other_name": "Joseph Cotten",
    "year": "1941",
}
EMPTY_IN_THE_EXAMPLE = {"items_without_credits", "removed"}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the example library."""
    file = tmp_path_factory.mktemp("example") / "media.db"

    async def fill() -> None:
        async with MediaSync(f"sqlite:///{file}") as ms:
            await ms.sync(f"nfo:{LIBRARY}")

    asyncio.run(fill())
    return file


@pytest.fixture(scope="module")
def socket(example: Path) -> Iterator[str]:
    """The socket of a datasette that serves the file."""
    metadata = example.with_name("metadata.json")
    metadata.write_text(json.dumps(METADATA), encoding="utf-8")
    with TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        command = [sys.executable, "-m", "datasette", "serve", str(example), "--metadata", str(metadata)]
        with subprocess.Popen([*command, "--uds", path], stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            started = next((line for line in server.stderr if "running on" in line), None)
            assert started is not None
            draining = threading.Thread(target=server.stderr.read)
            draining.start()
            yield path
            server.terminate()
            draining.join()


@pytest.fixture
async def site(socket: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of datasette."""
    transport = httpx.AsyncHTTPTransport(uds=socket)
    async with httpx.AsyncClient(transport=transport, base_url="http://datasette", timeout=30) as client:
        yield client


async def get(site: Any, path: str, **params: str) -> Any:
    answer = await site.get(f"/media/{path}.json", params=params)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


async def test_every_query_answers(site: Any) -> None:
    for name, query in QUERIES.items():
        fields = set(re.findall(r":(\w+)", query["sql"]))
        given = {field: GIVEN[field] for field in fields}
        found = await get(site, name, **given)
        assert bool(found["rows"]) is (name not in EMPTY_IN_THE_EXAMPLE), name
        page = await site.get(f"/media/{name}")
        assert page.status_code == 200, name
        assert query["title"] in page.text
        assert all(f'name="{field}"' in page.text for field in fields)


async def test_inner_tables_are_hidden_and_views_are_not(site: Any) -> None:
    found = (await site.get("/media.json")).json()
    tables = {table["name"]: table["hidden"] for table in found["tables"]}
    assert {name for name, hidden in tables.items() if not hidden} == set()
    assert set(tables) >= set(schema.table_names())
    assert {view["name"] for view in found["views"]} == set(schema.view_names())
    assert {query["name"] for query in found["queries"]} == set(QUERIES)


async def test_facets_and_sortable_columns_are_as_written(site: Any) -> None:
    for view, columns in view_columns().items():
        described = TABLES[view]
        found = await get(site, view)
        assert list(found["facet_results"]) == described.get("facets", []), view
        assert found["columns"] == list(columns)
        assert set(described["sortable_columns"]) <= set(columns)
    for column in TABLES["media_items"]["sortable_columns"]:
        await get(site, "media_items", _sort=column)
    assert "overview" not in TABLES["media_items"]["sortable_columns"]
    newest = await get(site, "changes")
    numbers = [row[0] for row in newest["rows"]]
    assert numbers == sorted(numbers, reverse=True)


async def test_descriptions_are_those_of_the_schema(site: Any) -> None:
    for view in describe_views():
        assert TABLES[view.name].get("description", "") == view.description
        if view.description:
            page = await site.get(f"/media/{view.name}")
            assert view.description.split(".")[0].split('"')[0] in page.text.replace("&#39;", "'"), view.name


async def test_what_is_saved_meanwhile_is_seen(example: Path, site: Any) -> None:
    before = (await get(site, "totals"))["rows"][0][0]
    async with MediaSync(f"sqlite:///{example}") as ms:
        [source] = await ms.media.list_sources()
        library = (await ms.media.list_libraries(source.id))[0]
        await ms.media.save_media_item(make_movie("new"), library_id=library.id, source_id=source.id)
        assert (await get(site, "totals"))["rows"][0][0] == before + 1
        assert Path(f"{example}-wal").stat().st_size > 0
        await ms.media.delete_media_item(f"{source.id}:new")


def test_comments_become_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
-- section: tables
CREATE TABLE film (title TEXT, year INTEGER);
-- section: views

-- The films, as [the guide](guide.md) and `films`
-- say.
--
--   title  text     as the source shows it; a long meaning
--                   goes on
--   year   integer  the year; e.g. `1995`
CREATE VIEW films AS SELECT title, year FROM film;

-- A film more.
--
--   as in films
--   extra  integer  one
CREATE VIEW more AS SELECT title, year, 1 AS extra FROM film;
CREATE VIEW plain AS SELECT title FROM film;
"""
    monkeypatch.setattr(schema, "schema_text", lambda: text)
    films, more, plain = describe_views()
    assert films.description == "The films, as the guide and films say."
    assert films.columns == {
        "title": "as the source shows it; a long meaning goes on",
        "year": "the year; e.g. 1995",
    }
    assert more.description == "A film more."
    assert more.columns == {**films.columns, "extra": "one"}
    assert (plain.description, plain.columns) == ("", {"title": ""})


def test_the_metadata_is_json() -> None:
    assert json.loads(json.dumps(METADATA)) == METADATA
