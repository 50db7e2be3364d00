"""Films whose people have no id at the source, and the people that are made of them."""

from __future__ import annotations

import json

from support.items import MOVIES, credit, movie
from support.mirror import rows

from mediasync import Credit, MediaSync


def one(name: str, *, kind: str = "actor", role: str | None = None, **ids: str) -> Credit:
    return credit(name=name, kind=kind, role=role, provider_ids=ids)


async def save(ms: MediaSync, *lists: list[Credit]) -> None:
    """Save films with these credits one after the other, each in a transaction of its own."""
    [(number,)] = await rows(ms, "SELECT count(*) AS films FROM media_items")
    for place, credits_ in enumerate(lists, number + 1):
        await ms.media.save_media_item(movie(f"{place:03}", credits=credits_), **MOVIES)


async def people(ms: MediaSync) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the name and the provider ids of all shown people, by id."""
    found = await rows(ms, "SELECT id, name, provider_ids FROM people")
    return {person_id: (name, json.loads(ids or "{}")) for person_id, name, ids in found}
