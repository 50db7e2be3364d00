"""Items that are recognised although the source gives them another key."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.items import cast, episode, movie, season, show
from support.mirror import Clock, public, rows, value

from mediasync import MediaItem, MediaSync
from mediasync.backends.base import Enumerated
from mediasync.errors import SourceUnreadable
from mediasync.testing import FakeBackend


def whole(*items: MediaItem) -> list[object]:
    return [*items, Enumerated(len(items))]


async def keys(ms: MediaSync) -> dict[str, str]:
    """Return the key of each item, by its id, whether the source has it or it is kept as removed."""
    kept = "SELECT id, remote_id FROM media_items UNION SELECT id, remote_id FROM removed_items"
    return dict(await rows(ms, f"{kept} ORDER BY id"))  # type: ignore[arg-type]


SAME = {
    "file": ({"path": "/films/x.mkv"}, {"path": "/films/x.mkv"}),
    "imdb": ({"provider_ids": {"imdb": "tt1"}}, {"provider_ids": {"imdb": "tt1"}, "path": "/other"}),
    "tvdb": ({"provider_ids": {"tvdb": "7", "tmdb": "1"}}, {"provider_ids": {"TVDB": " 7 "}}),
}
OTHER = {
    "nothing in common": ({"path": "/a"}, {"path": "/b"}),
    "the id of a collection": (
        {"provider_ids": {"tmdbcollection": "1"}},
        {"provider_ids": {"tmdbcollection": "1"}},
    ),
    "an id that says nothing": ({"provider_ids": {"imdb": "tt0000000"}}, {"provider_ids": {"imdb": "tt0"}}),
    "an id that differs": (
        {"provider_ids": {"imdb": "tt1", "tmdb": "1"}},
        {"provider_ids": {"imdb": "tt1", "tmdb": "2"}},
    ),
}


@pytest.mark.parametrize("library", ["m", "n"])
@pytest.mark.parametrize("name", SAME)
async def test_a_film_with_another_key_is_the_same(
    ms: MediaSync, clock: Clock, name: str, library: str
) -> None:
    before, after = SAME[name]
    await ms.sync(FakeBackend({"m": whole(movie("1", credits=cast("a"), **before), movie("2"))}))
    clock.tick()
    if library == "m":
        libraries = {"m": whole(movie("9", title="New", **after), movie("2"))}
    else:
        libraries = {"m": whole(movie("2")), "n": whole(movie("9", title="New", **after))}
    report = await ms.sync(FakeBackend(libraries))
    assert (report.saved, report.failed, report.remarks) == (1, (), ())
    assert await keys(ms) == {"fake:1": "9", "fake:2": "2"}
    item = await ms.media.get_media_item("fake:1")
    assert (item.title, item.library_id, len(item.credits or ())) == ("New", f"fake:{library}", 1)
    assert all(run.unseen == 0 for run in report.libraries)
    before_again = (await public(ms))["media_items"]
    clock.tick()
    again = await ms.sync(FakeBackend(libraries))
    assert (again.saved, again.unchanged) == (0, 2)
    assert (await public(ms))["media_items"] == before_again
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("name", OTHER)
async def test_a_film_that_has_nothing_in_common_is_another(ms: MediaSync, name: str) -> None:
    before, after = OTHER[name]
    await ms.sync(FakeBackend({"m": whole(movie("1", **before), movie("2"))}))
    report = await ms.sync(FakeBackend({"m": whole(movie("9", **after), movie("2"))}))
    assert await keys(ms) == {"fake:1": "1", "fake:2": "2", "fake:9": "9"}
    assert report.removed == ("fake:1",)


async def test_two_copies_that_are_both_listed_stay_two(ms: MediaSync) -> None:
    ids: dict[str, Any] = {"provider_ids": {"imdb": "tt1"}, "path": "/same.mkv"}
    await ms.sync(FakeBackend({"m": whole(movie("1", **ids)), "n": whole(movie("x"))}))
    both = {"m": whole(movie("9", **ids)), "n": whole(movie("x"), movie("1", **ids))}
    await ms.sync(FakeBackend(both))
    assert await keys(ms) == {"fake:1": "1", "fake:9": "9", "fake:x": "x"}
    homes = await rows(ms, "SELECT id, library_id FROM media_items ORDER BY id")
    assert homes == [("fake:1", "fake:n"), ("fake:9", "fake:m"), ("fake:x", "fake:n")]


async def test_a_show_takes_its_seasons_and_episodes_along(ms: MediaSync) -> None:
    ids = {"provider_ids": {"tvdb": "1"}}
    stored = [show("s", **ids), season("s1", "s"), episode("e1", "s1", 1, season_number=1)]
    await ms.sync(FakeBackend({"m": whole(*stored)}))
    renamed = [show("S", **ids), season("S1", "S"), episode("E1", "S1", 1, season_number=1)]
    new = episode("E2", "S1", 2, season_number=1)
    await ms.sync(FakeBackend({"m": whole(*renamed, new)}))
    assert await keys(ms) == {"fake:s": "S", "fake:s1": "S1", "fake:e1": "E1", "fake:E2": "E2"}
    parents = dict(await rows(ms, "SELECT id, parent_id FROM media_items"))  # type: ignore[arg-type]
    assert parents == {
        "fake:s": None,
        "fake:s1": "fake:s",
        "fake:e1": "fake:s1",
        "fake:E2": "fake:s1",
    }
    result = await ms.media.save_media_item(
        episode("E3", "S1", 3, season_number=1), library_id="m", source_id="fake"
    )
    assert result.id == "fake:E3"
    assert [item.id for item in await ms.media.list_children("fake:s1")] == ["fake:e1", "fake:E2", "fake:E3"]
    again = await ms.media.save_media_item(renamed[0], library_id="m", source_id="fake")
    assert (again.id, again.status) == ("fake:s", "unchanged")


async def test_an_episode_whose_file_was_renamed(ms: MediaSync) -> None:
    above = [show("s"), season("s1", "s")]
    await ms.sync(FakeBackend({"m": whole(*above, episode("a", "s1", 1, season_number=1, path="/a"))}))
    await ms.sync(FakeBackend({"m": whole(*above, episode("b", "s1", 1, season_number=1, path="/b"))}))
    assert (await keys(ms))["fake:a"] == "b"


async def test_the_id_of_a_show_in_its_episodes_makes_none_of_them_another(ms: MediaSync) -> None:
    ids = {"provider_ids": {"imdb": "tt5"}}
    above = [show("s"), season("s1", "s")]
    episodes = [episode(f"e{n}", "s1", n, season_number=1, **ids) for n in (1, 2, 3)]
    await ms.sync(FakeBackend({"m": whole(*above, *episodes)}))
    await ms.sync(
        FakeBackend({"m": whole(*above, *episodes[:2], episode("e4", "s1", 4, season_number=1, **ids))})
    )
    assert {"fake:e3", "fake:e4"} <= (await keys(ms)).keys()


async def test_an_ambiguous_item_is_new_and_remarked(ms: MediaSync) -> None:
    ids = {"provider_ids": {"imdb": "tt1"}}
    await ms.sync(FakeBackend({"m": whole(movie("1", **ids))}))
    report = await ms.sync(FakeBackend({"m": whole(movie("8", **ids), movie("9", **ids))}))
    assert await keys(ms) == {"fake:1": "1", "fake:8": "8", "fake:9": "9"}
    assert [subject for subject, _ in report.remarks] == ["fake:8", "fake:9"]


async def test_a_key_that_comes_back_gets_an_id_of_its_own(ms: MediaSync) -> None:
    path = {"path": "/x"}
    await ms.sync(FakeBackend({"m": whole(movie("1", **path))}))
    await ms.sync(FakeBackend({"m": whole(movie("2", **path))}))
    both = FakeBackend({"m": whole(movie("2", **path), movie("1", title="Another", path="/y"))})
    await ms.sync(both)
    assert await keys(ms) == {"fake:1": "2", "fake:1~2": "1"}
    assert (await ms.sync(both)).unchanged == 2
    report = await ms.sync(both, items=["fake:1"])
    assert (report.failed, report.run.seen) == ((), 1)
    assert both.asked == {"m": {"2"}}


INCOMPLETE: dict[str, Any] = {
    "not to its end": {"m": [movie("9", path="/x")]},
    "not complete": {"m": [movie("9", path="/x"), Enumerated(2, complete=False, reason="a page")]},
    "another library failed": {
        "m": whole(movie("9", path="/x")),
        "n": [movie("5"), SourceUnreadable("fake", "HTML")],
    },
}


@pytest.mark.parametrize("name", INCOMPLETE)
async def test_a_listing_that_is_not_complete_proves_nothing(ms: MediaSync, name: str) -> None:
    await ms.sync(FakeBackend({"m": whole(movie("1", path="/x"), movie("2"))}))
    report = await ms.sync(FakeBackend(INCOMPLETE[name]))
    stored = await keys(ms)
    assert stored["fake:1"] == "1"
    assert "fake:9" not in stored
    assert any(text.startswith("9: probably stored already") for _, text in report.remarks)
    await ms.sync(FakeBackend({"m": whole(movie("9", path="/x"), movie("2"))}))
    assert (await keys(ms))["fake:1"] == "9"


@pytest.mark.parametrize("options", [{"libraries": ["m"]}, {"items": ["9"]}], ids=["library", "item"])
async def test_a_restricted_run_proves_nothing(ms: MediaSync, options: dict[str, Any]) -> None:
    await ms.sync(FakeBackend({"m": whole(movie("1", path="/x"), movie("2"))}))
    report = await ms.sync(FakeBackend({"m": whole(movie("9", path="/x"), movie("2"))}), **options)
    assert await keys(ms) == {"fake:1": "1", "fake:2": "2"}
    assert [subject for subject, _ in report.remarks] == ["fake:m"]


async def test_a_renamed_library_takes_its_items_along(ms: MediaSync) -> None:
    films = [movie(f"m/{n}", provider_ids={"tmdb": f"{n}9"}) for n in range(450)]
    await ms.sync(FakeBackend({"m": whole(*films)}))
    renamed = [movie(f"M/{n}", provider_ids={"tmdb": f"{n}9"}) for n in range(450)]
    report = await ms.sync(FakeBackend({"M": whole(*renamed)}))
    assert report.saved == 450
    assert await keys(ms) == {f"fake:m/{n}": f"M/{n}" for n in range(450)}
    assert await value(ms, "SELECT count(*) FROM media_items WHERE library_id = 'fake:M'") == 450
    assert report.remarks == ()


async def test_a_home_moves_when_another_library_alone_lists_the_item(ms: MediaSync) -> None:
    both = {"m": whole(movie("1"), movie("2")), "n": whole(movie("1"))}
    await ms.sync(FakeBackend(both))
    assert (await ms.sync(FakeBackend(both))).saved == 0
    await ms.sync(FakeBackend({"m": whole(movie("2")), "n": whole(movie("1"))}))
    listed = await rows(ms, "SELECT media_item_id, library_id FROM item_libraries ORDER BY 1")
    assert listed == [("fake:1", "fake:n"), ("fake:2", "fake:m")]
    await ms.sync(FakeBackend(both))
    await ms.sync(FakeBackend({"m": whole(movie("2")), "n": whole(movie("1"))}))
    assert await rows(ms, "SELECT media_item_id, library_id FROM item_libraries ORDER BY 1") == listed


FILMS = st.dictionaries(st.integers(0, 5), st.tuples(st.integers(0, 9), st.sampled_from("mn")), max_size=6)
"""Which films a source lists: each with its key and its library."""


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(FILMS, min_size=2, max_size=5))
def test_no_film_is_stored_twice_and_no_two_that_are_listed_become_one(
    history: list[dict[int, tuple[int, str]]],
) -> None:
    """Films have their own files; keys are reassigned at random, including those of other films."""

    async def check() -> None:
        async with MediaSync("sqlite:///:memory:") as ms:
            ids: set[str] = set()
            for films in history:
                libraries: dict[str, list[MediaItem]] = {"m": [movie("keep1")], "n": [movie("keep2")]}
                used: set[int] = set()
                for film, (key, library) in films.items():
                    if key not in used:
                        used.add(key)
                        libraries[library].append(movie(f"k{key}", title=f"Film {film}", path=f"/{film}"))
                await ms.sync(FakeBackend({name: whole(*items) for name, items in libraries.items()}))
                listed = {item.remote_id: item.title for items in libraries.values() for item in items}
                stored = await rows(ms, "SELECT id, remote_id, title FROM media_items")
                assert {key: title for _, key, title in stored if key in listed} == listed
                assert len({key for _, key, _ in stored}) == len(stored)
                kept = {item_id for item_id, _, _ in stored}.union(one.id for one in await ms.list_removed())
                assert ids <= kept, "an id stays"
                ids = kept
                assert (await ms.check()).flaws == ()

    asyncio.run(check())


UPDATED = "SELECT id, updated_at FROM media_items"
TV = [
    show("s", provider_ids={"tvdb": "1"}),
    season("s1", "s"),
    episode("e1", "s1", 1, season_number=1),
    episode("x", "s1", 7, season_number=1),
]
RENAMED_TV = [
    show("S", provider_ids={"tvdb": "1"}),
    season("S1", "S"),
    episode("E1", "S1", 1, season_number=1, title="Other"),
    episode("E2", "S1", 2, season_number=1),
    episode("x", "S1", 7, season_number=1),
]
IN_FILE: dict[str, Any] = {"path": "/films/x.mkv"}
RUNS: dict[str, tuple[dict[str, list[object]], dict[str, list[object]]]] = {
    "film": (
        {"m": whole(movie("1", **IN_FILE), movie("2"))},
        {"m": whole(movie("9", title="New", **IN_FILE), movie("2"), movie("3"))},
    ),
    "another library": (
        {"m": whole(movie("1", **IN_FILE), movie("2")), "n": whole()},
        {"m": whole(movie("2")), "n": whole(movie("9", **IN_FILE))},
    ),
    "show": ({"m": whole(*TV)}, {"m": whole(*RENAMED_TV)}),
    "both listed": (
        {"m": whole(movie("1", **IN_FILE))},
        {"m": whole(movie("1", **IN_FILE), movie("9", **IN_FILE))},
    ),
    "either of two": (
        {"m": whole(movie("1", **IN_FILE), movie("2", **IN_FILE), movie("3"))},
        {"m": whole(movie("9", **IN_FILE), movie("3"))},
    ),
    "not whole": (
        {"m": whole(movie("1", **IN_FILE), movie("2"))},
        {"m": [movie("9", **IN_FILE), movie("2"), Enumerated(2, complete=False, reason="it broke off")]},
    ),
    "without its parent": (
        {"m": whole(*TV)},
        {"m": whole(*RENAMED_TV, episode("y", "nowhere", 1), movie("f", title=" "))},
    ),
}


@pytest.mark.parametrize("name", RUNS)
async def test_a_dry_run_recognises_what_the_run_that_follows_does(
    ms: MediaSync, clock: Clock, name: str
) -> None:
    before, after = RUNS[name]
    await ms.sync(FakeBackend(before))
    stored, updated = await public(ms), set(await rows(ms, UPDATED))
    clock.tick()
    dry = await ms.sync(FakeBackend(after), dry_run=True)
    assert await public(ms) == stored
    real = await ms.sync(FakeBackend(after))
    assert (dry.saved, dry.unchanged, dry.remarks) == (real.saved, real.unchanged, real.remarks)
    assert sorted(item_id for item_id, _ in dry.failed) == sorted(item_id for item_id, _ in real.failed)
    assert [(run.library_id, run.seen, run.unseen) for run in dry.libraries] == [
        (run.library_id, run.seen, run.unseen) for run in real.libraries
    ]
    written = set(await rows(ms, UPDATED)) - updated
    assert dry.removed == real.removed
    assert sorted(item_id for item_id, what in dry.changes if what != "removed") == sorted(
        item_id for item_id, _ in written
    )


async def test_a_dry_run_says_which_items_have_other_keys(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(*TV[:3])}))
    dry = await ms.sync(FakeBackend({"m": whole(*RENAMED_TV[:4])}), dry_run=True)
    assert dict(dry.changes) == {
        "fake:s": "its key, now 'S'",
        "fake:s1": "its key, now 'S1'",
        "fake:e1": "its key, now 'E1'",
        "fake:E2": "new",
    }
