"""Saving a group of items in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mediasync.aio import overlap
from mediasync.aliases import Identification
from mediasync.claims import Claim, ItemClaims, settle
from mediasync.database.session import Session
from mediasync.errors import InvalidItem, UnknownParent
from mediasync.models import Episode, Movie, Season, Show
from mediasync.repositories.aliases import AliasRepository
from mediasync.repositories.items import CreditChange, ItemState, MediaRepository, StoredCredit, item_row
from mediasync.repositories.people import CreditedPerson, PeopleDraft, PeopleRepository, RemovedCredit
from mediasync.rows import NormalItem
from mediasync.saving.fingerprints import is_current
from mediasync.saving.identities import identify, merge_people_found
from mediasync.saving.normal import normal_item
from mediasync.text import StoredWord
from mediasync.vocabulary import Completeness, MediaType

ITEMS_PER_PART: Final = 250
CREDITS_PER_PART: Final = 3_500
"""A group is handled in parts of at most so many items, and of about so many credits.

Each keeps the event loop for a few milliseconds."""

_WORTH_OVERLAPPING: Final = 50

_BELOW: Final[dict[str, frozenset[str]]] = {
    cls.model_fields["media_type"].default: cls.parent_types for cls in (Movie, Show, Season, Episode)
}
"""Below what an item of each type may stand."""

Outcome = bool | InvalidItem


@dataclass(slots=True)
class _Plan:
    """What saving one item has to do.

    Attributes:
        item: what is saved.
        state: what is stored of it.
        fields: whether its own fields are written.
        completeness: what is stored of its credits afterwards.
        fingerprint: the credits' fingerprint afterwards.
        in_doubt: whether its credits, or what it says of people, may differ from what is stored.
        fresh: whether what it says of people is believed even if its list is the stored one.
        credits: whether its credit list is brought to another one.
        people: whether it says something new of the people of its stored list.
        joins: whether a library lists it that did not before.
        stored: its stored credits, where they were looked at.
    """

    item: NormalItem
    state: ItemState | None
    fields: bool
    completeness: Completeness
    fingerprint: str | None
    in_doubt: bool = False
    fresh: bool = False
    credits: bool = False
    people: bool = False
    joins: bool = False
    stored: Sequence[CreditedPerson] = ()

    @property
    def writes(self) -> bool:
        """Whether the item's own row is written."""
        return self.fields or self.credits

    @property
    def saves(self) -> bool:
        """Whether anything is written that can be seen."""
        return self.writes or self.people or self.joins

    @property
    def stamps(self) -> bool:
        """Whether only fingerprints or the change token are stored anew.

        A fingerprint of credits that has only become older than its people is left as it is: one that is
        missing, or was made by another rule, is not.
        """
        state = self.state
        return (
            not self.writes
            and state is not None
            and (
                state.change_token != self.item.change_token
                or state.item_fingerprint != self.item.item_fingerprint
                or (
                    state.credits_fingerprint != self.fingerprint
                    and not is_current(state.credits_fingerprint)
                )
            )
        )


def _plan(item: NormalItem, state: ItemState | None) -> _Plan:
    given = item.completeness
    if state is None:
        fingerprint = item.credits_fingerprint or None
        return _Plan(item, None, True, given, fingerprint, credits=bool(item.credits))
    fields = state.item_fingerprint != item.item_fingerprint
    joins = item.library_id not in state.library_ids
    if given is Completeness.NONE or (
        given is Completeness.PREVIEW and state.completeness is Completeness.FULL
    ):
        return _Plan(item, state, fields, state.completeness, state.credits_fingerprint, joins=joins)
    same = (state.completeness, state.credits_fingerprint) == (given, item.credits_fingerprint)
    in_doubt = not same or state.gives
    return _Plan(item, state, fields, given, item.credits_fingerprint, in_doubt=in_doubt, joins=joins)


