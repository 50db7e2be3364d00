"""The people service: people, their credits and their filmographies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mediasync.database import Database
from mediasync.models import Credit, FilmographyCredit, Person
from mediasync.normal import merge_all, normal_person
from mediasync.repositories.media import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.services.writer import Writer


class PeopleService:
    """Saves and reads people.

    Args:
        database: an open database.
        writer: the task that writes to it.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def upsert(self, person: Person, *, source_id: str | None = None) -> str:
        """Save one person, and return the person's id.

        What is missing in *person* never overwrites what is stored. Where the key is derived from the name,
        the first stored spelling stays.

        Args:
            person: with an ``id`` or a ``source_id``, unless *source_id* is given here.
            source_id: the source that the person is of.

        Raises:
            UsageError: if the source is not said, or a text cannot be stored.
            UnknownSource: if the source is not stored.

        Example:
            >>> await ms.people.upsert(Person(remote_id="6384", name="Keanu Reeves"),
            ...                        source_id="home")  # doctest: +SKIP
            'home:6384'
        """
        return (await self.upsert_batch([person], source_id=source_id))[0]

    async def upsert_batch(self, people: Iterable[Person], *, source_id: str | None = None) -> list[str]:
        """Save people in one transaction, and return their ids in the order given.

        Raises:
            UsageError, UnknownSource: as `upsert` does; then nobody is saved.
        """
        rows = [normal_person(person, source_id) for person in people]
        await self._writer.run(lambda session: PeopleRepository(session).upsert_batch(merge_all(rows)))
        return [row[0] for row in rows]

    async def find_by_id(self, person_id: str) -> Person | None:
        """Return one person, or None."""
        async with self._database.read() as session:
            return await PeopleRepository(session).find_by_id(person_id)

    async def find_by_media_item(self, media_item_id: str) -> list[Credit]:
        """Return the credits of one item in billing order; an empty list if it has none or is not stored."""
        async with self._database.read() as session:
            return await PeopleRepository(session).find_by_media_item(media_item_id)

    async def find_by_media_items(self, media_item_ids: Sequence[str]) -> dict[str, list[Credit]]:
        """Return the credits of many items in one query: each item's id to its credits in billing order."""
        async with self._database.read() as session:
            return await PeopleRepository(session).find_by_media_items(media_item_ids)

    async def filmography(self, person_id: str) -> list[FilmographyCredit]:
        """Return all credits of a person, the oldest item first."""
        async with self._database.read() as session:
            return await MediaRepository(session).find_filmography(person_id)

    async def search(
        self, text: str, *, source_id: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[Person]:
        """Find people by the beginnings of words of their names; accents and case do not matter.

        Args:
            text: one or more words; each must begin some word of the name. At most eight are looked at,
                the longest.
            source_id: only people of this source.
            limit: at most so many.
            offset: leave out the first so many.

        Returns:
            The people, by name and id.

        Example:
            >>> await ms.people.search("zellw ren")  # doctest: +SKIP
            [Person(name='Renée Zellweger', ...)]
        """
        async with self._database.read() as session:
            return await PeopleRepository(session).search(text, source_id, limit, offset)

    async def delete(self, person_id: str) -> bool:
        """Delete a person whom no credit points at. Return whether there was one.

        Raises:
            PersonInUse: if credits point at the person.
        """
        return await self._writer.run(lambda session: PeopleRepository(session).delete(person_id))

    async def count(self, source_id: str | None = None) -> int:
        """Return how many people are stored, of one source or of all."""
        async with self._database.read() as session:
            return await PeopleRepository(session).count(source_id)
