"""Webhooks of Sonarr: https://wiki.servarr.com/sonarr/settings#connections.

Sonarr reports episodes before the media server has scanned them, and names them by their ids at TheTVDB.
"""

from __future__ import annotations

from typing import Final

from mediasync.hints import Hint, HintKind
from mediasync.hooks.payload import SCAN_SECONDS, Hook, Payload

_OF_EPISODES: Final = {
    "Download": HintKind.CHANGED,  # "On File Import", "On File Upgrade" and "On Import Complete"
    "EpisodeFileDelete": HintKind.REMOVED,
}
_SOURCE: Final = Hint(HintKind.SOURCE, seconds=SCAN_SECONDS)


def parse(payload: Payload) -> Hook:
    """Return what a webhook says.

    Raises:
        HookUnreadable: if a field is missing or wrong.
    """
    event = payload.text("eventType")
    if event == "Rename":  # episodes are not named, and keys may follow from the names of files
        return Hook(payload.sender, event, (_SOURCE,))
    if event == "SeriesDelete":
        tvdb = payload.record("series").find_key("tvdbId")
        return Hook(payload.sender, event, (_hint(HintKind.REMOVED, [tvdb], "show"),))
    if event in _OF_EPISODES:
        ids = [one.find_key("tvdbId") for one in payload.records("episodes")]
        return Hook(payload.sender, event, (_hint(_OF_EPISODES[event], ids, "episode"),))
    return Hook(payload.sender, event)


def _hint(kind: HintKind, ids: list[str | None], media_type: str) -> Hint:
    """Return a hint by ids at TheTVDB; about the whole source if one of them is not known."""
    known = tuple(f"tvdb:{one}" for one in ids if one is not None)
    if not known or len(known) < len(ids):
        return _SOURCE
    return Hint(kind, provider_ids=known, seconds=SCAN_SECONDS, media_type=media_type)