async def find_stored(session: Session, items: Sequence[NormalItem]) -> dict[str, str]:
    """Return the stored ids of those of *items* whose saving would change no row, by the ids given."""
    states, _ = await MediaRepository(session).find_current_states([item.id for item in items])
    plans = [_plan(item, states[item.id]) for item in items if item.id in states]
    plans = [plan for plan in plans if not plan.fields and not plan.stamps]
    await _identify(AliasRepository(session), plans)
    await _look_closer(PeopleRepository(session), plans)
    return {plan.item.id: states[plan.item.id].id for plan in plans if not plan.saves}


async def what_changes(session: Session, items: Sequence[NormalItem]) -> list[tuple[str, str | None]]:
    """Return the id of each of *items* and what saving it would write, in words: None if that is nothing.

    Where only the rule of an item's fingerprint has changed, its own fields count as changed.
    """
    states, _ = await MediaRepository(session).find_current_states([item.id for item in items])
    plans = [_plan(item, states.get(item.id)) for item in items]
    await _identify(AliasRepository(session), plans)
    await _look_closer(PeopleRepository(session), plans)
    return [(plan.state.id if plan.state else plan.item.id, _in_words(plan)) for plan in plans]


def _in_words(plan: _Plan) -> str | None:
    if plan.state is None:
        return "new"
    parts = (
        ("its own fields", plan.fields),
        ("its credits", plan.credits),
        ("what is known of its people", plan.people),
        ("its libraries", plan.joins),
    )
    return " and ".join(what for what, written in parts if written) or None


async def _identify(aliases: AliasRepository, plans: Sequence[_Plan]) -> Identification | None:
    """Put the stored ids of people into the items of those plans that may write credits."""
    plans = [plan for plan in plans if plan.item.derived and (plan.credits or plan.in_doubt)]
    if not plans:
        return None
    items, identification = await identify(aliases, [plan.item for plan in plans])
    for plan, item in zip(plans, items, strict=True):
        plan.item = item
    return identification


async def _look_closer(people: PeopleRepository, plans: Sequence[_Plan]) -> None:
    """Find out of items that are in doubt what differs, by the stored credits themselves."""
    in_doubt = [(plan, plan.state) for plan in plans if plan.in_doubt and plan.state]
    if not in_doubt:
        return
    found = await people.find_credited([state.id for _, state in in_doubt])
    for plan, state in in_doubt:
        plan.stored = stored = found[state.id]
        plan.credits = state.completeness is not plan.completeness or [
            (person.row[0], *credit) for person, *credit in stored
        ] != [(row[0], *row[4:]) for row in plan.item.credits]
        plan.people = not plan.credits and any(
            settle(credited[0], [Claim(row[:4], state.key, plan.fresh)]) is not credited[0]
            for credited, row in zip(stored, plan.item.credits, strict=True)
        )


async def save_group(
    session: Session, items: Sequence[NormalItem], enough: Callable[[], bool]
) -> list[Outcome]:
    """Save items of different ids, with their people and credits, inside the caller's transaction.

    Args:
        session: the transaction.
        items: in normal form, in the order in which they came.
        enough: asked between parts; when it says so, the rest is left.

    Returns:
        For each of the first items, up to where it was enough: whether it was written, or the error of one
        that does not fit what is stored above or below it. Nothing of such an item is written.

    Raises:
        DataError: if the database refuses any of them; the transaction must then be rolled back.
        UnknownSource: if a source is not stored.
    """
    media, people, aliases = MediaRepository(session), PeopleRepository(session), AliasRepository(session)
    outcomes: list[Outcome] = []
    late = _Late(early=session.has_concurrent_writers)
    while len(outcomes) < len(items) and not (outcomes and enough()):
        start = len(outcomes)
        part = items[start : end_of_part(items, start)]
        outcomes += await _save_part(media, people, aliases, part, late)
    await _write_late(media, people, late)
    return outcomes


def end_of_part(items: Sequence[NormalItem], start: int) -> int:
    """Return where the part of *items* ends that begins at *start*. It has one item at least."""
    end, number_of_credits = start, 0
    while end < len(items) and end - start < ITEMS_PER_PART and number_of_credits < CREDITS_PER_PART:
        number_of_credits += len(items[end].credits)
        end += 1
    return end


