"""Hints: what the events of a source say may have changed. A hint is never believed, only looked into."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    kind: HintKind
    remote_ids: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()
    seconds: float = 0.0
