"""Whole rows of a mirror, read from one database and written unchanged into another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from mediasync.copying.plan import CopiedTable, Row
from mediasync.database.session import Session
from mediasync.repositories.changes import DELETE_CHANGES, ChangeRepository, Extent
from mediasync.repositories.keys import new_keys

_COUNT_ROWS: Final = "SELECT count(*) AS number FROM {name} x"
SET_EXTENT: Final = "UPDATE change_counter SET newest = :newest, pruned = :pruned"


class CopyRepository:
    """Reads whole rows, and writes them unchanged.

    Args:
        session: a snapshot, or an open transaction for the methods that write.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read_page(self, table: CopiedTable, after: Row, level: int | None = None) -> list[Row]:
        """Return the next rows of a table after the key *after*, in the order of their keys.

        Args:
            table: the table.
            after: the key of the last row that was read, or ``table.start``.
            level: how many rows of the table are above each row. None for all rows.
        """
        params = {f"after{place}": value for place, value in enumerate(after)}
        return await self.fetch(table.page(level), {**params, "limit": table.size})

    async def find(self, table: CopiedTable, rows: Sequence[Row]) -> dict[Row, Row]:
        """Return the stored rows with the keys of *rows*, by key."""
        found = await self.fetch(table.find, {"keys": list(map(table.key_of, rows))})
        return {table.key_of(row): row for row in found}

    async def read_parts(self, table: CopiedTable, rows: Sequence[Row]) -> list[list[Row]]:
        """Return the rows that belong to *rows*, for each part of the table."""
        keys = list(map(table.key_of, rows))
        return [
            await self.fetch(part.read, {"keys": keys})
            if isinstance(part.read, str)
            else _computed(table, part.read, rows)
            for part in table.parts
        ]

    async def write(
        self, table: CopiedTable, rows: Sequence[Row], parts: Sequence[list[Row]], *, replaced: Sequence[Row]
    ) -> None:
        """Write rows and the rows that belong to them.

        Args:
            table: the table of the rows.
            rows: rows with different keys.
            parts: the rows that belong to them, as `read_parts` returned them.
            replaced: the older rows that the target has for some of the keys.
        """
        written = list(rows)
        if table.draws_keys:
            keys = new_keys(self._session, [row[0] for row in rows])
            written = [(key, *row) for key, row in zip(keys, rows, strict=True)]
        await self._session.execute(table.write, {"rows": written})
        for part, of_part in zip(table.parts, parts, strict=True):
            if replaced:
                of_replaced = (
                    {"keys": list(map(table.key_of, replaced))}
                    if isinstance(part.read, str)
                    else {"rows": _computed(table, part.read, replaced)}
                )
                await self._session.execute(part.delete, of_replaced)
            if of_part:
                await self._session.execute(part.insert, {"rows": of_part})

    async def set_extent(self, extent: Extent) -> None:
        """Delete the changes that the origin has pruned, and number later ones after the copied ones."""
        if await ChangeRepository(self._session).find_extent() == extent:
            return
        await self._session.execute(DELETE_CHANGES, {"last": extent.pruned})
        await self._session.execute(SET_EXTENT, extent._asdict())

    async def count(self, name: str) -> int:
        """Return how many rows a table or view has."""
        [(number,)] = await self._session.fetch_all(_COUNT_ROWS.format(name=name))
        return int(number)

    async def fetch(self, query: str, params: Mapping[str, Any]) -> list[Row]:
        """Return rows as plain tuples, which can be compared and given to another engine."""
        return list(map(tuple, await self._session.fetch_all(query, params)))


def _computed(
    table: CopiedTable, compute: Callable[[Mapping[str, Any]], Iterable[Row]], rows: Sequence[Row]
) -> list[Row]:
    return [one for row in rows for one in compute(dict(zip(table.columns, row, strict=True)))]
