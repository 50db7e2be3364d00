"""Version 10: what events say has to be looked into waits in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mediasync.database.session import Session

STATEMENTS: Final = (
    """
    CREATE TABLE due_target (
        source_id   TEXT    NOT NULL,
        named_by    TEXT    NOT NULL,
        target      TEXT    NOT NULL,
        media_type  TEXT    NOT NULL,
        kind        TEXT    NOT NULL,
        due_at      INTEGER NOT NULL,
        ripe_at     INTEGER NOT NULL,
        first_at    INTEGER NOT NULL,
        events      INTEGER NOT NULL,
        attempts    INTEGER NOT NULL,
        PRIMARY KEY (source_id, named_by, target, media_type)
    ) WITHOUT ROWID
    """,
)


async def upgrade(session: Session) -> None:
    """Upgrade a database of version 9."""
    for statement in STATEMENTS:
        await session.execute(statement)
