"""Version 7: the provider ids of people as rows, and the record of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mediasync.database.session import Session

STATEMENTS: Final[tuple[str, ...]] = ()


async def upgrade(session: Session) -> None:
    """Upgrade a database of version 6."""
    for statement in STATEMENTS:
        await session.execute(statement)
