"""What saving, syncing and checking report."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from mediasync.models import LibraryRun, SyncRun
from mediasync.vocabulary import RunStatus


class Reported:
    """The base of reports and events: dataclasses that can be written as JSON."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, all of which `json.dumps` takes.

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


class SaveStatus(StrEnum):
    """What a save did."""

    SAVED = "saved"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class SaveResult(Reported):
    """What became of one item.

    Attributes:
        id: of the item.
        status: saved, or found as it is stored.
        problems: the credits that were left out, and why.
        repeats: how many exact repeats of a credit were dropped.
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
        unchanged: how many were found as they are stored.
        failed: (id, reason) of each that could not be stored.
        problems: (id, reason) of each credit that was left out; its item is stored.
        repeats: how many exact repeats of a credit were dropped.
    """

    saved: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    repeats: int = 0

    def add(self, result: SaveResult) -> None:
        """Count one item that was stored."""
        if result.status is SaveStatus.SAVED:
            self.saved += 1
        else:
            self.unchanged += 1
        if result.problems:
            self.problems += [(result.id, reason) for reason in result.problems]
        self.repeats += result.repeats


@dataclass(frozen=True, slots=True)
class SyncReport(Reported):
    """How a sync of one source went.

    Attributes:
        run: the run as it is recorded, with its counts.
        failed: (id or file, reason) of each item that could not be read or stored.
        problems: (id, reason) of each credit that was left out, or of what could not be understood of an
            item that is stored.
        remarks: (subject, text) of what people should know, without being a failure.
        repeats: how many exact repeats of a credit were dropped.
        libraries: what was seen of each library that was gone through.
        dry: whether it was a dry run: nothing is written, and ``run`` is not recorded.
        changes: of a dry run, (id, what) of each item that would be written.
    """

    run: SyncRun
    failed: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    repeats: int = 0
    libraries: tuple[LibraryRun, ...] = ()
    dry: bool = False
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def saved(self) -> int:
        """How many items were written; of a dry run, how many would be."""
        return self.run.saved

    @property
    def unchanged(self) -> int:
        """How many items were found as they are stored, or not read again."""
        return self.run.unchanged

    @property
    def status(self) -> RunStatus:
        """How the run ended."""
        return self.run.status


@dataclass(frozen=True, slots=True)
class CopyReport(Reported):
    """What a copy of a mirror did, by the names of the public views.

    Attributes:
        copied: how many rows were written, of sources, libraries, people, items and runs.
        unchanged: how many of them the target had already.
        rows: how many rows each view has; all were compared and are the same on both sides.
    """

    copied: dict[str, int]
    unchanged: dict[str, int]
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Flaw(Reported):
    """One thing that does not hold.

    Attributes:
        check: which check found it.
        subject: the row or the item.
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
        flaws: what does not hold; empty if all is well.
    """

    checks: tuple[str, ...]
    flaws: tuple[Flaw, ...]
