"""What a backend is: the code that reads one source, behind one protocol.

A backend never sees the database and a service never sees a URL or a file. What a backend yields is a stream
of *findings*: how many items to expect, an item, an item that has not changed, one that could not be read,
more of a person, a remark, and at the end how much was named.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar, runtime_checkable

from mediasync.errors import LifecycleError
from mediasync.models import Library, MediaItem, Person, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """An item that was read, as a whole or in part.

    Attributes:
        item: what was read of it.
        problems: what could not be read or understood in it, one line each.
        failure: why the rest of the item could not be read; empty if nothing is missing. What was read is
            saved, and the item is reported as failed.
    """

    item: MediaItem
    problems: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An item whose change token is the one that was stored: it was not read again.

    Attributes:
        remote_id: the item's key.
    """

    remote_id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of which nothing could be read; what is stored of it stays.

    Attributes:
        remote_id: the item's key, or the name of its file where no key is known.
        reason: what is wrong, and where.
    """

    remote_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that people should know and that is no failure: a video without an NFO file, say.

    Attributes:
        subject: the item, file or library.
        text: the remark.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person who is stored and of whom the source says more now: another picture, say, or provider ids.

    Attributes:
        person: with the source's own key. What is missing never overwrites what is stored.
    """

    person: Person


@dataclass(frozen=True, slots=True)
class Expected:
    """How many items a library has, told as soon as the source says so, for those who watch the progress.

    It proves nothing, and may be left out. Of several the last one counts.

    Attributes:
        total: all items of the library, those that have not changed included.
    """

    total: int


@dataclass(frozen=True, slots=True)
class Enumerated:
    """How much of a library the source named, told once at its end.

    Attributes:
        total: how many items the source says the library has; None where it does not say.
        complete: whether every item of it was named. If not, nothing can be taken for gone.
        reason: why it is not complete.
    """

    total: int | None
    complete: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to where the source has told what changed, in words of the backend's own.

    It is stored with the record of a run that ended well and was whole: nothing failed, nothing was left out
    for this once, and every library was `Enumerated` as complete. The next sync is handed it as
    `Stored.watermark`. Of several the last one counts.

    Attributes:
        text: what the backend wants to be told; by the source's clock, if it is a time.
    """

    text: str


ONLY_SOME: Final = Enumerated(None, complete=False, reason="only some items were asked for")
"""How a reading of chosen items ends."""


Finding = Found | Unchanged | Unreadable | Remark | FoundPerson | Expected | Enumerated | Watermark


class Stored(Protocol):
    """What the mirror holds of one library, for backends that must compare with it.

    Attributes:
        tokens: the change token stored for each item, by the source's own key. An empty token is nobody's:
            the item is stored, and is to be read again.
        watermark: the `Watermark` of the source's last sync that ended well; empty if there is none, or all
            is to be read again.
    """

    @property
    def tokens(self) -> Mapping[str, str]: ...

    @property
    def watermark(self) -> str: ...

    async def find_people(self, remote_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of the source's people who are stored, by the source's own keys."""
        ...

    async def find_items_crediting(self, remote_ids: Sequence[str]) -> set[str]:
        """Return the source's own keys of the library's items that credit any of these people."""
        ...


@dataclass(frozen=True, slots=True)
class NothingStored:
    """A `Stored` of a mirror that holds nothing, or nothing but change tokens.

    Attributes:
        tokens: the change token of each item, by the source's own key.
        watermark: where the last sync ended.
    """

    tokens: Mapping[str, str] = field(default_factory=dict)
    watermark: str = ""

    async def find_people(self, _remote_ids: Sequence[str]) -> dict[str, Person]:
        """Return nobody."""
        return {}

    async def find_items_crediting(self, _remote_ids: Sequence[str]) -> set[str]:
        """Return nothing."""
        return set()


@runtime_checkable
class TellsWaiting(Protocol):
    """A backend that can say, in words, that its server starts or limits and is waited for.

    Attributes:
        on_wait: called with the words; it must not block.
    """

    on_wait: Callable[[str], None] | None


@runtime_checkable
class WaitsForScan(Protocol):
    """A backend that can wait for a server that scans its files.

    Attributes:
        wait_for_scan: seconds that it waits, in all, before what the server says of people is taken as a
            preview.
    """

    wait_for_scan: float


class Backend(Protocol):
    """One source, opened for reading.

    Attributes:
        source: the source that is read. Once it is open, ``server_id`` is the server's own id of itself,
            where it has one.
    """

    source: Source

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the source can be read.

        Raises:
            SourceUnreachable: if the source does not answer or its folder is not there.
            SourceError: as its other subclasses say.
        """
        ...

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries of movies and shows, in a stable order."""
        ...

    def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read the items of *library*: shows before their seasons, seasons before their episodes.

        Args:
            library: one of `fetch_libraries`.
            stored: what the mirror holds. An item that still has its change token is yielded as `Unchanged`.
            only: if given, the source's own keys of the only items that are wanted. They are read again,
                changed or not; others may be left out.

        Raises:
            SourceError: if the source as a whole cannot be read on.
        """
        ...


def opened(what: T | None) -> T:
    """Return what a backend has only while it is open.

    Raises:
        LifecycleError: if it has it not.
    """
    if what is None:
        raise LifecycleError("the backend is not open: use it inside 'async with backend.open():'")
    return what
