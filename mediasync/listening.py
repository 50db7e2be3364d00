"""Listening to one source: its events become hints, and a lost connection is made again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Final

from mediasync.aio import finish
from mediasync.backends.base import Backend, ReportsEvents
from mediasync.errors import ConfigurationError, DatabaseError, SourceError, UsageError
from mediasync.events import Event, Hinted, ListeningEnded, ListeningStarted
from mediasync.hints import Hint, HintKind
from mediasync.settings.distribution import install_command
from mediasync.syncing.debounce import MOST_TARGETS
from mediasync.syncing.inbox import Inbox
from mediasync.text import storable

_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
_STEADY: Final = timedelta(minutes=1)
"""A connection that lasted so long was well: the pauses before the next ones begin anew."""
_SECONDS_TO_CONNECT: Final = 5.0
"""How long after a connection was made again the source is synced at the earliest. Until then it stands."""
_sleep: Final = asyncio.sleep


class Listener:
    """Listens to one source, as long as `run` runs.

    Args:
        source_id: the source.
        make_backend: returns a backend of the source that nothing else uses.
        inbox: where the hints go.
        clock: returns the time in milliseconds since 1970, UTC.
    """

    def __init__(
        self,
        source_id: str,
        make_backend: Callable[[], Backend],
        inbox: Inbox,
        clock: Callable[[], int],
    ) -> None:
        self._source_id = source_id
        self._make_backend = make_backend
        self._inbox = inbox
        self._clock = clock
        self._may_have_missed = False
        self._pending: list[Hint] = []
        self._came = asyncio.Event()

    async def run(self, emit: Callable[[Event], None]) -> None:
        """Listen until this is cancelled. Return at once if the source reports no events.

        Whenever the connection was lost, events may have been missed. So the source is synced after it was
        made again; a connection that is lost all the time is made at growing intervals.

        Args:
            emit: called with each event; it must not block.
        """
        pause, told = _FIRST_PAUSE, ""
        while True:
            began = self._now()
            try:
                backend = self._make_backend()
                if not isinstance(backend, ReportsEvents):
                    return
                await self._listen(backend, backend, emit)
                reason, is_lasting = "the source ended the connection", False
            except ImportError as error:
                reason, is_lasting = (
                    f"a package is not installed that its events need ({error.name or error}): "
                    f"{install_command('live')}",
                    True,
                )
            except ConfigurationError as error:
                reason, is_lasting = storable(str(error)), True
            except SourceError as error:
                reason, is_lasting = storable(str(error)), False
            except Exception as error:  # a fault of a backend ends neither the watch nor the schedule
                _LOG.exception("%s: listening to its events failed", self._source_id)
                reason, is_lasting = storable(f"{type(error).__name__}: {error}"), True
            self._may_have_missed = True
            if self._now() - began >= _STEADY:
                pause = _FIRST_PAUSE
            if is_lasting:
                pause = _LONGEST_PAUSE
            if not is_lasting or reason != told:
                retry_at = None if is_lasting else self._now() + pause
                emit(ListeningEnded(self._source_id, reason, retry_at))
            told = reason if is_lasting else ""
            await _sleep(pause.total_seconds())
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _listen(
        self, backend: Backend, reporting: ReportsEvents, emit: Callable[[Event], None]
    ) -> None:
        """Pass on hints until the connection ends."""

        def begin() -> None:
            emit(ListeningStarted(self._source_id))
            if self._may_have_missed:
                self._may_have_missed = False
                self._pending.append(Hint(HintKind.SOURCE, seconds=_SECONDS_TO_CONNECT))
                self._came.set()

        async with backend.open():
            storing = asyncio.create_task(self._store(), name=f"mediasync hints of {self._source_id}")
            try:
                async with aclosing(reporting.listen(begin)) as hints:
                    async for hint in hints:
                        emit(Hinted(self._source_id, hint))
                        self._pending.append(hint)
                        if len(self._pending) > MOST_TARGETS:
                            self._pending[:] = [Hint(HintKind.SOURCE)]
                        self._came.set()
            finally:
                storing.cancel()
                await finish(asyncio.wait({storing}))

    async def _store(self) -> None:
        """Store hints as they come. Those that come while some are stored go together."""
        if self._pending:  # the connection before this one ended before they were stored
            self._came.set()
        while True:
            await self._came.wait()
            self._came.clear()
            hints, self._pending = self._pending, []
            try:
                await self._inbox.hint(self._source_id, hints)
            except UsageError as error:  # a key that cannot be stored: whatever it means is in the source
                _LOG.warning("%s: %s; the whole source is synced", self._source_id, error)
                self._pending.insert(0, Hint(HintKind.SOURCE))
                self._came.set()
            except DatabaseError as error:
                _LOG.warning("%s: its events cannot be stored yet: %s", self._source_id, error)
                self._pending[:0] = hints
                await asyncio.sleep(_FIRST_PAUSE.total_seconds())
                self._came.set()
            except asyncio.CancelledError:
                self._pending[:0] = hints
                raise

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000, UTC)
