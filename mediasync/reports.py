"""The reports of saves, syncs, copies and checks, and of what is done to whole sources."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from mediasync.advice import advice_for
from mediasync.models import LibraryRun, PendingRemoval, Source, SyncRun
from mediasync.vocabulary import RunStatus


class Reported:
    """The base of reports and events: dataclasses that can be written as JSON."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as values that `json.dumps` accepts.

        Models become what their ``model_dump(mode="json")`` returns, an error its class and its text.
        """
        return {each.name: _as_json(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]


def _as_json(value: Any) -> Any:
    match value:
        case Reported():
            return value.as_dict()
        case BaseModel():
            return value.model_dump(mode="json")
        case Exception():
            return {"kind": type(value).__name__, "message": str(value)}
        case dict():
            return {str(key): _as_json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_as_json(inner) for inner in value]
        case StrEnum():
            return str(value)
        case _:
            return value


@dataclass(frozen=True, slots=True)
class BackupReport(Reported):
    """A backup that was written.

    Attributes:
        path: the file.
        bytes: its size.
        newest_change: the number of the newest change that is in it; 0 if there was none yet.
        replaced: whether it took the place of an older file.
    """

    path: str
    bytes: int
    newest_change: int
    replaced: bool


@dataclass(frozen=True, slots=True)
class UpgradeReport(Reported):
    """What an upgrade of a database's schema did, or would do.

    Attributes:
        before: the version of the schema that the database had.
        after: the version that this mediasync needs. It is *before* if nothing had to be done.
        dry_run: whether nothing was changed because that was asked for.
        backup: the file with the copy that was made before the upgrade; None if none was made.
    """

    before: int
    after: int
    dry_run: bool = False
    backup: str | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the versions differ."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class VacuumReport(Reported):
    """What a vacuum gave back.

    Attributes:
        bytes_before: how much room the database took, with its write-ahead log and its indexes.
        bytes_after: how much room it takes now.
        log_bytes: SQLite only: the part of it that is still in the write-ahead log, because another process
            was reading. It is 0 otherwise.
    """

    bytes_before: int
    bytes_after: int
    log_bytes: int = 0


class SaveStatus(StrEnum):
    """What a save did."""

    SAVED = "saved"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class SaveResult(Reported):
    """What became of one item.

    Attributes:
        id: the item's full id.
        status: whether it was written, or was stored like this already.
        problems: the credits that were left out, and why.
        repeats: how many exact duplicates of a credit were dropped.
    """

    id: str
    status: SaveStatus
    problems: tuple[str, ...] = ()
    repeats: int = 0


@dataclass(slots=True)
class SaveReport(Reported):
    """What became of many items.

    Attributes:
        saved: how many were written.
        unchanged: how many were stored like this already.
        failed: (id, reason) of each that could not be stored.
        problems: (id, reason) of each credit that was left out; its item is stored.
        repeats: how many exact duplicates of a credit were dropped.
    """

    saved: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    repeats: int = 0

    def add(self, result: SaveResult) -> None:
        """Add the result of one item."""
        if result.status is SaveStatus.SAVED:
            self.saved += 1
        else:
            self.unchanged += 1
        if result.problems:
            self.problems += [(result.id, reason) for reason in result.problems]
        self.repeats += result.repeats


@dataclass(frozen=True, slots=True)
class Failure(Reported):
    """One item, file or library that could not be read or stored.

    Attributes:
        id: of the item or library, or the name of the file.
        reason: what is wrong.
        advice: what to do; None if the reason says it, or nothing better is known than to look at the item.
    """

    id: str
    reason: str
    advice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Reported):
    """What a sync did.

    An item counts once, whatever happened to it, and in its home library. A dry run does not know what is
    None below.

    Attributes:
        added: items that are new.
        changed: items whose fields, credits or libraries changed.
        unchanged: items that were stored like this already, or were not read again.
        removed: items that the source no longer has.
        back: items that the source had no longer, and has again.
        failed: items that could not be read or stored; a library that could not be read counts as one.
        credits_added: credits that are new, with those of items that are new or back.
        credits_removed: credits that went, with those of items that were removed.
        seconds: how long it took.
        requests: how many requests were sent, repeated ones included; None if the backend sends none, or does
            not count them.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int | None = 0
    back: int | None = 0
    failed: int = 0
    credits_added: int | None = 0
    credits_removed: int | None = 0
    seconds: float = 0.0
    requests: int | None = None

    @property
    def has_changes(self) -> bool:
        """Whether any item was added, changed or removed, or came back."""
        return bool(self.added or self.changed or self.removed or self.back)

    def describe(self) -> str:
        """Return the changes in words; an empty text if there are none.

        Example:
            >>> Counts(added=3, removed=2, credits_added=45, credits_removed=3).describe()
            '3 added, 2 removed; 45 credits added, 3 removed'
        """
        items = _listed(added=self.added, changed=self.changed, back=self.back, removed=self.removed)
        credit_counts = _listed(added=self.credits_added, removed=self.credits_removed)
        if credit_counts:
            number, rest = credit_counts.split(" ", 1)
            credit_counts = f"{number} {'credit' if number == '1' else 'credits'} {rest}"
        return "; ".join(part for part in (items, credit_counts) if part)


