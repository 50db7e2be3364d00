"""Changes in words that a person reads, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from mediasync.history import CreditChange, CreditChangeKind, Difference, FieldChange, HistoryEntry
from mediasync.vocabulary import CAST_TYPES, ChangeKind, EntityKind, PersonType
from mediasync.wording import person_type_name, short

_LONGEST_VALUE: Final = 60


def sentence(entry: HistoryEntry | Difference) -> str:
    """Return what an entry changed, or what differs, in words.

    Example: ``Heat (1995): + Hank Azaria as Alan Marciano; Al Pacino's role 'Vincent' → 'Lt. Hanna'``
    """
    name, what = subject(entry), effect(entry)
    return f"{name}: {what}" if what else name


def subject(entry: HistoryEntry | Difference) -> str:
    """Return what was changed, or what differs: ``Heat (1995)``, ``person Al Pacino``."""
    change = entry.change if isinstance(entry, HistoryEntry) else entry
    name = short(entry.name) if entry.year is None else f"{short(entry.name)} ({entry.year})"
    if change.entity is not EntityKind.ITEM:
        name = f"{change.entity} {name}"
    elif entry.year is None:  # an episode's title alone says little
        name = f"{name} [{short(change.entity_id)}]"
    return name


def effect(entry: HistoryEntry | Difference) -> str:
    """Return how it was changed, or how it differs; empty if that it was added or removed says it all."""
    change = entry.change if isinstance(entry, HistoryEntry) else entry
    if change.what is ChangeKind.MERGED:
        return f"now {change.other_id}"
    return "; ".join([*map(_field, entry.fields), *_credits(entry.credits)])


def _field(field: FieldChange) -> str:
    return f"{field.name.replace('_', ' ')} {_value(field.old)} → {_value(field.new)}"


def _value(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, str):
        return f"'{short(value) if len(value) <= _LONGEST_VALUE else short(value[:_LONGEST_VALUE]) + '…'}'"
    if isinstance(value, dict):
        return ", ".join(f"{short(key)} {short(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(short(" ".join(map(str, one)) if isinstance(one, list) else one) for one in value)
    return str(value)


def _credits(changes: tuple[CreditChange, ...]) -> Iterator[str]:
    for one in changes:
        if one.what is CreditChangeKind.ROLE:
            yield f"{short(one.name)}'s role {_value(one.old_role)} → {_value(one.role)}"
        elif one.what is CreditChangeKind.MOVED:
            yield f"{short(one.name)} moved"
        else:
            sign = "+" if one.what is CreditChangeKind.ADDED else "−"
            yield f"{sign} {short(one.name)}{_function(one)}"


def _function(one: CreditChange) -> str:
    if PersonType.parse(one.person_type) in CAST_TYPES:
        return f" as {short(one.role)}" if one.role else ""
    return f" ({person_type_name(one.person_type)})"


def log_document(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry of the history as JSON has it: `details`, and when and by which run it was written."""
    change = entry.change
    return {
        "number": change.number,
        "at": change.at.isoformat() if change.at else None,
        "run_id": change.run_id,
        "reason": change.reason,
        **details(entry),
    }


def details(entry: HistoryEntry | Difference) -> dict[str, Any]:
    """Return what an entry or a difference is about, and its fields and credits, as JSON has them."""
    change = entry.change if isinstance(entry, HistoryEntry) else entry
    return {
        "entity": str(change.entity),
        "id": change.entity_id,
        "what": str(change.what),
        "name": entry.name,
        "year": entry.year,
        "other_id": change.other_id,
        "fields": [asdict(one) for one in entry.fields],
        "credits": [asdict(one) for one in entry.credits],
    }
