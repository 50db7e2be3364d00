"""Webhooks of Jellyfin's plugin, with "send all properties":
https://github.com/jellyfin/jellyfin-plugin-webhook.

There is an event for an item that was added, and one for an item that was deleted, but none for one that
changed. People and studios are reported as items, too.
"""

from __future__ import annotations

from typing import Final

from mediasync.hints import Hint, HintKind
from mediasync.hooks.payload import Hook, Payload

_KINDS: Final = {"ItemAdded": HintKind.CHANGED, "ItemDeleted": HintKind.REMOVED}
_TYPES: Final = frozenset({"Movie", "Series", "Season", "Episode"})


def parse(payload: Payload) -> Hook:
    """Return what a webhook says.

    Raises:
        HookUnreadable: if a field is missing or wrong.
    """
    event = payload.text("NotificationType")
    kind = _KINDS.get(event)
    if kind is None or payload.text("ItemType") not in _TYPES:
        return Hook(payload.sender, event)
    # The API writes ids without hyphens; how a template writes them is up to its author.
    key = payload.key("ItemId").replace("-", "").lower()
    return Hook(payload.sender, event, (Hint(kind, remote_ids=(key,)),))
