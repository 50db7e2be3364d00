"""An item that several libraries list is one item, and each of them lists it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field

from support.items import MOVIES, SHOWS, cast, movie
from support.mirror import Clock, public, rows, value, written

from mediasync import Library, MediaSync, Source
from mediasync.backends.base import Enumerated, Finding, Stored
from mediasync.testing import FakeBackend

IN_LIBRARIES = "SELECT media_item_id, library_id FROM item_libraries ORDER BY 1, 2"


@dataclass
class Asking(FakeBackend):
    """A source of empty libraries that asks which stored items of each credit a person."""

    source: Source = field(default_factory=lambda: Source(id="home", kind="jellyfin", name="Home"))
    crediting: dict[str, set[str]] = field(default_factory=dict)

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        self.crediting[library.id] = await stored.find_items_crediting(["a"])
        yield Enumerated(0)


async def test_an_item_keeps_its_home_and_is_in_both(ms: MediaSync, clock: Clock) -> None:
    item = movie("1", title="Both", credits=cast("a"), change_token="t")
    await ms.media.save_media_item(item, **MOVIES)
    before = await rows(ms, "SELECT id, library_id, updated_at FROM media_items")
    clock.tick()
    await ms.media.save_media_item(item, **SHOWS)
    assert await rows(ms, "SELECT id, library_id, updated_at FROM media_items") == before
    assert await rows(ms, IN_LIBRARIES) == [("home:1", "home:movies"), ("home:1", "home:shows")]
    for library_id in ("home:movies", "home:shows"):
        assert [one.id async for one in ms.media.iter_media_items(library_id)] == ["home:1"]
        assert await ms.media.find_change_tokens(library_id) == {"1": "t"}
    counted = [(library_id, number) for library_id, _, _, number in await ms.media.count_by_library()]
    assert counted == [("home:movies", 1), ("home:shows", 1)]
    assert (await ms.check()).flaws == ()


async def test_saving_it_again_in_either_writes_nothing(ms: MediaSync, clock: Clock) -> None:
    item = movie("1", credits=cast("a"))
    for place in (MOVIES, SHOWS):
        assert (await ms.media.save_media_item(item, **place)).status == "saved"
    before, state = await written(ms), await public(ms)
    clock.tick()
    for place in (MOVIES, SHOWS, MOVIES):
        report = await ms.media.save_media_items([item], **place)
        assert (report.saved, report.unchanged) == (0, 1)
    assert await written(ms) == before
    assert await public(ms) == state


async def test_a_change_seen_in_either_library_changes_the_item(ms: MediaSync) -> None:
    for place in (MOVIES, SHOWS):
        await ms.media.save_media_item(movie("1"), **place)
    await ms.media.save_media_item(movie("1", title="New"), **SHOWS)
    assert await rows(ms, "SELECT title, library_id FROM media_items") == [("New", "home:movies")]


async def test_items_that_credit_a_person_are_found_in_both_libraries(ms: MediaSync) -> None:
    await ms.media.save_library(Library(id="none", source_id="home", kind="movies"))
    for place in (MOVIES, SHOWS):
        await ms.media.save_media_item(movie("1", credits=cast("a")), **place)
    backend = Asking(dict.fromkeys(("movies", "shows", "none"), ()))
    await ms.sync(backend, dry_run=True)
    assert backend.crediting == {"movies": {"1"}, "shows": {"1"}, "none": set()}


async def test_a_deleted_item_leaves_no_library(ms: MediaSync) -> None:
    for place in (MOVIES, SHOWS):
        await ms.media.save_media_item(movie("1"), **place)
    await ms.media.delete_media_item("home:1")
    assert await value(ms, "SELECT count(*) FROM item_libraries") == 0
    assert await value(ms, "SELECT count(*) FROM item_library") == 0
