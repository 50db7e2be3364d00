"""Version 8: a run holds a lease of its source, where it named its process before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mediasync.database.session import Session

STATEMENTS: Final = (
    """
    CREATE TABLE lease (
        source_id   TEXT    NOT NULL PRIMARY KEY,
        fence       INTEGER NOT NULL,
        holder      TEXT,
        expires_at  INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "ALTER TABLE sync_run DROP COLUMN owner",
    "ALTER TABLE sync_run ADD COLUMN fence INTEGER",
    "CREATE INDEX change_of_run ON change (run_key, number) WHERE run_key IS NOT NULL",
)


async def upgrade(session: Session) -> None:
    """Upgrade a database of version 7. No run of an older version can still be running."""
    for statement in STATEMENTS:
        await session.execute(statement)
