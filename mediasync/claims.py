"""Claims of items about people, and which of them are stored where they disagree.

A person's fields belong to the person. Items only make claims about them, one after the other, in the order
in which the items came:

* A missing value in a claim never replaces a stored one.
* An item that is new, or whose credit list changed, is believed. Of several such items the last one wins.
* An item whose credit list is the stored one is believed only if it says something new: a value that an
  earlier claim has replaced does not come back. The exception is the item that gave the stored fields. If it
  says something else now, its source has changed, and it is believed.
* Of spellings of a name that differ only in case, one that was replaced does not come back either, whichever
  item brings it, except for the item that gave the stored fields.

So two items that disagree for ever do not alternate, and neither of them is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from mediasync.rows import CreditRow, PersonRow, merge_people, stored_provider_ids

_MOST_REPLACED: Final = 64
_HASH_BYTES: Final = 6


class StoredPerson(NamedTuple):
    """A person as stored.

    Attributes:
        row: the person's fields.
        replaced: hashes of the values that claims have replaced, the newest last, separated by spaces; None
            if there are none.
        given_by: the storage key of the item that gave the stored fields or, if that one no longer credits
            the person, of another item that does. None if the fields were given apart from any item, or were
            never replaced.
        key: the person's storage key; 0 for a person who is not stored yet.
        uncredited: whether the last credit of the person was removed.
    """

    row: PersonRow
    replaced: str | None = None
    given_by: int | None = None
    key: int = 0
    uncredited: bool = False


class Claim(NamedTuple):
    """What one item says about a person.

    Attributes:
        row: the person's fields; '' where a value is missing.
        item_key: the item's storage key; None for a person saved apart from any item, who is believed.
        fresh: whether the item is new, or its credit list changed.
    """

    row: PersonRow
    item_key: int | None
    fresh: bool


class ItemClaims(NamedTuple):
    """The claims of one item.

    Attributes:
        credits: its credit list, in normal form.
        item_id: the id of the item.
        fresh: whether the item is new, or its credit list changed.
    """

    credits: Sequence[CreditRow]
    item_id: str
    fresh: bool


def gather(items: Iterable[ItemClaims]) -> tuple[list[PersonRow], set[str]]:
    """Return one row for each person whom *items* credit, sorted by id, and the ids of the disputed people.

    A person is disputed if the rows differ, or if an item that is not fresh credits the person. The rows of
    disputed people are decided by `settle`.
    """
    rows: dict[str, PersonRow] = {}
    disputed: set[str] = set()
    for credits_given, _, fresh in items:
        for credit in credits_given:
            row = credit[:4]
            known = rows.setdefault(row[0], row)
            if known is not row and known != row:
                disputed.add(row[0])
        if not fresh:
            disputed.update(credit[0] for credit in credits_given)
    return [rows[person_id] for person_id in sorted(rows)], disputed


def settle(
    stored: StoredPerson | None, claims: Iterable[Claim], believed: set[int] | None = None
) -> StoredPerson:
    """Return the person after *claims* were made in turn; the same object if nothing changes.

    Args:
        stored: the person before; None for a new one.
        claims: at least one for a new person.
        believed: a set to which the storage keys of items whose claims changed something are added.
    """
    claims = iter(claims)
    person = stored or StoredPerson(next(claims).row)
    for claim in claims:
        before, person = person, _believe(person, claim)
        if person is not before and believed is not None and claim.item_key is not None:
            believed.add(claim.item_key)
    return person


def join(person: StoredPerson, other: StoredPerson, item_key: int | None) -> StoredPerson:
    """Return the person that results from merging two stored people.

    The fields of the person who was first seen later count as a later claim.

    Args:
        person: the person who stays.
        other: the person who was first seen later.
        item_key: the storage key of the first item that credits *other*; None if there is none.
    """
    row = (person.row[0], *other.row[1:])
    joined = _believe(person, Claim(row, item_key, fresh=True))
    replaced = dict.fromkeys([*(other.replaced or "").split(), *(joined.replaced or "").split()])
    return joined._replace(
        replaced=_without_present(replaced, joined.row),
        uncredited=person.uncredited and other.uncredited,
    )


def _believe(person: StoredPerson, claim: Claim) -> StoredPerson:
    before = person.row
    after = merge_people(before, claim.row)
    if after == before:
        return person
    replaced = person.replaced.split() if person.replaced else []
    gives = claim.item_key is None or person.given_by == claim.item_key
    given_by = claim.item_key
    if not gives:
        new = [_hash(*value) for value in _values(after) - _values(before)]
        if not claim.fresh and all(value in replaced for value in new):
            return person
        if (
            before[1] != after[1]
            and before[1].casefold() == after[1].casefold()
            and _hash("name", after[1]) in replaced
        ):
            after, given_by = (after[0], before[1], *after[2:]), None
            if after == before:
                return person
    old = [_hash(*value) for value in sorted(_values(before) - _values(after))]
    return person._replace(row=after, replaced=_without_present((*replaced, *old), after), given_by=given_by)


def _without_present(replaced: Iterable[str], row: PersonRow) -> str | None:
    """Return the newest hashes of replaced values, without the hashes of the values of *row*."""
    present = {_hash(*value) for value in _values(row)}
    kept = [value for value in replaced if value not in present][-_MOST_REPLACED:]
    return " ".join(dict.fromkeys(kept)) or None


def _values(row: PersonRow) -> set[tuple[str, str]]:
    values = {("name", row[1])}
    if row[2]:
        values.add(("image", row[2]))
    if row[3]:
        values.update((f"id {provider}", value) for provider, value in stored_provider_ids(row[3]).items())
    return values


def _hash(field: str, value: str) -> str:
    return blake2b(f"{field}\0{value}".encode(), digest_size=_HASH_BYTES).hexdigest()