def _listed(**counts: int | None) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCounts(Counts):
    """What a sync did to one library.

    Attributes:
        library_id: the library's full id.
        title: the library's name.
    """

    library_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCounts(Counts):
    """What a sync did to one source.

    The time and the requests are those of the whole run, of which the libraries have a part.

    Attributes:
        libraries: the same of each library that was read, or of which anything changed.
    """

    libraries: tuple[LibraryCounts, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncReport(Reported):
    """How a sync of one source went.

    Attributes:
        run: the run as it is recorded, with its counts.
        failed: (id or file, reason) of each item that could not be read or stored.
        problems: (id, reason) of each credit that was left out, and of each other part of a stored item that
            could not be understood.
        remarks: (subject, text) of what people should know, but that is not a failure.
        repeats: how many exact duplicates of a credit were dropped.
        libraries: what was seen of each library that was read.
        dry: whether it was a dry run. It writes nothing, and its ``run`` is not recorded.
        changes: of a dry run, (id, what) of each item that would be written.
        removed: the ids of the items that the source no longer has, and that are marked as missing now.
        pending: the removals that this run did not make, because somebody has to confirm them first.
        purged: what this run deleted because it was removed long ago.
        counts: what it did to the source and to each library, or, in a dry run, would do.
    """

    run: SyncRun
    failed: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    repeats: int = 0
    libraries: tuple[LibraryRun, ...] = ()
    dry: bool = False
    changes: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    pending: tuple[PendingRemoval, ...] = ()
    purged: PurgeReport = field(default_factory=lambda: PurgeReport())
    counts: SyncCounts = SyncCounts()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What failed, each with what to do about it."""
        return tuple(Failure(item_id, reason, advice_for(reason)) for item_id, reason in self.failed)

    @property
    def saved(self) -> int:
        """How many items were written, or, in a dry run, would be written."""
        return self.run.saved

    @property
    def unchanged(self) -> int:
        """How many items were stored like this already, or were not read again."""
        return self.run.unchanged

    @property
    def status(self) -> RunStatus:
        """How the run ended."""
        return self.run.status


@dataclass(slots=True)
class PurgeReport(Reported):
    """What a purge deleted, or would delete.

    Attributes:
        items: how many removed items.
        people: how many people whom nobody credits any more.
    """

    items: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class UndoReport(Reported):
    """What an undo of a run did, or would do.

    Attributes:
        run_id: the run that was undone.
        run: the run that undid it, which can be undone as well; None in a dry run.
        undone: (id, what) of each item, person, library or source that is as it was before.
        refused: (id, reason) of each that was left as it is, because it was changed again since.
    """

    run_id: int
    run: SyncRun | None
    undone: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSummary(Reported):
    """How much is stored of a source.

    Attributes:
        source: the source.
        libraries: how many libraries it has.
        items: how many items are shown.
        removed: how many items are kept that it no longer has.
        people: how many people are shown.
        credits: how many credits its items have, those of removed items included.
        runs: how many of its syncs are recorded.
        last_run: the newest of them that was one of the whole source; the newest of all if none was. None if
            there is none.
    """

    source: Source
    libraries: int
    items: int
    removed: int
    people: int
    credits: int
    runs: int
    last_run: SyncRun | None


@dataclass(frozen=True, slots=True)
class RenamedSource(Reported):
    """What renaming a source changed.

    Attributes:
        old_id: the id that the source had.
        new_id: the id that it has now.
        libraries: how many libraries have new ids.
        items: how many items have new ids, removed ones included.
        people: how many people have new ids, hidden ones included.
        changes: how many earlier entries of the change log have new ids.
    """

    old_id: str
    new_id: str
    libraries: int
    items: int
    people: int
    changes: int


@dataclass(slots=True)
class RemovedSource(Reported):
    """What removing a source deleted.

    Attributes:
        source_id: the id that the source had.
        libraries: how many libraries.
        items: how many items, including those that the source no longer had.
        people: how many people, hidden ones included.
        credits: how many credits.
        runs: how many records of syncs.
    """

    source_id: str
    libraries: int = 0
    items: int = 0
    people: int = 0
    credits: int = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class CopyReport(Reported):
    """What a copy of a mirror did. The keys are names of public views.

    Attributes:
        copied: how many sources, libraries, people, items and runs were written.
        unchanged: how many of them the target had already.
        rows: how many rows each view has. All were compared, and are the same on both sides.
    """

    copied: dict[str, int]
    unchanged: dict[str, int]
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class ExportReport(Reported):
    """What an export wrote.

    Attributes:
        format: the name of the format.
        change: the number of the last change that the export contains, from which the next one may go on.
        rows: how many rows, lines, records or NFO files were written of each kind.
        left_out: how many items the format could not hold.
        problems: the ids of items that were left out or will not be read back as a whole, each with the
            reason; at most a hundred.
    """

    format: str
    change: int
    rows: dict[str, int]
    left_out: int = 0
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Flaw(Reported):
    """One violation that a check found.

    Attributes:
        check: the name of the check.
        subject: the row or the item that is wrong.
        reason: what is wrong with it.
    """

    check: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckReport(Reported):
    """What a check of a database found.

    Attributes:
        checks: the names of the checks that ran.
        flaws: what is wrong; empty if nothing is.
    """

    checks: tuple[str, ...]
    flaws: tuple[Flaw, ...]