@dataclass(frozen=True, slots=True)
class _Late:
    """What is done at the end for the whole group: in one go, ordered as an index is, it costs less.

    Attributes:
        early: whether the credits of people who are stored already are inserted before new people are. Who
            inserts the same people has to wait from then on, until the transaction ends.
        words: of the names of people who are new.
        titles: words of the titles of items that are new.
        credits: of the items whose lists change, as far as they are not inserted yet.
        removed: the credits that were removed.
        credited: the storage keys of people who were stored before, and of whom credits are saved.
    """

    early: bool
    words: list[tuple[str, int]] = field(default_factory=list)
    titles: list[StoredWord] = field(default_factory=list)
    credits: list[StoredCredit] = field(default_factory=list)
    removed: list[RemovedCredit] = field(default_factory=list)
    credited: set[int] = field(default_factory=set)


async def _write_late(media: MediaRepository, people: PeopleRepository, late: _Late) -> None:
    """Write what was put off."""
    await people.add_words(late.words)
    await media.add_title_words(late.titles)
    await media.insert_credits(late.credits)
    await people.note_removed(late.removed)
    await people.show_credited(late.credited)
    for done in (late.words, late.titles, late.credits, late.removed, late.credited):
        done.clear()


async def _save_part(
    media: MediaRepository,
    people: PeopleRepository,
    aliases: AliasRepository,
    items: Sequence[NormalItem],
    late: _Late,
) -> list[Outcome]:
    items, states, taken = await _find_placed(media, items)
    ordered, misfits = await _in_order(media, items, states)
    plans = {item.id: _plan(item, states.get(item.id)) for item in ordered}
    found = await _identify(aliases, [plans[item.id] for item in items if item.id in plans])
    if found is not None and found.merged:
        await _write_late(media, people, late)
        await merge_people_found(media, people, aliases, found)
    await _look_closer(people, list(plans.values()))
    await _compare_fields(media, plans)
    if written := [plan for plan in plans.values() if plan.writes or plan.people]:
        await _write(media, people, written, late, found.first_seen if found else {})
    if found is not None:
        await aliases.store(found)
    if joined := [(item_id, plan.item.library_id) for item_id, plan in plans.items() if plan.joins]:
        await media.add_libraries(joined)
    if stamped := [(plan.item, plan.fingerprint) for plan in plans.values() if plan.stamps]:
        await media.update_stamps(stamped)
    if rekeyed := {current: item_id for current, item_id in taken.items() if item_id in plans}:
        await media.add_rekeyed(rekeyed)
    return [misfits.get(item.id) or plans[item.id].saves for item in items]


async def _find_placed(
    media: MediaRepository, items: Sequence[NormalItem]
) -> tuple[Sequence[NormalItem], dict[str, ItemState], dict[str, str]]:
    """Find what is stored of items and their parents, by their current keys.

    Returns:
        The items with the ids under which they and their parents are stored; the states by those ids; and
        the ids of new items whose own id belongs to another item, by their own.
    """
    states, former = await media.find_current_states([item.id for item in items], lock=True)
    parents = dict.fromkeys(item.parent_id for item in items if item.parent_id)
    if elsewhere := [parent_id for parent_id in parents if parent_id not in states]:
        states |= (await media.find_current_states(elsewhere))[0]
    ids = {current_id: state.id for current_id, state in states.items() if state.id != current_id}
    taken: dict[str, str] = {}
    if new := former.intersection(item.id for item in items):
        taken = await media.find_free_ids(new, {item.id for item in items})
    ids |= taken
    if not ids:
        return items, states, taken
    for item in items:
        item.stored_id = ids.get(item.id, "")
    placed = [
        replace(item, id=item.stored_id or item.id, parent_id=ids.get(item.parent_id or "", item.parent_id))
        for item in items
    ]
    return placed, {state.id: state for state in states.values()}, taken


