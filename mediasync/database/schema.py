"""The schema: where ``schema.sql`` is, its version, and how an older database is upgraded."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from mediasync.aliases import keys_of_row
from mediasync.database.session import Session
from mediasync.errors import DatabaseMissing, SchemaForeign, SchemaOutdated, SchemaTooNew
from mediasync.text import words_of_item, words_of_name

_SECTION: Final = re.compile(r"^-- section: (\w+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"--.*$", re.MULTILINE)
_TABLE: Final = re.compile(r"CREATE TABLE (\w+)")
_VIEW: Final = re.compile(r"CREATE VIEW (\w+)")
_FORMER_TABLES: Final = ("sync_run_problem",)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a version of the schema to the next.

    Attributes:
        version: the version that the step leads to.
        statements: what changes the tables. Views need none: they are dropped before and made anew after.
        fills: what computes new columns or tables from stored rows.
    """

    version: int
    statements: tuple[str, ...]
    fills: tuple[Callable[[Session], Awaitable[None]], ...] = ()


DERIVED_PEOPLE_PAGE: Final = """
SELECT p.person_key, p.id, p.name, p.image_path, p.provider_ids
FROM person p JOIN source s ON s.source_key = p.source_key
WHERE s.kind = 'nfo' AND p.provider_ids <> '' AND p.person_key > :after
ORDER BY p.person_key LIMIT 5000
"""
INSERT_ALIASES: Final = """
INSERT INTO person_alias (id, person_key)
SELECT r.id, r.person_key FROM @rows(:rows, id text, person_key integer) r
WHERE NOT EXISTS (SELECT 1 FROM person p WHERE p.id = r.id)
ON CONFLICT (id) DO UPDATE
SET shared = CASE WHEN person_alias.person_key = excluded.person_key THEN person_alias.shared ELSE 1 END
"""
PEOPLE_PAGE: Final = """
SELECT person_key, name FROM person WHERE person_key > :after ORDER BY person_key LIMIT 5000
"""


TITLES_PAGE: Final = """
SELECT item_key, media_type, title, original_title, year FROM media_item
WHERE item_key > :after ORDER BY item_key LIMIT 5000
"""


