"""How many requests a library of 10,000 films takes, and how many are under way at once."""

from __future__ import annotations

from collections import Counter

import pytest
from jellyfin_reading import jellyfin, of_type, with_people

from mediasync import MediaSync
from mediasync.testing import make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin

pytestmark = pytest.mark.slow

FILMS, PEOPLE = 10_000, 9_000


async def test_ten_thousand_films(file_url, clock):
    catalogue = make_catalogue(films=FILMS, shows=0, credits_each=2, people=PEOPLE)
    del catalogue.libraries[1]
    assert len(catalogue.people()) <= PEOPLE
    # The clock stands still: of so many items, one has its turn to be compared again in every minute.
    async with FakeJellyfin(catalogue) as server, MediaSync(file_url, clock=clock) as ms:
        first = await ms.sync(jellyfin(server.url))
        assert first.run.saved == FILMS
        of_people = -(-len(catalogue.people()) // 10_000)
        assert len(of_type(server.requests, "Person")) == of_people
        assert len(server.requests) <= 130 + of_people
        # The last page is full, so that only the empty one behind it shows the end.
        assert len(with_people(server.requests)) == FILMS // 100 + 1

        server.requests.clear()
        second = await ms.sync(jellyfin(server.url))
        assert (second.run.saved, second.run.unchanged) == (0, FILMS)
        assert len(server.requests) <= 30
        assert with_people(server.requests) == []

        server.requests.clear()
        for film in catalogue.libraries[0].items[::100]:
            catalogue.edit_cast(film.remote_id, film.credits[:-1])
        third = await ms.sync(jellyfin(server.url))
        assert (third.run.saved, third.run.unchanged) == (FILMS // 100, FILMS - FILMS // 100)
        assert len(server.requests) <= 30 + 2
        assert len(with_people(server.requests)) == 1
        assert server.most_at_once <= 2


async def test_no_request_is_too_long_or_too_large():
    catalogue = make_catalogue(films=500, shows=0, credits_each=2)
    async with FakeJellyfin(catalogue) as server:
        backend = jellyfin(server.url)
        async with backend.open():
            library = (await backend.fetch_libraries())[0]
            keys = [server.item_id(item.remote_id) for item in catalogue.items()]
            found = [finding async for finding in backend.iter_items(library, _Some(keys[0]), only=keys)]
        assert len(found) == 501
        asked = [
            request.first("ids").split(",")
            for request in with_people(server.requests)
            if request.first("ids")
        ]
        assert [len(ids) for ids in asked] == [110, 110, 110, 110, 60]
        assert max(len(",".join(ids)) + 2 * len(ids) for ids in asked) < 4_000
        assert max(Counter(key for ids in asked for key in ids).values()) == 1


class _Some:
    def __init__(self, key):
        self.tokens = {key: "1:other"}
        self.watermark = ""

    async def find_people(self, _ids):
        return {}

    async def find_items_crediting(self, _ids):
        return set()
