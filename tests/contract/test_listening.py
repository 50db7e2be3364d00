"""A watch listens to the events of its sources, and goes on without them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.items import movie
from support.mirror import Clock

from mediasync import MediaSync, Source, SourceConfig
from mediasync.backends.base import Backend, Enumerated
from mediasync.database.session import Session
from mediasync.errors import ConfigurationError, SourceUnreachable
from mediasync.events import Event, Hinted, ListeningEnded, ListeningStarted, RunFinished, TargetsTaken
from mediasync.hints import Hint, HintKind
from mediasync.settings.source_kinds import SOURCE_KINDS, SourceKindSpec
from mediasync.syncing.debounce import MOST_TARGETS
from mediasync.testing import FakeBackend
from mediasync.testing.database import database_of

CHANGED = Hint(HintKind.CHANGED, remote_ids=("1",))


@dataclass
class Talking:
    """A source that reports what is put into it; an exception ends the connection."""

    said: asyncio.Queue[Hint | BaseException] = field(default_factory=asyncio.Queue)
    films: list[Any] = field(default_factory=list)
    backends: int = 0

    def backend(self) -> Backend:
        self.backends += 1
        return _TalkingBackend(
            {"m": [*self.films, Enumerated(None)]}, Source(id="talk", kind="talk"), said=self.said
        )


@dataclass
class _TalkingBackend(FakeBackend):
    said: asyncio.Queue[Hint | BaseException] = field(default_factory=asyncio.Queue)

    async def listen(self, on_start: Callable[[], None] | None = None) -> AsyncGenerator[Hint, None]:
        if on_start is not None:
            on_start()
        while True:
            hint = await self.said.get()
            if isinstance(hint, BaseException):
                raise hint
            yield hint


_talking: dict[str, Talking] = {}


@pytest.fixture
def talking() -> Talking:
    """The source ``talk=talk:x``, as the kinds of source make it."""
    if "talk" not in SOURCE_KINDS:
        SOURCE_KINDS.register(
            SourceKindSpec("talk", lambda _config, _context: _talking["now"].backend(), address="path")
        )
    _talking["now"] = Talking(films=[movie("1", title="Heat")])
    return _talking["now"]


def config(**settings: Any) -> SourceConfig:
    return SourceConfig.model_validate({"id": "talk", "kind": "talk", "folder": "x", **settings})


class Followed:
    def __init__(self, events: AsyncGenerator[Event]) -> None:
        self._events = events

    async def next(self, *kinds: type[Event]) -> Any:
        async for event in self._events:
            if isinstance(event, kinds):
                return event
        raise AssertionError("the watch ended")


@asynccontextmanager
async def followed(ms: MediaSync, source: Any, **options: Any) -> AsyncIterator[Followed]:
    async with asyncio.timeout(20), aclosing(ms.watch([source], **options).__aiter__()) as events:
        yield Followed(events)


async def due_kinds(ms: MediaSync, *kinds: HintKind) -> None:
    while [due.kind for due in await ms.list_due("talk")] != list(kinds):
        await asyncio.sleep(0.001)


async def test_what_a_source_reports_is_read(ms: MediaSync, clock: Clock, talking: Talking) -> None:
    await ms.sync(config())
    talking.films[:] = [movie("1", title="Heat (1995)")]
    async with followed(ms, config()) as watch:
        await watch.next(ListeningStarted)
        talking.said.put_nowait(CHANGED)
        assert (await watch.next(Hinted)).hint == CHANGED
        await due_kinds(ms, HintKind.CHANGED)
        clock.now += 1_000
        assert (await watch.next(TargetsTaken)).keys == ("1",)
        await watch.next(RunFinished)
    assert (await ms.media.get_media_item("talk:1")).title == "Heat (1995)"


async def test_after_a_lost_connection_the_source_is_synced(
    ms: MediaSync, clock: Clock, talking: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ms.sync(config())
    async with followed(ms, config()) as watch:
        await watch.next(ListeningStarted)
        talking.said.put_nowait(SourceUnreachable("talk", "the line is dead"))
        ended = await watch.next(ListeningEnded)
        assert "the line is dead" in ended.reason
        assert ended.retry_at is not None
        await watch.next(ListeningStarted)
        await due_kinds(ms, HintKind.SOURCE)
        [due] = await ms.list_due("talk")
        assert (due.due_at - due.first_at).total_seconds() == 5, "events are heard again before it is read"


async def test_a_burst_becomes_one_sync(ms: MediaSync, talking: Talking) -> None:
    await ms.sync(config())
    async with followed(ms, config()) as watch:
        await watch.next(ListeningStarted)
        for number in range(MOST_TARGETS + 1):
            talking.said.put_nowait(Hint(HintKind.CHANGED, remote_ids=(str(number),)))
        await due_kinds(ms, HintKind.SOURCE)


async def test_a_burst_while_a_hint_is_stored_is_not_forgotten(ms: MediaSync, talking: Talking) -> None:
    await ms.sync(config())
    holds, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_session: Session) -> None:
        holds.set()
        await go_on.wait()

    async with followed(ms, config()) as watch:
        await watch.next(ListeningStarted)
        other_write = asyncio.create_task(database_of(ms).write(hold))
        await holds.wait()
        talking.said.put_nowait(CHANGED)
        await watch.next(Hinted)
        await asyncio.sleep(0)  # it is being stored
        for number in range(2, MOST_TARGETS + 3):
            talking.said.put_nowait(Hint(HintKind.CHANGED, remote_ids=(str(number),)))
        for _ in range(2, MOST_TARGETS + 3):
            await watch.next(Hinted)
        go_on.set()
        await other_write
        while HintKind.SOURCE not in {due.kind for due in await ms.list_due("talk")}:
            await asyncio.sleep(0.001)


async def test_a_key_that_cannot_be_stored_asks_for_a_sync(ms: MediaSync, talking: Talking) -> None:
    await ms.sync(config())
    async with followed(ms, config()) as watch:
        await watch.next(ListeningStarted)
        talking.said.put_nowait(Hint(HintKind.CHANGED, remote_ids=("a\0b",)))
        await due_kinds(ms, HintKind.SOURCE)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConfigurationError("needs the package 'websockets'"), "needs the package 'websockets'"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "a package is not installed"),
    ],
)
async def test_what_cannot_be_listened_to_is_synced_on_schedule(
    ms: MediaSync, talking: Talking, error: Exception, reason: str
) -> None:
    talking.said.put_nowait(error)
    async with followed(ms, config()) as watch:
        ended, finished = None, None
        while ended is None or finished is None:
            event = await watch.next(ListeningEnded, RunFinished)
            if isinstance(event, ListeningEnded):
                ended = event
            else:
                finished = event
        assert reason in ended.reason
        assert ended.retry_at is None


@pytest.mark.parametrize("how", ["option", "setting", "backend", "silent"])
async def test_nobody_listens_where_nobody_shall(ms: MediaSync, talking: Talking, how: str) -> None:
    await ms.sync(config())
    sources: dict[str, Any] = {
        "option": config(),
        "setting": config(events=False),
        "backend": talking.backend(),
        "silent": FakeBackend({"m": [Enumerated(None)]}, Source(id="talk", kind="talk")),
    }
    before = talking.backends
    talking.said.put_nowait(CHANGED)
    async with followed(ms, sources[how], events=how != "option"):
        for _ in range(20):
            await asyncio.sleep(0)
    assert talking.backends == before
    assert await ms.list_due() == []


async def test_a_fault_of_a_backend_does_not_end_the_watch(
    ms: MediaSync, clock: Clock, talking: Talking
) -> None:
    await ms.sync(config())
    async with followed(ms, config()) as watch:
        await watch.next(ListeningStarted)
        talking.said.put_nowait(RuntimeError("a bug"))
        assert "a bug" in (await watch.next(ListeningEnded)).reason
        await ms.hint("talk", [CHANGED])
        clock.now += 1_000
        await watch.next(RunFinished)
