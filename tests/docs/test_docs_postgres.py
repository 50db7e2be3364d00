"""The pages on PostgreSQL and other programs' tools: Alembic leaves mediasync's schema alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import docs_pages
import pytest
from docs_pages import DOCS
from support import postgres

from mediasync import MediaSync
from mediasync.database import schema

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

PAGE = DOCS / "how-to" / "use-postgresql.md"


def hook_of_the_page() -> Callable[..., bool]:
    """Return the filter that the page shows."""
    [block] = [block for block in docs_pages.blocks(PAGE) if block.title == "alembic_filter.py"]
    names: dict[str, Any] = {}
    exec(block.text, names)
    return names["include_name"]


def test_the_filter_keeps_off_one_schema_only() -> None:
    include_name = hook_of_the_page()
    for name in (None, "public", "mediasync_of_another"):
        assert include_name(name, "schema", {})
    assert not include_name("mediasync", "schema", {})
    assert include_name("mediasync", "table", {"schema_name": "public"})


async def test_autogenerate_keeps_off_the_tables() -> None:
    """Alembic itself, on a database with an application's table beside mediasync's."""
    pytest.importorskip("alembic")
    pytest.importorskip("sqlalchemy")
    if reason := postgres.is_available():
        pytest.skip(reason)
    import sqlalchemy
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy.ext.asyncio import create_async_engine

    metadata = sqlalchemy.MetaData()
    sqlalchemy.Table("watched", metadata, sqlalchemy.Column("item_id", sqlalchemy.Text, primary_key=True))
    sqlalchemy.Table("to_come", metadata, sqlalchemy.Column("id", sqlalchemy.Text, primary_key=True))

    url = postgres.server().new_database()
    async with MediaSync(url):
        pass

    def differences(connection: Any, **options: Any) -> set[tuple[str, str | None, str]]:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, **options})
        return {
            (difference[0], difference[1].schema, difference[1].name)
            for difference in compare_metadata(context, metadata)
            if difference[0].endswith("_table")
        }

    engine = create_async_engine(urlunsplit(urlsplit(url)._replace(scheme="postgresql+asyncpg")))
    try:
        async with engine.begin() as connection:
            await connection.execute(sqlalchemy.text("CREATE TABLE watched (item_id text PRIMARY KEY)"))
            without = await connection.run_sync(differences)
            kept_off = await connection.run_sync(differences, include_name=hook_of_the_page())
            default_only = await connection.run_sync(differences, include_schemas=False)
    finally:
        await engine.dispose()

    mine = {("add_table", None, "to_come")}
    tables = set(schema.table_and_view_names()) - set(schema.view_names())
    assert without == mine | {("remove_table", "mediasync", table) for table in tables}
    assert kept_off == mine
    assert default_only == mine


def test_the_substitutions_are_those_of_the_dialect() -> None:
    from mediasync.database.postgres.dialect import SUBSTITUTION

    text = docs_pages.section(DOCS / "explanation" / "postgresql.md", "One text for both engines")
    rows = docs_pages.table(text, 1)
    assert len(rows) == len(SUBSTITUTION)
    for (said, becomes), (pattern, replacement) in zip(rows, SUBSTITUTION, strict=True):
        if becomes.startswith("`"):
            assert said.strip("`") in pattern.replace("\\b", "")
            assert becomes.strip("`") == replacement
        else:
            assert said.strip("`").removesuffix("(…)") in pattern.replace("\\", "")


def test_figures_of_keys_and_retries() -> None:
    from mediasync.database.postgres import engine as engine
    from mediasync.database.postgres import keys

    page = (DOCS / "explanation" / "postgresql.md").read_text(encoding="utf-8")
    assert f"{1 << keys.BLOCK_BITS:,} keys" in page
    assert f"{(1 << keys.SOURCE_BITS) - 1:,} sources" in page
    assert f"| {keys.SOURCE_BITS} bits   | 32 bits                      | {keys.BLOCK_BITS} bits" in page
    assert engine.MAX_ATTEMPTS == 10
    assert "ten\ntimes" in page or "ten times" in page
    assert f"{(1 << keys.SOURCE_BITS) - 1:,} sources" in (DOCS / "explanation" / "scaling.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("parameter", ["host", "port", "sslmode", "application_name"])
def test_parameters_of_a_url(parameter: str) -> None:
    from mediasync.database.postgres.url import parse_url

    value = {"port": "5432"}.get(parameter, "disable")
    assert parse_url(f"postgresql://somebody@/media?{parameter}={value}")
    assert f"`{parameter}`" in docs_pages.section(DOCS / "reference" / "python.md", "MediaSync")
