"""A backend in memory: it plays a script, and notes how it was used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from mediasync.backends.base import Finding, Found, Stored, Unchanged
from mediasync.models import Library, MediaItem, Source

__all__ = ["FakeBackend", "Step"]

Step = MediaItem | Finding | BaseException | asyncio.Event
"""What happens next in a library of a `FakeBackend`.

An item is yielded as `Found`, or as `Unchanged` if its change token is the stored one. A finding is yielded
as it is. An exception is raised. An event is waited for.
"""


@dataclass
class FakeBackend:
    """A source that plays a script, without a server and without files.

    It implements `mediasync.backends.base.Backend`, so `mediasync.MediaSync.sync` takes it. Other tasks run
    between two steps, as they do between two answers of a server.

    Attributes:
        libraries: the steps of each library, by the library's key.
        source: the source that it stands for.
        kind: the kind of all libraries.
        titles: titles of libraries, by key. A library that is not in it has none.
        open_error: raised when the source is opened.
        list_error: raised when the libraries are listed.
        close_error: raised when the source is closed.
        opened: how often it was opened.
        closed: how often it was closed.
        tokens: the stored change tokens that it was given, by library.
        watermark: the watermark that it was given last; None until a library was read.
        asked: the keys that it was asked for, by library. A library that was read whole is not in it.
        yielded: how many findings were taken from it.
        waiting: set as soon as an event of the script is waited for.

    Example:
        >>> from mediasync import Movie
        >>> async def main() -> int:
        ...     backend = FakeBackend({"films": [Movie(remote_id="1", title="Heat")]})
        ...     async with MediaSync("sqlite:///:memory:") as ms:
        ...         return (await ms.sync(backend)).saved
        >>> from mediasync import MediaSync
        >>> asyncio.run(main())
        1
    """

    libraries: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    source: Source = field(default_factory=lambda: Source(id="fake", kind="plex", name="Fake"))
    kind: Literal["movies", "shows", "mixed"] = "mixed"
    titles: Mapping[str, str] = field(default_factory=dict)
    open_error: BaseException | None = None
    list_error: BaseException | None = None
    close_error: BaseException | None = None
    opened: int = 0
    closed: int = 0
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    watermark: str | None = None
    asked: dict[str, set[str]] = field(default_factory=dict)
    yielded: int = 0
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open the source; see `mediasync.backends.base.Backend.open`."""
        await asyncio.sleep(0)
        if self.open_error is not None:
            self.opened += 1
            raise self.open_error
        try:
            self.opened += 1
            yield
        finally:
            self.closed += 1
            if self.close_error is not None:
                raise self.close_error

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries, in the order of the script."""
        await asyncio.sleep(0)
        if self.list_error is not None:
            raise self.list_error
        return [
            Library(id=key, source_id=self.source.id, title=self.titles.get(key, ""), kind=self.kind)
            for key in self.libraries
        ]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Play the steps of a library; see `mediasync.backends.base.Backend.iter_items`."""
        self.tokens[library.id] = dict(stored.tokens)
        self.watermark = stored.watermark
        if only is not None:
            self.asked[library.id] = set(only)
        for step in self.libraries[library.id]:
            await asyncio.sleep(0)
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, asyncio.Event):
                self.waiting.set()
                await step.wait()
                continue
            self.yielded += 1
            yield _finding(step, stored) if isinstance(step, MediaItem) else step


def _finding(item: MediaItem, stored: Stored) -> Finding:
    if item.change_token and stored.tokens.get(item.remote_id) == item.change_token:
        return Unchanged(item.remote_id)
    return Found(item.model_copy(deep=True))
