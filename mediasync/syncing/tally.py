"""What a run has found so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mediasync.backends.base import Enumerated
from mediasync.errors import LibraryUnreadable
from mediasync.events import Event, ItemFailed, ItemProblem, Progress, Remarked
from mediasync.models import LibraryRun, MediaItem
from mediasync.reports import SaveReport
from mediasync.text import storable
from mediasync.vocabulary import Completeness

Emit = Callable[[Event], None]


@dataclass(slots=True)
class LibraryTally:
    """What was found of one library.

    Attributes:
        library_id: its full id.
        unnamed: the own keys of stored items that were not named yet.
        seen: items that were named.
        previews: items of which only a part of the credits was given.
        expected: items that it has, as the source said at its beginning; None if it did not say.
        enumerated: what the source said at the end.
        is_absent: whether it was not gone through: what was not named is counted all the same.
        is_listed: whether the source has such a library.
    """

    library_id: str
    unnamed: set[str]
    seen: int = 0
    previews: int = 0
    expected: int | None = None
    enumerated: Enumerated = field(
        default_factory=lambda: Enumerated(None, False, "the source does not tell whether it named all")
    )
    is_absent: bool = False
    is_listed: bool = True

    @property
    def proves(self) -> bool:
        """Whether the library is known not to hold the items that were not named."""
        return self.enumerated.complete or not self.is_listed

    def name(self, remote_id: str, item: MediaItem | None = None) -> None:
        """Note that an item was named, and read if *item* is given."""
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
        source_id: of the source.
        emit: called with each event.
        owner: names the process, and this run in it.
        selection: a digest of what of the source is synced this time; empty if all of it is.
        run_id: of the run, 0 until it is recorded.
        saves: what became of the items that were read.
        seen: items that the source named.
        unread: items that had not changed and were not read.
        unreadable: items that could not be read.
        problems: what could not be understood of items that were read.
        remarks: what people should know.
        libraries: what was seen of the libraries that were gone through, and what is stored of the others.
        failed_libraries: those that could not be read to their end.
        current: what was seen of the library that is being read.
        number_of_libraries: how many are gone through.
        libraries_read: how many were.
        watermark: where the source has come to; empty if it does not say.
        told_failures, told_problems: how many of the saves' failures and problems were told as events.
    """

    source_id: str
    emit: Emit
    owner: str = ""
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
    watermark: str = ""
    told_failures: int = 0
    told_problems: int = 0

    @property
    def unchanged(self) -> int:
        return self.unread + self.saves.unchanged

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        libraries = ((storable(error.library_id), storable(error.reason)) for error in self.failed_libraries)
        return (*libraries, *self.unreadable, *self.saves.failed)

    @property
    def is_whole(self) -> bool:
        """Whether nothing failed, and every library was named to its end."""
        return not self.failures and all(library.enumerated.complete for library in self.libraries)

    def fail(self, item_id: str, reason: str) -> None:
        """Note an item that could not be read."""
        self.unreadable.append((item_id, reason))
        self.emit(ItemFailed(self.source_id, item_id, reason))

    def note(self, item_id: str, problems: Iterable[str]) -> None:
        """Note what of an item could not be understood."""
        for problem in problems:
            self.problems.append((item_id, problem))
            self.emit(ItemProblem(self.source_id, item_id, problem))

    def remark(self, subject: str, text: str) -> None:
        """Note what people should know."""
        self.remarks.append((subject, text))
        self.emit(Remarked(self.source_id, subject, text))

    def tell(self) -> None:
        """Tell what has become of the saves, and how far the run is."""
        saves = self.saves
        for item_id, reason in saves.failed[self.told_failures :]:
            self.emit(ItemFailed(self.source_id, item_id, reason))
        for item_id, reason in saves.problems[self.told_problems :]:
            self.emit(ItemProblem(self.source_id, item_id, reason))
        self.told_failures, self.told_problems = len(saves.failed), len(saves.problems)
        library = self.current
        expected = library.expected if library else None
        if library and expected is not None and expected < library.seen:
            expected = None  # the source was wrong: it named more than it said it had
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
        """Return what is recorded beside the run, as (kind, subject, reason)."""
        return [
            *(("failure", subject, reason) for subject, reason in self.failures),
            *(("problem", subject, reason) for subject, reason in (*self.problems, *self.saves.problems)),
            *(("remark", subject, text) for subject, text in self.remarks),
        ]
