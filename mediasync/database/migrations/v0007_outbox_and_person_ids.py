"""Version 7: people's ids at public providers as rows, as items have them."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mediasync.database.session import Session

_LOG: Final = logging.getLogger(__name__)

STATEMENTS: Final = (
    """
    CREATE TABLE person_external_id (
        person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
        provider    TEXT    NOT NULL,
        value       TEXT    NOT NULL,
        PRIMARY KEY (person_key, provider)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE change (
        number      INTEGER NOT NULL PRIMARY KEY,
        changed_at  INTEGER NOT NULL,
        run_key     INTEGER,
        reason      TEXT    NOT NULL,
        entity      TEXT    NOT NULL,
        entity_id   TEXT    NOT NULL,
        what        TEXT    NOT NULL,
        before      TEXT,
        other_id    TEXT
    )
    """,
    "CREATE INDEX change_of_entity ON change (entity_id, number)",
    """
    CREATE TABLE change_counter (
        newest      INTEGER NOT NULL,
        pruned      INTEGER NOT NULL
    )
    """,
    "INSERT INTO change_counter (newest, pruned) VALUES (0, 0)",
)

PEOPLE_WITH_IDS_PAGE: Final = """
SELECT person_key, id, provider_ids FROM person
WHERE provider_ids <> '' AND person_key > :after ORDER BY person_key LIMIT 5000
"""
DROP_JSON: Final = "ALTER TABLE person DROP COLUMN provider_ids"


async def upgrade(session: Session) -> None:
    """Upgrade a database of version 6."""
    for statement in STATEMENTS:
        await session.execute(statement)
    await _fill_person_external_ids(session)
    await session.execute(DROP_JSON)


async def _fill_person_external_ids(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(PEOPLE_WITH_IDS_PAGE, {"after": after}):
        rows = [(key, *pair) for key, person_id, text in page for pair in _parse_ids(person_id, text)]
        if rows:
            await session.insert("person_external_id", "person_key integer, provider text, value text", rows)
        after = page[-1][0]


def _parse_ids(person_id: str, text: str) -> list[tuple[str, str]]:
    """Return (provider, value) of the JSON that version 6 stored; another program may have damaged it."""
    try:
        ids = json.loads(text)
    except ValueError:
        ids = None
    if isinstance(ids, dict) and all(isinstance(value, str) for value in ids.values()):
        return sorted(ids.items())
    _LOG.warning(
        "person %s: the provider ids %r cannot be read and are left out; save an item of this person again "
        "to restore them",
        person_id,
        text,
    )
    return []
