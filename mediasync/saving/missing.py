"""Marking items that their source no longer has, and showing them again, inside a caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mediasync.database.session import Session
from mediasync.repositories.credits import CreditedPerson, CreditRepository, RemovedCredit
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.removal import RemovalRepository
from mediasync.saving.outbox import Outbox
from mediasync.vocabulary import LEVELS, MediaType


async def mark_missing(
    session: Session, outbox: Outbox, item_ids: Sequence[str], run_id: int | None
) -> list[str]:
    """Mark shown items as missing, unless shown items stand below them.

    Args:
        session: an open transaction.
        outbox: where the changes are logged.
        item_ids: ids of items, stored or not.
        run_id: the run that found them missing.

    Returns:
        The ids of the items that are marked now, children before their parents.
    """
    states = await MediaRepository(session).find_states(item_ids, lock=True)
    shown = [state for state in states.values() if not state.missing]
    removal, credit_lists = RemovalRepository(session), CreditRepository(session)
    marked: list[str] = []
    lists: dict[str, list[CreditedPerson]] = {}
    for level in reversed(LEVELS):  # children before their parents
        ids = [state.id for state in shown if MediaType(state.media_type).level == level]
        if not ids:
            continue
        above = await removal.find_above_shown(ids)
        ids = [item_id for item_id in ids if item_id not in above]
        images = await outbox.find_item_images(ids)
        lists |= await credit_lists.find_stored_lists(ids)
        await removal.mark(ids, run_id)
        for item_id in ids:
            outbox.remove_item(item_id, images[item_id], lists[item_id])
        marked += ids
    await hide_uncredited(session, outbox, lists, {state.id: state.key for state in shown})
    return marked


async def hide_uncredited(
    session: Session,
    outbox: Outbox,
    lists: Mapping[str, Sequence[CreditedPerson]],
    item_keys: Mapping[str, int],
) -> None:
    """Hide and log the people who have no credit left, after the lists of items were deleted or hidden.

    Args:
        session: the transaction that did that.
        outbox: where the changes are logged.
        lists: the lists, by item id.
        item_keys: the storage keys of the items, by id.
    """
    removed = [
        RemovedCredit(person.row[0], person.key, item_keys[item_id])
        for item_id, credited in lists.items()
        for person, *_ in credited
    ]
    for person in await PeopleRepository(session).note_removed(removed):
        outbox.remove_person(person.row)


async def bring_back(session: Session, outbox: Outbox, item_ids: Sequence[str]) -> list[str]:
    """Remove the marks of items and of the items above them.

    Their people are shown by `PeopleRepository.show_people_of`.

    Returns:
        The ids of the items that were marked, parents before their children.
    """
    if not item_ids:
        return []
    removal = RemovalRepository(session)
    missing = await removal.find_missing_above(item_ids)
    await removal.unmark(missing)
    given = set(item_ids)
    for item_id in missing:
        outbox.bring_back_item(item_id, saved=item_id if item_id in given else item_ids[0])
    return missing
