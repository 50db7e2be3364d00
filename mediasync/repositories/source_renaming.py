"""Renaming a source: every id that begins with the source's id gets the new one.

The ids of a source are those from ``{id}:`` up to, and without, ``{id};``: a semicolon follows the colon, and
texts are compared by their bytes. So no other id is met, whatever the names of the sources have in common.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.repositories.items import MediaRepository
from mediasync.validation import MAX_ID_BYTES


def _in_range(column: str) -> str:
    return f"{column} >= :low AND {column} < :high"


def _renamed(column: str) -> str:
    return f"{column} = :new || substr({column}, length(:old) + 1)"


# Renames a source. A name that was made of its id is made of the new one.
UPDATE_SOURCE: Final = """
UPDATE source SET id = :new, name = CASE WHEN name = :old THEN :new ELSE name END WHERE id = :old
"""

# Renames its libraries.
UPDATE_LIBRARIES: Final = f"UPDATE library SET {_renamed('id')} WHERE {_in_range('id')}"

# Reads the items whose ids are not made of their present keys.
SELECT_REKEYED: Final = f"SELECT r.current_id, r.id FROM item_rekeyed r WHERE {_in_range('r.id')}"

# Deletes these records: they refer to the ids of items.
DELETE_REKEYED_OF_SOURCE: Final = f"DELETE FROM item_rekeyed WHERE {_in_range('id')}"

# Renames items. Their fingerprints are made of ids, too, and are no longer known.
UPDATE_ITEMS: Final = f"""
UPDATE media_item SET {_renamed("id")}, item_fingerprint = NULL, credits_fingerprint = NULL
WHERE {_in_range("id")}
"""

# Renames items where further libraries list them.
UPDATE_ITEM_LIBRARIES: Final = f"""
UPDATE item_library SET {_renamed("id")}
WHERE {_in_range("id")} AND library_key IN (
    SELECT l.library_key FROM library l JOIN source s ON s.source_key = l.source_key WHERE s.id = :new
)
"""

# Renames people.
UPDATE_PEOPLE_IDS: Final = f"UPDATE person SET {_renamed('id')} WHERE {_in_range('id')}"

# Renames the other ids of people.
UPDATE_ALIASES: Final = f"UPDATE person_alias SET {_renamed('id')} WHERE {_in_range('id')}"

# Renames what the problems of its runs are about, as far as that is an id.
UPDATE_SUBJECTS: Final = f"""
UPDATE run_problem SET {_renamed("subject")}
WHERE (subject = :old OR ({_in_range("subject")})) AND series IN (
    SELECT r.series FROM sync_run r JOIN source s ON s.source_key = r.source_key WHERE s.id = :new
)
"""

# Reads a page of the values before changes of items in which ids of the source may stand.
SELECT_IMAGES: Final = f"""
SELECT c.number, c.before FROM change c
WHERE c.number > :after AND c.entity = 'item' AND {_in_range("c.entity_id")}
  AND c.before LIKE '%"' || :old || ':%'
