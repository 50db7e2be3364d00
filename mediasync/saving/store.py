"""Writing a group of items, with their people and credits, in one transaction.

The order of statements, which differs between engines, is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mediasync.aio import overlap
from mediasync.changes import WriteContext
from mediasync.claims import ItemClaims
from mediasync.database.session import Session
from mediasync.errors import InvalidItem
from mediasync.repositories.aliases import AliasRepository
from mediasync.repositories.credits import CreditChange, CreditRepository, RemovedCredit, StoredCredit
from mediasync.repositories.items import ItemState, MediaRepository, item_row
from mediasync.repositories.people import PeopleDraft, PeopleRepository, SavedPeople
from mediasync.rows import NormalItem
from mediasync.saving.identities import merge_people_found
from mediasync.saving.missing import bring_back
from mediasync.saving.outbox import Image, Outbox, changed_fields, credits_image, item_image
from mediasync.saving.plan import (
    Plan,
    compare_credits,
    compare_fields,
    find_places,
    identify_people,
    make_plan,
    put_in_order,
)
from mediasync.text import StoredWord
from mediasync.vocabulary import LEVELS, Completeness, MediaType

ITEMS_PER_PART: Final = 250
CREDITS_PER_PART: Final = 3_500
"""A group is saved in parts of at most this many items, and about this many credits.

