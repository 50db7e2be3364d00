"""An item whose key changed is the same item, if a complete listing proves that the old key was removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import ENGINES
from support.items import cast, episode, movie, season, show
from support.mirror import Clock, public, rows, written

from mediasync import MediaItem, MediaSync, SyncReport
from mediasync.backends.base import Enumerated, Found
from mediasync.errors import SourceUnreachable
from mediasync.testing import FakeBackend

ALL = Enumerated(None)

Libraries = Mapping[str, Sequence[MediaItem | object]]


async def sync(ms: MediaSync, listed: Libraries, **options: object) -> SyncReport:
    """Sync libraries that are listed to their end, unless they state otherwise."""
    ended = (Enumerated, BaseException)
    scripts = {
        key: [*script, *([] if any(isinstance(step, ended) for step in script) else [ALL])]
        for key, script in listed.items()
    }
    return await ms.sync(FakeBackend(scripts), **options)


async def stored(ms: MediaSync) -> dict[str, tuple[str, str]]:
    """Return the key and the home of each item, by the item's own id without the source.

    Items count that are kept as removed.
    """
    kept = "SELECT id, remote_id, library_id FROM"
    found = await rows(ms, f"{kept} media_items UNION {kept} removed_items")
    return {item_id.partition(":")[2]: (key, home.partition(":")[2]) for item_id, key, home in found}


FILE = {"path": "/films/heat.mkv"}
IDS = {"provider_ids": {"imdb": "tt0113277", "tmdb": "949"}}


@pytest.mark.parametrize("same", [FILE, IDS, {"provider_ids": {"imdb": "tt0113277"}}, {**FILE, **IDS}])
async def test_an_item_with_a_new_key_keeps_its_id(ms, clock: Clock, same):
    await sync(ms, {"a": [movie("1", **FILE, **IDS, credits=cast("x")), movie("2")]})
    [(created,)] = await rows(ms, "SELECT created_at FROM media_items WHERE remote_id = '1'")
    clock.tick()
    report = await sync(ms, {"a": [movie("2"), movie("7", title="Heat", **same, credits=cast("x", "y"))]})
    assert await stored(ms) == {"1": ("7", "a"), "2": ("2", "a")}
    assert (report.run.seen, report.saved, report.failed) == (2, 1, ())
    assert report.libraries[0].unseen == 0
    item = await ms.media.get_media_item("fake:1")
    assert (item.title, len(item.cast)) == ("Heat", 2)
    assert await rows(ms, "SELECT created_at FROM media_items WHERE id = 'fake:1'") == [(created,)]


async def test_a_recognised_item_is_unchanged_in_the_next_sync(ms, clock: Clock):
    await sync(ms, {"a": [movie("1", **FILE, change_token="t")]})
    again = {"a": [movie("7", **FILE, change_token="u", credits=cast("x"))]}
    await sync(ms, again)
    clock.tick()
    views = await public(ms)
    report = await sync(ms, again)
    assert (report.saved, report.unchanged) == (0, 1)
    after = await public(ms)
    assert {name: found for name, found in after.items() if not name.startswith("sync_run")} == {
        name: found for name, found in views.items() if not name.startswith("sync_run")
    }


async def test_the_key_can_change_again_and_come_back(ms):
    for key in ("1", "7", "8", "1"):
        await sync(ms, {"a": [movie(key, **FILE)]})
        assert await stored(ms) == {"1": (key, "a")}


async def test_a_show_takes_its_seasons_and_episodes_along(ms):
    def library(prefix, *, known):
        ids = {"provider_ids": {"tvdb": "81189"}} if known else {}
        return [
            show(f"{prefix}", **ids),
            season(f"{prefix}-1", parent=prefix, season_number=1),
            season(f"{prefix}-2", parent=prefix, season_number=2),
            *(
                episode(f"{prefix}-{s}-{e}", parent=f"{prefix}-{s}", season_number=s, episode_number=e)
                for s in (1, 2)
                for e in (1, 2)
            ),
        ]

    await sync(ms, {"tv": library("old", known=True)})
    before = set(await stored(ms))
    await sync(ms, {"tv": library("new", known=True)})
    assert await stored(ms) == {item_id: (item_id.replace("old", "new"), "tv") for item_id in before}
    parents = dict(await rows(ms, "SELECT id, parent_id FROM media_items WHERE parent_id IS NOT NULL"))
    assert parents["fake:old-2-1"] == "fake:old-2"
    assert parents["fake:old-2"] == "fake:old"


async def test_an_episode_is_recognised_by_its_show_and_numbers(ms):
    above = [show("s"), season("s-1", parent="s", season_number=1)]
    first = episode("hdtv", parent="s-1", season_number=1, episode_number=1)
    await sync(ms, {"tv": [*above, first]})
    second = episode("web-dl", parent="s-1", season_number=1, episode_number=1)
    other = episode("e2", parent="s-1", season_number=1, episode_number=2)
    await sync(ms, {"tv": [*above, second, other]})
    assert await stored(ms) == {
        "s": ("s", "tv"),
        "s-1": ("s-1", "tv"),
        "hdtv": ("web-dl", "tv"),
        "e2": ("e2", "tv"),
    }


@pytest.mark.parametrize("order", [1, -1])
async def test_an_item_that_is_still_listed_is_never_taken_over(ms, order):
    await sync(ms, {"a": [movie("1", **FILE, **IDS)]})
    both = [movie("1", **FILE, **IDS), movie("7", **FILE, **IDS)][::order]
    await sync(ms, {"a": both})
    assert await stored(ms) == {"1": ("1", "a"), "7": ("7", "a")}


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
async def test_copies_in_two_libraries_stay_two_items(ms, names):
    first, second = names
    await sync(ms, {first: [movie("1", **IDS)]})
    libraries = {first: [movie("1", **IDS)], second: [movie("7", **IDS)]}
    await sync(ms, dict(sorted(libraries.items())))
    assert await stored(ms) == {"1": ("1", first), "7": ("7", second)}


async def test_a_key_that_another_library_lists_now_is_still_listed(ms):
    await sync(ms, {"a": [movie("1", **IDS), movie("2")], "b": [movie("3")]})
    await sync(ms, {"a": [movie("2"), movie("7", **IDS)], "b": [movie("3"), movie("1", **IDS)]})
    assert {key for key, _ in (await stored(ms)).values()} == {"1", "2", "3", "7"}


async def test_the_items_of_a_renamed_library_keep_their_ids(ms):
    films = [movie(str(n), path=f"/films/{n}.mkv") for n in range(5)]
    await sync(ms, {"old": films})
    moved = [movie(f"new-{n}", path=f"/films/{n}.mkv") for n in range(5)]
    report = await sync(ms, {"new": moved})
    assert await stored(ms) == {str(n): (f"new-{n}", "new") for n in range(5)}
    assert not report.failed
    assert not [item async for item in ms.media.iter_media_items("fake:old")]
    assert len([item async for item in ms.media.iter_media_items("fake:new")]) == 5


@pytest.mark.parametrize(
    "end", [Enumerated(None, complete=False, reason="cut off"), Enumerated(9, complete=False, reason="short")]
)
async def test_an_incomplete_listing_proves_nothing(ms, end):
    await sync(ms, {"a": [movie("1", **IDS)]})
    await sync(ms, {"a": [movie("7", **IDS), end]})
    assert await stored(ms) == {"1": ("1", "a")}, "the film with the new key waits"
    await sync(ms, {"a": [movie("7", **IDS)]})
    assert await stored(ms) == {"1": ("7", "a")}


async def test_a_run_of_other_libraries_proves_nothing(ms):
    await sync(ms, {"a": [movie("1", **IDS)], "b": []})
    await sync(ms, {"a": [], "b": [movie("7", **IDS)]}, libraries=["b"])
    assert await stored(ms) == {"1": ("1", "a")}, "the film with the new key waits"


async def test_an_interrupted_run_leaves_waiting_items_to_the_next(ms):
    await sync(ms, {"a": [movie("1", **IDS), movie("2")]})
    with pytest.raises(SourceUnreachable):
        await sync(ms, {"a": [movie("7", **IDS), movie("8"), SourceUnreachable("fake", "it went away")]})
    assert set(await stored(ms)) == {"1", "2", "8"} or set(await stored(ms)) == {"1", "2"}
    await sync(ms, {"a": [movie("7", **IDS), movie("8"), movie("2")]})
    assert await stored(ms) == {"1": ("7", "a"), "2": ("2", "a"), "8": ("8", "a")}


async def test_ambiguous_items_are_not_guessed(ms):
    await sync(ms, {"a": [movie("1", **IDS)]})
    report = await sync(ms, {"a": [movie("7", **IDS), movie("8", **IDS)]})
    assert await stored(ms) == {"1": ("1", "a"), "7": ("7", "a"), "8": ("8", "a")}
    assert {subject for subject, _ in report.remarks} == {"fake:7", "fake:8"}
    assert all("fake:1" in text for _, text in report.remarks)


async def test_the_stronger_evidence_counts(ms):
    await sync(ms, {"a": [movie("1", **IDS, path="/one.mkv"), movie("2", **IDS, path="/two.mkv")]})
    await sync(ms, {"a": [movie("8", **IDS, path="/two.mkv"), movie("7", **IDS, path="/one.mkv")]})
    assert await stored(ms) == {"1": ("7", "a"), "2": ("8", "a")}


async def test_contradicting_ids_mean_two_films(ms):
    await sync(ms, {"a": [movie("1", provider_ids={"imdb": "tt1", "tmdb": "1"})]})
    await sync(ms, {"a": [movie("7", provider_ids={"imdb": "tt1", "tmdb": "2"})]})
    assert set(await stored(ms)) == {"1", "7"}


async def test_the_same_id_on_another_type_is_not_evidence(ms):
    await sync(ms, {"a": [movie("1", provider_ids={"tmdb": "949"})]})
    await sync(ms, {"a": [show("7", provider_ids={"tmdb": "949"})]})
    assert set(await stored(ms)) == {"1", "7"}


async def test_saves_by_the_new_key_reach_the_item(ms):
    await sync(ms, {"tv": [show("s", **FILE)]})
    await sync(ms, {"tv": [show("t", **FILE)]})
    result = await ms.media.save_media_item(show("t", title="New"), library_id="tv", source_id="fake")
    assert result.id == "fake:s"
    child = season("t-1", parent="t", season_number=1)
    await ms.media.save_media_item(child, library_id="tv", source_id="fake")
    assert (await ms.media.get_media_item("fake:t-1")).parent_id == "fake:s"


async def test_an_old_key_may_be_given_to_another_item(ms):
    await sync(ms, {"a": [movie("1", **FILE)]})
    await sync(ms, {"a": [movie("7", **FILE)]})
    await sync(ms, {"a": [movie("7", **FILE), movie("1", title="Another")]})
    assert await stored(ms) == {"1": ("7", "a"), "1~2": ("1", "a")}
    before = await written(ms)
    report = await sync(ms, {"a": [movie("7", **FILE), movie("1", title="Another")]})
    assert report.unchanged == 2
    assert (await ms.media.get_media_item("fake:1~2")).title == "Another"
    assert before != await written(ms)  # the record of the run


async def test_an_item_that_cannot_be_stored_is_reported_and_the_others_are_saved(ms):
    await sync(ms, {"a": [movie("1", **IDS)]})
    bad = movie("bad", title="\ud800", **IDS)
    report = await sync(ms, {"a": [bad, movie("7", **IDS)]})
    assert [item_id for item_id, _ in report.failed] == ["fake:bad"]
    assert await stored(ms) == {"1": ("7", "a")}


async def test_changed_people_wait_with_their_item(ms):
    await sync(ms, {"a": [movie("1", **FILE, credits=cast("a", "b"))]})
    found = Found(movie("7", **FILE, credits=cast("b", "c")), problems=("its year cannot be read",))
    report = await sync(ms, {"a": [found]})
    credits_now = await ms.people.find_by_media_item("fake:1")
    assert [credit.person.name for credit in credits_now] == [credit.person.name for credit in cast("b", "c")]
    assert report.problems == (("fake:7", "its year cannot be read"),)


KEYS = st.integers(0, 5)
STEPS = st.lists(
    st.tuples(st.sampled_from(["rename", "copy", "remove", "add", "move"]), KEYS, KEYS),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("engine", ENGINES[:1], ids=["sqlite"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(steps=STEPS)
async def test_after_a_whole_sync_each_listed_item_is_stored_once(engine, steps):
    """Random renames, copies and moves: no two listed items become one, and none is stored twice."""
    async with MediaSync("sqlite:///:memory:") as ms:
        files: dict[str, tuple[str, int]] = {str(n): ("a", n) for n in range(3)}
        count, ids = 3, {}
        for step, first, second in steps:
            keys = sorted(files)
            key = keys[first % len(keys)] if keys else None
            match step:
                case "add":
                    files[str(count)] = ("ab"[second % 2], count)
                case "rename" if key:
                    files[str(count)] = files.pop(key)
                case "copy" if key:
                    files[str(count)] = ("ab"[second % 2], files[key][1])
                case "remove" if key:
                    del files[key]
                case "move" if key:
                    files[key] = ("ab"[second % 2], files[key][1])
            count += 1
            listed = {
                name: [movie(key, path=f"/{film}.mkv") for key, (home, film) in files.items() if home == name]
                or [movie("keeper" + name)]
                for name in ("a", "b")
            }
            await sync(ms, listed)
            found = await rows(ms, "SELECT remote_id, id, path FROM media_items")
            current = [key for key, _, _ in found]
            assert len(current) == len(set(current))
            assert set(files) <= set(current)
            assert {key: path for key, _, path in found if key in files} == {
                key: f"/{film}.mkv" for key, (_, film) in files.items()
            }
            for key, item_id, _ in found:
                assert ids.setdefault(key, item_id) == item_id or key in files
