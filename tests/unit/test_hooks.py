"""Webhooks: what servers, Radarr and Sonarr post, and which hints that gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.errors import HookUnreadable
from mediasync.hints import Hint, HintKind
from mediasync.hooks import SENDERS, parse_hook

CHANGED, REMOVED, SOURCE = HintKind.CHANGED, HintKind.REMOVED, HintKind.SOURCE
SCAN = 60.0


def plex(event: str, **metadata: Any) -> dict[str, Any]:
    server = {"title": "Home", "uuid": "abc"}
    return {"event": event, "user": True, "owner": True, "Server": server, "Metadata": metadata}


def jellyfin(event: str, **fields: Any) -> dict[str, Any]:
    return {"NotificationType": event, "ServerId": "s", "UtcTimestamp": "2026-01-01T00:00:00Z", **fields}


def emby(event: str, **item: Any) -> dict[str, Any]:
    return {"Title": "…", "Date": "2026-01-01", "Event": event, "Item": item, "Server": {"Id": "s"}}


FILM = {"id": 1, "title": "The Matrix", "year": 1999, "tmdbId": 603, "imdbId": "tt0133093"}
SERIES = {"id": 1, "title": "Dark", "tvdbId": 334824, "tmdbId": 0}
EPISODES = [{"seasonNumber": 1, "episodeNumber": n, "tvdbId": 600 + n} for n in (1, 2)]
UPPER = "F27CAA37-E514-2225-CCED-DED48F6553A2"


def radarr(event: str, **fields: Any) -> dict[str, Any]:
    return {"eventType": event, "instanceName": "Radarr", "movie": FILM, **fields}


def sonarr(event: str, **fields: Any) -> dict[str, Any]:
    return {"eventType": event, "instanceName": "Sonarr", "series": SERIES, **fields}


def of_film(kind: HintKind, provider_id: str = "tmdb:603") -> Hint:
    return Hint(kind, provider_ids=(provider_id,), seconds=SCAN, media_type="movie")


def of_episodes(kind: HintKind) -> Hint:
    return Hint(kind, provider_ids=("tvdb:601", "tvdb:602"), seconds=SCAN, media_type="episode")


@pytest.mark.parametrize(
    ("body", "sender", "hints"),
    [
        (plex("library.new", ratingKey="812", type="movie"), "plex", [Hint(CHANGED, ("812",))]),
        (plex("library.on.deck", ratingKey="9", type="episode"), "plex", [Hint(CHANGED, ("9",))]),
        (
            plex("library.new", ratingKey="7", type="show"),
            "plex",
            [Hint(CHANGED, ("7",)), Hint(SOURCE)],
        ),
        (plex("library.new", ratingKey="5", type="track"), "plex", []),
        (plex("media.play", ratingKey="812", type="movie"), "plex", []),
        ({"event": "admin.database.backup", "Server": {}}, "plex", []),
        (
            jellyfin("ItemAdded", ItemId=UPPER, ItemType="Movie"),
            "jellyfin",
            [Hint(CHANGED, (UPPER.replace("-", "").lower(),))],
        ),
        (jellyfin("ItemDeleted", ItemId="ab", ItemType="Episode"), "jellyfin", [Hint(REMOVED, ("ab",))]),
        (jellyfin("ItemAdded", ItemId="ab", ItemType="Person"), "jellyfin", []),
        (jellyfin("PlaybackStart", ItemId="ab", ItemType="Movie"), "jellyfin", []),
        (jellyfin("PendingRestart"), "jellyfin", []),
        (emby("library.new", Id="42", Type="Movie"), "emby", [Hint(CHANGED, ("42",))]),
        (emby("library.new", Id=42, Type="Series"), "emby", [Hint(CHANGED, ("42",)), Hint(SOURCE)]),
        (emby("library.deleted", Id="42", Type="Series"), "emby", [Hint(REMOVED, ("42",))]),
        (emby("library.new", Id="42", Type="Audio"), "emby", []),
        (emby("playback.start", Id="42", Type="Movie"), "emby", []),
        ({"Event": "system.notificationtest", "Title": "Test"}, "emby", []),
        (radarr("Download", isUpgrade=True), "radarr", [of_film(CHANGED)]),
        (radarr("Rename"), "radarr", [of_film(CHANGED)]),
        (radarr("MovieFileDelete", deleteReason="manual"), "radarr", [of_film(REMOVED)]),
        (radarr("MovieDelete", deletedFiles=True), "radarr", [of_film(REMOVED)]),
        (radarr("Download", movie={**FILM, "tmdbId": 0}), "radarr", [of_film(CHANGED, "imdb:tt0133093")]),
        (radarr("Download", movie={"id": 1, "title": "?"}), "radarr", [Hint(SOURCE, seconds=SCAN)]),
        (radarr("Grab"), "radarr", []),
        (radarr("Test"), "radarr", []),
        ({"eventType": "Health", "message": "…"}, "radarr", []),
        (sonarr("Download", episodes=EPISODES), "sonarr", [of_episodes(CHANGED)]),
        (sonarr("EpisodeFileDelete", episodes=EPISODES), "sonarr", [of_episodes(REMOVED)]),
        (sonarr("Download", episodes=[*EPISODES, {"tvdbId": 0}]), "sonarr", [Hint(SOURCE, seconds=SCAN)]),
        (sonarr("Download", episodes=[]), "sonarr", [Hint(SOURCE, seconds=SCAN)]),
        (sonarr("Rename"), "sonarr", [Hint(SOURCE, seconds=SCAN)]),
        (
            sonarr("SeriesDelete"),
            "sonarr",
            [Hint(REMOVED, provider_ids=("tvdb:334824",), seconds=SCAN, media_type="show")],
        ),
        (sonarr("SeriesAdd"), "sonarr", []),
        (sonarr("Test", episodes=[{"id": 123}]), "sonarr", []),
        ({"eventType": "Health", "instanceName": "Sonarr"}, "sonarr", []),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_events_give_hints(body: dict[str, Any], sender: str, hints: list[Hint]) -> None:
    hook = parse_hook({}, json.dumps(body))
    assert (hook.sender, list(hook.hints)) == (sender, hints)
    assert parse_hook({}, json.dumps(body).encode(), sender) == hook


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("not JSON", "the body is not JSON"),
        (b"\xff\xfe{", "the body is not JSON"),
        ("[" * 100_000, "the body is not JSON"),
        ("[1]", "not an object: it is a list"),
        ("{}", "its fields are none"),
        ('{"hello": 1}', "its fields are hello"),
        ('{"event": 7}', "event in the webhook of Plex is 7, where a text is expected"),
        ('{"event": "library.new"}', "Metadata in the webhook of Plex is missing, where an object"),
        (
            '{"event": "library.new", "Metadata": {"type": "movie", "ratingKey": true}}',
            "Metadata.ratingKey in the webhook of Plex is True, where an id is expected",
        ),
        ('{"NotificationType": "ItemAdded"}', "ItemType in the webhook of Jellyfin is missing"),
        ('{"Event": "library.new", "Item": []}', "Item in the webhook of Emby is [], where an object"),
        ('{"eventType": "Download"}', "movie in the webhook of Radarr is missing"),
        ('{"eventType": "Download", "episodes": [1]}', "episodes in the webhook of Sonarr is not a list"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_named(body: str | bytes, problem: str) -> None:
    with pytest.raises(HookUnreadable) as caught:
        parse_hook({}, body)
    assert problem in str(caught.value)


def test_the_sender_may_be_given() -> None:
    assert parse_hook({"user-agent": "Sonarr/4.0"}, '{"eventType": "Health"}').sender == "sonarr"
    assert parse_hook({}, '{"eventType": "Health"}', "sonarr").sender == "sonarr"
    with pytest.raises(HookUnreadable, match="'kodi' does not send webhooks: write one of plex, jellyfin"):
        parse_hook({}, "{}", "kodi")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["event", "Event", "eventType", "NotificationType", "Metadata", "Item", "ItemType", "movie", "series",
     "episodes", "type", "ratingKey", "tmdbId", "tvdbId"]
)  # fmt: skip
EVENTS = st.sampled_from(["library.new", "ItemAdded", "Download", "Rename", "SeriesDelete"])


@given(st.dictionaries(FIELDS, EVENTS | JSON, max_size=6), st.sampled_from([None, *SENDERS]))
def test_any_body_gives_hints_or_a_clear_error(document: dict[str, Any], sender: str | None) -> None:
    try:
        hints = parse_hook({}, json.dumps(document), sender).hints
    except HookUnreadable:  # what it says is tested above
        hints = ()
    assert all(hint.remote_ids or hint.provider_ids or hint.kind is SOURCE for hint in hints)
