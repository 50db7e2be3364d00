"""Items to which a server gives new ids stay the same items: whole syncs of each kind of server."""

from __future__ import annotations

import pytest
from support.mirror import Clock, public, rows
from support.servers import SERVERS, Place, make_server

from mediasync import MediaSync
from mediasync.models import Episode, MediaItem, Season
from mediasync.testing import Catalogue, make_catalogue

pytestmark = pytest.mark.slow

ITEMS = """
SELECT i.id, i.title, i.media_type, i.parent_id, i.created_at, i.library_id, i.season_number, i.episode_number
FROM media_items i ORDER BY i.id
"""
CREDITS = "SELECT * FROM media_people ORDER BY media_item_id, sort_order"
RUNS = ("sync_runs", "sync_run_libraries", "sync_run_problems")


def give_new_key(catalogue: Catalogue, item: MediaItem) -> None:
    """Give an item another key, as a server does that lost the item and found it again."""
    before, item.remote_id = item.remote_id, catalogue.new_key()
    for each in catalogue.items():
        if isinstance(each, Season | Episode) and each.parent_remote_id == before:
            each.parent_remote_id = item.remote_id
    catalogue.touch(item)


async def state(ms: MediaSync) -> dict[str, list[tuple[object, ...]]]:
    return {view: found for view, found in (await public(ms)).items() if view not in RUNS}


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("titles", [["Film 3"], ["Show 1"], ["Film 3", "Film 4", "Show 1"]])
async def test_items_with_new_keys_keep_ids_first_seen_dates_and_credits(
    kind: str, titles: list[str], ms: MediaSync, clock: Clock
) -> None:
    catalogue = make_catalogue(30, 2, seed=3)
    server = make_server(kind, catalogue)
    assert server is not None
    async with server:
        first = await ms.sync(Place(kind, server).backend())
        items, credited = await rows(ms, ITEMS), await rows(ms, CREDITS)
        changed = 0
        for title in titles:
            waiting = [catalogue.titled(title)]
            while waiting:
                item = waiting.pop()
                waiting += catalogue.children(item.remote_id)
                give_new_key(catalogue, item)
                changed += 1
        clock.tick()
        report = await ms.sync(Place(kind, server).backend())
        assert (report.failed, report.remarks, report.saved) == ((), (), changed)
        assert all(library.unseen == 0 for library in report.libraries)
        assert await rows(ms, ITEMS) == items
        assert await rows(ms, CREDITS) == credited
        [(moved,)] = await rows(
            ms, "SELECT count(*) FROM media_items WHERE id <> source_id || ':' || remote_id"
        )
        assert moved == changed
        after = await state(ms)
        clock.tick()
        again = await ms.sync(Place(kind, server).backend())
        assert (again.saved, again.unchanged) == (0, first.saved)
        assert await state(ms) == after
    assert (await ms.check()).flaws == ()
