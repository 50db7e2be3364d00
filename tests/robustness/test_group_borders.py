"""Saves of many items are written in groups and parts, whose borders do not affect the result."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from contract.model import Model, SaveItem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import POSTGRES, SQLITE_FILE, SQLITE_MEMORY
from support.identities import one, people, save
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import Clock, prepared, rows

from mediasync import Credit, MediaItem, MediaSync
from mediasync.repositories.items import MediaRepository
from mediasync.saving import store, writer
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
@pytest.mark.parametrize("concurrency", [7, 4_000])
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


# Any grouping gives what one film after the other gives, and that is what the rules say

one_credit = st.builds(
    one,
    st.sampled_from(["Ann", "Bo"]),
    role=st.sampled_from([None, "x"]),
    **{provider: st.sampled_from(["1", "2"]) for provider in ("tmdb", "imdb")},
)
partial = st.builds(
    lambda made, keep: one(
        made.person.name,
        role=made.role,
        **{key: value for key, value in made.person.provider_ids.items() if key in keep},
    ),
    one_credit,
    st.sampled_from([(), ("tmdb",), ("imdb",), ("tmdb", "imdb")]),
)
streams = st.lists(st.lists(partial, min_size=1, max_size=3), min_size=2, max_size=8)
_numbers = count()


@pytest.mark.parametrize(
    ("engine", "options", "part"),
    [(SQLITE_FILE, {}, 500), (SQLITE_FILE, {}, 2), (POSTGRES, {"writers": 4}, 2)],
    ids=["in one part", "in several parts", "by several writers"],
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists=streams)
async def test_identities_do_not_depend_on_the_grouping(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    engine: Any,
    options: dict[str, Any],
    part: int,
    lists: list[list[Credit]],
) -> None:
    monkeypatch.setattr(store, "ITEMS_PER_PART", part)
    seen = []
    for url, together in (
        (SQLITE_MEMORY.new_url(Path()), False),
        (engine.new_mirror_url(tmp_path_factory.mktemp(f"db{next(_numbers)}")), True),
    ):
        async with MediaSync(url, clock=Clock(), **(options if together else {})) as ms:
            await prepared(ms)
            if together:
                films = [movie(f"{place:03}", credits=credits_) for place, credits_ in enumerate(lists, 1)]
                report = await ms.media.save_media_items(films, **MOVIES)
                assert report.failed == []
            else:
                await save(ms, *lists)
            assert (await ms.check()).flaws == ()
            found = await people(ms)
            for name, ids in found.values():
                assert name
                assert all(ids.values())
            seen.append((found, await rows(ms, "SELECT * FROM media_people ORDER BY 1, 5")))
    assert seen[0] == seen[1]
