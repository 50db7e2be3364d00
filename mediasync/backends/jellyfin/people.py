"""People: those whom an item credits, and the entries of the server's list of persons. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mediasync.backends.jellyfin.values import image_reference, parse_provider_ids
from mediasync.backends.json_record import JsonRecord
from mediasync.construction import make_credits
from mediasync.models import Credit, Person
from mediasync.vocabulary import PersonType


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """An entry of the list of persons. The list is long: only the entries that are reported become models.

    Attributes:
        key: the person's id.
        name: the name, as the list spells it.
        image_path: a reference to the picture.
        provider_ids: ids at public providers.
    """

    key: str
    name: str
    image_path: str | None
    provider_ids: dict[str, str]

    def person(self) -> Person:
        """Return the model."""
        return Person(
            remote_id=self.key,
            name=self.name,
            image_path=self.image_path,
            provider_ids=self.provider_ids,
        )


def parse_person(record: JsonRecord) -> PersonEntry | None:
    """Return an entry of the list of persons, or None if it has no id or no name."""
    key, name = record.key("Id"), (record.text("Name") or "").strip()
    if key is None or not name or record.data.get("Type", "Person") != "Person":
        return None
    images = record.data.get("ImageTags")
    tag = images.get("Primary") if isinstance(images, dict) else None
    image_path = image_reference(key, "Primary", tag) if isinstance(tag, str) and tag else None
    return PersonEntry(key, name, image_path, parse_provider_ids(record))


def parse_credits(record: JsonRecord, people_ids: Mapping[str, dict[str, str]]) -> list[Credit] | None:
    """Return an item's credits in billing order; None, with a note, if the answer holds no list of people.

    Args:
        record: the item.
        people_ids: ids at public providers by the person's id; an item does not hold them.
    """
    if not isinstance(record.data.get("People"), list):
        record.note("the answer does not say who took part (People)")
        return None
    return make_credits(_credit_values(entry, people_ids) for entry in record.records("People"))


def _credit_values(
    entry: JsonRecord, people_ids: Mapping[str, dict[str, str]]
) -> tuple[str, str | None, str | None, dict[str, str], PersonType | str, str | None]:
    person_id = entry.key("Id")
    tag = entry.text("PrimaryImageTag")
    person_type = entry.text("Type")
    return (
        entry.text("Name") or "",
        person_id,
        image_reference(person_id, "Primary", tag) if person_id and tag else None,
        {**people_ids.get(person_id, {})} if person_id else {},
        PersonType.parse(person_type) if person_type else PersonType.UNKNOWN,
        entry.text("Role") or None,
    )


def credited_ids(record: JsonRecord) -> set[str]:
    """Return the ids of the people whom an item credits."""
    people = record.data.get("People")
    entries = people if isinstance(people, list) else []
    return {
        key
        for entry in entries
        if isinstance(entry, dict) and isinstance(key := entry.get("Id"), str) and key
    }


def count_people(record: JsonRecord) -> int:
    """Return how many entries an item's list of people has."""
    people = record.data.get("People")
    return len(people) if isinstance(people, list) else 0
