"""Hints: what the events of a source say may have changed. A hint is never believed, only looked into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HintKind(StrEnum):
    """What a hint says.

    ``changed``: these items may be new or different, so they are read. ``removed``: these items may be gone;
    nothing is removed until a complete listing proves it. ``source``: more than single items may have
    changed, so the whole source is synced.
    """

    CHANGED = "changed"
    REMOVED = "removed"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Hint:
    """What one event says may have changed in a source.

    Attributes:
        kind: what it says.
        remote_ids: the source's own keys of the items.
        provider_ids: ids by which other programs name the items, such as ``tmdb:603``. Stored items that have
            one of them are meant.
        seconds: how long to wait before looking, because the source may not have scanned its files yet.
        media_type: ``movie``, ``show``, ``season`` or ``episode``, if all *provider_ids* name items of one
            type: providers number films, shows and episodes separately. Empty if that is not known.
    """

    kind: HintKind
    remote_ids: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()
    seconds: float = 0.0
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class DueTarget:
    """What waits to be looked into, because an event named it.

    Attributes:
        source_id: the source.
        kind: what the newest event said.
        remote_id: the source's own key of an item; empty if a provider's id names it, or all is meant.
        provider_id: such as ``tmdb:603``; empty if a key names it, or all is meant.
        due_at: when it is looked into, in UTC.
        first_at: when the first event came that was not looked into since, in UTC.
        attempts: how often it was looked into in vain.
    """

    source_id: str
    kind: HintKind
    remote_id: str
    provider_id: str
    due_at: datetime
    first_at: datetime
    attempts: int
