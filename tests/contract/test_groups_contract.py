"""Saves of many items are written in groups and parts, whose borders do not affect the result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from contract.model import Model, SaveItem
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import Clock, prepared, rows

from mediasync import MediaItem, MediaSync
from mediasync.app import make_backend
from mediasync.errors import ConfigurationError
from mediasync.repositories.items import MediaRepository
from mediasync.saving import writer
from mediasync.saving.store import CREDITS_PER_PART, ITEMS_PER_PART

pytestmark = pytest.mark.slow

NUMBER = 640


def first(n: int) -> MediaItem:
    return movie(f"{n}", title="First", credits=[credit(f"p{n % 90}", f"Name {n}"), credit(None, f"Own {n}")])


def second(n: int) -> MediaItem:
    """Return one of many possible second states of an item."""
    match n % 6:
        case 0:
            return first(n)
        case 1:
            return movie(f"{n}", title="Second")
        case 2:
            return movie(f"{n}", title="Second", credits=[credit("x", "Other")], completeness="preview")
        case 3:
            return movie(f"{n}", title="First", credits=[credit(f"p{n % 90}", "Renamed", role="New")])
        case 4:
            return movie(
                f"new{n}", credits=[credit(f"q{n}", image_path="i"), credit("p1", provider_ids={"imdb": "1"})]
            )
        case _:
            return movie(f"{n}", title="First", credits=[], completeness="full")


async def seen(ms: MediaSync) -> dict[str, Any]:
    return {
        "items": await rows(ms, "SELECT id, title, completeness FROM media_items ORDER BY id"),
        "credits": await rows(
            ms,
            "SELECT media_item_id, person_id, person_type, role, sort_order FROM media_people "
            "ORDER BY media_item_id, sort_order",
        ),
        "people": await rows(ms, "SELECT id, name, image_path FROM people ORDER BY id"),
    }


def expected(model: Model) -> dict[str, Any]:
    return {
        "items": [(key, one.fields[0], one.completeness) for key, one in sorted(model.items.items())],
        "credits": [
            (key, *one_credit, order)
            for key, one in sorted(model.items.items())
            for order, one_credit in enumerate(one.credits)
        ],
        "people": [
            (key, one.row[1], one.row[2] or None)
            for key, one in sorted(model.people.items())
            if not one.hidden
        ],
    }


@pytest.mark.parametrize("seconds", [60, -1], ids=["one transaction", "one for each part"])
@pytest.mark.parametrize("concurrency", [7, 300, 4_000])
async def test_saving_many_items_equals_saving_one_after_the_other(
    url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float, concurrency: int
) -> None:
    monkeypatch.setattr(writer, "MAX_GROUP_SECONDS", seconds)
    model = Model()
    async with MediaSync(url, clock=clock, writers=1) as ms:
        await prepared(ms)
        for make in (first, second):
            model.now = clock.tick()
            told = [SaveItem(make(n)).apply(model) for n in range(NUMBER)]
            report = await ms.media.save_media_items(
                map(make, range(NUMBER)), concurrency=concurrency, **MOVIES
            )
            assert (report.saved, report.unchanged) == (told.count("saved"), told.count("unchanged"))
            assert await seen(ms) == expected(model)
        assert (await ms.check()).flaws == ()


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of items in each query of the database."""
    find_states = MediaRepository.find_current_states
    sizes: list[int] = []

    async def noted(self: Any, item_ids: Sequence[str], **options: Any) -> Any:
        sizes.append(len(item_ids))
        return await find_states(self, item_ids, **options)

    monkeypatch.setattr(MediaRepository, "find_current_states", noted)
    return sizes


