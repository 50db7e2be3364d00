"""Syncs that are started by a request and go on after its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, Protocol

from pydantic import BaseModel

from mediasync.errors import MediaSyncError, UnknownSource
from mediasync.events import Progress, RunStarted
from mediasync.models import SyncRun
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.syncing.handles import cancel_all

if TYPE_CHECKING:
    from mediasync.app import MediaSync

_log: Final = logging.getLogger("mediasync.web")


class SyncProgress(BaseModel):
    """How far a sync has got.

    Attributes:
        seen: items that the source listed.
        saved: items that were written.
        unchanged: items that had not changed.
        failed: items that could not be read or stored.
        share: the fraction that is done, 0 to 1; None if unknown.
    """

    seen: int = 0
    saved: int = 0
    unchanged: int = 0
    failed: int = 0
    share: float | None = None


class SyncState(BaseModel):
    """A sync that was started here.

    Attributes:
        source_id: the source.
        state: ``running``; ``ended``, and then ``run`` says how; or ``failed``, and then ``error`` says why.
        started_at: when it was started.
        run_id: the number of the run, as soon as the source has answered.
        progress: how far it has got.
        run: the run as it is recorded, at its end.
        error: why the source could not be synced.
    """

    source_id: str
    state: Literal["running", "ended", "failed"]
    started_at: datetime
    run_id: int | None = None
    progress: SyncProgress = SyncProgress()
    run: SyncRun | None = None
    error: str | None = None


class SyncDesk(Protocol):
    """What the API needs of whoever syncs in the background."""

    def start(self, source_id: str, *, full: bool = False) -> SyncState:
        """Start a sync, or return the state of the one that is running already.

        Raises:
            UnknownSource: if there are no settings of the source.
            ConfigurationError: if they cannot be used.
        """

    def find(self, source_id: str) -> SyncState | None:
        """Return the state of the newest sync that was started here; None if there was none."""

    def count_running(self) -> int:
        """Return how many syncs are under way."""

    async def close(self) -> None:
        """Cancel the syncs that are under way. What they saved stays."""


class BackgroundSyncs:
    """Syncs sources in tasks of their own, each source at most once at a time.

    Args:
        ms: the open mirror.
        sources: the settings of the sources, by id.
    """

    def __init__(self, ms: MediaSync, sources: Mapping[str, SourceConfig | FlawedSource]) -> None:
        self._ms = ms
        self._sources = sources
        self._states: dict[str, SyncState] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, source_id: str, *, full: bool = False) -> SyncState:
        """Start a sync, or return the state of the one that is running already; see `SyncDesk`."""
        source = self._sources.get(source_id)
        if source is None:
            raise UnknownSource(f"there are no settings of a source {source_id!r} here")
        if isinstance(source, FlawedSource):
            raise source.error
        if source_id not in self._tasks:
            state = SyncState(source_id=source_id, state="running", started_at=datetime.now(UTC))
            self._states[source_id] = state
            self._tasks[source_id] = asyncio.create_task(
                self._sync(source, state, full=full), name=f"mediasync sync of {source_id}"
            )
        return self._states[source_id]

    def find(self, source_id: str) -> SyncState | None:
        """Return the state of the newest sync that was started here; None if there was none."""
        return self._states.get(source_id)

    def count_running(self) -> int:
        """Return how many syncs are under way."""
        return len(self._tasks)

    async def close(self) -> None:
        """Cancel the syncs that are under way. What they saved stays."""
        if self._tasks:
            await cancel_all(list(self._tasks.values()))

    async def _sync(self, source: SourceConfig, state: SyncState, *, full: bool) -> None:
        try:
            sync = self._ms.sync(source, full=full, wait_if_busy=0)
            async for event in sync:
                if isinstance(event, RunStarted):
                    state.run_id = event.run_id
                elif isinstance(event, Progress):
                    state.progress = SyncProgress(
                        seen=event.seen,
                        saved=event.saved,
                        unchanged=event.unchanged,
                        failed=event.failed,
                        share=event.share,
                    )
            state.run, state.state = sync.report.run, "ended"
        except MediaSyncError as error:
            state.error, state.state = str(error), "failed"
        except BaseException as error:
            state.error, state.state = "the sync was stopped", "failed"
            if isinstance(error, Exception):
                state.error = "the sync failed unexpectedly; the log of the server has more"
                _log.exception("the sync of %s failed", source.id)
            else:
                raise
        finally:
            del self._tasks[source.id]
