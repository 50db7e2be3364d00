"""Counting what a run did, for its report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mediasync.backends.base import Backend, CountsRequests
from mediasync.database.database import Database
from mediasync.events import Event, LibraryFailed, LibraryFinished, LibraryStarted
from mediasync.library.run_counts import RunCountReads
from mediasync.models import Library
from mediasync.reports import LibraryCounts, SyncCounts
from mediasync.syncing.sink import Sink
from mediasync.syncing.tally import Emit, Tally

_CHANGES = ("added", "changed", "removed", "back", "credits_added", "credits_removed")
_UNKNOWN_WHEN_DRY = dict.fromkeys(("removed", "credits_added", "credits_removed"))


class _Mark(NamedTuple):
    """How far a run has come.

    Attributes:
        seconds: by the event loop's clock.
        requests: how many were sent; None if they are not counted.
        unchanged, failed: items so far.
        written: in a dry run, the number of items that would have been written so far.
    """

    seconds: float
    requests: int | None
    unchanged: int
    failed: int
    written: int


@dataclass(slots=True)
class _Part:
    """The part of a run in which one library was read."""

    library: Library
    begun: _Mark
    ended: _Mark | None = None


class Counting:
    """Counts what one run does to a source and its libraries.

    While the run goes on, it only notes the time and some numbers where libraries begin and end. What changed
    is counted from the change log.

    Args:
        backend: the source.
        tally: what the run has found so far.
        sink: what becomes of it.
        dry: whether nothing is written.
    """

    def __init__(self, backend: Backend, tally: Tally, sink: Sink, *, dry: bool) -> None:
        self._backend = backend
        self._tally = tally
        self._sink = sink
        self._dry = dry
        self._parts: list[_Part] = []
        self._begun = self._mark()

    def watching(self, emit: Emit) -> Emit:
        """Return a function that notes where libraries begin and end, and passes each event on to *emit*."""

        def watch(event: Event) -> None:
            if isinstance(event, LibraryStarted):
                self._parts.append(_Part(event.library, self._mark()))
            elif isinstance(event, LibraryFinished | LibraryFailed):
                self._parts[-1].ended = self._mark()
            emit(event)

        return watch

    async def finish(self, database: Database) -> SyncCounts:
        """Return the counts of a run that has saved everything.

        Raises:
            DatabaseError: if the database fails.
        """
        changed: Mapping[str | None, Mapping[str, int]]
        if self._dry:
            changed = {part.library.full_id: self._would_change(part) for part in self._parts}
            titles: dict[str, str] = {}
            total = _would_change(self._sink.changes)
        else:
            reads = RunCountReads(database)
            changed = await reads.count(self._tally.run_id)
            read = {part.library.full_id for part in self._parts}
            others = changed.keys() - read - {None}
            titles = await reads.find_titles(self._tally.source_id) if others else {}
            total = {name: sum(counts[name] for counts in changed.values()) for name in _CHANGES}
        libraries = {
            part.library.full_id: LibraryCounts(
                library_id=part.library.full_id,
                title=part.library.title,
                **self._fields(changed.get(part.library.full_id, {}), part.begun, part.ended or self._mark()),
            )
            for part in self._parts
        }
        for library_id, title in titles.items():
            if library_id in changed and library_id not in libraries:
                libraries[library_id] = LibraryCounts(
                    library_id=library_id, title=title, **changed[library_id]
                )
        return SyncCounts(
            libraries=tuple(libraries.values()), **self._fields(total, self._begun, self._mark())
        )

    def _mark(self) -> _Mark:
        tally, backend = self._tally, self._backend
        requests = backend.requests if isinstance(backend, CountsRequests) else None
        seconds = asyncio.get_running_loop().time()
        return _Mark(seconds, requests, tally.unchanged, len(tally.failures), len(self._sink.changes))

    def _fields(self, changed: Mapping[str, int], begun: _Mark, ended: _Mark) -> dict[str, Any]:
        counted = begun.requests is not None and ended.requests is not None
        return {
            **(_UNKNOWN_WHEN_DRY if self._dry else {}),
            **changed,
            "unchanged": ended.unchanged - begun.unchanged,
            "failed": ended.failed - begun.failed,
            "seconds": round(ended.seconds - begun.seconds, 3),
            "requests": (ended.requests or 0) - (begun.requests or 0) if counted else None,
        }

    def _would_change(self, part: _Part) -> dict[str, int]:
        end = len(self._sink.changes) if part.ended is None else part.ended.written
        counts = _would_change(self._sink.changes[part.begun.written : end])
        del counts["removed"]  # that is decided when all libraries have been read
        return counts


def _would_change(changes: Iterable[tuple[str, str]]) -> dict[str, int]:
    kinds = [what for _, what in changes]
    added, removed = kinds.count("new"), kinds.count("removed")
    back = sum(what == "back" or what.startswith("back and ") for what in kinds)
    return {"added": added, "removed": removed, "back": back, "changed": len(kinds) - added - removed - back}
