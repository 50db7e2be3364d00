"""Webhooks of Plex: https://support.plex.tv/articles/115002267687-webhooks/.

They need a Plex Pass. Only ``library.new`` and ``library.on.deck`` concern the library: there is no event for
an item that changed or was deleted.
"""

from __future__ import annotations

from typing import Final

from mediasync.hints import Hint, HintKind
from mediasync.hooks.payload import Hook, Payload

_OF_LIBRARY: Final = frozenset({"library.new", "library.on.deck"})
_SINGLE: Final = frozenset({"movie", "episode"})
_GROUPS: Final = frozenset({"show", "season"})
"""Plex may name a show where it means new episodes of it."""


def parse(payload: Payload) -> Hook:
    """Return what the part ``payload`` of a webhook says.

    Raises:
        HookUnreadable: if a field is missing or wrong.
    """
    event = payload.text("event")
    if event not in _OF_LIBRARY:
        return Hook(payload.sender, event)
    item = payload.record("Metadata")
    kind = item.text("type")
    if kind not in _SINGLE | _GROUPS:
        return Hook(payload.sender, event)
    hint = Hint(HintKind.CHANGED, remote_ids=(item.key("ratingKey"),))
    more = (Hint(HintKind.SOURCE),) if kind in _GROUPS else ()
    return Hook(payload.sender, event, (hint, *more))
