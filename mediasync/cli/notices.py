"""Telling somebody how the syncs of one command ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mediasync.cli.context import CommandContext
from mediasync.cli.output import Output
from mediasync.errors import ConfigurationError, NotNotified, UsageError
from mediasync.reports import SyncReport
from mediasync.settings.notify import NotifyOn, find_notify_url

if TYPE_CHECKING:  # few commands notify anybody
    from mediasync.notifying import Notifier


def find_notifier(context: CommandContext, url: str | None, on: Sequence[NotifyOn]) -> Notifier | None:
    """Return what tells somebody, or None if nobody is to be told.

    What cannot be used in the environment or the configuration file is a warning: it keeps no sync from
    running.

    Args:
        context: the running command.
        url: the option ``--notify``.
        on: the option ``--notify-on``.

    Raises:
        UsageError: if the option names no webhook, or there is none to tell anything.
    """
    settings, given = context.configuration().notify, url is not None
    try:
        if url is None:
            url, _ = find_notify_url(settings, context.environ)
        if url is None:
            if on:
                raise UsageError("--notify-on: nobody is told: give --notify URL, or url of [notify]")
            return None
        from mediasync.notifying import Notifier

        return Notifier(url, on=on or settings.on, format=None if given else settings.format)
    except ConfigurationError as error:
        if given:
            raise UsageError(f"--notify: {error}") from None
        context.out.note(f"nobody is notified: {error}", level=logging.WARNING)
        return None


class Notices:
    """Notifications under way. At the end of the context they are waited for; an error cancels them.

    Args:
        out: where a notification that failed is reported, as a warning.
        notifier: what tells somebody; None to tell nobody.
    """

    def __init__(self, out: Output, notifier: Notifier | None) -> None:
        self._out = out
        self._notifier = notifier
        self._tasks: list[asyncio.Task[None]] = []
        self._warnings: list[str] = []

    def tell(self, source_id: str, outcome: SyncReport | Exception) -> None:
        """Begin to tell how the sync of a source ended."""
        if self._notifier is not None:
            self._tasks.append(asyncio.create_task(self._tell(self._notifier, source_id, outcome)))

    async def _tell(self, notifier: Notifier, source_id: str, outcome: SyncReport | Exception) -> None:
        try:
            await notifier.notify(source_id, outcome)
        except Exception as error:  # whatever it is, the sync went as it went
            why = str(error) if isinstance(error, NotNotified) else type(error).__name__
            self._warnings.append(f"{source_id}: nobody was notified: {why}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for text in self._warnings:
                self._out.note(text, level=logging.WARNING)