ORDER BY c.number LIMIT :limit
"""

# Replaces the values before changes.
UPDATE_IMAGES: Final = """
UPDATE change SET before = r.before FROM @rows(:rows, number integer, before text) r
WHERE change.number = r.number
"""

# Renames the entities that the change log is about, besides the source itself.
UPDATE_ENTITIES: Final = f"UPDATE change SET {_renamed('entity_id')} WHERE {_in_range('entity_id')}"

# Renames the source in the change log.
UPDATE_ENTITY_OF_SOURCE: Final = """
UPDATE change SET entity_id = :new WHERE entity = 'source' AND entity_id = :old
"""

# Renames the people that merged people became in the change log.
UPDATE_OTHERS: Final = f"UPDATE change SET {_renamed('other_id')} WHERE {_in_range('other_id')}"

# Releases the lease of the new name, with a number above those of all leases under either name. So no worker
# that was paused before the renaming takes itself for the holder.
RAISE_FENCE: Final = """
UPDATE lease SET holder = NULL, expires_at = 0, fence = 1 + (
    SELECT max(h.fence) FROM lease h WHERE h.source_id = :old OR h.source_id = :new
)
WHERE source_id = :new
"""

# Deletes what is due of the new name: no such source was stored.
DELETE_DUE_OF_NEW: Final = "DELETE FROM due_target WHERE source_id = :new"

# Renames the source of what is due.
UPDATE_DUE: Final = "UPDATE due_target SET source_id = :new WHERE source_id = :old"

# Reads ids that may be too long under a longer name. A character has up to four bytes.
SELECT_LONG_IDS: Final = " UNION ALL ".join(
    f"SELECT x.{column} AS id FROM {table} x "
    f"WHERE {_in_range(f'x.{column}')} AND length(x.{column}) > :id_characters"
    for table, column in (
        ("library", "id"),
        ("media_item", "id"),
        ("item_rekeyed", "current_id"),
        ("person", "id"),
        ("person_alias", "id"),
    )
)

COLUMNS_WITH_IDS: Final = frozenset(
    {
        ("source", "id"),
        ("library", "id"),
        ("media_item", "id"),
        ("item_library", "id"),
        ("item_rekeyed", "current_id"),
        ("item_rekeyed", "id"),
        ("person", "id"),
        ("person_alias", "id"),
        ("lease", "source_id"),
        ("due_target", "source_id"),
        ("run_problem", "subject"),
        ("change", "entity_id"),
        ("change", "other_id"),
        ("change", "before"),
    }
)
"""The columns that hold ids, as (table, column): all of them are renamed here."""

_IMAGES_AT_ONCE: Final = 500
_BYTES_PER_CHARACTER: Final = 4


class SourceRenaming:
    """Renames one source.

    Args:
        session: an open transaction, which nothing else writes in.
        old: the id of a stored source.
        new: a valid id that no source has.
    """

    def __init__(self, session: Session, old: str, new: str) -> None:
        self._session = session
        self._old = old
        self._new = new
        self._names = {"old": old, "new": new}
        self._range = {"low": f"{old}:", "high": f"{old};"}
        self._both = {**self._names, **self._range}

    async def find_too_long(self) -> str | None:
        """Return an id that would be too long under the new name, or None."""
        growth = len(self._new) - len(self._old)
        if growth <= 0:
            return None
        most = {"id_characters": MAX_ID_BYTES // _BYTES_PER_CHARACTER - growth}
        rows = await self._session.fetch_all(SELECT_LONG_IDS, {**self._range, **most})
        return next((one for (one,) in rows if len(one.encode()) + growth > MAX_ID_BYTES), None)

    async def rename_source(self) -> None:
        """Rename the source itself and what is due of it, and release the lease of the new name."""
        await self._session.execute(UPDATE_SOURCE, self._names)
        await self._session.execute(RAISE_FENCE, self._names)
        await self._session.execute(DELETE_DUE_OF_NEW, self._names)
        await self._session.execute(UPDATE_DUE, self._names)

    async def rename_libraries(self) -> int:
        """Rename its libraries, and return how many there are."""
        return await self._session.execute(UPDATE_LIBRARIES, self._both)

    async def rename_items(self) -> int:
        """Rename its items, and return how many there are."""
        rekeyed = await self._session.fetch_all(SELECT_REKEYED, self._range)
        await self._session.execute(DELETE_REKEYED_OF_SOURCE, self._range)
        number = await self._session.execute(UPDATE_ITEMS, self._both)
        await self._session.execute(UPDATE_ITEM_LIBRARIES, self._both)
        if rekeyed:
            ids = {self._rename(current_id): self._rename(item_id) for current_id, item_id in rekeyed}
            await MediaRepository(self._session).add_rekeyed(ids)
        return number

    async def rename_people(self) -> int:
        """Rename its people and their other ids, and return how many people there are."""
        self._session.people_cache.clear()
        await self._session.execute(UPDATE_ALIASES, self._both)
        return await self._session.execute(UPDATE_PEOPLE_IDS, self._both)

    async def rename_problems(self) -> None:
        """Rename what the problems of its runs are about."""
        await self._session.execute(UPDATE_SUBJECTS, self._both)

    async def rename_changes(self) -> int:
        """Rename it in the change log, and return how many entries are about it or something of it."""
        await self._rename_images()
        await self._session.execute(UPDATE_OTHERS, self._both)
        of_source = await self._session.execute(UPDATE_ENTITY_OF_SOURCE, self._names)
        return of_source + await self._session.execute(UPDATE_ENTITIES, self._both)

    async def _rename_images(self) -> None:
        page = {"old": self._old, **self._range, "limit": _IMAGES_AT_ONCE}
        after = 0
        while rows := await self._session.fetch_all(SELECT_IMAGES, {**page, "after": after}):
            renamed = [(number, self._rename_image(before)) for number, before in rows]
            await self._session.execute(UPDATE_IMAGES, {"rows": renamed})
            after = rows[-1][0]

    def _rename_image(self, text: str) -> str:
        try:
            image = json.loads(text)
        except ValueError:  # another program has damaged it, which a check reports
            return text
        if not isinstance(image, dict):
            return text
        for name in ("parent_id", "library_id"):
            if name in image:
                image[name] = self._rename(image[name])
        if "libraries" in image:
            image["libraries"] = [self._rename(library_id) for library_id in _listed(image["libraries"])]
        if "credits" in image:
            image["credits"] = [
                [self._rename(credit[0]), *credit[1:]] if isinstance(credit, list) and credit else credit
                for credit in _listed(image["credits"])
            ]
        return json.dumps(image, ensure_ascii=False, separators=(",", ":"))

    def _rename(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(self._range["low"]):
            return self._new + value[len(self._old) :]
        return value


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
