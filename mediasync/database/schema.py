"""The text of the schema, and what is to be done with a database of each version of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from mediasync.database.migrations import MIGRATIONS
from mediasync.database.session import Session
from mediasync.errors import DatabaseMissing, SchemaForeign, SchemaOutdated, SchemaTooNew

_SECTION: Final = re.compile(r"^-- section: (\w+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"--.*$", re.MULTILINE)
_TABLE: Final = re.compile(r"CREATE TABLE (\w+)")
_VIEW: Final = re.compile(r"CREATE VIEW (\w+)")
_FORMER_TABLES: Final = ("sync_run_problem",)

OLDEST_VERSION: Final = MIGRATIONS[0].version - 1
"""The oldest version that can be upgraded."""
CURRENT_VERSION: Final = MIGRATIONS[-1].version
"""The version of ``schema.sql``."""

# The version of the stored schema.
SELECT_VERSION: Final = "SELECT version FROM schema_version"
INSERT_VERSION: Final = "INSERT INTO schema_version (version, upgraded_at) VALUES (:version, :now)"
UPDATE_VERSION: Final = "UPDATE schema_version SET version = :version, upgraded_at = :now"


@lru_cache(maxsize=1)
def schema_text() -> str:
    """Return ``schema.sql`` from the installed package or, in a checkout, from its top level."""
    packaged = resources.files("mediasync") / "schema.sql"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schema.sql").read_text(encoding="utf-8")


def statements(section: str, text: str | None = None) -> list[str]:
    """Return the statements of one section of the schema.

    Args:
        section: ``tables`` or ``views``.
        text: another schema than ``schema.sql``.
    """
    parts = _SECTION.split(text if text is not None else schema_text())
    body = dict(zip(parts[1::2], parts[2::2], strict=True))[section]
    return [part for statement in _COMMENT.sub("", body).split(";") if (part := statement.strip())]


def view_names() -> list[str]:
    """Return the names of the public views."""
    return _VIEW.findall(schema_text())


def table_names() -> list[str]:
    """Return the names of all tables."""
    return _TABLE.findall(schema_text())


def table_and_view_names() -> list[str]:
    """Return the names of all tables and views."""
    return table_names() + view_names()


def names_in_any_version() -> list[str]:
    """Return the names of all tables and views, and of the tables that only older versions have."""
    return [*table_and_view_names(), *_FORMER_TABLES]


def stored_version(rows: Sequence[Sequence[Any]]) -> int | None:
    """Return the version in the rows of ``schema_version``, or None if they hold no single version."""
    found = [version for (version,) in rows]
    return found[0] if len(found) == 1 and isinstance(found[0], int) and found[0] > 0 else None


def check_version(version: int | None, tables: int, subject: str) -> int:
    """Return the version of a database that this program can use or upgrade.

    Args:
        version: the stored version, or None where there is none.
        tables: how many tables and views the database holds.
        subject: the name of the database in messages, without secrets.

    Raises:
        DatabaseMissing: if it is empty.
        SchemaForeign: if it holds another program's tables.
        SchemaTooNew: if a newer mediasync wrote it.
        SchemaOutdated: if it is too old to be upgraded.
    """
    if version is None:
        if tables:
            raise SchemaForeign(
                f"{subject} holds tables that are not mediasync's, or does not say which schema it has; give "
                "another file, or an empty one"
            )
        raise DatabaseMissing(f"{subject} is empty; run `mediasync sync` to fill it")
    if version > CURRENT_VERSION:
        raise SchemaTooNew(
            f"{subject} was written by a newer mediasync (schema {version}; this version knows "
            f"{CURRENT_VERSION}); upgrade mediasync to use it. Nothing was changed."
        )
    if version < OLDEST_VERSION:
        raise SchemaOutdated(
            f"{subject} has schema {version}; this version can upgrade schema {OLDEST_VERSION} or newer. "
            "Give a new database, and `mediasync sync` fills it from your sources. Nothing was changed."
        )
    return version


def needs_work(version: int | None, tables: int, subject: str, *, upgrade: bool) -> bool:
    """Return whether a database must be created or upgraded before it can be used.

    Args:
        version: the stored version, or None where there is none.
        tables: how many tables and views the database holds.
        subject: the name of the database in messages, without secrets.
        upgrade: whether the database may be created or upgraded.

    Raises:
        DatabaseMissing: if it is empty and must not be created.
        SchemaForeign: if it holds another program's tables.
        SchemaTooNew: if a newer mediasync wrote it.
        SchemaOutdated: if it is older and must not, or cannot, be upgraded.
    """
    if version is None and not tables and upgrade:
        return True
    version = check_version(version, tables, subject)
    if version < CURRENT_VERSION and not upgrade:
        raise SchemaOutdated(
            f"{subject} has schema {version}, this version needs {CURRENT_VERSION}; run `mediasync upgrade`, "
            "or open it once with upgrade=True. Nothing was changed."
        )
    return version < CURRENT_VERSION


async def create(session: Session) -> None:
    """Create all tables and views in an empty database."""
    for statement in (*statements("tables"), *statements("views")):
        await session.execute(statement)
    await session.execute(INSERT_VERSION, {"version": CURRENT_VERSION, "now": session.now})


async def upgrade(session: Session, version: int, views: list[str]) -> None:
    """Upgrade a database inside the caller's transaction.

    Args:
        session: the transaction.
        version: the version that the database has.
        views: the names of its views. They are dropped first and created again at the end, from
            ``schema.sql``.
    """
    for view in views:
        await session.execute(f'DROP VIEW "{view}"')
    for migration in MIGRATIONS:
        if migration.version > version:
            await migration.upgrade(session)
    for statement in statements("views"):
        await session.execute(statement)
    await session.execute(UPDATE_VERSION, {"version": CURRENT_VERSION, "now": session.now})
