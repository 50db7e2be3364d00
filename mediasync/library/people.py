"""Reading people, their credits and their filmographies."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from mediasync.database.database import Database
from mediasync.models import Credit, FilmographyCredit, Person
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.item_reading import as_limit
from mediasync.repositories.person_reading import PersonReader

# Rebuilding the past is imported when it is asked for.
if TYPE_CHECKING:
    from mediasync.library.time_travel import Past
    from mediasync.rewinding import AsOf


class PeopleReads:
    """Reads people, their credits and their filmographies.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_by_id(self, person_id: str, *, as_of: AsOf | None = None) -> Person | None:
        """Return one person, by id or alias, or None.

        Args:
            person_id: the person's id, or a present alias.
            as_of: the number of a run, for what was shown when that run had ended, or a time with a zone. A
                person who was merged with another one since then is found by the old id. Times that are
                later than the point are None.

        Raises:
            UnknownRun: if there is no such run.
            TooLongAgo: if the change log no longer reaches back to that point.
            UsageError: if the run has not ended, or the time has no zone.
        """
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.find_person(person_id)
        async with self._database.read() as session:
            return await PersonReader(session).find_by_id(person_id)

    async def find_by_media_item(self, media_item_id: str) -> list[Credit]:
        """Return the credits of one item in billing order; an empty list if it has none or is not stored."""
        async with self._database.read() as session:
            found = await CreditRepository(session).find_short_list(media_item_id)
        if found is not None:
            return found
        async with self._database.read(snapshot=True) as session:
            return await CreditRepository(session).find_by_media_item(media_item_id)

    async def find_by_media_items(self, media_item_ids: Sequence[str]) -> dict[str, list[Credit]]:
        """Return the credits of many items in billing order, by the items' ids."""
        async with self._database.read(snapshot=True) as session:
            return await CreditRepository(session).find_by_media_items(media_item_ids)

    async def filmography(
        self, person_id: str, *, limit: int | None = None, offset: int = 0, as_of: AsOf | None = None
    ) -> list[FilmographyCredit]:
        """Return the credits of a person, the oldest item first.

        Args:
            person_id: the person's id, not an alias.
            limit: at most so many; None for all.
            offset: leave out the first so many.
            as_of: a run or a time, as for `find_by_id`. All changes since then are searched for the person.
        """
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.find_filmography(person_id, limit=limit, offset=offset)
        async with self._database.read() as session:
            return await CreditRepository(session).find_filmography(
                person_id, limit=as_limit(limit), offset=offset
            )

    async def search(
        self,
        text: str,
        *,
        source_id: str | None = None,
        limit: int = 50,
        offset: int = 0,
        as_of: AsOf | None = None,
    ) -> list[Person]:
        """Find people by the beginnings of words of their names; accents and case do not matter.

        Args:
            text: one or more words, each the beginning of a word of the name. The eight longest are used.
            source_id: only people of this source.
            limit: at most so many.
            offset: leave out the first so many.
            as_of: a run or a time, as for `find_by_id`: the names of then count.

        Returns:
            The people, ordered by their first word that begins with the longest word of *text*, then by name
            and id. People with that very word come first.

        Example:
            >>> await ms.people.search("zellw ren")  # doctest: +SKIP
            [Person(name='Renée Zellweger', ...)]
        """
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.search_people(text, source_id, limit=limit, offset=offset)
        async with self._database.read(snapshot=True) as session:
            return await PersonReader(session).search(text, source_id, limit, offset)

    async def count(self, source_id: str | None = None) -> int:
        """Return how many people are stored, of one source or of all."""
        async with self._database.read() as session:
            return await PersonReader(session).count(source_id)

    def _past(self, as_of: AsOf) -> AbstractAsyncContextManager[Past]:
        from mediasync.library.time_travel import reading_past

        return reading_past(self._database, as_of)
