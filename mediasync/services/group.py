"""Saving a group of items in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mediasync.concurrency import overlap
from mediasync.dialects.base import Session
from mediasync.errors import UnknownParent
from mediasync.normal import (
    RULE,
    NormalItem,
    keeps_name,
    merge_all,
    merge_provider_ids,
    normal_item,
)
from mediasync.repositories.media import ItemState, MediaRepository, StoredCredit, item_row
from mediasync.repositories.people import PeopleDraft, PeopleRepository
from mediasync.titles import StoredWord
from mediasync.vocabulary import Completeness, MediaType

ITEMS_PER_PART: Final = 500
"""A group is handled in parts of so many items, each of which keeps the event loop for a few milliseconds."""

_WORTH_OVERLAPPING: Final = 50

_RANKS: Final = {MediaType.SEASON: 1, MediaType.EPISODE: 2}


@dataclass(slots=True)
class _Plan:
    """What saving one item has to do.

    Attributes:
        item: what is saved.
        state: what is stored of it.
        fields: whether its own fields are written.
        credits: whether its credit list is replaced.
        joins: whether a library lists it that did not before.
        completeness: what is stored of its credits afterwards.
        fingerprint: the credits' fingerprint afterwards.
    """

    item: NormalItem
    state: ItemState | None
    fields: bool
    credits: bool
    joins: bool
    completeness: Completeness
    fingerprint: str | None

    @property
    def writes(self) -> bool:
        """Whether its row or its credits are written."""
        return self.fields or self.credits

    @property
    def stamps(self) -> bool:
        """Whether only fingerprints or the change token are stored anew."""
        state = self.state
        return (
            not self.writes
            and state is not None
            and (
                state.change_token != self.item.change_token
                or state.item_fingerprint != self.item.item_fingerprint
                or state.credits_fingerprint != self.fingerprint
            )
        )


def _plan(item: NormalItem, state: ItemState | None) -> _Plan:
    given = item.completeness
    if state is None:
        return _Plan(item, None, True, bool(item.credits), False, given, item.credits_fingerprint or None)
    keeps = given is Completeness.NONE or (
        given is Completeness.PREVIEW and state.completeness is Completeness.FULL
    )
    same = (state.completeness, state.credits_fingerprint) == (given, item.credits_fingerprint)
    fields = state.item_fingerprint != item.item_fingerprint
    joins = item.library_id not in state.library_ids
    if keeps or same:
        return _Plan(item, state, fields, False, joins, state.completeness, state.credits_fingerprint)
    return _Plan(item, state, fields, True, joins, given, item.credits_fingerprint)


def is_stored(item: NormalItem, state: ItemState | None) -> bool:
    """Tell whether saving *item* over *state* would change no row."""
    if state is None:
        return False
    plan = _plan(item, state)
    return not (plan.writes or plan.stamps or plan.joins)


def what_changes(item: NormalItem, state: ItemState | None) -> str | None:
    """Return what saving *item* over *state* would write, in words, or None if it would write nothing.

    Where only the rule of a fingerprint has changed, values are not compared: they count as changed.
    """
    plan = _plan(item, state)
    if state is None:
        return "new"
    written = {"its own fields": plan.fields, "its credits": plan.credits, "its libraries": plan.joins}
    return " and ".join(what for what, is_written in written.items() if is_written) or None


async def save_group(
    session: Session, items: Sequence[NormalItem], enough: Callable[[], bool]
) -> list[bool | UnknownParent]:
    """Save items of different ids, with their people and credits, inside the caller's transaction.

    Args:
        session: the transaction.
        items: in normal form, parents before their children (see `rank`).
        enough: asked between parts; when it says so, the rest is left.

    Returns:
        For each of the first items, up to where it was enough: whether it was written, or the error of one
        whose parent is not there. Nothing of such an item is written.

    Raises:
        DataError: if the database refuses any of them; the transaction must then be rolled back.
        UnknownSource: if a source is not stored.
    """
    media, people = MediaRepository(session), PeopleRepository(session)
    outcomes: list[bool | UnknownParent] = []
    late = _Late(early=session.crowded)
    while len(outcomes) < len(items) and not (outcomes and enough()):
        start = len(outcomes)
        outcomes += await _save_part(media, people, items[start : start + ITEMS_PER_PART], late)
    await people.add_words(sorted(late.words))
    await media.add_title_words(late.titles)
    await media.insert_credits(late.credits)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Late:
    """What is inserted at the end for the whole group: in one go, ordered as an index is, it costs less.

    Attributes:
        early: whether the credits of people who are stored already are inserted before new people are. Who
            inserts the same people has to wait from then on, until the transaction ends.
        words: of the names of people who are new.
        titles: words of the titles of items that are new.
        credits: of the items whose lists are replaced, as far as they are not inserted yet.
    """

    early: bool
    words: list[tuple[str, int]] = field(default_factory=list)
    titles: list[StoredWord] = field(default_factory=list)
    credits: list[StoredCredit] = field(default_factory=list)


async def _save_part(
    media: MediaRepository, people: PeopleRepository, items: Sequence[NormalItem], late: _Late
) -> list[bool | UnknownParent]:
    items, states, taken = await _find_stored(media, items)
    orphans = _orphans(items, states)
    plans = {item.id: _plan(item, states.get(item.id)) for item in items if item.id not in orphans}
    await _compare_values(media, people, plans)
    if written := [plan for plan in plans.values() if plan.writes]:
        await _write(media, people, written, late)
    if joined := [(item_id, plan.item.library_id) for item_id, plan in plans.items() if plan.joins]:
        await media.add_libraries(joined)
    if stamped := [(plan.item, plan.fingerprint) for plan in plans.values() if plan.stamps]:
        await media.update_stamps(stamped)
    if rekeyed := {current: item_id for current, item_id in taken.items() if item_id in plans}:
        await media.add_rekeyed(rekeyed)
    return [orphans.get(item.id) or plans[item.id].writes or plans[item.id].joins for item in items]


async def _find_stored(
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
    media: MediaRepository, people: PeopleRepository, plans: Sequence[_Plan], late: _Late
) -> None:
    with_credits = [plan.item for plan in plans if plan.credits and plan.item.credits]

    def draft() -> PeopleDraft:
        return people.draft(merge_all(row[:4] for item in with_credits for row in item.credits))

    if len(plans) < _WORTH_OVERLAPPING:
        item_keys, drafted = await _write_items(media, plans), draft()
    else:
        item_keys, drafted = await overlap(_write_items(media, plans), draft)
    late.titles.extend(media.title_words([plan.item for plan in plans if plan.state is None], item_keys))
    if not with_credits:
        return
    if unknown := [item.id for item in with_credits if item.id not in item_keys]:
        item_keys |= await media.find_keys(unknown)
    placed: frozenset[str] = frozenset()

    def credits_of(keys: Mapping[str, int], without: Container[str]) -> list[StoredCredit]:
        lists = ((item.id, item.credits) for item in with_credits)
        return media.stored_credits(lists, item_keys, keys, without)

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


async def _write_items(media: MediaRepository, plans: Sequence[_Plan]) -> dict[str, int]:
    """Write the items themselves, and return the keys of the new ones; their old credits go."""
    item_keys: dict[str, int] = {}
    if renamed := [plan.item for plan in plans if plan.fields and plan.state is not None]:
        await media.replace_title_words(renamed)
    for level in range(3):
        of_level = [plan for plan in plans if rank(plan.item) == level]
        if new := [_row(plan) for plan in of_level if plan.state is None]:
            item_keys |= await media.insert_items(new)
        if stored := [_row(plan) for plan in of_level if plan.state is not None]:
            await media.upsert_items(stored)
    if changed := [plan for plan in plans if plan.fields]:
        await media.replace_details(
            [plan.item for plan in changed], stored=[plan.item.id for plan in changed if plan.state]
        )
    if replaced := [plan.item.id for plan in plans if plan.credits and plan.state]:
        await media.delete_credits(replaced)
    return item_keys


def _row(plan: _Plan) -> list[Any]:
    home = plan.state.library_id if plan.state else plan.item.library_id
    return item_row(plan.item, home, plan.completeness, plan.fingerprint)


def rank(item: NormalItem) -> int:
    """Return how far below its library an item stands; parents are saved before their children."""
    return _RANKS.get(MediaType(item.media_type), 0)


def _orphans(items: Sequence[NormalItem], states: dict[str, ItemState]) -> dict[str, UnknownParent]:
    orphans: dict[str, UnknownParent] = {}
    types: dict[str, str] = {item_id: state.media_type for item_id, state in states.items()}
    for item in items:
        if item.parent_id is not None and types.get(item.parent_id) not in item.parent_types:
            found = types.get(item.parent_id)
            reason = (
                f"its parent {item.parent_id!r} is a {found}, not a "
                f"{' or a '.join(sorted(item.parent_types))}"
                if found
                else f"its parent {item.parent_id!r} is not stored; save that first, or in the same call"
            )
            orphans[item.id] = UnknownParent(item.id, reason)
            if item.id not in states:
                types.pop(item.id, None)
        else:
            types[item.id] = item.media_type
    return orphans


async def _compare_values(media: MediaRepository, people: PeopleRepository, plans: dict[str, _Plan]) -> None:
    """Take back writes that only a fingerprint asks for that is missing or of another rule."""
    outdated = [
        plan
        for plan in plans.values()
        if plan.writes and plan.state is not None and _is_compared_anew(plan.state)
    ]
    if not outdated:
        return
    ids = [plan.item.id for plan in outdated]
    stored_credits = await people.find_by_media_items(ids)
    stored_items = {item.id: item for item in await media.find_items(ids)}
    for plan in outdated:
        stored = stored_items[plan.item.id]
        stored.credits = stored_credits[plan.item.id]
        source_id = plan.item.id.partition(":")[0]
        normal = normal_item(stored, source_id, stored.library_id or "")
        if normal.item_fingerprint == plan.item.item_fingerprint:
            plan.fields = False
        if plan.credits and normal.completeness is plan.item.completeness and same_credits(normal, plan.item):
            plan.credits = False


def _is_compared_anew(state: ItemState) -> bool:
    if state.credits_fingerprint is None and state.completeness is not Completeness.NONE:
        return True
    return any(
        fingerprint is not None and not fingerprint.startswith(f"{RULE}:")
        for fingerprint in (state.item_fingerprint, state.credits_fingerprint)
    )


def same_credits(stored: NormalItem, given: NormalItem) -> bool:
    """Tell whether saving the credits of *given* over those of *stored* would change nothing."""
    return len(stored.credits) == len(given.credits) and all(
        old[0] == new[0]
        and old[4:] == new[4:]
        and (old[1] == new[1] or keeps_name(new[0]))
        and new[2] in ("", old[2])
        and merge_provider_ids(old[3], new[3]) == old[3]
        for old, new in zip(stored.credits, given.credits, strict=True)
    )
