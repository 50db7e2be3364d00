"""Version 9: removed items are marked before they are deleted, and large removals are confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
