"""The people of one item as a list of credits in billing order. Pure.

Plex gives one person several tag ids, one for each list that names them: a director who also wrote the film
has two. Newer servers also give a ``tagKey``, which is the same in every list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord
from mediasync.construction import make_credits
from mediasync.models import Credit
from mediasync.text import without_secrets
from mediasync.vocabulary import PersonType

PEOPLE_LISTS: Final = {
    "Role": ("actor", PersonType.ACTOR),
    "Director": ("director", PersonType.DIRECTOR),
    "Writer": ("writer", PersonType.WRITER),
    "Producer": ("producer", PersonType.PRODUCER),
}
"""The lists of people in billing order, each with its tag type (which qualifies ids) and person type."""


def parse_credits(record: JsonRecord) -> tuple[list[Credit], bool]:
    """Return the credits of a full item, cast first, and whether they are complete.

    An absent list is an empty list: Plex leaves out a list that has no entries. If anything in a list has the
    wrong type, people may be missing or wrong, and the credits do not count as complete.

    Example:
        >>> record = JsonRecord({"Role": [{"id": 7, "tag": "Al Pacino", "role": "Vincent Hanna"}],
        ...                  "Director": [{"id": "9", "tag": "Michael Mann", "tagKey": "5d77"}]})
        >>> credits, whole = parse_credits(record)
        >>> [(credit.person.remote_id, str(credit.person_type), credit.role) for credit in credits], whole
        ([('actor/7', 'actor', 'Vincent Hanna'), ('5d77', 'director', None)], True)
    """
    problems = len(record.problems)
    found = make_credits(
        (
            tag.text("tag") or "",
            _person_key(tag, tag_type),
            _picture(tag),
            {},
            person_type,
            tag.text("role") or None,
        )
        for name, (tag_type, person_type) in PEOPLE_LISTS.items()
        for tag in record.records(name)
    )
    return found, len(record.problems) == problems


def lists_fewer(full: Mapping[str, Any], listed: Mapping[str, Any]) -> bool:
    """Return whether an item's details name fewer people than its entry in a listing did.

    A listing shows only the first people of each list. So the details name fewer only if something went wrong
    or the item changed in between.
    """
    return any(_length(full.get(name)) < _length(listed.get(name)) for name in PEOPLE_LISTS)


def names_nobody(details: Mapping[str, Any]) -> bool:
    """Return whether every list of people is empty or absent."""
    return not any(details.get(name) for name in PEOPLE_LISTS)


def _person_key(tag: JsonRecord, tag_type: str) -> str | None:
    if key := (tag.text("tagKey") or "").strip():
        return key
    number = tag.key("id")
    return f"{tag_type}/{number}" if number else None


def _picture(tag: JsonRecord) -> str | None:
    thumb = tag.text("thumb")
    return without_secrets(thumb) if thumb else None


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0
