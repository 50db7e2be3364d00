"""Sources and libraries."""

from __future__ import annotations

import pytest
from support.items import MOVIES, movie
from support.mirror import Clock, public, rows, written

from mediasync import Library, MediaSync, Source, SourceKind
from mediasync.errors import ConfigurationError, UnknownSource, UsageError


async def test_a_source_comes_back(ms: MediaSync) -> None:
    assert await ms.media.save_source(Source(id="p", kind="plex", name="Plex ☃", server_id="abc"))
    found = await ms.media.find_source("p")
    assert found is not None
    assert (found.id, found.kind, found.name, found.server_id) == ("p", SourceKind.PLEX, "Plex ☃", "abc")
    assert found.created_at == found.updated_at is not None
    assert await ms.media.find_source("q") is None
    assert [source.id for source in await ms.media.list_sources()] == ["home", "p"]


async def test_saving_a_source_again_writes_only_what_changed(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_source(Source(id="p", kind="plex", server_id="abc"))
    before, changes = await public(ms), await written(ms)
    clock.tick()
    assert not await ms.media.save_source(Source(id="p", kind="plex", name="p"))
    assert (await public(ms), await written(ms)) == (before, changes)
    assert await ms.media.save_source(Source(id="p", kind="plex", name="New"))
    found = await ms.media.find_source("p")
    assert found is not None
    assert (found.name, found.server_id) == ("New", "abc"), "a missing server id never overwrites one"


async def test_a_source_of_another_kind_is_refused(ms: MediaSync) -> None:
    before = await public(ms)
    with pytest.raises(ConfigurationError, match="jellyfin"):
        await ms.media.save_source(Source(id="home", kind="plex"))
    assert await public(ms) == before


async def test_another_server_under_the_same_name_is_refused(ms: MediaSync) -> None:
    await ms.media.save_source(Source(id="p", kind="plex", server_id="abc"))
    before = await public(ms)
    with pytest.raises(ConfigurationError, match="other"):
        await ms.media.save_source(Source(id="p", kind="plex", server_id="other"))
    assert await public(ms) == before


async def test_a_missing_name_or_title_never_overwrites_one(ms: MediaSync) -> None:
    assert not await ms.media.save_source(Source(id="home", kind="jellyfin"))
    assert not await ms.media.save_library(Library(id="movies", source_id="home", kind="movies"))
    await ms.media.save_source(Source(id="p", kind="plex"))
    await ms.media.save_library(Library(id="l", source_id="p", kind="movies"))
    assert await rows(ms, "SELECT id, name FROM sources ORDER BY id") == [("home", "Home"), ("p", "p")]
    assert await rows(ms, "SELECT title FROM libraries ORDER BY id") == [("Movies",), ("Shows",), ("l",)]


async def test_a_library_comes_back(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_source(Source(id="p", kind="plex"))
    library = Library(id="1:x", source_id="p", title="Ä", kind="mixed")
    assert await ms.media.save_library(library)
    assert not await ms.media.save_library(library)
    [found] = await ms.media.list_libraries("p")
    assert (found.id, found.full_id, found.title, found.kind) == ("1:x", "p:1:x", "Ä", "mixed")
    clock.tick()
    assert await ms.media.save_library(Library(id="1:x", source_id="p", title="B", kind="shows"))
    assert await rows(
        ms, "SELECT id, title, kind, updated_at > created_at FROM libraries WHERE source_id = 'p'"
    ) == [("p:1:x", "B", "shows", 1)]
    assert [one.full_id for one in await ms.media.list_libraries()] == ["home:movies", "home:shows", "p:1:x"]
    assert await ms.media.list_libraries("none") == []


async def test_a_library_of_an_unknown_source_is_refused(ms: MediaSync) -> None:
    with pytest.raises(UnknownSource, match="nowhere"):
        await ms.media.save_library(Library(id="1", source_id="nowhere", kind="movies"))


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
async def test_text_that_cannot_be_stored_is_refused_by_name(ms: MediaSync, bad: str) -> None:
    before = await public(ms)
    with pytest.raises(UsageError, match="name"):
        await ms.media.save_source(Source(id="p", kind="plex", name=bad))
    with pytest.raises(UsageError, match="server_id"):
        await ms.media.save_source(Source(id="p", kind="plex", server_id=bad))
    with pytest.raises(UsageError, match="title"):
        await ms.media.save_library(Library(id="l", source_id="home", kind="movies", title=bad))
    with pytest.raises((UsageError, ValueError), match="id"):
        await ms.media.save_library(Library(id=bad, source_id="home", kind="movies", title="x"))
    assert await public(ms) == before


async def test_a_library_whose_own_key_begins_like_a_full_id(ms: MediaSync) -> None:
    await ms.media.save_library(Library(id="home:movies", source_id="home", kind="movies"))
    await ms.media.save_media_item(movie(), library_id="home:home:movies", source_id="home")
    await ms.media.save_media_item(movie("2"), **MOVIES)
    assert await rows(ms, "SELECT library_id FROM media_items ORDER BY id") == [
        ("home:home:movies",),
        ("home:movies",),
    ]
