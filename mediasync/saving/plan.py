"""Plans: what saving items has to do, by what is stored of them. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mediasync.aliases import Identification
from mediasync.claims import Claim, settle
from mediasync.database.session import Session
from mediasync.errors import InvalidItem, UnknownParent
from mediasync.repositories.aliases import AliasRepository
from mediasync.repositories.credits import CreditedPerson, CreditRepository
from mediasync.repositories.items import ItemState, MediaRepository
from mediasync.rows import NormalItem
from mediasync.saving.fingerprints import is_current
from mediasync.saving.identities import identify
from mediasync.saving.normal import normal_item
from mediasync.vocabulary import MEDIA_KINDS, Completeness

_BELOW: Final[dict[str, frozenset[str]]] = {
    media_type: kind.parents for media_type, kind in MEDIA_KINDS.items()
}
"""The types that the parent of an item of each type may have."""


@dataclass(slots=True)
class Plan:
    """What saving one item has to do.

    Attributes:
        item: the item as given.
        state: the stored item; None if it is new.
        fields: whether its own fields are written.
        completeness: how complete its stored credits are afterwards.
        fingerprint: the stored fingerprint of its credits afterwards.
        in_doubt: whether its credits, or its claims about people, may differ from the stored ones.
        fresh: whether its claims about people are believed even if its credit list is the stored one.
        credits: whether its stored credit list changes.
        people: whether its claims change people of its stored list.
        joins: whether a further library lists it.
        back: whether it was marked as missing, and so is shown again.
        stored: its stored credits, where they were read.
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
    back: bool = False
    stored: Sequence[CreditedPerson] = ()

    @property
    def writes(self) -> bool:
        """Whether the item's own row is written."""
        return self.fields or self.credits

    @property
    def saves(self) -> bool:
        """Whether a change is written that the views show."""
        return self.writes or self.people or self.joins or self.back

    @property
    def stamps(self) -> bool:
        """Whether only fingerprints or the change token are updated.

        A fingerprint of credits stays when only people have changed since. One that is missing, or was made
        by another rule, is replaced.
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


def make_plan(item: NormalItem, state: ItemState | None) -> Plan:
    """Plan a save by fingerprints alone. Whether credits in doubt really differ is for `compare_credits`."""
    given = item.completeness
    if state is None:
        fingerprint = item.credits_fingerprint or None
        return Plan(item, None, True, given, fingerprint, credits=bool(item.credits))
    fields = state.item_fingerprint != item.item_fingerprint
    joins = item.library_id not in state.library_ids
    if given is Completeness.NONE or (
        given is Completeness.PREVIEW and state.completeness is Completeness.FULL
    ):
        return Plan(
            item,
            state,
            fields,
            state.completeness,
            state.credits_fingerprint,
            joins=joins,
            back=state.missing,
        )
    same = (state.completeness, state.credits_fingerprint) == (given, item.credits_fingerprint)
    in_doubt = not same or state.gives
    return Plan(
        item,
        state,
        fields,
        given,
        item.credits_fingerprint,
        in_doubt=in_doubt,
        joins=joins,
        back=state.missing,
    )


async def find_stored(session: Session, items: Sequence[NormalItem]) -> dict[str, str]:
    """Return the items that a save would leave unchanged: their stored ids, by the ids given."""
    states, _ = await MediaRepository(session).find_current_states([item.id for item in items])
    plans = [make_plan(item, states[item.id]) for item in items if item.id in states]
    plans = [plan for plan in plans if not plan.fields and not plan.stamps]
    await identify_people(AliasRepository(session), plans)
    await compare_credits(CreditRepository(session), plans)
    return {plan.item.id: states[plan.item.id].id for plan in plans if not plan.saves}


async def describe_change(session: Session, items: Sequence[NormalItem]) -> list[tuple[str, str | None]]:
    """Return the id of each of *items* and a description of what a save would write; None if nothing.

    Where only the rule of an item's fingerprint has changed, its own fields count as changed.
    """
    states, _ = await MediaRepository(session).find_current_states([item.id for item in items])
    plans = [make_plan(item, states.get(item.id)) for item in items]
    await identify_people(AliasRepository(session), plans)
    await compare_credits(CreditRepository(session), plans)
    return [(plan.state.id if plan.state else plan.item.id, _in_words(plan)) for plan in plans]


def _in_words(plan: Plan) -> str | None:
    if plan.state is None:
        return "new"
    parts = (
        ("back", plan.back),
        ("its own fields", plan.fields),
        ("its credits", plan.credits),
        ("what is known of its people", plan.people),
        ("its libraries", plan.joins),
    )
    return " and ".join(what for what, written in parts if written) or None


async def identify_people(aliases: AliasRepository, plans: Sequence[Plan]) -> Identification | None:
    """Replace the ids of people by their stored ids, in all plans that may write credits.

    Returns:
        The new aliases and merges to store; None if no plan names people without ids of the source.
    """
    plans = [plan for plan in plans if plan.item.derived and (plan.credits or plan.in_doubt)]
    if not plans:
        return None
    items, identification = await identify(aliases, [plan.item for plan in plans])
    for plan, item in zip(plans, items, strict=True):
        plan.item = item
    return identification


async def compare_credits(credit_lists: CreditRepository, plans: Sequence[Plan]) -> None:
    """Compare the credits of items in doubt with the stored ones, and settle their plans."""
    in_doubt = [(plan, plan.state) for plan in plans if plan.in_doubt and plan.state]
    if not in_doubt:
        return
    found = await credit_lists.find_stored_lists([state.id for _, state in in_doubt])
    for plan, state in in_doubt:
        plan.stored = stored = found[state.id]
        plan.credits = state.completeness is not plan.completeness or [
            (person.row[0], *credit) for person, *credit in stored
        ] != [(row[0], *row[4:]) for row in plan.item.credits]
        plan.people = not plan.credits and any(
            settle(credited.person, [Claim(row[:4], state.key, plan.fresh)]) is not credited.person
            for credited, row in zip(stored, plan.item.credits, strict=True)
        )


async def find_places(
    media: MediaRepository, items: Sequence[NormalItem]
) -> tuple[Sequence[NormalItem], dict[str, ItemState], dict[str, str]]:
    """Look up items and their parents by their current keys, and lock the items.

    Returns:
        The items under their stored ids and those of their parents; the states by those ids; and the
        replacement ids of new items whose own id belongs to another item.
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


async def put_in_order(
    media: MediaRepository, items: Sequence[NormalItem], states: Mapping[str, ItemState]
) -> tuple[list[NormalItem], dict[str, InvalidItem]]:
    """Return items in an order in which each could be saved alone, and the errors of items that do not fit.

    Children of a new parent that comes later move behind it; all others keep their order. An item does not
    fit if its type cannot stand below its parent, or above its stored children.
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
    for children in list(waiting.values()):  # items that are each other's parents
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
        f"{children[0]!r}{others} stands below it: delete or move its children first, or delete the item",
    )


async def compare_fields(media: MediaRepository, plans: Mapping[str, Plan]) -> None:
    """Compare the fields of items whose fingerprint was made by another rule; equal ones are not written."""
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
        except InvalidItem:  # another program has stored values that a save refuses
            continue
        plan.fields = normal.item_fingerprint != plan.item.item_fingerprint