async def _write(
    media: MediaRepository,
    people: PeopleRepository,
    plans: Sequence[_Plan],
    late: _Late,
    first_seen: Mapping[str, int],
) -> None:
    item_keys = _keys(plans)

    def draft() -> PeopleDraft:
        return people.draft(_claims(plans), item_keys, first_seen)

    if len(plans) < _WORTH_OVERLAPPING:
        new_keys, drafted = await _write_items(media, plans), draft()
    else:
        new_keys, drafted = await overlap(_write_items(media, plans), draft)
    item_keys |= new_keys
    late.titles.extend(media.title_words([plan.item for plan in plans if plan.state is None], item_keys))
    await _write_lists(media, people, plans, drafted, item_keys, late)


def _keys(plans: Sequence[_Plan]) -> dict[str, int]:
    return {plan.item.id: plan.state.key for plan in plans if plan.state}


def _claims(plans: Sequence[_Plan]) -> list[ItemClaims]:
    return [
        ItemClaims(plan.item.credits, plan.item.id, plan.fresh or plan.credits)
        for plan in plans
        if plan.credits or plan.people
    ]


async def _write_lists(
    media: MediaRepository,
    people: PeopleRepository,
    plans: Sequence[_Plan],
    drafted: PeopleDraft,
    item_keys: Mapping[str, int],
    late: _Late,
) -> None:
    """Write people and credits, as far as that is not put off to the end of the group."""
    changed = [plan for plan in plans if plan.credits]
    for plan in changed:
        gone = {person.row[0]: person.key for person, *_ in plan.stored}
        for row in plan.item.credits:
            gone.pop(row[0], None)
        late.removed.extend((person_id, key, item_keys[plan.item.id]) for person_id, key in gone.items())
    placed: frozenset[str] = frozenset()

    def credits_of(keys: Mapping[str, int], without: Container[str]) -> list[StoredCredit]:
        lists = ((item_keys[plan.item.id], len(plan.stored), plan.item.credits) for plan in changed)
        return media.stored_credits(lists, keys, without)

    async def insert_credits(keys: Mapping[str, int]) -> None:
        nonlocal placed
        others = {row[0] for row in drafted.rows if row[0] not in keys}
        await media.insert_credits(credits_of(keys, others))
        placed = frozenset(keys)

    early = late.early and len(plans) >= _WORTH_OVERLAPPING
    saved = await people.upsert_rows(drafted, insert_credits if early else None)
    if saved.renamed:
        # In turn: what one part of the group adds, another may take away.
        await people.add_words(late.words)
        late.words.clear()
        await people.index_names(saved)
    else:
        late.words.extend(saved.new_words)
    late.credits.extend(credits_of(saved.keys, placed))
    late.credited.update(saved.found)
    for plan in plans:
        plan.people = item_keys[plan.item.id] in saved.believed
    await media.change_credits(_changes(changed), saved.keys)


def _changes(plans: Sequence[_Plan]) -> list[CreditChange]:
    return [
        CreditChange(
            plan.state.key,
            [(person.row[0], kind, role) for person, kind, role in plan.stored],
            plan.item.credits,
        )
        for plan in plans
        if plan.state and plan.stored
    ]


async def _write_items(media: MediaRepository, plans: Sequence[_Plan]) -> dict[str, int]:
    """Write the items themselves, and return the keys of the new ones."""
    item_keys: dict[str, int] = {}
    if renamed := [plan.item for plan in plans if plan.fields and plan.state]:
        await media.replace_title_words(renamed, _keys(plans))
    for level in range(3):
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


def _row(plan: _Plan) -> list[Any]:
    home = plan.state.library_id if plan.state else plan.item.library_id
    return item_row(plan.item, home, plan.completeness, plan.fingerprint)


