"""Items and people in normal form, as repositories take them, and how two rows of a person merge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mediasync.ids import NAME_KEY_PREFIX
from mediasync.vocabulary import Completeness

PersonRow = tuple[str, str, str, str]
"""id, name, image path or '', provider ids as JSON or ''."""

CreditRow = tuple[str, str, str, str, str, str]
"""A `PersonRow`, the person type, and the role or ''.

Rows of people and credits are plain tuples, since a large save has millions of them: CPython's garbage
collector stops tracking plain tuples of texts, but not named ones.
"""

TEXT_FIELDS: Final = (
    "title",
    "original_title",
    "sort_title",
    "overview",
    "tagline",
    "content_rating",
)

NUMBER_FIELDS: Final = (
    "year",
    "runtime_seconds",
    "season_number",
    "episode_number",
    "episode_number_end",
)

VALUE_COLUMNS: Final = (
    "title",
    *NUMBER_FIELDS,
    *TEXT_FIELDS[1:],
    "premiere_date",
    "path",
    "added_at",
    "added_text",
    "changed_at",
    "changed_text",
)
"""The columns of `NormalItem.values`, in its order."""


@dataclass(slots=True)
class NormalItem:
    """An item in normal form.

    Attributes:
        id: ``{source_id}:{remote_id}``, made of the source's current key. An item whose key changed is stored
            under its first id.
        remote_id: the source's own key.
        parent_id: ``{source_id}:{remote_id}`` of the parent, if the item names one.
        parent_types: the types that the parent may have.
        library_id: the full id of the library.
        media_type: ``movie``, ``show``, ``season`` or ``episode``.
        values: the values of the columns `VALUE_COLUMNS`.
        external_ids: (provider, value), sorted.
        genres: in the source's order, without repeats.
        ratings: (name, value, votes), in the source's order.
        images: (kind, reference), sorted.
        change_token: the source's token of this version of the item.
        item_fingerprint: the fingerprint of all of the above except the library and the change token.
        completeness: how complete the given credits are; ``none`` if none were given.
        credits: in billing order; empty if none were given.
        derived: the people of ``credits`` for whom the source has no id: the ids made of their names, by the
            ids in ``credits``.
        credits_fingerprint: the fingerprint of ``credits``.
        problems: descriptions of credits that were left out.
        repeats: how many exact repeats of credits were dropped.
        stored_id: the id under which the item is stored; empty until it is known.
    """

    id: str
    remote_id: str
    parent_id: str | None
    parent_types: frozenset[str]
    library_id: str
    media_type: str
    values: tuple[Any, ...]
    external_ids: Sequence[tuple[str, str]]
    genres: Sequence[str]
    ratings: Sequence[tuple[str, float, int | None]]
    images: Sequence[tuple[str, str]]
    change_token: str | None
    item_fingerprint: str = ""
    completeness: Completeness = Completeness.NONE
    credits: list[CreditRow] = field(default_factory=list)
    derived: Mapping[str, str] = field(default_factory=dict, compare=False)
    credits_fingerprint: str = ""
    problems: list[str] = field(default_factory=list)
    repeats: int = 0
    stored_id: str = ""


def merge_people(first: PersonRow, second: PersonRow) -> PersonRow:
    """Return the person that results from two rows with one id, the second being the later one.

    A missing value never replaces a present one. The later name wins, unless the key is derived from the
    name: then the first spelling stays.
    """
    person_id, name, image, ids = first
    if not keeps_name(person_id):
        name = second[1]
    return (person_id, name, second[2] or image, merge_provider_ids(ids, second[3]))


def merge_all(people: Iterable[PersonRow]) -> list[PersonRow]:
    """Return one row for each person, sorted by id; rows with the same id are merged in turn."""
    merged: dict[str, PersonRow] = {}
    for person in people:
        known = merged.setdefault(person[0], person)
        if known is not person and known != person:
            merged[person[0]] = merge_people(known, person)
    return [merged[person_id] for person_id in sorted(merged)]


def merge_provider_ids(stored: str, given: str) -> str:
    """Return both sets of provider ids as one JSON object; the given ids win."""
    if not stored or not given or stored == given:
        return given or stored
    return provider_ids_json({**stored_provider_ids(stored), **stored_provider_ids(given)})


def stored_provider_ids(text: str) -> dict[str, str]:
    """Return the provider ids of a stored JSON object.

    Anything else, which another program may have stored, is left out.
    """
    try:
        ids = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(ids, dict):
        return {}
    return {provider: value for provider, value in ids.items() if isinstance(value, str)}


def keeps_name(person_id: str) -> bool:
    """Return whether a person's key is derived from the name, so that its first spelling stays."""
    return person_id.partition(":")[2].startswith(NAME_KEY_PREFIX)


def provider_ids_json(ids: Mapping[str, str]) -> str:
    return json.dumps(ids, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
