"""Saving people apart from items."""

from __future__ import annotations

from collections.abc import Iterable

from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.models import Person
from mediasync.repositories.people import PeopleRepository
from mediasync.saving.identities import save_people
from mediasync.saving.normal import normal_people
from mediasync.saving.outbox import Outbox
from mediasync.saving.writer import Writer


class PeopleSaves:
    """Saves people.

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
        rows, derived = normal_people(people, source_id)
        ids, _ = await self._writer.record(
            lambda session, outbox: save_people(session, rows, derived, outbox)
        )
        return ids

    async def delete(self, person_id: str) -> bool:
        """Delete a person whom no credit points at. Return whether there was one.

        Raises:
            PersonInUse: if credits point at the person.
        """

        async def work(session: Session, outbox: Outbox) -> bool:
            person = await PeopleRepository(session).delete(person_id)
            if person is not None and not person.uncredited:
                outbox.remove_person(person.row)
            return person is not None

        return await self._writer.record(work)
