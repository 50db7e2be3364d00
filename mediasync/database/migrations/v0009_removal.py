"""Version 9: removed items are marked before they are deleted, and large removals are confirmed.

Lists have keys to be sorted by, and searches find more words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mediasync.database.migrations.v0009_sort_keys import add_sort_keys
from mediasync.database.migrations.v0009_words import add_words

if TYPE_CHECKING:
    from mediasync.database.session import Session

STATEMENTS: Final = (
    "ALTER TABLE media_item ADD COLUMN missing_since INTEGER",
    "ALTER TABLE media_item ADD COLUMN missing_run INTEGER",
    "CREATE INDEX media_item_missing ON media_item (missing_since) WHERE missing_since IS NOT NULL",
    "ALTER TABLE source ADD COLUMN compared_at INTEGER",
    "ALTER TABLE sync_run ADD COLUMN last_change INTEGER",
    """
    CREATE TABLE pending_removal (
        library_key INTEGER NOT NULL PRIMARY KEY REFERENCES library (library_key) ON DELETE CASCADE,
        run_key     INTEGER NOT NULL,
        asked_at    INTEGER NOT NULL,
        items       INTEGER NOT NULL,
        stored      INTEGER NOT NULL,
        reason      TEXT    NOT NULL,
        digest      TEXT    NOT NULL
    ) WITHOUT ROWID
    """,
)


async def upgrade(session: Session) -> None:
    """Upgrade a database of version 8."""
    for statement in STATEMENTS:
        await session.execute(statement)
    await add_sort_keys(session)
    await add_words(session)