async def _fill_words(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(PEOPLE_PAGE, {"after": after}):
        rows = [(word, key) for key, name in page for word in words_of_name(name)]
        await session.insert("person_word", "word text, person_key integer", sorted(rows))
        after = page[-1][0]
    after = -1
    while page := await session.fetch_all(TITLES_PAGE, {"after": after}):
        words = {word for row in page for word in words_of_item(*row)}
        await session.insert("item_word", "word text, place integer, item_key integer", sorted(words))
        after = page[-1][0]


MARK_UNCREDITED_PEOPLE: Final = """
UPDATE person SET uncredited_since = :now
WHERE NOT EXISTS (SELECT 1 FROM credit c WHERE c.person_key = person.person_key)
"""


async def _mark_uncredited_people(session: Session) -> None:
    await session.execute(MARK_UNCREDITED_PEOPLE, {"now": session.now})


async def _fill_aliases(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(DERIVED_PEOPLE_PAGE, {"after": after}):
        rows = []
        for key, *person in page:
            ids, name = keys_of_row(tuple(person))
            rows += [(alias, key) for alias in (*ids.values(), name) if alias != person[0]]
        await session.execute(INSERT_ALIASES, {"rows": sorted(rows)})
        after = page[-1][0]


MIGRATIONS: Final = (
    Migration(
        version=2,
        statements=(
            """
            CREATE TABLE person_word (
                word        TEXT    NOT NULL,
                person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
                PRIMARY KEY (word, person_key)
            ) WITHOUT ROWID
            """,
            """
            CREATE TABLE item_rating (
                item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
                position    INTEGER NOT NULL,
                name        TEXT    NOT NULL,
                value       REAL    NOT NULL,
                votes       INTEGER,
                PRIMARY KEY (item_key, position)
            ) WITHOUT ROWID
            """,
        ),
    ),
    Migration(
        version=3,
        statements=("ALTER TABLE source ADD COLUMN key_blocks INTEGER NOT NULL DEFAULT 0",),
    ),
    Migration(
        version=4,
        statements=(
            """
            CREATE TABLE sync_run_library (
                run_key     INTEGER NOT NULL REFERENCES sync_run (run_key) ON DELETE CASCADE,
                library_key INTEGER NOT NULL REFERENCES library (library_key) ON DELETE CASCADE,
                counted     INTEGER,
                seen        INTEGER NOT NULL,
                unseen      INTEGER,
                previews    INTEGER NOT NULL,
                complete    INTEGER NOT NULL,
                reason      TEXT,
                PRIMARY KEY (run_key, library_key)
            ) WITHOUT ROWID
            """,
            "CREATE INDEX sync_run_library_of_library ON sync_run_library (library_key, run_key)",
        ),
    ),
    Migration(
        version=5,
        statements=("ALTER TABLE source ADD COLUMN watermark TEXT",),
    ),
    Migration(
        version=6,
        statements=(
            """
            CREATE TABLE item_library (
                item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
                library_key INTEGER NOT NULL REFERENCES library (library_key) ON DELETE CASCADE,
                id          TEXT    NOT NULL,
                PRIMARY KEY (item_key, library_key)
            ) WITHOUT ROWID
            """,
            "ALTER TABLE sync_run ADD COLUMN owner TEXT",
            "CREATE INDEX item_library_of_library ON item_library (library_key, id)",
            """
            CREATE TABLE item_rekeyed (
                current_id  TEXT    NOT NULL PRIMARY KEY,
                id          TEXT    NOT NULL UNIQUE REFERENCES media_item (id) ON DELETE CASCADE
            ) WITHOUT ROWID
            """,
            "DROP TABLE person_word",
            """
            CREATE TABLE person_word (
                word        TEXT    NOT NULL,
                person_key  INTEGER NOT NULL,
                PRIMARY KEY (word, person_key)
            ) WITHOUT ROWID
            """,
            """
            CREATE TABLE item_word (
                word        TEXT    NOT NULL,
                place       INTEGER NOT NULL,
                item_key    INTEGER NOT NULL,
                PRIMARY KEY (word, place, item_key)
            ) WITHOUT ROWID
            """,
            "DROP INDEX media_item_of_library",
            """
            CREATE INDEX media_item_of_library ON media_item (library_key, media_type, id, completeness)
            """,
            "CREATE INDEX media_item_by_title ON media_item (title)",
            "CREATE INDEX media_item_by_path ON media_item (substr(path, 1, 200)) WHERE path IS NOT NULL",
            *(
                f"""
                CREATE INDEX media_item_by_{name} ON media_item
                    (strftime('%Y-%m-%dT%H:%M:%fZ', {name}_at / 1000.0, 'unixepoch'))
                """
                for name in ("added", "created", "updated")
            ),
            "ALTER TABLE person ADD COLUMN uncredited_since INTEGER",
            "ALTER TABLE person ADD COLUMN given_by INTEGER",
            "ALTER TABLE person ADD COLUMN replaced TEXT",
            "CREATE INDEX person_given_by ON person (given_by) WHERE given_by IS NOT NULL",
            "CREATE INDEX person_uncredited ON person (person_key) WHERE uncredited_since IS NOT NULL",
            """
            CREATE TABLE person_alias (
                id          TEXT    NOT NULL PRIMARY KEY,
                person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
                shared      INTEGER NOT NULL DEFAULT 0
            ) WITHOUT ROWID
            """,
            "CREATE INDEX person_alias_of_person ON person_alias (person_key)",
            "ALTER TABLE sync_run ADD COLUMN selection TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE sync_run ADD COLUMN series INTEGER",
            "UPDATE sync_run SET series = run_key WHERE status <> 'running'",
            """
            CREATE TABLE run_problem (
                series      INTEGER NOT NULL,
                from_run    INTEGER NOT NULL,
                position    INTEGER NOT NULL,
                until_run   INTEGER,
                kind        TEXT    NOT NULL,
                subject     TEXT    NOT NULL,
                reason      TEXT    NOT NULL,
                PRIMARY KEY (series, from_run, position)
            ) WITHOUT ROWID
            """,
            "CREATE INDEX run_problem_until ON run_problem (series, until_run)",
            """
            INSERT INTO run_problem (series, from_run, position, kind, subject, reason)
            SELECT run_key, run_key, position, kind, subject, reason FROM sync_run_problem
            """,
            "DROP TABLE sync_run_problem",
        ),
        fills=(_fill_words, _mark_uncredited_people, _fill_aliases),
    ),
)

CURRENT_VERSION: Final = MIGRATIONS[-1].version

INSERT_VERSION: Final = "INSERT INTO schema_version (version, upgraded_at) VALUES (:version, :now)"
UPDATE_VERSION: Final = "UPDATE schema_version SET version = :version, upgraded_at = :now"


@lru_cache(maxsize=1)
def schema_text() -> str:
    """Return ``schema.sql``, from the installed package or, in a checkout, from its top level."""
    packaged = resources.files("mediasync") / "schema.sql"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schema.sql").read_text(encoding="utf-8")


def statements(section: str, text: str | None = None) -> list[str]:
    """Return the statements of one section of the schema.

    Args:
        section: ``tables`` or ``views``.
        text: the schema; ``schema.sql`` if it is not given.
    """
    parts = _SECTION.split(text if text is not None else schema_text())
    body = dict(zip(parts[1::2], parts[2::2], strict=True))[section]
    return [part for statement in _COMMENT.sub("", body).split(";") if (part := statement.strip())]


def view_names() -> list[str]:
    """Return the names of the public views."""
    return _VIEW.findall(schema_text())


def table_and_view_names() -> list[str]:
    """Return the names of all tables and views."""
    return _TABLE.findall(schema_text()) + view_names()


def names_in_any_version() -> list[str]:
    """Return the names of all tables and views, and of the tables that only older schemas have."""
    return [*table_and_view_names(), *_FORMER_TABLES]


def stored_version(rows: Sequence[Sequence[Any]]) -> int | None:
    """Return the version that the rows of ``schema_version`` say, or None if they say none."""
    found = [version for (version,) in rows]
    return found[0] if len(found) == 1 and isinstance(found[0], int) and found[0] > 0 else None


def needs_work(version: int | None, tables: int, subject: str, *, upgrade: bool) -> bool:
    """Tell whether a database must be created or upgraded before it can be used.

    Args:
        version: the stored version, None where there is none.
        tables: how many tables and views the database holds.
        subject: the database, as it may be named to people.
        upgrade: whether an older one may be upgraded.

    Raises:
        DatabaseMissing: if it is empty and must not be created.
        SchemaForeign: if the database holds something else.
        SchemaTooNew: if it is of a newer version.
        SchemaOutdated: if it is older and must not be upgraded.
    """
    if version is None:
        if tables:
            raise SchemaForeign(
                f"{subject} holds tables that are not mediasync's, or does not say which schema it has; give "
                "another file, or an empty one"
            )
        if not upgrade:
            raise DatabaseMissing(f"{subject} is empty; run `mediasync sync` to fill it")
        return True
    if version > CURRENT_VERSION:
        raise SchemaTooNew(
            f"{subject} was written by a newer mediasync (schema {version}; this version knows "
            f"{CURRENT_VERSION}); upgrade mediasync to use it. Nothing was changed."
        )
    if version < CURRENT_VERSION and not upgrade:
        raise SchemaOutdated(
            f"{subject} has schema {version}, this version needs {CURRENT_VERSION}; open it once with "
            "upgrade=True (any `mediasync sync` does). Nothing was changed."
        )
    return version < CURRENT_VERSION


async def create(session: Session) -> None:
    """Create all tables and views in an empty database."""
    for statement in (*statements("tables"), *statements("views")):
        await session.execute(statement)
    await session.execute(INSERT_VERSION, {"version": CURRENT_VERSION, "now": session.now})


async def upgrade(session: Session, version: int, views: list[str]) -> None:
    """Upgrade a database from *version*, inside the caller's transaction.

    Args:
        session: the transaction; foreign keys are switched off in it.
        version: the stored version.
        views: the names of the views that it holds.
    """
    for view in views:
        await session.execute(f'DROP VIEW "{view}"')
    for migration in MIGRATIONS:
        if migration.version <= version:
            continue
        for statement in migration.statements:
            await session.execute(statement)
        for fill in migration.fills:
            await fill(session)
    for statement in statements("views"):
        await session.execute(statement)
    await session.execute(UPDATE_VERSION, {"version": CURRENT_VERSION, "now": session.now})
