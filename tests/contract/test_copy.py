"""A whole mirror can be copied to another database, and a copy can be brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.copies import (
    COUNTS,
    PAIRS,
    RICH,
    change,
    fill,
    filled,
    new_urls,
    record_runs,
    shown,
    write_film,
)
from support.engines import Engine
from support.items import MOVIES, cast, credit, movie, person
from support.mirror import Clock, prepared, public, rows, value, written
from support.postgres import in_thread

from mediasync import MediaSync, SaveStatus, Source, copy_mirror
from mediasync.backends.base import Remark
from mediasync.errors import ConfigurationError, DatabaseError, DatabaseMissing
from mediasync.repositories.runs import RunRepository
from mediasync.testing import FakeBackend, database_of
from mediasync.vocabulary import RunStatus

pytestmark = pytest.mark.slow


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The URLs of a new origin and a new target, for each combination of engines."""
    return new_urls(request.param, tmp_path)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with two films, and one whose file is broken."""
    folder = tmp_path / "films"
    for name in ("Heat", "Ronin"):
        write_film(folder, name, "Robert De Niro", "Zoë Ångström")
    (folder / "movies" / "Broken").mkdir()
    (folder / "movies" / "Broken" / "movie.nfo").write_text("<movie><title>")
    return folder


# What is there afterwards


async def test_both_show_the_same_and_the_copy_can_be_used(urls: tuple[str, str], library: Path) -> None:
    before = await filled(urls[0], library)
    assert all(before.values()), "each view has something to compare"
    report = await copy_mirror(*urls)
    assert report.rows == {view: len(found) for view, found in before.items() if view not in COUNTS}
    stored = {view: len(before[view]) for view in report.copied}
    stored["media_items"] += len(before["removed_items"])
    stored["people"] += 1  # nobody but the removed item credits one of them
    assert report.copied == stored
    assert not any(report.unchanged.values())
    assert await shown(urls[1]) == before
    assert await shown(urls[0]) == before

    async with MediaSync(urls[0], read_only=True) as ms:
        assert (await ms.check()).flaws == ()
    async with MediaSync(urls[1]) as ms:
        assert (await ms.check()).flaws == ()
        assert [found.name for found in await ms.people.search("zizek rene")] == ["Renée Žižek"]
        assert [found.name for found in await ms.people.search("with cred")] == ["Without Credits"]
        assert (await ms.media.save_media_item(RICH, **MOVIES)).status is SaveStatus.UNCHANGED
        again = await ms.sync(f"films=nfo:{library}")
        assert (again.saved, again.unchanged) == (0, 2)
        assert again.run.id == 1 + max(run_id for run_id, *_ in before["sync_runs"])
        await ms.media.save_media_item(movie("new", credits=cast("a", "new")), **MOVIES)
        assert (await ms.check()).flaws == ()


async def test_data_that_no_view_shows_is_copied_too(urls: tuple[str, str], library: Path) -> None:
    await filled(urls[0], library)
    await copy_mirror(*urls)
    hidden = "SELECT id, item_fingerprint, credits_fingerprint, change_token FROM media_item"
    words = "SELECT p.id, w.word FROM person_word w JOIN person p ON p.person_key = w.person_key"
    async with MediaSync(urls[0]) as origin, MediaSync(urls[1]) as target:
        for query in (hidden, words):
            ours, theirs = await rows(origin, query), await rows(target, query)
            assert len(ours) > 10
            assert sorted(ours, key=repr) == sorted(theirs, key=repr)


async def test_a_second_copy_writes_nothing(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    first = await copy_mirror(*urls)
    async with MediaSync(urls[1]) as target:
        stored = await written(target)
        second = await copy_mirror(*urls)
        assert await written(target) == stored
    assert not any(second.copied.values())
    assert second.unchanged == first.copied
    assert second.rows == first.rows


async def test_the_origin_is_not_changed(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    async with MediaSync(urls[0]) as origin:
        stored = await written(origin)
        await copy_mirror(*urls)
        assert await written(origin) == stored


async def test_the_origin_is_read_in_one_snapshot(urls: tuple[str, str]) -> None:
    before = await filled(urls[0])
    told: list[str] = []

    def tell(what: str, _done: int, _total: int) -> None:
        if what not in told:
            told.append(what)
            in_thread(write_anew(urls[0], f"a{len(told)}"))

    await copy_mirror(*urls, on_progress=tell)
    assert len(told) == 8
    assert await shown(urls[1]) == before
    assert (await copy_mirror(*urls)).copied["sources"] == 8


async def write_anew(url: str, source_id: str) -> None:
    """Save a source, a person and an item in addition to the stored ones."""
    async with MediaSync(url) as ms:
        await ms.media.save_source(Source(id=source_id, kind="nfo"))
        await ms.media.save_media_item(movie(source_id, credits=cast(source_id)), **MOVIES)


async def test_an_empty_mirror(urls: tuple[str, str]) -> None:
    async with MediaSync(urls[0]):
        pass
    report = await copy_mirror(*urls)
    assert not any(report.rows.values())
    async with MediaSync(urls[1]) as ms:
        await prepared(ms)
        await database_of(ms).write(record_runs)
        assert await value(ms, "SELECT min(id) AS first FROM sync_runs") == 1


async def test_changes_in_the_origin_are_copied(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    await copy_mirror(*urls)
    clock = Clock()
    clock.tick(1_000_000)
    async with MediaSync(urls[0], clock=clock) as ms:
        changed = RICH.model_copy(update={"genres": ["Other"], "images": {}, "ratings": []})
        changed.credits = [credit("a", "Another Name"), credit("fresh")]
        await ms.media.save_media_item(changed, **MOVIES)
        await ms.media.save_source(Source(id="away", kind="plex", name="Far away"))
        run_id = await value(ms, "SELECT max(id) FROM sync_runs WHERE source_id = 'home'")
        counts = {"seen": 1, "saved": 1, "unchanged": 0, "failed": 0}

        async def end(session: Any) -> None:
            runs = RunRepository(session)
            await runs.finish(run_id, RunStatus.SUCCEEDED, **counts, error=None)
            await runs.add_problems(run_id, [("remark", "a", "b")])

        await database_of(ms).write(end)
        now = await public(ms)
    report = await copy_mirror(*urls)
    assert report.copied == {
        "sources": 1,
        "libraries": 0,
        "people": 5,
        "media_items": 1,
        "sync_runs": 1,
        "sync_run_problems": 1,
        "changes": 6,
    }
    assert await shown(urls[1]) == now
    async with MediaSync(urls[1]) as ms:
        assert [found.name for found in await ms.people.search("another")] == ["Another Name"]
        assert (await ms.check()).flaws == ()


async def test_a_problem_that_has_ended_since_is_copied(urls: tuple[str, str]) -> None:
    clock = Clock()

    async def sync(*names: str) -> dict[str, list[tuple[Any, ...]]]:
        clock.tick()
        async with MediaSync(urls[0], clock=clock) as ms:
            await ms.sync(FakeBackend({"m": [Remark(name, "a video without an NFO file") for name in names]}))
            return await public(ms)

    await sync("a", "b")
    await sync("a", "b")
    await copy_mirror(*urls)
    now = await sync("b")
    report = await copy_mirror(*urls)
    assert (report.copied["sync_runs"], report.unchanged["sync_runs"]) == (1, 2)
    assert (report.copied["sync_run_problems"], report.unchanged["sync_run_problems"]) == (1, 1)
    assert await shown(urls[1]) == now
    async with MediaSync(urls[1]) as ms:
        assert await value(ms, "SELECT count(*) FROM run_problem") == 2
        await ms.sync(FakeBackend({"m": [Remark("b", "a video without an NFO file")]}))
        assert await value(ms, "SELECT count(*) FROM run_problem") == 2, "the copy goes on where it ended"


# Other programs


async def test_writes_of_another_program_during_the_copy_are_found(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    sql = "UPDATE media_item SET title = 'Other' WHERE id = 'home:m3'"

    def tell(what: str, done: int, _total: int) -> None:
        if (what, done) == ("sync_runs", 0):
            in_thread(change(urls[1], sql))

    with pytest.raises(DatabaseError, match="media_items differs at 'home:m3'"):
        await copy_mirror(*urls, on_progress=tell)


# Refusals


async def other_source(ms: MediaSync, _clock: Clock) -> None:
    await ms.media.save_source(Source(id="other", kind="nfo"))


async def same_source_made_elsewhere(ms: MediaSync, clock: Clock) -> None:
    clock.tick()
    await ms.media.save_source(Source(id="home", kind="jellyfin", name="Home"))


async def more_items(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    await ms.media.save_media_item(movie("more"), **MOVIES)


async def more_people(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    await ms.people.upsert(person("more", source_id="home"))


async def newer_item(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    clock.tick()
    await ms.media.save_media_item(RICH.model_copy(update={"title": "Newer"}), **MOVIES)


async def more_runs(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    clock.tick()
    await database_of(ms).write(record_runs)


REFUSED = [
    (other_source, "the target holds the source 'other', which the origin does not have"),
    (same_source_made_elsewhere, "the source 'home', which is not the origin's"),
    (more_items, "the item 'home:more', which the origin does not have"),
    (more_people, "the person 'home:more', which the origin does not have"),
    (newer_item, "the item 'home:rich', which is newer than the origin's"),
    (more_runs, "the run 2, which is newer than the origin's"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("engines", PAIRS[:2], ids=lambda pair: f"to {pair[1].name}")
async def test_a_target_with_other_data_is_refused(
    engines: tuple[Engine, Engine], tmp_path: Path, make: Any, message: str
) -> None:
    urls = new_urls(engines, tmp_path)
    await filled(urls[0])
    clock = Clock()
    async with MediaSync(urls[1], clock=clock) as target:
        await make(target, clock)
        stored, seen = await written(target), await public(target)
        with pytest.raises(ConfigurationError, match=message) as refused:
            await copy_mirror(*urls)
        assert "Nothing was changed" in str(refused.value)
        assert await written(target) == stored
        assert await public(target) == seen


async def test_rows_that_another_program_updated_meanwhile_are_not_overwritten(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    await copy_mirror(*urls)
    sql = "UPDATE media_item SET title = :title, updated_at = updated_at + :more WHERE id = 'home:rich'"
    await change(urls[1], sql, title="Older", more=-1)

    def tell(what: str, done: int, _total: int) -> None:
        if (what, done) == ("sources", 0):
            in_thread(change(urls[1], sql, title="Newer", more=2))

    with pytest.raises(ConfigurationError, match="item 'home:rich', which is newer than the origin's"):
        await copy_mirror(*urls, on_progress=tell)
    async with MediaSync(urls[1], read_only=True) as target:
        assert await value(target, "SELECT title FROM media_items WHERE id = 'home:rich'") == "Newer"


async def test_a_missing_origin_creates_no_target(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        await copy_mirror(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_database_is_not_copied_into_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    await filled(url)
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    for target in (url, f"sqlite:///{tmp_path}/../{tmp_path.name}/a.db", f"sqlite:///{tmp_path}/link.db"):
        with pytest.raises(ConfigurationError, match="the same database"):
            await copy_mirror(url, target)
