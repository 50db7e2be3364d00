"""Webhooks: from what media servers, Radarr and Sonarr post to hints. Pure; no module here asks anybody.

Events that say nothing of the library, such as those of playback, give no hints. Neither do test events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from mediasync.errors import HookUnreadable
from mediasync.hooks import emby, jellyfin, plex, radarr, sonarr
from mediasync.hooks.payload import Hook, Payload

_PARSERS: Final[Mapping[str, Callable[[Payload], Hook]]] = {
    "plex": plex.parse,
    "jellyfin": jellyfin.parse,
    "emby": emby.parse,
    "radarr": radarr.parse,
    "sonarr": sonarr.parse,
}

SENDERS: Final = tuple(_PARSERS)
"""The programs whose webhooks are understood."""


def parse_hook(headers: Mapping[str, str], body: str | bytes, sender: str | None = None) -> Hook:
    """Return what a webhook says.

    Args:
        headers: those of the request, by names in lower case. ``user-agent`` tells Radarr from Sonarr where
            the body does not.
        body: JSON. Plex and older versions of Emby post it as the part ``payload`` or ``data`` of a form:
            give the content of that part.
        sender: one of `SENDERS`; None if the body shows it.

    Raises:
        HookUnreadable: if the body is not JSON, or not what such a program posts.

    Example:
        >>> body = '{"event": "library.new", "Metadata": {"ratingKey": "812", "type": "movie"}}'
        >>> parse_hook({}, body).hints[0].remote_ids
        ('812',)
    """
    if sender is not None and sender not in _PARSERS:
        raise HookUnreadable(f"{sender[:40]!r} does not send webhooks: write one of {', '.join(SENDERS)}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HookUnreadable(f"the body is not JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise HookUnreadable(f"the body is JSON, but not an object: it is {_kind_of(document)}")
    chosen = sender or _find_sender(headers, document)
    return _PARSERS[chosen](Payload(chosen, document))


def _find_sender(headers: Mapping[str, str], document: Mapping[str, Any]) -> str:
    if "NotificationType" in document:
        return "jellyfin"
    if "Event" in document:
        return "emby"
    if "event" in document:
        return "plex"
    if "eventType" in document:
        if "series" in document or "episodes" in document:
            return "sonarr"
        agent = f"{headers.get('user-agent', '')} {document.get('instanceName', '')}".lower()
        return "sonarr" if "movie" not in document and "sonarr" in agent else "radarr"
    names = ", ".join(sorted(map(str, document))[:10]) or "none"
    raise HookUnreadable(
        "the body is none of Plex, Jellyfin, Emby, Radarr or Sonarr: it has neither event, Event, "
        f"NotificationType nor eventType; its fields are {names}"
    )


def _kind_of(document: Any) -> str:
    return "a list" if isinstance(document, list) else f"{document!r}"[:40]
