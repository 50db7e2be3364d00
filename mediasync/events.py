"""The events of a running sync."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mediasync.hints import Hint
from mediasync.models import Library
from mediasync.reports import Reported, SyncReport


@dataclass(frozen=True, slots=True)
class Event(Reported):
    """The base of all events.

    Attributes:
        source_id: the source that is being synced.

    Example:
        >>> RunStarted("home", 7).as_dict()
        {'event': 'RunStarted', 'source_id': 'home', 'run_id': 7}
    """

    source_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return the name and the fields of the event, as values that `json.dumps` accepts."""
        return {"event": type(self).__name__, **Reported.as_dict(self)}


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The source answered, and the run was recorded.

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
    """How far the run has got. If several are waiting to be fetched, only the newest is kept.

    Attributes:
        seen: items that the source listed.
        saved: items that were written.
        unchanged: items that had not changed.
        failed: items that could not be read or stored.
        library_id: the full id of the library that is being read.
        library_seen: items of this library that the source listed.
        library_total: how many items this library has; None if the source has not said yet, or listed more.
        libraries_read: libraries that were finished before it.
        libraries: all libraries of the run.
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
        """The fraction of the run that is done, 0 to 1; None if unknown. All libraries count the same."""
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
    """An item could not be read or stored. The other items are not affected.

    Attributes:
        item_id: the item's full id, or the file where it has none.
        reason: what is wrong.
    """

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ItemProblem(Event):
    """Part of an item could not be read or stored. The rest of the item is stored.

    Attributes:
        item_id: the item's full id.
        reason: what could not be read or stored.
    """

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remarked(Event):
    """Something that people should know, but that is not a failure.

    Attributes:
        subject: the item, file or library.
        text: the remark.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """The sync waits for the source, which is starting or scanning its files.

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
    """A library could not be read to its end. The others are read, and its stored items stay.

    Attributes:
        library: as the source describes it.
        reason: why its reading ended.
    """

    library: Library
    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The run ended. It is the last event of its source.

    Attributes:
        report: how the sync went.
    """

    report: SyncReport


@dataclass(frozen=True, slots=True)
class RunFailed(Event):
    """One of several sources could not be synced. It is the last event of that source.

    Attributes:
        error: why it could not be synced.
    """

    error: Exception


@dataclass(frozen=True, slots=True)
class SyncScheduled(Event):
    """`mediasync.MediaSync.watch` waits until the next sync of the source is due.

    Attributes:
        due_at: when that is, in UTC.
    """

    due_at: datetime


@dataclass(frozen=True, slots=True)
class ListeningStarted(Event):
    """`mediasync.MediaSync.watch` is connected to the source, and hears of its events from now on."""


@dataclass(frozen=True, slots=True)
class ListeningEnded(Event):
    """The watch does not listen to the source any more. It is synced on its schedule all the same.

    Attributes:
        reason: why it does not.
        retry_at: when it is tried again, in UTC; None if it is not.
    """

    reason: str
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hinted(Event):
    """The source has reported an event while the watch listened to it.

    Attributes:
        hint: what the event says may have changed.
    """

    hint: Hint


@dataclass(frozen=True, slots=True)
class TargetsTaken(Event):
    """What events have named is looked into now.

    Attributes:
        keys: the source's own keys of the items that are read, changed or not.
        whole: whether the whole source is synced, because more may have changed.
    """

    keys: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class TargetDropped(Event):
    """What events have named is not looked for any more. The next sync of the source finds what changed.

    Attributes:
        targets: the source's own keys of items, or the id of the source if all was meant.
        reason: why they were not read.
    """

    targets: tuple[str, ...]
    reason: str
