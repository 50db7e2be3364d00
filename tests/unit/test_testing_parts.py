"""The parts of `mediasync.testing` that need no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection

import pytest

from mediasync import Library, MediaSync, Source, testing
from mediasync.backends.base import (
    Backend,
    Enumerated,
    Finding,
    Found,
    FoundPerson,
    Remark,
    Stored,
    Unreadable,
    Watermark,
)
from mediasync.errors import LifecycleError, SourceUnreachable
from mediasync.testing import (
    FakeBackend,
    FakeClock,
    RecordingSink,
    Step,
    count_waiting_writes,
    database_of,
    hold_writes,
    make_cast,
    make_episode,
    make_movie,
    make_person,
    make_season,
    make_show,
)

GONE = SourceUnreachable("fake", "gone")


def test_every_name_can_be_imported() -> None:
    assert all(getattr(testing, name) for name in testing.__all__)
    assert set(testing.__all__) <= set(dir(testing))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = testing.nothing  # type: ignore[attr-defined]


def test_they_are_what_they_stand_for() -> None:
    _backend: Backend = FakeBackend()
    _stored: Stored = RecordingSink()


def test_a_clock_stands_still() -> None:
    clock = FakeClock(7)
    assert (clock(), clock(), clock.tick(3), clock()) == (7, 7, 10, 10)


def test_factories_make_a_tree() -> None:
    show, season, episode = make_show(), make_season(), make_episode()
    assert season.parent_remote_id == show.remote_id
    assert episode.parent_remote_id == season.remote_id
    assert make_movie("7", title="Ran").title == "Ran"


async def test_a_sink_records_what_a_backend_finds() -> None:
    steps: list[Step] = [
        Found(make_movie("1", credits=make_cast("p1", "p2"), change_token="a"), ("its year is odd",)),
        Found(make_movie("2", change_token="b"), failure="half of it is broken"),
        Unreadable("3", "it is broken"),
        Remark("4", "it has no cast"),
        FoundPerson(make_person("p1", "Ann", image_path="ann.jpg")),
        Watermark("noon"),
        Enumerated(3),
    ]
    backend, sink = FakeBackend({"films": steps}), RecordingSink()
    await sink.read(backend)
    assert [library.id for library in sink.libraries] == ["films"]
    assert list(sink.items) == ["1", "2"]
    assert sink.problems == {"1": ("its year is odd",)}
    assert sink.failures == {"2": "half of it is broken", "3": "it is broken"}
    assert sink.remarks == [("4", "it has no cast")]
    assert sink.people["p1"].image_path == "ann.jpg"
    assert (sink.ends, sink.watermark, sink.unchanged) == ([Enumerated(3)], "noon", [])
    assert (backend.opened, backend.closed, backend.yielded) == (1, 1, 7)


class Asking(FakeBackend):
    """Asks what is stored before it reads."""

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        self.people = set(await stored.find_people(["p1", "px"]))
        self.items = await stored.find_items_crediting(["p2", "px"])
        async for finding in super().iter_items(library, stored, only=only):
            yield finding


async def test_the_next_reading_is_handed_what_the_last_one_found() -> None:
    film = make_movie("1", credits=make_cast("p1", "p2"), change_token="a")
    backend, sink = Asking({"films": [film, Watermark("noon")]}), RecordingSink()
    await sink.read(backend)
    assert (backend.people, backend.items, backend.watermark) == (set(), set(), "")
    await sink.read(backend, only=["1"])
    assert (sink.unchanged, sink.items) == (["1"], {})
    assert (backend.people, backend.items, backend.watermark) == ({"p1"}, {"1"}, "noon")
    assert (backend.tokens, backend.asked) == ({"films": {"1": "a"}}, {"films": {"1"}})


@pytest.mark.parametrize(
    "backend",
    [
        FakeBackend({"films": []}, open_error=GONE),
        FakeBackend({"films": []}, list_error=GONE),
        FakeBackend({"films": []}, close_error=GONE),
    ],
    ids=["open", "list", "close"],
)
async def test_a_backend_fails_at_the_step_of_its_script(backend: FakeBackend) -> None:
    with pytest.raises(SourceUnreachable):
        await RecordingSink().read(backend)


async def test_what_was_found_before_an_error_stays_recorded() -> None:
    sink = RecordingSink()
    with pytest.raises(SourceUnreachable):
        await sink.read(FakeBackend({"films": [make_movie("1"), GONE]}))
    assert list(sink.items) == ["1"]


async def test_an_event_is_waited_for() -> None:
    event = asyncio.Event()
    backend, sink = FakeBackend({"films": [event, make_movie("1")]}), RecordingSink(tokens={"0": "x"})
    reading = asyncio.create_task(sink.read(backend))
    await backend.waiting.wait()
    assert sink.findings == []
    event.set()
    await reading
    assert sink.tokens == {"0": "x", "1": ""}


async def test_writes_are_held_until_the_last_block_ends() -> None:
    async with MediaSync("sqlite:///:memory:") as ms:
        with hold_writes(ms):
            with hold_writes(ms):
                saves = [
                    asyncio.create_task(ms.media.save_source(Source(id=name, kind="nfo"))) for name in "ab"
                ]
                while count_waiting_writes(ms) < 2:
                    await asyncio.sleep(0)
            await ms.people.count()
            assert (count_waiting_writes(ms), await ms.media.list_sources()) == (2, [])
        await asyncio.gather(*saves)
        assert count_waiting_writes(ms) == 0
        assert [source.id for source in await ms.media.list_sources()] == ["a", "b"]


async def test_a_write_that_has_begun_is_not_held() -> None:
    async with MediaSync("sqlite:///:memory:") as ms:
        saving = asyncio.create_task(ms.media.save_source(Source(id="a", kind="nfo")))
        while not database_of(ms).transactions_begun():
            await asyncio.sleep(0)
        with hold_writes(ms):
            await saving
        assert database_of(ms).transactions_begun() == 1


async def test_closing_fails_writes_that_are_held() -> None:
    async with MediaSync("sqlite:///:memory:", close_timeout=0) as ms:
        with hold_writes(ms):
            saving = asyncio.create_task(ms.media.save_source(Source(id="a", kind="nfo")))
            while not count_waiting_writes(ms):
                await asyncio.sleep(0)
            await ms.close()
            with pytest.raises(LifecycleError, match="closed before this was saved"):
                await saving