So each part blocks the event loop for a few milliseconds only."""

_WORTH_OVERLAPPING: Final = 50

Outcome = bool | InvalidItem


async def save_group(
    session: Session,
    items: Sequence[NormalItem],
    contexts: Sequence[WriteContext],
    enough: Callable[[], bool],
) -> list[Outcome]:
    """Save items of different ids, with their people and credits, inside the caller's transaction.

    Args:
        session: an open transaction.
        items: in normal form, in the order in which they came.
        contexts: why each of them is saved.
        enough: called between parts; if it returns true, the remaining items are left to the caller.

    Returns:
        An outcome for each item that was handled, from the first on: whether it was written, or the error of
        an item that does not fit its stored parent or children. Nothing of such an item is written.

    Raises:
        DataError: if the database refuses any of them; the transaction must then be rolled back.
        UnknownSource: if a source is not stored.
    """
    outcomes: list[Outcome] = []
    outbox = Outbox(session)
    late = _Late(early=session.has_concurrent_writers)
    while len(outcomes) < len(items) and not (outcomes and enough()):
        start = len(outcomes)
        end = end_of_part(items, start)
        outcomes += await _save_part(session, items[start:end], contexts[start:end], outbox, late)
    await _write_late(session, outbox, late)
    await outbox.write()
    return outcomes


def end_of_part(items: Sequence[NormalItem], start: int) -> int:
    """Return the end of the part of *items* that begins at *start*. A part has at least one item."""
    end, number_of_credits = start, 0
    while end < len(items) and end - start < ITEMS_PER_PART and number_of_credits < CREDITS_PER_PART:
        number_of_credits += len(items[end].credits)
        end += 1
    return end


@dataclass(frozen=True, slots=True)
class _Late:
    """Rows that are written at the end of a group: sorted as their indexes are, they cost less.

    Attributes:
        early: whether credits of stored people are inserted before new people are. On PostgreSQL, inserting a
            new person locks its id, and other transactions that insert the same person wait until this one
            ends. So the work that needs no new people is done first.
        words: the words of new people's names.
        titles: the words of new items' titles.
        credits: credits that are not inserted yet.
        removed: the credits that were removed.
        removers: the items that removed them, by the people's storage keys.
        credited: the storage keys of people who were stored before and are credited by this group.
    """

    early: bool
    words: list[tuple[str, int]] = field(default_factory=list)
    titles: list[StoredWord] = field(default_factory=list)
    credits: list[StoredCredit] = field(default_factory=list)
    removed: list[RemovedCredit] = field(default_factory=list)
    removers: dict[int, str] = field(default_factory=dict)
    credited: set[int] = field(default_factory=set)


async def _write_late(session: Session, outbox: Outbox, late: _Late) -> None:
    """Write the rows that were put off."""
    people = PeopleRepository(session)
    await people.add_words(late.words)
    await MediaRepository(session).add_title_words(late.titles)
    await CreditRepository(session).insert(late.credits)
    for person in await people.note_removed(late.removed):
        outbox.remove_person(person.row, item_id=late.removers[person.key])
    await people.show_credited(late.credited)
    for done in (late.words, late.titles, late.credits, late.removed, late.removers, late.credited):
        done.clear()


async def _save_part(
    session: Session,
    items: Sequence[NormalItem],
    contexts: Sequence[WriteContext],
    outbox: Outbox,
    late: _Late,
) -> list[Outcome]:
    media, aliases = MediaRepository(session), AliasRepository(session)
    items, states, taken = await find_places(media, items)
    outbox.assign(items, contexts)
    ordered, misfits = await put_in_order(media, items, states)
    plans = {item.id: make_plan(item, states.get(item.id)) for item in ordered}
    found = await identify_people(aliases, [plans[item.id] for item in items if item.id in plans])
    if found is not None and found.merged:
        await _write_late(session, outbox, late)
        await merge_people_found(session, found, outbox)
    await compare_credits(CreditRepository(session), list(plans.values()))
    await compare_fields(media, plans)
    back = await bring_back(session, outbox, _missing(plans, states))
    if written := [plan for plan in plans.values() if plan.writes or plan.people]:
        changed = [plan.item.id for plan in written if plan.fields and plan.state]
        images = await outbox.find_item_images(changed)
        await _write(session, written, outbox, late, found.first_seen if found else {})
        _log_items(written, images, outbox)
    if found is not None:
        await aliases.store(found)
    if joined := [(item_id, plan.item.library_id) for item_id, plan in plans.items() if plan.joins]:
        await media.add_libraries(joined)
        for item_id, _ in joined:
            if state := plans[item_id].state:
                outbox.change_item(item_id, {"libraries": sorted(state.library_ids)})
    if stamped := [(plan.item, plan.fingerprint) for plan in plans.values() if plan.stamps]:
        await media.update_stamps(stamped)
    if back:
        await PeopleRepository(session).show_people_of(back)
    if rekeyed := {current: item_id for current, item_id in taken.items() if item_id in plans}:
        await media.add_rekeyed(rekeyed)
    return [misfits.get(item.id) or plans[item.id].saves for item in items]


def _missing(plans: Mapping[str, Plan], states: Mapping[str, ItemState]) -> list[str]:
    """Return the marked items that are saved, or stand above an item that is."""
    missing: dict[str, None] = {}
    for item_id, plan in plans.items():
        parent = states.get(plan.item.parent_id or "")
        if plan.back:
            missing[item_id] = None
        elif parent is not None and parent.missing:
            missing[parent.id] = None
    return list(missing)


def _log_items(plans: Sequence[Plan], images: Mapping[str, Image], outbox: Outbox) -> None:
    """Log new items, and the fields and credits that changed in stored ones."""
    for plan in plans:
        item = plan.item
        if plan.state is None:
            outbox.add_item(item.id)
        elif plan.writes:
            outbox.change_item(item.id, _before(plan, plan.state, images.get(item.id)))


def _before(plan: Plan, state: ItemState, stored: Image | None) -> Image:
    """Return the old values of the fields that a plan changes, and the old credit list if that changes."""
    before: Image = {}
    if stored is not None:
        before = changed_fields(stored, item_image(plan.item, plan.completeness))
    elif state.completeness is not plan.completeness:
        before["completeness"] = state.completeness.value
    if plan.credits and (old := credits_image(plan.stored)) != credits_image(
        [(row[0], row[4], row[5]) for row in plan.item.credits]
    ):
        before["credits"] = old
    return before


async def _write(
    session: Session, plans: Sequence[Plan], outbox: Outbox, late: _Late, first_seen: Mapping[str, int]
) -> None:
    media = MediaRepository(session)
    item_keys = _keys(plans)

    def draft() -> PeopleDraft:
        return PeopleRepository(session).draft(_claims(plans), item_keys, first_seen)

    if len(plans) < _WORTH_OVERLAPPING:
        new_keys, drafted = await _write_items(media, plans), draft()
    else:
        new_keys, drafted = await overlap(_write_items(media, plans), draft)
    item_keys |= new_keys
    late.titles.extend(media.title_words([plan.item for plan in plans if plan.state is None], item_keys))
    await _write_lists(session, plans, drafted, item_keys, outbox, late)


def _keys(plans: Sequence[Plan]) -> dict[str, int]:
    return {plan.item.id: plan.state.key for plan in plans if plan.state}


def _claims(plans: Sequence[Plan]) -> list[ItemClaims]:
    return [
        ItemClaims(plan.item.credits, plan.item.id, plan.fresh or plan.credits)
        for plan in plans
        if plan.credits or plan.people
    ]


async def _write_lists(
    session: Session,
    plans: Sequence[Plan],
    drafted: PeopleDraft,
    item_keys: Mapping[str, int],
    outbox: Outbox,
    late: _Late,
) -> None:
    """Write people, and the credits that cannot wait until the end of the group."""
    people, credit_lists = PeopleRepository(session), CreditRepository(session)
    changed = [plan for plan in plans if plan.credits]
    for plan in changed:
        if not plan.stored:
            continue
        gone = {person.row[0]: person.key for person, *_ in plan.stored}
        for row in plan.item.credits:
            gone.pop(row[0], None)
        late.removed.extend(
            RemovedCredit(person_id, key, item_keys[plan.item.id]) for person_id, key in gone.items()
        )
        late.removers.update(dict.fromkeys(gone.values(), plan.item.id))

    def credits_of(keys: Mapping[str, int], without: Container[str]) -> list[StoredCredit]:
        lists = ((item_keys[plan.item.id], len(plan.stored), plan.item.credits) for plan in changed)
        return credit_lists.make_rows(lists, keys, without)

    stored = await people.find_stored(drafted)
    placed: frozenset[str] = frozenset()
    if late.early and drafted.rows and len(plans) >= _WORTH_OVERLAPPING:
        known = drafted.keys | {person_id: person.key for person_id, person in stored.items()}
        await credit_lists.insert(credits_of(known, {row[0] for row in drafted.rows} - known.keys()))
        placed = frozenset(known)
    saved = await people.upsert_rows(drafted, stored)
    if saved.renamed:
        # At once, because one part of the group may remove words that another part adds.
        await people.add_words(late.words)
        late.words.clear()
        await people.index_names(saved)
    else:
        late.words.extend(saved.new_words)
    late.credits.extend(credits_of(saved.keys, placed))
    late.credited.update(saved.found)
    for plan in plans:
        plan.people = item_keys[plan.item.id] in saved.believed
    _log_people(plans, saved, outbox)
    await credit_lists.change(_changes(changed), saved.keys)


def _log_people(plans: Sequence[Plan], saved: SavedPeople, outbox: Outbox) -> None:
    """Log the people whose own fields changed. New ones came with their items, which are logged."""
    if saved.changed:
        savers = {row[0]: plan.item.id for plan in plans for row in plan.item.credits}
        for before, after in saved.changed:
            outbox.change_person(before, after, item_id=savers[before.row[0]])


def _changes(plans: Sequence[Plan]) -> list[CreditChange]:
    return [
        CreditChange(
            plan.state.key,
            [(person.row[0], kind, role) for person, kind, role in plan.stored],
            plan.item.credits,
        )
        for plan in plans
        if plan.state and plan.stored
    ]


async def _write_items(media: MediaRepository, plans: Sequence[Plan]) -> dict[str, int]:
    """Write the items' own rows, parents first, and return the storage keys of new items."""
    item_keys: dict[str, int] = {}
    if renamed := [plan.item for plan in plans if plan.fields and plan.state]:
        await media.replace_title_words(renamed, _keys(plans))
    for level in LEVELS:
        of_level = [plan for plan in plans if plan.writes and MediaType(plan.item.media_type).level == level]
        if new := [_row(plan) for plan in of_level if plan.state is None]:
            item_keys |= await media.insert_items(new)
        if stored := [_row(plan) for plan in of_level if plan.state is not None]:
            await media.upsert_items(stored)
    if new_items := [plan.item for plan in plans if plan.state is None]:
        await media.insert_details(new_items)
    if changed := [plan.item for plan in plans if plan.state and plan.fields]:
        await media.change_details(changed)
    return item_keys