async def _in_order(
    media: MediaRepository, items: Sequence[NormalItem], states: Mapping[str, ItemState]
) -> tuple[list[NormalItem], dict[str, InvalidItem]]:
    """Return items as if they were saved one after the other, and the errors of those that do not fit.

    They keep their order, but for children of a new parent that comes behind them: they take their places
    behind it. An item does not fit if it cannot stand below its parent, or above what is below it.
    """
    types: dict[str, str] = {item_id: state.media_type for item_id, state in states.items()}
    retyped = [item.id for item in items if types.get(item.id, item.media_type) != item.media_type]
    below = await media.find_below(retyped) if retyped else {}
    to_come = {item.id for item in items if item.id not in states}
    waiting: dict[str, list[NormalItem]] = {}
    ordered: list[NormalItem] = []
    misfits: dict[str, InvalidItem] = {}

    def place(item: NormalItem) -> None:
        to_come.discard(item.id)
        if item.parent_id is not None and types.get(item.parent_id) not in item.parent_types:
            misfits[item.id] = _without_parent(item, types.get(item.parent_id))
        elif kept := [
            child
            for child, media_type in below.get(item.id, {}).items()
            if item.media_type not in _BELOW[media_type]
        ]:
            misfits[item.id] = _above_others(item, types[item.id], sorted(kept))
        else:
            ordered.append(item)
            types[item.id] = item.media_type
            for children in below.values():
                children.pop(item.id, None)
            if item.parent_id in below:
                below[item.parent_id][item.id] = item.media_type
        for child in waiting.pop(item.id, ()):
            place(child)

    for item in items:
        if item.parent_id in to_come and item.parent_id != item.id:
            waiting.setdefault(item.parent_id or "", []).append(item)
        else:
            place(item)
    for children in list(waiting.values()):  # parents in a circle
        misfits |= {child.id: _without_parent(child, None) for child in children}
    return ordered, misfits


def _without_parent(item: NormalItem, found: str | None) -> UnknownParent:
    reason = (
        f"its parent {item.parent_id!r} is a {found}, not a {' or a '.join(sorted(item.parent_types))}"
        if found
        else f"its parent {item.parent_id!r} is not stored; save that first, or in the same call"
    )
    return UnknownParent(item.id, reason)


def _above_others(item: NormalItem, stored_type: str, children: Sequence[str]) -> InvalidItem:
    others = f" and {len(children) - 1} more" if len(children) > 1 else ""
    return InvalidItem(
        item.id,
        f"it is stored as a {stored_type} and cannot become a {item.media_type} while "
        f"{children[0]!r}{others} stands below it: delete or move what is below it first, or delete the item",
    )


async def _compare_fields(media: MediaRepository, plans: Mapping[str, _Plan]) -> None:
    """Take back writes of fields that only a fingerprint of another rule asks for."""
    outdated = {
        plan.item.id: plan
        for plan in plans.values()
        if plan.fields and plan.state is not None and not is_current(plan.state.item_fingerprint)
    }
    if not outdated:
        return
    for stored in await media.find_items(list(outdated)):
        plan = outdated[stored.id or ""]
        source_id = plan.item.id.partition(":")[0]
        try:
            normal = normal_item(stored, source_id, stored.library_id or "")
        except InvalidItem:  # other hands have stored what a save refuses
            continue
        plan.fields = normal.item_fingerprint != plan.item.item_fingerprint


async def replace_credits(session: Session, media_item_id: str, given: NormalItem, state: ItemState) -> bool:
    """Bring the credit list of a stored item to a full one. Return whether anything was written.

    The fingerprint of a list that changed is cleared.

    Args:
        session: the transaction.
        media_item_id: the item.
        given: its credits in normal form, as `mediasync.saving.normal.normal_credits` makes them.
        state: what is stored of the item, which is locked.
    """
    media, people, aliases = MediaRepository(session), PeopleRepository(session), AliasRepository(session)
    plan = _Plan(given, state, False, Completeness.FULL, None, in_doubt=True, fresh=True)
    found = await _identify(aliases, [plan])
    if found is not None:
        await merge_people_found(media, people, aliases, found)
    await _look_closer(people, [plan])
    if not plan.saves:
        return False
    late = _Late(early=False)
    keys = _keys([plan])
    drafted = people.draft(_claims([plan]), keys, found.first_seen if found else {})
    await _write_lists(media, people, [plan], drafted, keys, late)
    await _write_late(media, people, late)
    if found is not None:
        await aliases.store(found)
    if plan.credits:
        await media.set_completeness(media_item_id, Completeness.FULL)
    return True
