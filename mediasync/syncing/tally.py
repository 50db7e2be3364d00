"""Tallies: what a run has found so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mediasync.backends.base import Enumerated
from mediasync.changes import Fence
from mediasync.errors import LibraryUnreadable
from mediasync.events import Event, ItemFailed, ItemProblem, Progress, Remarked
from mediasync.models import LibraryRun, MediaItem, PendingRemoval
from mediasync.reports import PurgeReport, SaveReport
from mediasync.syncing.leases import Lease
from mediasync.text import storable
from mediasync.vocabulary import Completeness

Emit = Callable[[Event], None]


@dataclass(slots=True)
class LibraryTally:
    """What a run has found of one library.

    Attributes:
        library_id: the library's full id.
        unnamed: the keys of stored items that the source has not listed yet.
        seen: how many items the source listed.
        previews: how many items came with only a part of their credits.
        expected: how many items the source announced at the beginning; None if it announced none.
        enumerated: what the source reported at the end of the listing.
        stored: how many items of it were stored, and not missing, before the run.
        unplaced: how many failures of its listing concern items whose stored keys are not known.
        is_absent: whether the run did not read the library. Its unlisted items are counted all the same.
        is_listed: whether the source has such a library.
    """

    library_id: str
    unnamed: set[str]
    seen: int = 0
    previews: int = 0
    expected: int | None = None
    enumerated: Enumerated = field(
        default_factory=lambda: Enumerated(
            None, False, "the source does not report whether it listed everything"
        )
    )
    stored: int = 0
    unplaced: int = 0
    is_absent: bool = False
    is_listed: bool = True

    def __post_init__(self) -> None:
        self.stored = len(self.unnamed)

    @property
    def is_complete(self) -> bool:
        """Whether everything was listed, by the source's own word and by its count."""
        total = self.enumerated.total
        return self.enumerated.complete and (total is None or total <= self.seen)

    @property
    def proves(self) -> bool:
        """Whether the listing proves that the library does not hold the items it did not list."""
        return self.is_complete or not self.is_listed

    def name(self, remote_id: str, item: MediaItem | None = None) -> None:
        """Count a listed item, which was read if *item* is given."""
        self.seen += 1
        self.unnamed.discard(remote_id)
        if item is not None and item.completeness is Completeness.PREVIEW:
            self.previews += 1

    def run(self, run_id: int) -> LibraryRun:
        """Return what is recorded."""
        complete = self.enumerated.complete
        return LibraryRun(
            run_id=run_id,
            library_id=self.library_id,
            counted=self.enumerated.total,
            seen=self.seen,
            unseen=len(self.unnamed) if complete or self.is_absent else None,
            previews=self.previews,
            complete=complete,
            reason=None if complete else self.enumerated.reason or None,
        )


@dataclass(slots=True)
class Tally:
    """What one run has found so far.

    Attributes:
        source_id: the source that is synced.
        emit: called with each event.
        lease: the lease of the source, under which everything is written; None if nothing is written.
        selection: a digest of the selected libraries and items; empty if the whole source is synced.
        run_id: the run's id; 0 until it is recorded.
        saves: the outcomes of the saves.
        seen: how many items the source listed.
        unread: how many items were not read, because they had not changed.
        unreadable: (item id, reason) of items that could not be read.
        problems: (item id, problem) of parts that could not be understood.
        remarks: (subject, text) of what people should know.
        libraries: a tally for each library, those that were not read included.
        failed_libraries: an error for each library that could not be read to its end.
        current: the tally of the library that is being read.
        number_of_libraries: how many libraries are to be read.
        libraries_read: how many libraries have been read.
        removed: the ids of the items that were marked as missing.
        asked: the removals that have to be confirmed first.
        purged: what was deleted because it was removed long ago.
        watermark: the source's position for the next sync; empty if it has none.
        compared_at: up to when the items of the source were read in turn, in milliseconds since 1970, UTC;
            None unless the whole source was read.
        told_failures, told_problems: how many of the saves' failures and problems were emitted as events.
    """

    source_id: str
    emit: Emit
    lease: Lease | None = None
    selection: str = ""
    run_id: int = 0
    saves: SaveReport = field(default_factory=SaveReport)
    seen: int = 0
    unread: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    libraries: list[LibraryTally] = field(default_factory=list)
    failed_libraries: list[LibraryUnreadable] = field(default_factory=list)
    current: LibraryTally | None = None
    number_of_libraries: int = 0
    libraries_read: int = 0
    removed: list[str] = field(default_factory=list)
    asked: list[PendingRemoval] = field(default_factory=list)
    purged: PurgeReport = field(default_factory=PurgeReport)
    watermark: str = ""
    compared_at: int | None = None
    told_failures: int = 0
    told_problems: int = 0

    @property
    def fence(self) -> Fence | None:
        """What shows that the run writes under the newest lease."""
        return self.lease.fence if self.lease else None

    @property
    def unchanged(self) -> int:
        return self.unread + self.saves.unchanged

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        libraries = ((storable(error.library_id), storable(error.reason)) for error in self.failed_libraries)
        return (*libraries, *self.unreadable, *self.saves.failed)

    @property
    def is_whole(self) -> bool:
        """Whether nothing failed and every library was listed to its end."""
        return not self.failures and all(library.enumerated.complete for library in self.libraries)

    def fail(self, item_id: str, reason: str) -> None:
        """Note an item that could not be read."""
        self.unreadable.append((item_id, reason))
        self.emit(ItemFailed(self.source_id, item_id, reason))

    def note(self, item_id: str, problems: Iterable[str]) -> None:
        """Note parts of an item that could not be understood."""
        for problem in problems:
            self.problems.append((item_id, problem))
            self.emit(ItemProblem(self.source_id, item_id, problem))

    def remark(self, subject: str, text: str) -> None:
        """Note what people should know."""
        self.remarks.append((subject, text))
        self.emit(Remarked(self.source_id, subject, text))

    def tell(self) -> None:
        """Emit the new failures and problems of saves, and the progress of the run."""
        saves = self.saves
        for item_id, reason in saves.failed[self.told_failures :]:
            self.emit(ItemFailed(self.source_id, item_id, reason))
        for item_id, reason in saves.problems[self.told_problems :]:
            self.emit(ItemProblem(self.source_id, item_id, reason))
        self.told_failures, self.told_problems = len(saves.failed), len(saves.problems)
        library = self.current
        expected = library.expected if library else None
        if library and expected is not None and expected < library.seen:
            expected = None  # the source announced too few
        self.emit(
            Progress(
                self.source_id,
                self.seen,
                saves.saved,
                self.unchanged,
                len(self.failures),
                library_id=library.library_id if library else None,
                library_seen=library.seen if library else 0,
                library_total=expected,
                libraries_read=self.libraries_read,
                libraries=self.number_of_libraries,
            )
        )

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the problems that are recorded with the run, as (kind, subject, reason)."""
        return [
            *(("failure", subject, reason) for subject, reason in self.failures),
            *(("problem", subject, reason) for subject, reason in (*self.problems, *self.saves.problems)),
            *(("remark", subject, text) for subject, text in self.remarks),
        ]
