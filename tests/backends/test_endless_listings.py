"""A listing without an end is given up at a bound, which this file lowers."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.mirror import value
from support.servers import SERVERS, Place, entries, lists_movies, make_server

from mediasync import MediaSync, RunStatus
from mediasync.backends import paging
from mediasync.testing import Fault

FILMS = 30
IDS = ("ProviderIds", "uniqueid", "imdbnumber", "Etag", "Guid")
EPISODES = "SELECT count(*) FROM media_items WHERE media_type = 'episode'"


@pytest.mark.parametrize("kind", SERVERS)
async def test_an_endless_listing_is_ended_and_other_libraries_are_synced(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_BEYOND", 100)
    numbers = count(900_000)
    template: dict[str, Any] = {}

    def refill(answer: Any) -> Any:
        listed = entries(answer)
        template.update(listed[0] if listed else {})
        listed[:] = [another(template, next(numbers)) for _ in range(40)]
        return answer

    server = make_server(kind)
    assert server is not None
    async with server, MediaSync(f"sqlite:///{tmp_path}/media.db") as mirror:
        server.faults = [Fault.rewrite(refill, at=lists_movies(kind), times=None)]
        report = await mirror.sync(Place(kind, server).backend())
        assert report.status is RunStatus.SUCCEEDED
        [reason] = [run.reason or "" for run in await mirror.list_library_runs("here") if not run.complete]
        assert "it has no end: " in reason
        assert f"items came, though it says {FILMS}" in reason
        assert next(numbers) < 900_000 + 400
        assert await value(mirror, EPISODES) == 12


def another(template: dict[str, Any], number: int) -> dict[str, Any]:
    """Return an entry like *template* for a film of its own."""
    entry = {name: told for name, told in template.items() if name not in IDS}
    for name, told in template.items():
        match name:
            case "Id":
                entry[name] = f"{number:032}" if len(told) == 32 else str(number)
            case "ratingKey" | "Name" | "title" | "label" | "Path" | "file" | "key" | "guid":
                entry[name] = str(number)
            case "movieid":
                entry[name] = number
    return entry
