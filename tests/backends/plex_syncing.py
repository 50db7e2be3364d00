"""Syncing from a fake Plex in a test, and comparing what is stored with what it serves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from findings import FIELDS

from mediasync import MediaItem, MediaSync, Source
from mediasync.backends.plex import PlexBackend
from mediasync.testing.messages import Request
from mediasync.testing.plex import FakePlex

TOKEN = "Geheim-12345"


def make_backend(server: FakePlex, *, name: str = "", **options: Any) -> PlexBackend:
    """Return a backend for a server, as source ``home``."""
    source = Source(id="home", kind="plex", name=name)
    return PlexBackend(server.url, source=source, **{"token": TOKEN, "client_id": "test-client", **options})


def cast_of(item: MediaItem) -> list[tuple[str, str | None, str, str | None, str | None]]:
    """Return all that is said of an item's people, in order."""
    return [
        (
            str(credit.person_type),
            credit.person.remote_id,
            credit.person.name,
            credit.person.image_path,
            credit.role,
        )
        for credit in item.credits or ()
    ]


async def assert_stored(ms: MediaSync, items: Iterable[MediaItem]) -> None:
    """Assert that each of *items* is stored as it is given, with exactly its people."""
    for item in items:
        stored = await ms.media.get_media_item(f"home:{item.remote_id}")
        for name in FIELDS:
            assert getattr(stored, name) == getattr(item, name), (item.title, name)
        for name in ("season_number", "episode_number"):
            assert getattr(stored, name, None) == getattr(item, name, None), (item.title, name)
        parent = getattr(item, "parent_remote_id", None)
        assert stored.parent_id == (f"home:{parent}" if parent else None), item.title
        assert cast_of(stored) == cast_of(item), item.title


async def stored_casts(ms: MediaSync, items: Iterable[MediaItem]) -> dict[str, Any]:
    """Return the stored people of those of *items* that are stored, by key."""
    found = await ms.media.find_media_items([f"home:{item.remote_id}" for item in items])
    return {item.remote_id: cast_of(item) for item in found}


def casts(items: Iterable[MediaItem]) -> dict[str, Any]:
    """Return the people of items, by key."""
    return {item.remote_id: cast_of(item) for item in items}


def is_listing(request: Request) -> bool:
    """Tell whether a request is for a page of a listing."""
    return request.path.endswith("/all")


def is_details(request: Request) -> bool:
    """Tell whether a request is for details."""
    return request.path.startswith("/library/metadata/")


def asked_keys(requests: Iterable[Request]) -> list[str]:
    """Return the keys that were asked for in requests for details, in order."""
    paths = [request.path for request in requests if is_details(request)]
    return [key for path in paths for key in path.rpartition("/")[2].split(",")]
