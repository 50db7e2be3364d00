"""Identities: who the people are for whom the source has no id, found out before they are saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace

from mediasync.aliases import Identification, KnownPerson, keys_of_row
from mediasync.database.session import Session
from mediasync.repositories.aliases import AliasRepository
from mediasync.repositories.credits import CreditChange, CreditRepository
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.rows import CreditRow, NormalItem, PersonRow, merge_all, merge_people
from mediasync.saving.outbox import Outbox, credits_image


async def identify(
    aliases: AliasRepository, items: Sequence[NormalItem]
) -> tuple[list[NormalItem], Identification]:
    """Find out who the people are whom items credit, by stored aliases and by each other.

    Args:
        aliases: in a transaction or a snapshot.
        items: in the order in which they came.

    Returns:
        The items with the ids under which these people are or will be stored, and the identification, whose
        new aliases and merges are to be stored.
    """
    people = [_derived(item) for item in items]
    identification = await _begin(aliases, people)
    found = [identification.add(rows) for rows in people]
    joined = identification.joined()
    return [_with_ids(item, known, joined) for item, known in zip(items, found, strict=True)], identification


async def save_people(
    session: Session, rows: Sequence[PersonRow], derived: Set[str], outbox: Outbox, *, shown: bool = True
) -> tuple[list[str], int]:
    """Save people apart from any item, inside the caller's transaction.

    Args:
        session: the transaction.
        rows: in normal form, in the order in which they came.
        derived: the ids that were derived, because the source has none for these people.
        outbox: where the changes are logged.
        shown: whether people whose last credit was removed are shown again.

    Returns:
        The stored id of each person, and how many rows were written.

    Raises:
        UnknownSource: if the source of one of them is not stored.
    """
    aliases, people = AliasRepository(session), PeopleRepository(session)
    parts = [[row] if row[0] in derived else [] for row in rows]
    identification = await _begin(aliases, parts)
    found = [identification.add(part) for part in parts]
    await merge_people_found(session, identification, outbox)
    joined = identification.joined()
    ids = [
        known[row[0]].one().id if known else joined.get(row[0], row[0])
        for row, known in zip(rows, found, strict=True)
    ]
    saved = merge_all((person_id, *row[1:]) for person_id, row in zip(ids, rows, strict=True))
    written = await people.upsert_batch(saved, shown=shown, first_seen=identification.first_seen)
    for person_id in written.inserted:
        outbox.add_person(person_id)
    for before, after in written.changed:
        outbox.change_person(before, after)
        if before.uncredited and not after.uncredited:
            outbox.add_person(before.row[0])
    await aliases.store(identification)
    return ids, written.written


async def merge_people_found(session: Session, identification: Identification, outbox: Outbox) -> None:
    """Merge stored people who turned out to be the same person.

    The one who was seen first gets the credits of the others. An item's list has each credit once.

    Args:
        session: an open transaction.
        identification: which people turned out to be one.
        outbox: where the changes are logged.
    """
    credit_lists = CreditRepository(session)
    for person in identification.merged:
        other = person.one()
        into = other.id
        crediting = await credit_lists.lock_crediting(person.id)
        item_keys = {item.id: item.key for item in crediting}
        shown = {item.id for item in crediting if not item.missing}
        credited = await credit_lists.find_stored_lists(list(item_keys))
        keys = {one.row[0]: one.key for rows in credited.values() for one, *_ in rows}
        keys[into] = other.key
        changes = []
        for item_id, rows in credited.items():
            before = [(one.row[0], kind, role) for one, kind, role in rows]
            after: dict[CreditRow, None] = {}
            for person_id, kind, role in before:
                after[(into if person_id == person.id else person_id, "", "", "", kind, role)] = None
            changes.append(CreditChange(item_keys[item_id], before, list(after)))
            if item_id in shown:
                outbox.change_item(item_id, {"credits": credits_image(before)})
        await credit_lists.change(changes, keys)
        await MediaRepository(session).update_times(list(item_keys))
        await AliasRepository(session).move(person.id, into)
        merged = await PeopleRepository(session).merge(person.id, into, min(item_keys.values(), default=None))
        outbox.change_person(merged.before, merged.after)
        if merged.before.uncredited and not merged.after.uncredited:
            outbox.add_person(into)
        outbox.merge_person(merged.other.row, into)


async def _begin(aliases: AliasRepository, people: Iterable[Iterable[PersonRow]]) -> Identification:
    rows = {row for rows in people for row in rows}
    unsettled = aliases.without_settled(rows)
    ids: set[str] = set()
    names: set[str] = set()
    for row in unsettled:
        keys, name = keys_of_row(row)
        if keys:
            ids.update(keys.values())
            ids.add(name)
        else:
            names.add(name)
    holders = await aliases.find_holders(sorted(ids), sorted(names - ids)) if unsettled else {}
    return Identification(holders, rows.difference(unsettled))


def _derived(item: NormalItem) -> list[PersonRow]:
    if not item.derived:
        return []
    return list({row[0]: row[:4] for row in item.credits if row[0] in item.derived}.values())


def _with_ids(item: NormalItem, known: dict[str, KnownPerson], joined: dict[str, str]) -> NormalItem:
    ids = {person_id: person.one().id for person_id, person in known.items()}
    if joined:
        ids = {row[0]: row[0] for row in item.credits} | ids
        ids = {person_id: joined.get(found, found) for person_id, found in ids.items()}
    if all(person_id == found for person_id, found in ids.items()):
        return item
    people: dict[str, PersonRow] = {}
    for row in item.credits:
        person = (ids.get(row[0], row[0]), *row[1:4])
        first = people.setdefault(person[0], person)
        if first != person:
            people[person[0]] = merge_people(first, person)
    rows = [(*people[ids.get(row[0], row[0])], *row[4:]) for row in item.credits]
    return replace(item, credits=list(dict.fromkeys(rows)))
