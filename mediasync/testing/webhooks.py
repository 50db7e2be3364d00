"""The webhooks that the real servers send for items of a fake: headers and bodies, ready to be posted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import httpx

from mediasync.models import Episode, MediaItem, Season
from mediasync.testing.emby import FakeEmby
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.testing.library import parent_of
from mediasync.testing.plex import FakePlex

__all__ = ["Webhook", "emby_webhook", "jellyfin_webhook", "plex_webhook"]

_PICTURE: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_EMBY_EVENTS: Final = {"added": "library.new", "removed": "library.deleted"}
_JELLYFIN_EVENTS: Final = {"added": "ItemAdded", "removed": "ItemDeleted"}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request that a server sends when something has changed.

    Attributes:
        headers: with the content type.
        body: the bytes of the body.
    """

    headers: Mapping[str, str]
    body: bytes


def plex_webhook(
    server: FakePlex, item: MediaItem, *, event: str = "library.new", picture: bool = True
) -> Webhook:
    """Return what Plex sends about an item: a form with a part ``payload`` of JSON.

    Plex sends nothing when an item is refreshed or deleted.

    Args:
        server: the fake that has the item.
        item: an item of its catalogue.
        event: ``library.new``, or one of those about playing, such as ``media.play``.
        picture: whether a part ``thumb`` with a JPEG picture follows.

    Example::

        hook = plex_webhook(server, catalogue.titled("Film 1"))
        await client.post(url, content=hook.body, headers=hook.headers)
    """
    title, uuid = server.title_and_id
    payload = {
        "event": event,
        "user": True,
        "owner": True,
        "Account": {"id": 1, "thumb": "https://plex.tv/users/1/avatar", "title": "owner"},
        "Server": {"title": title, "uuid": uuid},
        "Metadata": server.metadata_of(item),
    }
    if event.startswith("media."):
        payload["Player"] = {"local": True, "title": "Television", "uuid": "player"}
    parts: dict[str, Any] = {"payload": (None, json.dumps(payload), "application/json")}
    if picture:
        parts["thumb"] = ("thumb.jpg", _PICTURE, "image/jpeg")
    request = httpx.Request("POST", "http://127.0.0.1/", files=parts)
    return Webhook({"Content-Type": request.headers["Content-Type"]}, request.read())


def jellyfin_webhook(
    server: FakeJellyfin, item: MediaItem, kind: Literal["added", "removed"], *, hyphens: bool = False
) -> Webhook:
    """Return what Jellyfin's webhook plugin sends about an item, with "send all properties".

    The plugin sends nothing when an item is updated.

    Args:
        server: the fake that has the item. It must have it still, also if the item is about to be removed.
        item: an item of its catalogue.
        kind: what happens to it.
        hyphens: whether ids are written with hyphens, as some templates do.
    """

    def shown(key: str) -> str:
        return str(UUID(key)) if hyphens else key

    record = server.record_of(item)
    properties: dict[str, Any] = {
        "ServerId": server.server_id,
        "ServerName": "fixture",
        "ServerVersion": server.version,
        "ServerUrl": server.url,
        "NotificationType": _JELLYFIN_EVENTS[kind],
        "Timestamp": server.catalogue.now.isoformat(),
        "UtcTimestamp": server.catalogue.now.isoformat(),
        "Name": item.title,
        "Overview": item.overview or "",
        "Tagline": item.tagline or "",
        "ItemId": shown(record["Id"]),
        "ItemType": record["Type"],
        "RunTimeTicks": record.get("RunTimeTicks", 0),
        "Year": item.year,
        "Path": item.path,
        **{f"Provider_{name.lower()}": value for name, value in record["ProviderIds"].items()},
        **_place(record, item, shown),
    }
    return _as_json({name: value for name, value in properties.items() if value is not None})


def emby_webhook(server: FakeEmby, item: MediaItem, kind: Literal["added", "removed"]) -> Webhook:
    """Return what Emby sends about an item.

    It follows what programs that read these webhooks expect, and was not compared with a real server. Emby
    sends nothing when an item is updated.

    Args:
        server: the fake that has the item. It must have it still, also if the item is about to be removed.
        item: an item of its catalogue.
        kind: what happens to it.
    """
    record = server.record_of(item)
    shown = ("Id", "Name", "Type", "Path", "ProviderIds", "SeriesId", "SeriesName", "SeasonId")
    numbers = ("ParentIndexNumber", "IndexNumber", "ProductionYear")
    done = {"added": "New", "removed": "Deleted"}[kind]
    return _as_json(
        {
            "Title": f"{done}: {item.title}",
            "Date": server.catalogue.now.isoformat(),
            "Event": _EMBY_EVENTS[kind],
            "Item": {name: record[name] for name in (*shown, *numbers) if name in record},
            "Server": {"Name": "fixture", "Id": server.server_id, "Version": "4.9.1.80"},
        }
    )


def _place(record: Mapping[str, Any], item: MediaItem, shown: Callable[[str], str]) -> dict[str, Any]:
    """Return the place of a season or an episode in its show."""
    if parent_of(item) is None:
        return {}
    place: dict[str, Any] = {"SeriesName": record.get("SeriesName")}
    if series := record.get("SeriesId"):
        place["SeriesId"] = shown(series)
    if isinstance(item, Season | Episode):
        place["SeasonNumber"] = item.season_number
    if isinstance(item, Episode):
        place |= {"EpisodeNumber": item.episode_number}
        if season := record.get("SeasonId"):
            place["SeasonId"] = shown(season)
    return place


def _as_json(value: Mapping[str, Any]) -> Webhook:
    return Webhook(_JSON, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