async def test_the_writer_waits_for_a_stream_that_goes_on(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    """An idle database gets one query for a group, not one for each few items of a stream."""
    monkeypatch.setattr(writer, "_MAX_GATHERING_SECONDS", 60)
    await ms.media.save_media_items([movie(f"{n}") for n in range(NUMBER)], **MOVIES)
    assert ITEMS_PER_PART <= sizes[0] < NUMBER
    sizes.clear()
    await ms.media.save_media_item(movie("one"), **MOVIES)
    assert sizes == [1, 1], "looked at, and looked at again under the lock"


async def test_items_of_many_credits_are_handled_few_at_a_time(ms: MediaSync, sizes: list[int]) -> None:
    cast = [credit(f"{n}") for n in range(CREDITS_PER_PART // 10)]
    items = [movie(f"{n}", credits=cast) for n in range(25)]
    await ms.media.save_media_items(
        [*items, movie("large", credits=[credit(f"{n}") for n in range(9_000)])], **MOVIES
    )
    assert max(sizes) == 10
    assert await rows(ms, "SELECT count(*) AS n FROM media_people") == [(25 * len(cast) + 9_000,)]


async def test_the_answers_of_a_large_group_do_not_block_the_event_loop(ms: MediaSync) -> None:
    gathered = asyncio.Event()
    busy = asyncio.create_task(ms._writer.run(lambda _: gathered.wait()))
    await asyncio.sleep(0)
    saves = [asyncio.create_task(ms.media.save_media_item(movie(f"{n}"), **MOVIES)) for n in range(3_000)]
    while len(ms._writer._waiting) < len(saves):
        await asyncio.sleep(0)
    gathered.set()
    answered, most = 0, 0
    while not all(save.done() for save in saves):
        before, answered = answered, sum(save.done() for save in saves)
        most = max(most, answered - before)
        await asyncio.sleep(0)
    await busy
    assert 0 < most <= 1_000


async def test_the_last_save_of_an_item_wins_beyond_one_group(ms: MediaSync) -> None:
    taken = asyncio.Event()

    async def stream() -> AsyncIterator[MediaItem]:
        yield movie("a", title="First")
        yield movie("a", title="Second")
        for n in range(1_200):
            yield movie(f"{n}")
        yield movie("a", title="Last")
        taken.set()

    busy = asyncio.create_task(ms._writer.run(lambda _: taken.wait()))
    await asyncio.sleep(0)
    report = await ms.media.save_media_items(stream(), concurrency=10_000, **MOVIES)
    await busy
    assert report.saved == 1_203
    assert (await ms.media.get_media_item("home:a")).title == "Last"


@pytest.mark.parametrize("seconds", [60, -1])
async def test_families_larger_than_a_part(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(writer, "MAX_GROUP_SECONDS", seconds)
    family: list[MediaItem] = []
    for n in range(60):
        family += [episode(f"{n}-1-{k}", parent=f"{n}-1", credits=[credit(f"{k}")]) for k in range(8)]
        family += [season(f"{n}-1", parent=f"{n}"), show(f"{n}")]
    family += [season("lost", parent="none"), episode("below", parent="lost")]
    report = await ms.media.save_media_items(family, **SHOWS)
    assert report.saved == 600
    assert sorted(item_id for item_id, _ in report.failed) == ["home:below", "home:lost"]
    assert await rows(ms, "SELECT count(*) AS n FROM media_items WHERE parent_id IS NULL") == [(60,)]
    assert await rows(ms, "SELECT count(*) AS n FROM media_people") == [(480,)]
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize(
    ("text", "source_id"),
    [
        ("nfo:films", "nfo-films"),
        ("nfo:some/My Library", "nfo-my-library"),
        ("home=nfo:films", "home"),
        ("nfo:Ünïcödé", "nfo-unicode"),
    ],
)
def test_a_source_without_a_name_gets_one_by_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, source_id: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make: Callable[[str], Any] = make_backend
    assert make(text).source.id == source_id
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert make(text).source.id == source_id


def test_a_folder_without_a_usable_name() -> None:
    with pytest.raises(ConfigurationError, match="NAME=nfo"):
        make_backend("nfo:/映画")
