"""The inverse of what a run did to one entity, worked out from the change log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from mediasync.changes import Change
from mediasync.vocabulary import ChangeKind, EntityKind


class InverseKind(StrEnum):
    """What takes a run's changes of one entity back."""

    NOTHING = "nothing"
    HIDE = "hide"
    SHOW = "show"
    FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class Inverse:
    """What takes a run's changes of one entity back.

    Attributes:
        kind: what is to be done.
        fields: the values that fields get again; of a removed item all that the log has.
        refusal: why it is not done; empty if it may be.
    """

    kind: InverseKind
    fields: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


_NOTHING: Final = Inverse(InverseKind.NOTHING)

_DID: Final = {
    ChangeKind.ADDED: "added it again",
    ChangeKind.CHANGED: "changed it again",
    ChangeKind.REMOVED: "removed it",
    ChangeKind.BACK: "brought it back",
    ChangeKind.MERGED: "found it to be somebody else",
}


def invert(run_id: int, changes: Sequence[Change]) -> Inverse:
    """Return the inverse of what a run did to one entity.

    What was changed again since, by another run or outside a run, is refused.

    Args:
        run_id: the run.
        changes: all changes of the entity from the first one of the run on, in order.

    Example:
        >>> what = ("sync", EntityKind.ITEM, "home:1", ChangeKind.CHANGED)
        >>> invert(3, [Change(7, None, 3, *what, {"year": 1994})]).fields
        {'year': 1994}
    """
    own = [change for change in changes if change.run_id == run_id]
    others = [change for change in changes if change.run_id != run_id]
    is_shown = own[-1].what not in (ChangeKind.REMOVED, ChangeKind.MERGED)
    if own[0].what in (ChangeKind.ADDED, ChangeKind.BACK):
        return _hiding(own[0], others) if is_shown else _NOTHING
    if own[-1].what is ChangeKind.MERGED:
        return Inverse(InverseKind.NOTHING, refusal="it turned out to be somebody else, which is not undone")
    fields: dict[str, Any] = {}
    for change in own:
        if change.what is ChangeKind.CHANGED or (change.what is ChangeKind.REMOVED and not is_shown):
            for name, value in (change.before or {}).items():
                fields.setdefault(name, value)
    if is_shown:
        return Inverse(InverseKind.FIELDS, fields, _refusal(others, fields)) if fields else _NOTHING
    if own[0].entity is EntityKind.PERSON:
        return _NOTHING  # people are shown again by the credits that come back
    return Inverse(InverseKind.SHOW, fields, _refusal(others, fields))


def _hiding(first: Change, others: Sequence[Change]) -> Inverse:
    if first.entity is not EntityKind.ITEM:
        return _NOTHING  # a source, a library or a person whom nothing credits does no harm
    return Inverse(InverseKind.HIDE, refusal=_refusal(others, None))


def _refusal(others: Sequence[Change], fields: Mapping[str, Any] | None) -> str:
    """Return why an entity cannot be changed back, because others changed it since.

    Args:
        others: the later changes.
        fields: the fields that would be changed; None for all.
    """
    for change in others:
        touched = (
            fields is None
            or change.what is not ChangeKind.CHANGED
            or not fields.keys().isdisjoint(change.before or {})
        )
        if touched:
            who = "a program" if change.run_id is None else f"run {change.run_id}"
            return f"{who} {_DID[change.what]} since"
    return ""
