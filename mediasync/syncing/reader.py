"""Reading one library through its backend, and counting what is found."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from mediasync.backends.base import (
    Backend,
    Enumerated,
    Expected,
    Found,
    FoundPerson,
    Remark,
    Unchanged,
    Unreadable,
    Watermark,
)
from mediasync.errors import LibraryUnreadable, UsageError
from mediasync.ids import make_id
from mediasync.models import Library, MediaItem, Person
from mediasync.saving.normal import normal_person
from mediasync.syncing.mirror_view import StoredLibrary
from mediasync.syncing.tally import LibraryTally, Tally
from mediasync.text import storable

_FINDINGS_PER_PROGRESS: Final = 50
_PEOPLE_PAGE: Final = 500


class Wanted:
    """The single items that were asked for and are not found yet.

    Args:
        remote_ids: the source's own keys of the items.
    """

    def __init__(self, remote_ids: frozenset[str]) -> None:
        self._left = dict.fromkeys(
            sorted(remote_ids), "the source does not have it, or not in a library that is selected"
        )

    def of(self, library_id: str, homes: dict[str, str]) -> set[str]:
        """Return the items that a library may have.

        Args:
            library_id: the full id of the library.
            homes: the libraries of stored items, which are in no other library.
        """
        return {remote_id for remote_id in self._left if homes.get(remote_id, library_id) == library_id}

    def found(self, remote_id: str) -> None:
        """Note that an item was found."""
        self._left.pop(remote_id, None)

    def unreadable(self, remote_id: str, reason: str) -> None:
        """Note why an item could not be read in one library; another library may still have it."""
        if remote_id in self._left:
            self._left[remote_id] = reason

    def missing(self) -> list[tuple[str, str]]:
        """Return the items that were not found in any library, and the reasons."""
        return list(self._left.items())


class Reading:
    """The reading of one library.

    Args:
        backend: the open backend.
        library: one of its libraries, as the source describes it.
        stored: what the mirror holds of the library.
        tally: counts everything that is found in this run, and emits the events.
        only: the source's own keys of the only items to read; None for all.
        wanted: all single items that this run was asked for.
        save_people: called with pages of people about whom the source has more than their credits say.

    Attributes:
        seen: what was found in this library so far.
    """

    def __init__(
        self,
        backend: Backend,
        library: Library,
        stored: StoredLibrary,
        tally: Tally,
        only: set[str] | None,
        wanted: Wanted,
        save_people: Callable[[Sequence[Person]], Awaitable[None]],
    ) -> None:
        self._backend = backend
        self._library = library
        self._stored = stored
        self._tally = tally
        self._only = only
        self._wanted = wanted
        self._people: list[Person] = []
        self.seen = LibraryTally(stored.library.full_id, set(stored.tokens))
        self._save_people = save_people

    async def items(self) -> AsyncGenerator[MediaItem, None]:
        """Iterate over the items that were read; count and report every finding on the way.

        Raises:
            LeaseLost: if the lease of the source has ended.
            SourceError: as the backend does.
        """
        count = 0
        stream = self._backend.iter_items(self._library, self._stored, only=self._only)
        async with aclosing(stream):
            async for finding in stream:
                count += 1
                if self._tally.lease is not None:
                    self._tally.lease.check()
                if isinstance(finding, Found):
                    if finding.is_related or self._takes(finding.item.remote_id):
                        self._note_found(finding)
                        yield finding.item
                elif isinstance(finding, FoundPerson):
                    await self._add_person(finding.person)
                else:
                    self._note(finding)
                if count % _FINDINGS_PER_PROGRESS == 0:
                    self._tally.tell()
        await self._save_page()

    def _note_found(self, found: Found) -> None:
        tally, item = self._tally, found.item
        self._name(item.remote_id, item)
        item_id = make_id(tally.source_id, storable(item.remote_id))
        tally.note(item_id, map(storable, found.problems))
        if found.failure:
            tally.fail(item_id, storable(found.failure))

    def _note(self, finding: Unchanged | Unreadable | Remark | Expected | Watermark | Enumerated) -> None:
        tally = self._tally
        match finding:
            case Unchanged(remote_id):
                if self._takes(remote_id):
                    self._name(remote_id)
                    tally.unread += 1
            case Unreadable(remote_id, reason):
                if self._only is not None:
                    self._wanted.unreadable(remote_id, storable(reason))
                else:
                    if remote_id not in self._stored.tokens:
                        self.seen.unplaced += 1
                    self._name(remote_id)
                    tally.fail(make_id(tally.source_id, storable(remote_id)), storable(reason))
            case Remark(subject, text):
                tally.remark(storable(subject), storable(text))
            case Expected(total) if self._only is None:
                self.seen.expected = total
                tally.tell()
            case Watermark(text):
                tally.watermark = storable(text)
            case Enumerated() if self._only is None:
                self.seen.enumerated = replace(finding, reason=storable(finding.reason))
                if not finding.complete:
                    reason = self.seen.enumerated.reason
                    tally.remark(self.seen.library_id, f"not all of it was listed: {reason}")

    def _name(self, remote_id: str, item: MediaItem | None = None) -> None:
        """Count an item that the source named, and that was read if *item* is given."""
        if self._only is not None:
            self._wanted.found(remote_id)
        self._tally.seen += 1
        self.seen.name(remote_id, item)

    def fail(self, error: LibraryUnreadable) -> None:
        """Note that the library could not be read to its end."""
        reason = storable(error.reason)
        self.seen.enumerated = Enumerated(self.seen.expected, complete=False, reason=reason)
        self._tally.failed_libraries.append(error)
        for remote_id in self._only or ():
            self._wanted.unreadable(remote_id, reason)

    def _takes(self, remote_id: str) -> bool:
        return self._only is None or remote_id in self._only

    async def _add_person(self, person: Person) -> None:
        source_id = self._tally.source_id
        try:
            normal_person(person, source_id)
        except UsageError as error:
            person_id = person.id or make_id(source_id, person.remote_id or person.name)
            self._tally.note(storable(person_id), [storable(str(error))])
            return
        self._people.append(person)
        if len(self._people) == _PEOPLE_PAGE:
            await self._save_page()

    async def _save_page(self) -> None:
        people, self._people = self._people, []
        if people:
            await self._save_people(people)
