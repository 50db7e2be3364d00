"""A backend in memory, for tests of the sync."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mediasync import Library, MediaItem, Source
from mediasync.backends.base import Finding, Found, Stored, Unchanged


@dataclass
class FakeBackend:
    """Plays what it is given.

    Attributes:
        source: the source that it stands for.
        libraries: each library's key, and what is found in it in turn: a finding; an item, which is told as
            `Found`, or as `Unchanged` if its change token is known; an exception, which is raised; an
            `asyncio.Event`, which is waited for.
        fails_to_open, fails_to_list, fails_to_close: what is raised there.
        opened, closed: how often.
        titles: of libraries, by key; those that are not named here have none.
        told: the known tokens that were passed, by library.
        watermark: what it was told of the last sync's.
        asked: the keys that were asked for, by library, where only some were.
        yielded: how many findings were taken.
        waiting: set when an event of the script is waited for.
    """

    libraries: Mapping[str, list[object]] = field(default_factory=dict)
    source: Source = field(default_factory=lambda: Source(id="fake", kind="plex", name="Fake"))
    fails_to_open: BaseException | None = None
    fails_to_list: BaseException | None = None
    fails_to_close: BaseException | None = None
    opened: int = 0
    closed: int = 0
    titles: Mapping[str, str] = field(default_factory=dict)
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    watermark: str | None = None
    asked: dict[str, set[str]] = field(default_factory=dict)
    yielded: int = 0
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self.opened += 1
        if self.fails_to_open is not None:
            raise self.fails_to_open
        try:
            yield
        finally:
            self.closed += 1
            if self.fails_to_close is not None:
                raise self.fails_to_close

    async def fetch_libraries(self) -> list[Library]:
        if self.fails_to_list is not None:
            raise self.fails_to_list
        return [
            Library(id=key, source_id=self.source.id, title=self.titles.get(key, ""), kind="mixed")
            for key in self.libraries
        ]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        self.told[library.id] = dict(stored.tokens)
        self.watermark = stored.watermark
        if only is not None:
            self.asked[library.id] = set(only)
        for step in self.libraries[library.id]:
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, asyncio.Event):
                self.waiting.set()
                await step.wait()
                continue
            self.yielded += 1
            if isinstance(step, MediaItem):
                same = step.change_token and stored.tokens.get(step.remote_id) == step.change_token
                yield Unchanged(step.remote_id) if same else Found(step.model_copy(deep=True))
            else:
                yield step  # type: ignore[misc]
