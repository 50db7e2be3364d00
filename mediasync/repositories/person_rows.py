"""The columns of people that queries select, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediasync.claims import StoredPerson
from mediasync.construction import make_person
from mediasync.models import Person
from mediasync.repositories.flaws import note_flaw, read_json, read_model
from mediasync.repositories.times import to_datetime

PROVIDER_IDS: Final = """
CASE WHEN EXISTS (SELECT 1 FROM person_external_id x WHERE x.person_key = p.person_key) THEN (
    SELECT @object(listed.provider, listed.value) FROM (
        SELECT e.provider, e.value FROM person_external_id e
        WHERE e.person_key = p.person_key ORDER BY e.provider
    ) listed
) ELSE '' END AS provider_ids
"""
"""The ids of a person *p* at public providers, as JSON, or '' if there are none.

Most people have none. Looking for one first costs a tenth of building an empty object for each of them.
"""

PERSON: Final = f"p.id AS person_id, p.name, p.image_path, {PROVIDER_IDS}, p.created_at, p.updated_at"
"""The columns that `person_of` reads."""

PERSON_COLUMNS: Final = ("person_id", "name", "image_path", "provider_ids", "created_at", "updated_at")
"""Their names."""

PERSON_TYPES: Final = (str, str, str, str, int, int)
"""The types of the columns `PERSON`, as every save stores them. SQLite lets other programs store others."""

PERSON_STATE: Final = f"""
p.id AS person_id, p.name, p.image_path, {PROVIDER_IDS}, p.replaced, p.given_by,
p.person_key, p.uncredited_since
"""
"""The columns that `stored_person` reads."""


def person_of(row: Sequence[Any]) -> Person | None:
    """Return the person of a row with the columns `PERSON`, or None if it cannot be read."""
    person = valid_person(*row)
    if tuple(map(type, row)) != PERSON_TYPES:
        return read_model(Person, f"person {row[0]}", vars(person))
    return person


def valid_person(
    person_id: str, name: str, image_path: str, provider_ids: str, created_at: int, updated_at: int
) -> Person:
    """Return the person of the columns `PERSON`, whose types are `PERSON_TYPES`, without validating them."""
    source_id, _, remote_id = person_id.partition(":")
    return make_person(
        name,
        remote_id,
        image_path or None,
        _read_ids(person_id, provider_ids) if provider_ids else {},
        source_id,
        person_id,
        to_datetime(created_at),
        to_datetime(updated_at),
    )


def stored_person(row: Sequence[Any]) -> StoredPerson:
    """Return the person of a row with the columns `PERSON_STATE`."""
    person_id, name, image_path, provider_ids, replaced, given_by, key, uncredited_since = row
    fields = (person_id, name, image_path, provider_ids)
    return StoredPerson(fields, replaced, given_by, key, uncredited_since is not None)


def _read_ids(person_id: str, text: str) -> dict[str, str]:
    subject = f"person {person_id}"
    ids: dict[str, str] = read_json(subject, text, dict)
    if all(type(value) is str for value in ids.values()):
        return ids
    note_flaw(subject, "the stored provider_ids cannot be read and are left out (an id is not a text)")
    return {}
