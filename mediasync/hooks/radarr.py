"""Webhooks of Radarr: https://wiki.servarr.com/radarr/settings#connections.

Radarr reports a film before the media server has scanned it, and names it by its ids at providers.
"""

from __future__ import annotations

from typing import Final

from mediasync.hints import Hint, HintKind
from mediasync.hooks.payload import SCAN_SECONDS, Hook, Payload

_KINDS: Final = {
    "Download": HintKind.CHANGED,  # "On Import" and "On Upgrade"
    "Rename": HintKind.CHANGED,
    "MovieFileDelete": HintKind.REMOVED,
    "MovieDelete": HintKind.REMOVED,
}


def parse(payload: Payload) -> Hook:
    """Return what a webhook says.

    Raises:
        HookUnreadable: if a field is missing or wrong.
    """
    event = payload.text("eventType")
    kind = _KINDS.get(event)
    if kind is None:
        return Hook(payload.sender, event)
    film = payload.record("movie")
    # One id is enough: a second one that no stored item has would look like a film that is not stored.
    if (tmdb := film.find_key("tmdbId")) is not None:
        hint = Hint(kind, provider_ids=(f"tmdb:{tmdb}",), seconds=SCAN_SECONDS, media_type="movie")
    elif (imdb := film.find_key("imdbId")) is not None:
        hint = Hint(kind, provider_ids=(f"imdb:{imdb}",), seconds=SCAN_SECONDS, media_type="movie")
    else:
        hint = Hint(HintKind.SOURCE, seconds=SCAN_SECONDS)
    return Hook(payload.sender, event, (hint,))
