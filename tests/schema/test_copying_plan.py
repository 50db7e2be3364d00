"""What a copy does with each table and column follows from ``schema.sql``, or is declared with a reason."""

from __future__ import annotations

import re

import pytest
from support.mirror import rows

from mediasync import MediaSync
from mediasync.copying import rules
from mediasync.copying.plan import CopiedTable, copied_tables
from mediasync.copying.verification import comparisons
from mediasync.database import schema

VIEWS = "-- section: views"


def with_tables(monkeypatch: pytest.MonkeyPatch, tables: str, views: str = "") -> None:
    """Let the schema have more tables and views."""
    text = schema.schema_text().replace(VIEWS, f"{tables}\n{VIEWS}") + views
    monkeypatch.setattr(schema, "schema_text", lambda: text)


def inserts(tables: list[CopiedTable]) -> dict[str, str]:
    """Return the statement that inserts rows of each table, by the table's name."""
    walked = {table.table: table.write for table in tables}
    return walked | {part.table: part.insert for table in tables for part in table.parts}


async def test_every_table_and_column_of_a_database_is_copied_or_declared(file_ms: MediaSync) -> None:
    statements = inserts(copied_tables())
    declared = {*rules.KEPT_COLUMNS, *rules.CLEARED_COLUMNS}
    found = await rows(file_ms, "SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {name for (name,) in found if not name.startswith("sqlite_")}
    assert names == {*statements, *rules.NOT_COPIED}
    for name, statement in statements.items():
        columns = await rows(file_ms, f"SELECT name, pk FROM pragma_table_info('{name}')")
        written = re.findall(r"\w+", statement[statement.index("(") : statement.index(")")])
        missing = {column for column, _ in columns if column not in written} - {
            column for table, column in declared if table == name
        }
        # A storage key is left to the engine.
        assert missing <= {column for column, pk in columns if pk and "id" in written}, name


def test_what_is_declared_exists() -> None:
    names = schema.table_and_view_names()
    for table in (
        *rules.NOT_COPIED, *rules.KEYS_OF_WRITERS, *rules.PAGE_SIZES, *rules.DESCRIPTIONS, *rules.COMPUTED,
        *rules.NOT_COMPARED,
    ):  # fmt: skip
        assert table in names
    text = schema.schema_text()
    for table, column in (*rules.KEPT_COLUMNS, *rules.CLEARED_COLUMNS):
        body = text[text.index(f"CREATE TABLE {table} (") :].partition(";\n\n")[0]
        assert re.search(rf"^    {column} ", body, re.MULTILINE), (table, column)


def test_tables_are_copied_after_those_that_they_refer_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [table.table for table in copied_tables()] == [
        "source", "library", "person", "media_item", "sync_run", "run_problem", "change"
    ]  # fmt: skip
    with_tables(
        monkeypatch,
        """
        CREATE TABLE tag (tag_key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
        CREATE TABLE item_tag (
            item_key INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
            tag_key  INTEGER NOT NULL REFERENCES tag (tag_key),
            PRIMARY KEY (item_key, tag_key)
        );
        """,
    )
    assert [table.table for table in copied_tables()] == [
        "source", "library", "person", "sync_run", "run_problem", "change", "tag", "media_item"
    ]  # fmt: skip


UNKNOWN = {
    "a table without a primary key": (
        "CREATE TABLE note (text TEXT NOT NULL);",
        "the table note cannot be copied: give it a primary key, or name it in NOT_COPIED",
    ),
    "a foreign key of two columns": (
        "CREATE TABLE note (a INTEGER, b INTEGER, PRIMARY KEY (a, b), "
        "FOREIGN KEY (a, b) REFERENCES item_genre (item_key, position));",
        "a foreign key of the table note has several columns",
    ),
    "two parents": (
        "CREATE TABLE note (id TEXT PRIMARY KEY, a TEXT REFERENCES note (id), b TEXT REFERENCES note (id));",
        "rows of the table note refer to other rows of it by several columns",
    ),
    "a circle": (
        "CREATE TABLE one (id TEXT PRIMARY KEY, other TEXT REFERENCES two (id));"
        "CREATE TABLE two (id TEXT PRIMARY KEY, other TEXT REFERENCES one (id));",
        "the tables one, two refer to each other in a circle",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_table_that_no_rule_covers_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, message = UNKNOWN[name]
    with_tables(monkeypatch, tables)
    with pytest.raises(ValueError, match=message):
        copied_tables()


def test_a_view_that_no_rule_covers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with_tables(monkeypatch, "", "CREATE VIEW names AS SELECT name FROM person;")
    with pytest.raises(ValueError, match="nothing says how to compare the view names"):
        comparisons()
