"""The protocol of backends, which read sources, and the findings that they yield.

A backend never sees the database, and a service never sees a URL or a file. A backend yields a stream of
*findings*: how many items to expect; an item that was read, did not change, or could not be read; more about
a person; a remark; and at the end how much of the library was listed.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from mediasync.errors import LifecycleError
from mediasync.hints import Hint
from mediasync.models import Library, MediaItem, Person, Source

_log: Final = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """An item that was read, as a whole or in part.

    Attributes:
        item: what was read of it.
        problems: what could not be read or understood in it, one line each.
        failure: why the rest of the item could not be read; empty if nothing is missing. What was read is
            saved, and the item is reported as failed.
        is_related: whether nobody asked for the item, and it is read because of one that was asked for: it is
            a show or season above it that is not stored, or the same files describe both.
    """

    item: MediaItem
    problems: tuple[str, ...] = ()
    failure: str = ""
    is_related: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An item that still has its stored change token and was not read again.

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
    """Something that people should know and that is not a failure, like a video without an NFO file.

    Attributes:
        subject: the item, file or library that it is about.
        text: what people should know.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A stored person about whom the source has more now, like another picture or provider ids.

    Attributes:
        person: the person, with the source's own key. Missing values never overwrite stored ones.
    """

    person: Person


@dataclass(frozen=True, slots=True)
class Expected:
    """How many items a library has, to show the progress; yielded as soon as the source says so.

    It is optional and proves nothing. If there are several, the last one counts.

    Attributes:
        total: the number of all items in the library, including unchanged ones.
    """

    total: int


@dataclass(frozen=True, slots=True)
class Enumerated:
    """How much of a library was listed; yielded once, at the end.

    Attributes:
        total: how many items the library has; None if the source does not say.
        complete: whether every item was listed. If not, no item can be taken for removed.
        reason: why the listing is not complete.
    """

    total: int | None
    complete: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Watermark:
    """The point up to which the source has reported its changes, in the backend's own form.

    It is stored with the record of a run that was successful and complete: nothing failed, no selection for
    this run left anything out, and every library was `Enumerated` as complete. The next sync gets it as
    `Stored.watermark`. If there are several, the last one counts.

    Attributes:
        text: what the backend needs at the next sync. A time is by the source's clock.
    """

    text: str


ONLY_SOME: Final = Enumerated(None, complete=False, reason="only some items were asked for")
"""The end of a listing when only some items were asked for."""


Finding = Found | Unchanged | Unreadable | Remark | FoundPerson | Expected | Enumerated | Watermark


class Stored(Protocol):
    """What the mirror holds of one library, for backends that must compare with it.

    Attributes:
        tokens: the stored change token of each item, by the source's own key. An item with an empty token is
            stored, but must be read again.
        watermark: the `Watermark` of the source's last successful and complete sync; empty if there is none,
            or if everything must be read again.
        due: the items that are read again only because it is their turn, with their stored change tokens. In
            *tokens* theirs are empty.
        just_read: the keys of items that a run which broke off has read and saved within the last hour. A
            backend that has to read an item to see whether it changed may take them for unchanged.
    """

    @property
    def tokens(self) -> Mapping[str, str]: ...

    @property
    def due(self) -> Mapping[str, str]: ...

    @property
    def just_read(self) -> Collection[str]: ...

    @property
    def watermark(self) -> str: ...

    async def find_people(self, remote_ids: Sequence[str]) -> dict[str, Person]:
        """Return which of these people are stored, by the source's own keys."""
        ...

    async def find_items_crediting(self, remote_ids: Sequence[str]) -> set[str]:
        """Return the keys of the items in the library that credit any of these people."""
        ...


@dataclass(frozen=True, slots=True)
class NothingStored:
    """What an empty mirror holds, or one that holds nothing but change tokens: to read without a database.

    Attributes:
        tokens: see `Stored`.
        watermark: see `Stored`.
        due: see `Stored`.
        just_read: see `Stored`.
    """

    tokens: Mapping[str, str] = field(default_factory=dict)
    watermark: str = ""
    due: Mapping[str, str] = field(default_factory=dict)
    just_read: Collection[str] = ()

    async def find_people(self, _remote_ids: Sequence[str]) -> dict[str, Person]:
        """Return nobody."""
        return {}

    async def find_items_crediting(self, _remote_ids: Sequence[str]) -> set[str]:
        """Return nothing."""
        return set()