def _row(plan: Plan) -> list[Any]:
    home = plan.state.library_id if plan.state else plan.item.library_id
    return item_row(plan.item, home, plan.completeness, plan.fingerprint)


async def replace_credits(
    session: Session, media_item_id: str, given: NormalItem, state: ItemState, outbox: Outbox
) -> bool:
    """Replace the credit list of a stored item by a full one. Return whether anything was written.

    The fingerprint of a changed list is cleared.

    Args:
        session: an open transaction.
        media_item_id: a stored item.
        given: its credits in normal form, as `mediasync.saving.normal.normal_credits` makes them.
        state: the stored state of the item, which is locked.
        outbox: where the changes are logged.
    """
    aliases = AliasRepository(session)
    plan = Plan(given, state, False, Completeness.FULL, None, in_doubt=True, fresh=True)
    found = await identify_people(aliases, [plan])
    if found is not None:
        await merge_people_found(session, found, outbox)
    await compare_credits(CreditRepository(session), [plan])
    if not plan.saves:
        return False
    late = _Late(early=False)
    keys = _keys([plan])
    drafted = PeopleRepository(session).draft(_claims([plan]), keys, found.first_seen if found else {})
    await _write_lists(session, [plan], drafted, keys, outbox, late)
    await _write_late(session, outbox, late)
    if found is not None:
        await aliases.store(found)
    if plan.credits:
        await MediaRepository(session).set_completeness(media_item_id, Completeness.FULL)
        outbox.change_item(media_item_id, _before(plan, state, None))
    return True
