"""Aliases of people: the other ids under which they are known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from mediasync.aliases import Identification, KnownPerson, keys_of
from mediasync.database.session import Session
from mediasync.repositories.person_rows import PROVIDER_IDS
from mediasync.rows import PersonRow

_HOLDER: Final = f"p.id AS person_id, {PROVIDER_IDS}, p.created_at, p.person_key"

# Finds the people whose own ids are given.
FIND_OWNERS: Final = f"""
SELECT p.id AS key_id, 0 AS shared, {_HOLDER} FROM @list(:ids) l JOIN person p ON p.id = l.id
"""

# Finds the people who have given ids as aliases.
FIND_ALIASES: Final = f"""
SELECT a.id AS key_id, a.shared, {_HOLDER}
FROM @list(:ids) l
JOIN person_alias a ON a.id = l.id
JOIN person p ON p.person_key = a.person_key
"""

# Stores aliases of stored people, or moves them to other people.
STORE_ALIASES: Final = """
INSERT INTO person_alias (id, person_key, shared)
SELECT r.id, p.person_key, r.shared
FROM @rows(:rows, id text, person_id text, shared integer) r JOIN person p ON p.id = r.person_id
WHERE true @inorder(r)
ON CONFLICT (id) DO UPDATE SET person_key = excluded.person_key, shared = excluded.shared
"""

# Moves all aliases of a person to the person with whom that one was merged.
MOVE_ALIASES: Final = """
UPDATE person_alias SET person_key = (SELECT p.person_key FROM person p WHERE p.id = :into)
WHERE person_key = (SELECT p.person_key FROM person p WHERE p.id = :id)
"""


class AliasRepository:
    """Stores aliases of people, and finds people by them.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def without_settled(self, people: Iterable[PersonRow]) -> list[PersonRow]:
        """Return the people whose rows are not in the cache of stored people."""
        return self._session.people_cache.split(people)[1]

    async def find_holders(
        self, ids: Collection[str], names: Collection[str]
    ) -> dict[str, list[KnownPerson | None]]:
        """Return the people stored under each id: its owner first, then who has it as an alias.

        None stands for several people who share a name.

        Args:
            ids: searched among people's own ids and among aliases.
            names: ids made of names, searched among aliases only.
        """
        found: dict[str, list[KnownPerson | None]] = {}
        people: dict[str, KnownPerson] = {}
        rows = await self._session.fetch_all(FIND_OWNERS, {"ids": list(ids)}) if ids else []
        rows += await self._session.fetch_all(FIND_ALIASES, {"ids": [*ids, *names]})
        for key_id, shared, person_id, *rest in rows:
            if person_id not in people:
                people[person_id] = _known(person_id, *rest)
            found.setdefault(key_id, []).append(None if shared else people[person_id])
        return found

    async def store(self, found: Identification) -> None:
        """Store the new aliases of an identification, except those of people who are not stored."""
        if found.aliases:
            rows = sorted(
                (alias, person, int(alias in found.shared)) for alias, person in found.aliases.items()
            )
            await self._session.execute(STORE_ALIASES, {"rows": rows})

    async def move(self, person_id: str, into: str) -> None:
        """Move all aliases of a person to another person."""
        await self._session.execute(MOVE_ALIASES, {"id": person_id, "into": into})


def _known(person_id: str, provider_ids: str, created_at: int, key: int) -> KnownPerson:
    keys = keys_of(person_id.partition(":")[0], provider_ids)
    return KnownPerson(person_id, keys, (0, created_at, key), key)
