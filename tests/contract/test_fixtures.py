"""The fixtures themselves: the mirror opens and closes in different tasks, and the clock is the test's."""

from __future__ import annotations

from support.items import MOVIES, cast, movie
from support.mirror import START, Clock, public, written

from mediasync import MediaSync


async def test_a_mirror_that_a_fixture_opened_can_be_used(ms: MediaSync, clock: Clock) -> None:
    before = await written(ms)
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    assert await written(ms) != before
    seen = await public(ms)
    assert len(seen["media_people"]) == 2
    item = await ms.media.get_media_item("home:1")
    assert item.created_at is not None
    assert round(item.created_at.timestamp() * 1000) == START == clock.now
    assert (await ms.check()).flaws == ()
