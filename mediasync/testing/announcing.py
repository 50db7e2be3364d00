"""Fakes that tell their listeners of each change of their catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from types import TracebackType
from typing import Any, Self

from mediasync.testing.library import Catalogue, CatalogueChange
from mediasync.testing.listeners import Listener
from mediasync.testing.server import FakeServer

__all__ = ["AnnouncesChanges"]


class AnnouncesChanges(FakeServer):
    """A fake that announces changes of its catalogue while it runs, to those who listen.

    Attributes:
        catalogue: the content.
        event_loss: which share of the events is lost, from 0 to 1. Which ones is the same in every run.
        event_delay: how many seconds each event waits before it is sent.
        is_silent: whether connections stay open, but nothing is sent any more: no event, no answer to a ping.
    """

    catalogue: Catalogue
    event_loss: float = 0.0
    event_delay: float = 0.0
    is_silent: bool = False
    _followed: Catalogue | None = None
    _chance: Random

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._chance = Random(0)  # noqa: S311
        self._followed = self.catalogue
        self._followed.observers.append(self.announce_change)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._followed is not None:
            self._followed.observers.remove(self.announce_change)
            self._followed = None
        await super().__aexit__(kind, error, trace)

    def announce_change(self, change: CatalogueChange) -> None:
        """Tell the listeners of a change, as the real server does."""
        raise NotImplementedError

    def announce(self, message: Mapping[str, Any]) -> None:
        """Send a message to all who are told of changes, unless it is lost.

        Args:
            message: what is sent, as JSON.
        """
        if self._chance.random() < self.event_loss:
            return
        for listener in self.listeners:
            if self.is_told(listener):
                listener.is_silent, listener.delay = self.is_silent, self.event_delay
                listener.send(self.encode(listener, message))

    def be_silent(self) -> None:
        """Keep all connections open, but neither send anything nor answer, from now on."""
        self.is_silent = True
        for listener in self.listeners:
            listener.is_silent = True

    def close_listeners(self, code: int = 1001, reason: str = "") -> None:
        """Close the connection of every listener, as a server does that ends."""
        for listener in self.listeners:
            listener.close(code, reason)

    def drop_listeners(self) -> None:
        """Abort the connection of every listener, as if a cable was pulled out."""
        for listener in self.listeners:
            listener.drop()

    def is_told(self, _listener: Listener) -> bool:
        """Return whether a listener is told of changes."""
        return True

    def encode(self, _listener: Listener, message: Mapping[str, Any]) -> str:
        """Return a message as it is sent to a listener."""
        return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
