"""What a sync tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediasync.models import Library
from mediasync.reports import Reported, SyncReport


@dataclass(frozen=True, slots=True)
class Event(Reported):
    """The base of all events.

    Attributes:
        source_id: the source that is synced.

    Example:
        >>> RunStarted("home", 7).as_dict()
        {'event': 'RunStarted', 'source_id': 'home', 'run_id': 7}
    """

    source_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return the name of the event and its fields, all of which `json.dumps` takes."""
        return {"event": type(self).__name__, **Reported.as_dict(self)}


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The source answers, and its run is recorded.

    Attributes:
        run_id: the number of the run; 0 for a dry run, which is not recorded.
    """

    run_id: int


@dataclass(frozen=True, slots=True)
class LibraryStarted(Event):
    """A library is being read.

    Attributes:
        library: as the source describes it.
    """

    library: Library


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far the run is. Of several that nobody has fetched, only the newest is kept.

    Attributes:
        seen: items that the source named.
        saved: items that were written.
        unchanged: items that had not changed.
        failed: items that could not be read or stored.
        library_id: the full id of the library that is being read.
        library_seen: items of it that the source named.
        library_total: how many items it has; None if the source has not said so yet, or named more.
        libraries_read: libraries that were gone through before it.
        libraries: all that are gone through.
    """

    seen: int
    saved: int
    unchanged: int
    failed: int
    library_id: str | None = None
    library_seen: int = 0
    library_total: int | None = None
    libraries_read: int = 0
    libraries: int = 0

    @property
    def share(self) -> float | None:
        """How much of the run is done, from 0 to 1, all libraries counting alike; None if it is not known."""
        if not self.libraries:
            return None
        if self.libraries_read == self.libraries:
            return 1.0
        if self.library_total is None:
            return None
        of_library = min(1.0, self.library_seen / self.library_total) if self.library_total else 1.0
        return (self.libraries_read + of_library) / self.libraries


@dataclass(frozen=True, slots=True)
class ItemFailed(Event):
    """An item could not be read or stored; its neighbours are.

    Attributes:
        item_id: the item's full id, or the file where it has none.
        reason: what is wrong.
    """

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ItemProblem(Event):
    """Part of an item could not be read or stored; the item is.

    Attributes:
        item_id: the item's full id.
        reason: what could not be read or stored.
    """

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remarked(Event):
    """Something that people should know, and that is no failure.

    Attributes:
        subject: the item, file or library.
        text: the remark.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """The source is waited for: it is starting, say, or scans its files.

    Attributes:
        text: what is waited for.
    """

    text: str


@dataclass(frozen=True, slots=True)
class LibraryFinished(Event):
    """A library was read to its end.

    Attributes:
        library: as the source describes it.
    """

    library: Library


@dataclass(frozen=True, slots=True)
class LibraryFailed(Event):
    """A library could not be read to its end; the others are read, and what is stored of it stays.

    Attributes:
        library: as the source describes it.
        reason: why its reading ended.
    """

    library: Library
    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The run ended; the last event of its source.

    Attributes:
        report: how the sync went.
    """

    report: SyncReport


@dataclass(frozen=True, slots=True)
class RunFailed(Event):
    """Of several sources synced at once, one could not be synced; the last event of that source.

    Attributes:
        error: why it could not be synced.
    """

    error: Exception