@runtime_checkable
class ReportsWaits(Protocol):
    """A backend that can report why it waits: its server is starting, or asks for fewer requests.

    Attributes:
        on_wait: called with the reason, in words. It is set before the source is opened, and must not block.
    """

    on_wait: Callable[[str], None] | None


@runtime_checkable
class CountsRequests(Protocol):
    """A backend that counts the requests that it sends to its server.

    Attributes:
        requests: how many it has sent so far, repeated ones included.
    """

    @property
    def requests(self) -> int: ...


@runtime_checkable
class WaitsForScan(Protocol):
    """A backend that can wait until its server has scanned its files.

    Attributes:
        wait_for_scan: how many seconds it waits in all. After that, lists of people count as previews.
    """

    wait_for_scan: float


@runtime_checkable
class ReportsEvents(Protocol):
    """A backend whose source reports events while somebody listens."""

    def listen(self, on_start: Callable[[], None] | None = None) -> AsyncGenerator[Hint, None]:
        """Iterate over hints about what changed, until the caller stops. The backend is open.

        Args:
            on_start: called once, when the connection stands: what changes from then on is reported. It must
                not block.

        Raises:
            SourceError: if the source cannot be listened to, or the connection is lost. Events may be missed
                until somebody listens again.
        """
        ...


class PictureSource(Protocol):
    """What fetches the pictures of one source, by the references that its backend stored."""

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which pictures can be fetched.

        Raises:
            ConfigurationError: if a setting cannot be used, such as a CA file.
            SourceError: if the source does not let anybody in.
        """
        ...

    def serves(self, reference: str) -> bool:
        """Return whether the source can fetch this picture; a public address can be fetched without it."""
        ...

    async def fetch(self, reference: str, width: int) -> bytes:
        """Return the bytes of a picture.

        Args:
            reference: as it is stored of an item or a person, and the source `serves` it.
            width: the width in pixels to which the source scales it down, if it can.

        Raises:
            SourceError: if the source does not answer, or does not have the picture.
        """
        ...


class Backend(Protocol):
    """One source, opened for reading.

    Attributes:
        source: the source that is read. Once the backend is open, ``server_id`` is the id that the server has
            for itself, if any.
    """

    source: Source

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the source can be read.

        Raises:
            SourceUnreachable: if the source does not answer, or its folder does not exist.
            SourceError: for other reasons, which its subclasses state.
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
            only: if given, the source's own keys of the only items that are wanted. They are read even if
                they did not change; others may be left out. A show or season that is not stored is yielded
                before what is wanted below it, with ``is_related``.

        Raises:
            LibraryUnreadable: if the library cannot be read to its end.
            SourceError: if the source as a whole cannot be read any further.
        """
        ...


def as_related(finding: Finding) -> Finding:
    """Return the finding of an item that is read only because of one that was asked for."""
    return replace(finding, is_related=True) if isinstance(finding, Found) else finding


def guarded(remote_id: str, parse: Callable[..., T], *given: Any, **named: Any) -> T | Unreadable:
    """Return what *parse* makes of an item. If it raises any error, the item is unreadable.

    So an answer that no parser foresaw costs one item, not the sync of its source. The log shows the
    traceback.

    Args:
        remote_id: the item's key.
        parse: returns the finding of the item.
        given: the arguments of *parse*.
        named: its keyword arguments.

    Example:
        >>> guarded("603", Remark, "The Matrix", "has no picture")
        Remark(subject='The Matrix', text='has no picture')
    """
    try:
        return parse(*given, **named)
    except Exception as error:
        _log.exception("item %r: an unexpected error while it was parsed", remote_id)
        return Unreadable(
            remote_id,
            f"mediasync has a bug and cannot parse it ({type(error).__name__}: {str(error)[:200]}); please "
            "report it with the traceback in the log",
        )


def opened(what: T | None) -> T:
    """Return something that a backend has only while it is open.

    Raises:
        LifecycleError: if it is None, because the backend is not open.
    """
    if what is None:
        raise LifecycleError("the backend is not open: use it inside 'async with backend.open():'")
    return what
