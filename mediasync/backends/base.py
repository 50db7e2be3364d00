"""What a backend is: the code that reads one source, behind one protocol.

A backend never sees the database and a service never sees a URL or a file. What a backend yields is a stream
of *findings*: an item, an item that has not changed, an item that could not be read, or a remark.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from mediasync.models import Library, MediaItem, Source


@dataclass(frozen=True, slots=True)
class Found:
    """An item that was read.

    Attributes:
        item: what was read.
        problems: what of it could not be read or understood, in words, one line each.
    """

    item: MediaItem
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An item whose change token is the one that was stored: it was not read again."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that could not be read; what is stored of it stays.

    Attributes:
        remote_id: the item's key, or the name of the file where it has none.
        reason: what is wrong, and where.
    """

    remote_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that people should know and that is no failure: a video without an NFO file, say."""

    subject: str
    text: str


Finding = Found | Unchanged | Unreadable | Remark


class Backend(Protocol):
    """One source, opened for reading.

    Attributes:
        source: the source that is read.
    """

    source: Source

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the source can be read.

        Raises:
            SourceUnreachable: if the source does not answer or its folder is not there.
        """
        ...

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries of movies and shows, in a stable order."""
        ...

    def iter_items(self, library: Library, known_tokens: Mapping[str, str]) -> AsyncGenerator[Finding, None]:
        """Read the items of *library*: shows before their seasons, seasons before their episodes.

        Args:
            library: one of `fetch_libraries`.
            known_tokens: the change token stored for each item, by the source's own key. An item that
                still has its token is yielded as `Unchanged`. An empty token is nobody's: the item is
                stored, and is to be read again.

        Raises:
            SourceError: if the source as a whole cannot be read on.
        """
        ...
