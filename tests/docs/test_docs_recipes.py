"""The recipes of plain SQL: the same answers on both engines, and at any size that is asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docs_pages
import pytest
from support import postgres
from support.engines import POSTGRES

from benchmarks import mixed, recipes
from mediasync import MediaSync

# In one group, so that one process fills the databases.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("recipes")]

PAGE = docs_pages.DOCS / "how-to" / "query-with-sql.md"
RECIPES = recipes.recipes()


def as_shown(rows: list[tuple[Any, ...]]) -> str:
    """Format rows as the page shows them."""
    return "\n".join("|".join("" if value is None else str(value) for value in row) for row in rows)


@pytest.fixture(scope="module")
def examples_on_postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database on PostgreSQL with the contents of examples/library."""
    url = POSTGRES.new_url(tmp_path_factory.mktemp("recipes"))

    async def fill() -> None:
        async with MediaSync(url) as ms:
            assert not (await ms.sync(f"nfo:{docs_pages.ROOT / 'examples' / 'library'}")).failed

    asyncio.run(fill())
    database = urlsplit(url).path[1:]
    postgres.server().run(f"ALTER DATABASE {database} SET search_path = mediasync", database=database)
    return database


def shown() -> dict[str, str]:
    """Return the output that the page shows below each query, by the query."""
    blocks = docs_pages.blocks(PAGE)
    return {
        query.text.strip(): output.text
        for query, output in pairwise(blocks)
        if (query.language, output.language) == ("sql", "output")
    }


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_postgres_gives_the_answer_of_the_page(recipe: recipes.Recipe, examples_on_postgres: str) -> None:
    found = as_shown(postgres.server().run(recipe.sql, database=examples_on_postgres))
    assert docs_pages.same(found, shown()[recipe.sql]), found


def test_there_are_fifteen_recipes_and_each_has_its_own_heading() -> None:
    assert len({recipe.title for recipe in RECIPES}) == len(RECIPES) >= 15


def test_the_page_has_the_time_of_each_recipe() -> None:
    titles = [row[0] for row in docs_pages.table(docs_pages.section(PAGE, "How long they take"))]
    assert titles == [recipe.title for recipe in RECIPES]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def generated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The engine, and a database on it with as many credits as the option says."""
    count = request.config.getoption("--recipes-credits")
    if request.param == "sqlite":
        path = str(tmp_path_factory.mktemp("recipes") / "media.db")
    else:
        path = POSTGRES.new_url(Path())
    recipes.save_library(path, count)
    if request.param == "postgresql":
        postgres.server().run("VACUUM (ANALYZE)", database=urlsplit(path).path[1:])
    yield request.param, path
    Path(path).unlink(missing_ok=True)


NEEDS_MORE = {"By a provider's id", "The results of the last runs", "Films with two people together"}
"""What these ask for is not in a generated library, or not in every small one."""


@pytest.mark.timeout(3_600)
def test_every_recipe_finds_something_in_a_generated_library(
    generated: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine, path = generated
    found = recipes.time_recipes(path)["recipes"]
    with capsys.disabled():
        slowest = max(found, key=lambda title: found[title]["ms"])
        print(f"\n{engine}: the slowest recipe is {slowest!r}, {found[slowest]['ms']:,.1f} ms")
    empty = {title for title, timing in found.items() if not timing["rows"]}
    rare = {"Films that a person acts in and directs", "People who share a name"}
    assert empty <= NEEDS_MORE | rare


def test_the_names_that_recipes_ask_for_are_found_on_the_page() -> None:
    names = recipes.names(RECIPES)
    for name in (*names.people, *names.directors, *names.films, *names.shows):
        assert re.search(rf"'{re.escape(name)}'", PAGE.read_text(encoding="utf-8"))
    assert mixed.SOURCE_ID in PAGE.read_text(encoding="utf-8")
