"""Answers of the mirror as JSON documents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mediasync.history import HistoryEntry


def change_document(entry: HistoryEntry) -> dict[str, Any]:
    """Return a change as values that JSON has."""
    change = entry.change
    return {
        "number": change.number,
        "at": None if change.at is None else change.at.isoformat(),
        "run_id": change.run_id,
        "what": str(change.what),
        "entity": str(change.entity),
        "entity_id": change.entity_id,
        "name": entry.name,
        "year": entry.year,
        "fields": [asdict(one) for one in entry.fields],
        "credits": [{**asdict(one), "what": str(one.what)} for one in entry.credits],
    }
