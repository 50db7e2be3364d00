"""Rewinding: what an entity was before changes of the log, from what it is after them. Nothing here reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from mediasync.changes import Change
from mediasync.history import CreditTriple
from mediasync.vocabulary import ChangeKind

Image = Mapping[str, Any]
"""Values of an entity by the names of the views' columns, as the log holds them."""

AsOf = int | datetime
"""A point in time: the number of a run, which means when that run had ended, or a time with a zone."""

_APPEARS: Final = frozenset({ChangeKind.ADDED, ChangeKind.BACK})
_DISAPPEARS: Final = frozenset({ChangeKind.REMOVED, ChangeKind.MERGED})
_UNSEEN_IN_UPDATED_AT: Final = frozenset({"libraries"})


def rewind(image: Image | None, changes: Sequence[Change]) -> Image | None:
    """Return what an entity was before *changes*; None if it was not shown then.

    Args:
        image: what it is after them; None if it is not shown.
        changes: all its changes since then, in order.

    Example:
        >>> from mediasync.vocabulary import EntityKind
        >>> of_heat = EntityKind.ITEM, "home:1"
        >>> change = Change(7, None, None, "sync", *of_heat, ChangeKind.CHANGED, {"year": 1994})
        >>> rewind({"title": "Heat", "year": 1995}, [change])
        {'title': 'Heat', 'year': 1994}
    """
    for change in reversed(changes):
        if change.what in _APPEARS:
            image = None
        elif change.what in _DISAPPEARS:
            image = change.before or {}
        elif image is not None:
            image = {**image, **(change.before or {})}
    return image


def appeared(changes: Sequence[Change]) -> bool | None:
    """Return whether an entity is shown after *changes*, as far as they tell; None if they do not.

    Nothing is logged when a person is shown because an item credits them. So None, or False, is only certain
    of somebody whom nothing credits.
    """
    for change in reversed(changes):
        if change.what is not ChangeKind.CHANGED:
            return change.what in _APPEARS
    return None


def last_written(changes: Sequence[Change]) -> Change | None:
    """Return the last of an item's changes that its ``updated_at`` shows, or None.

    An item that only goes and comes back is not written, and a further library that lists it does not count.
    """
    for change in reversed(changes):
        if change.what is ChangeKind.ADDED:
            return change
        if change.what is ChangeKind.CHANGED and (change.before or {}).keys() - _UNSEEN_IN_UPDATED_AT:
            return change
    return None


def last_added(changes: Sequence[Change]) -> Change | None:
    """Return the change by which an entity was added last, or None."""
    return next((change for change in reversed(changes) if change.what is ChangeKind.ADDED), None)


def credits_in(image: Image) -> list[CreditTriple]:
    """Return the credit list of an item's image, in billing order."""
    return credit_triples(image.get("credits"))


def credit_triples(listed: Any) -> list[CreditTriple]:
    """Return a credit list as the log holds it; what is no credit is left out."""
    if not isinstance(listed, list):
        return []
    return [CreditTriple(*one) for one in listed if isinstance(one, list | tuple) and len(one) == 3]
