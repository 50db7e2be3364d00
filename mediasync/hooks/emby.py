"""Webhooks of Emby, which need Emby Premiere. The fields are those that several consumers read.

No event is known for an item that changed.
"""

from __future__ import annotations

from typing import Final

from mediasync.hints import Hint, HintKind
from mediasync.hooks.payload import Hook, Payload

_KINDS: Final = {"library.new": HintKind.CHANGED, "library.deleted": HintKind.REMOVED}
_SINGLE: Final = frozenset({"Movie", "Episode"})
_GROUPS: Final = frozenset({"Series", "Season"})
"""Emby may name a series where it means new episodes of it."""


def parse(payload: Payload) -> Hook:
    """Return what a webhook says.

    Raises:
        HookUnreadable: if a field is missing or wrong.
    """
    event = payload.text("Event")
    kind = _KINDS.get(event)
    if kind is None:
        return Hook(payload.sender, event)
    item = payload.record("Item")
    of_item = item.text("Type")
    if of_item not in _SINGLE | _GROUPS:
        return Hook(payload.sender, event)
    hint = Hint(kind, remote_ids=(item.key("Id"),))
    more = (Hint(HintKind.SOURCE),) if kind is HintKind.CHANGED and of_item in _GROUPS else ()
    return Hook(payload.sender, event, (hint, *more))
