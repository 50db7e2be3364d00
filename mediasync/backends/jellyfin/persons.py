"""The list of all persons: what changed of a person does not move the Etag of the items that credit them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from mediasync.backends.base import Enumerated, FoundPerson, Remark, Stored
from mediasync.backends.jellyfin.client import Client
from mediasync.backends.jellyfin.parse import PersonFacts, parse_person
from mediasync.backends.multiread import pages
from mediasync.errors import RequestRefused, SourceForbidden
from mediasync.models import Person

MOST_IDS: Final = 100_000
"""How many people's provider ids are held at once for items that are not stored yet; others come later."""

MOST_RENAMED: Final = 200
"""If more people than that were renamed, everything is read again: that is cheaper than to ask for each."""


@dataclass(slots=True)
class PersonList:
    """What the list of persons says that is not stored.

    Attributes:
        read: whether it was read in this run.
        ids: provider ids of people who are not stored, by the person's id.
        renamed: people whose stored name is another one, by id.
    """

    read: bool = False
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    renamed: dict[str, Person] = field(default_factory=dict)
    _told: bool = False

    def take_untold(self) -> list[Person]:
        """Return those who were renamed; nobody from the second time on."""
        people = [] if self._told else list(self.renamed.values())
        self._told = True
        return people

    async def compare(self, client: Client, stored: Stored) -> AsyncGenerator[FoundPerson | Remark, None]:
        """Read the list and hold it against what is stored, page by page.

        People with other pictures or provider ids are yielded. Those with another name are only noted: they
        are told when the items that credit them were read again, so that a run that ends before does not
        hide the renaming from the next one.
        """
        self.read = True
        try:
            async with aclosing(pages(client.fetch_persons, prefetch=True)) as listing:
                async for page in listing:
                    if isinstance(page, Enumerated):
                        if not page.complete:
                            yield Remark(client.source_id, f"not all people could be compared: {page.reason}")
                        continue
                    people = [person for record in page.items if (person := parse_person(record))]
                    for found in await self._compare_page(people, stored):
                        yield found
        except (SourceForbidden, RequestRefused) as error:
            yield Remark(
                client.source_id,
                f"the list of people cannot be read ({error.reason}): new pictures, provider ids and names "
                "of people are not seen",
            )

    async def _compare_page(self, people: Sequence[PersonFacts], stored: Stored) -> list[FoundPerson]:
        known = await stored.find_people([person.key for person in people])
        found: list[FoundPerson] = []
        for person in people:
            other = known.get(person.key)
            if other is None:
                if person.provider_ids and len(self.ids) < MOST_IDS:
                    self.ids[person.key] = person.provider_ids
            elif person.name != other.name:
                self.renamed[person.key] = person.person()
            elif _says_more(person, other):
                found.append(FoundPerson(person.person()))
        return found


def _says_more(person: PersonFacts, stored: Person) -> bool:
    if person.image_path and person.image_path != stored.image_path:
        return True
    return any(stored.provider_ids.get(provider) != value for provider, value in person.provider_ids.items())


async def find_items_of(
    people: Sequence[str], client: Client, stored: Stored, kinds: Sequence[str]
) -> set[str]:
    """Return the ids of the items that credit any of these people: by the mirror, and by the server.

    After a renaming the server names none of them; after renaming back the mirror knows none.
    """
    items = await stored.find_items_crediting(people)
    for person_id in people:
        async with aclosing(
            pages(lambda start, key=person_id: client.fetch_items_of_person(key, kinds, start))  # type: ignore[misc]
        ) as listing:
            async for page in listing:
                if not isinstance(page, Enumerated):
                    items.update(page.keys)
    return items
