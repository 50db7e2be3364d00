"""A watch over a fake server, whose clock goes on as soon as something waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from support.mirror import Clock
from support.servers import PASSWORD, TOKEN, make_server

from mediasync import MediaItem, MediaSync, SourceConfig
from mediasync.events import Event, ListeningStarted, RunFailed, RunFinished, RunStarted, SyncScheduled
from mediasync.reports import SyncReport
from mediasync.testing import Catalogue, FakeJellyfin, FakeKodi, FakePlex

E = TypeVar("E", bound=Event)
Server = FakePlex | FakeJellyfin | FakeKodi


def live_server(kind: str, catalogue: Catalogue) -> Server:
    """Return a fake of a kind that announces its changes."""
    made = make_server(kind, catalogue)
    assert isinstance(made, Server)
    return made


def live_config(kind: str, server: Server, **settings: Any) -> SourceConfig:
    """Return the settings by which a server is read and listened to; Jellyfin and Emby as a user."""
    own: dict[str, Any]
    match server:
        case FakeKodi():
            own = {"events_port": server.events_port}
        case FakeJellyfin():
            own = {"username": "admin", "password": PASSWORD}
        case _:
            own = {"token": TOKEN}
    return SourceConfig.model_validate(
        {"id": "here", "kind": kind, "url": server.url, "backoff": 0.001, **own, **settings}
    )


class Live:
    """A watch, and all that it has told.

    Attributes:
        told: every event, in order.
    """

    def __init__(self, ms: MediaSync, clock: Clock) -> None:
        self.ms = ms
        self.clock = clock
        self.told: list[Event] = []
        self._came = asyncio.Condition()
        self._under_way = 0

    async def follow(self, watch: Any) -> None:
        async with aclosing(watch.__aiter__()) as events:
            async for event in events:
                self.told.append(event)
                if isinstance(event, RunStarted):
                    self._under_way += 1
                if isinstance(event, RunFinished | RunFailed):
                    self._under_way = 0
                async with self._came:
                    self._came.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def reports(self) -> list[SyncReport]:
        return [event.report for event in self.of(RunFinished)]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what was told."""
        async with self._came:
            await self._came.wait_for(holds)

    async def until_told(self, kind: type[Event], times: int = 1) -> None:
        """Wait until so many events of a kind were told."""
        await self.until(lambda: len(self.of(kind)) >= times)

    async def settle(self, watch: Any) -> None:
        """Let all be worked off that waits."""

        async def is_empty() -> bool:
            return not self._under_way and not await self.ms.list_due()

        await asyncio.sleep(0.05)  # what the server has just said arrives
        await self.work_off(watch, until=is_empty)

    async def work_off(self, watch: Any, *, until: Callable[[], Any]) -> None:
        """Let the clock go on to each time at which something is due, until *until* returns something true.

        *until* may be a coroutine function.
        """
        try:
            async with asyncio.timeout(25):
                while not await _holds(until):
                    due = await self.ms.list_due()
                    now = datetime.fromtimestamp(self.clock.now / 1000, UTC)
                    if due and not self._under_way and due[0].due_at > now:
                        self.clock.now = round(due[0].due_at.timestamp() * 1000)
                    await watch.look()
                    await asyncio.sleep(0.005)
        except TimeoutError:
            told = "\n".join(str(event)[:200] for event in self.told[-20:])
            raise AssertionError(
                f"it does not come to an end; due: {(await self.ms.list_due())[:3]}\n{told}"
            ) from None


async def _holds(until: Callable[[], Any]) -> bool:
    found = until()
    return bool(await found if asyncio.iscoroutine(found) else found)


@asynccontextmanager
async def live(
    ms: MediaSync, clock: Clock, config: SourceConfig, *, listens: bool = True, every: str = "24h"
) -> AsyncIterator[tuple[Live, Any]]:
    """Sync a source, and watch it."""
    watch = ms.watch([config], every=every)
    found = Live(ms, clock)
    async with asyncio.timeout(30):
        following = asyncio.create_task(found.follow(watch))
        try:
            await found.until_told(ListeningStarted if listens else SyncScheduled)
            await found.until_told(SyncScheduled)
            yield found, watch
        finally:
            following.cancel()
            await asyncio.wait({following})
            if not following.cancelled():
                following.result()


async def stored(ms: MediaSync) -> dict[str, tuple[str, int]]:
    """Return the title and the number of credits of every item that is shown, by its key."""
    found: dict[str, tuple[str, int]] = {}
    for library in await ms.media.list_libraries("here"):
        async for item in ms.media.iter_media_items(library.full_id):
            found[item.remote_id] = (item.title, len(item.credits or ()))
    return found


def true(server: Server) -> dict[str, tuple[str, int]]:
    """Return the same as the server has it."""
    return _shown(server.truth().items())


def _shown(items: Iterable[MediaItem]) -> dict[str, tuple[str, int]]:
    return {item.remote_id: (item.title, len(item.credits or ())) for item in items}
