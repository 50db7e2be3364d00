"""The server's list of persons: changing a person does not change the Etags of the items that credit them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from mediasync.aio import batched
from mediasync.backends.base import Enumerated, FoundPerson, Remark, Stored, Unreadable
from mediasync.backends.jellyfin.client import IDS_PER_REQUEST, PAGE_OF_ETAGS, PAGE_OF_PERSONS, Client
from mediasync.backends.jellyfin.people import PersonEntry, credited_ids, parse_person
from mediasync.backends.jellyfin.watermark import SavedWatermark, iso
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.multiread import read_adaptively
from mediasync.backends.paging import Hole, Page, pages
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import SourceForbidden, SourceUnreadable
from mediasync.models import Person

MAX_IDS: Final = 100_000
"""The most people whose provider ids are held for items not stored yet. The next sync reads the others."""

_PEOPLE_AT_ONCE: Final = 1_000

MAX_RENAMED: Final = 200
"""If more people than that were renamed, all items are read again: that is cheaper than asking for each."""


@dataclass(slots=True)
class PersonList:
    """The differences between the list of persons and the mirror.

    Attributes:
        read: whether the list was read in this run.
        whole: whether all of it was read, not only those saved since the last sync.
        watermark: for the next sync; None if the list could not be read to its end, or the server gave no
            time.
        ids: provider ids of people who are not stored, by the person's id.
        renamed: people whose stored name differs, by id.
    """

    read: bool = False
    whole: bool = False
    watermark: SavedWatermark | None = None
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    renamed: dict[str, Person] = field(default_factory=dict)
    _reported: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)

    def serves(self, stored: Stored) -> bool:
        """Return whether enough was read for a library. One that is not stored yet needs the whole list."""
        return self.whole or (self.read and any(stored.tokens.values()))

    def take_renamed(self) -> list[Person]:
        """Return the renamed people, each once."""
        people = [person for key, person in self.renamed.items() if key not in self._reported]
        self._reported.update(self.renamed)
        return people

    async def compare(self, client: Client, stored: Stored) -> AsyncGenerator[FoundPerson | Remark, None]:
        """Read the list page by page and compare it with the mirror.

        If the last sync left a watermark, only people saved since then are listed. Yields the people with
        other pictures or provider ids, and those whose name differs only in case: the items that credit them
        stay the same. People with another name are only noted. They are reported after the items that credit
        them were read again; otherwise a run that ends in between would hide the renaming from the next one.
        """
        now = client.transport.server_time
        last = SavedWatermark.parse(stored.watermark) if client.variant.persons_since else None
        if now is None or last is None or not last.holds(now) or not any(stored.tokens.values()):
            last = None
        self.read, self.whole = True, last is None
        since = None if last is None else iso(last.since)
        try:
            fetch = partial(client.fetch_persons, since=since)
            async with aclosing(pages(fetch, PAGE_OF_PERSONS, prefetch=True)) as listing:
                async for page in listing:
                    if isinstance(page, Hole):
                        continue  # it has no name, so the listing is reported as incomplete
                    if isinstance(page, Enumerated):
                        if not page.complete:
                            yield Remark(client.source_id, f"not all people could be compared: {page.reason}")
                        elif now is not None:
                            self.watermark = SavedWatermark.after(now, last)
                        continue
                    people = (person for record in page.items if (person := parse_person(record)))
                    for some in batched(people, _PEOPLE_AT_ONCE):
                        for found in await self._compare_page(some, stored):
                            yield found
        except (SourceForbidden, SourceUnreadable, NoAnswerInTime) as error:
            yield Remark(
                client.source_id,
                f"the list of people cannot be read ({error.reason}): new pictures, provider ids and names "
                "of people are not seen",
            )

    async def find_ids(
        self, items: Iterable[JsonRecord | Unreadable], client: Client, stored: Stored
    ) -> AsyncGenerator[Remark, None]:
        """Ask for the provider ids of people whom *items* credit and who are neither stored nor listed yet.

        Args:
            items: the items that are reported next.
            client: the server.
            stored: what the mirror holds.
        """
        if self.whole or not client.variant.persons_since:
            return
        records = [item for item in items if isinstance(item, JsonRecord)]
        credited = set().union(*map(credited_ids, records)) - self._asked
        self._asked |= credited
        known = await stored.find_people(sorted(credited)) if credited else {}
        wanted = sorted(credited - known.keys() - self.ids.keys())
        refused: list[str] = []
        for start in range(0, len(wanted), IDS_PER_REQUEST):
            batch = wanted[start : start + IDS_PER_REQUEST]
            async with aclosing(
                read_adaptively(
                    batch, client.fetch_persons_by_ids, refused=lambda _, error: refused.append(error.reason)
                )
            ) as answers:
                async for answer in answers:
                    for person in filter(None, map(parse_person, answer)):
                        if person.key in batch and person.provider_ids:
                            self.ids[person.key] = person.provider_ids
        if refused:
            yield Remark(
                client.source_id,
                f"the provider ids of {len(refused)} people cannot be read ({refused[0]})",
            )

    async def _compare_page(self, people: Sequence[PersonEntry], stored: Stored) -> list[FoundPerson]:
        known = await stored.find_people([person.key for person in people])
        found: list[FoundPerson] = []
        for person in people:
            other = known.get(person.key)
            if other is None:
                if person.provider_ids and len(self.ids) < MAX_IDS:
                    self.ids[person.key] = person.provider_ids
            elif person.name.casefold() != other.name.casefold():
                self.renamed[person.key] = person.person()
            elif person.name != other.name or _says_more(person, other):
                found.append(FoundPerson(person.person()))
        return found


def _says_more(person: PersonEntry, stored: Person) -> bool:
    if person.image_path and person.image_path != stored.image_path:
        return True
    return any(stored.provider_ids.get(provider) != value for provider, value in person.provider_ids.items())


async def find_items_of(
    people: Sequence[str], client: Client, stored: Stored, kinds: Sequence[str]
) -> set[str]:
    """Return the ids of the items that credit any of these people, from the mirror and from the server.

    Both are needed: after a renaming the server finds none of them; after renaming back the mirror has none.
    """
    items = await stored.find_items_crediting(people)
    for person_id in people:
        fetch = partial(client.fetch_items_of_person, person_id, kinds)
        async with aclosing(pages(fetch, PAGE_OF_ETAGS)) as listing:
            async for page in listing:
                if isinstance(page, Page):
                    items.update(page.keys)
    return items
