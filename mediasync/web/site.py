"""What every request needs: the mirror, its sources, and the services of the web app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from mediasync.web.feed import ChangeFeed
from mediasync.web.guard import Access, Guard
from mediasync.web.metrics import Metrics
from mediasync.web.streams import Streams
from mediasync.web.syncing import SyncDesk

if TYPE_CHECKING:
    from mediasync.app import MediaSync
    from mediasync.settings.source import FlawedSource, SourceConfig


@dataclass(frozen=True, slots=True)
class Site:
    """The web app around one mirror.

    Attributes:
        ms: the open mirror.
        sources: the sources that can be synced and whose pictures can be fetched, by id.
        guard: decides who may read and write.
        desk: starts and follows syncs.
        feed: sends changes to those who follow them.
        streams: the open streams of events.
        metrics: measures the requests.
    """

    ms: MediaSync
    sources: Mapping[str, SourceConfig | FlawedSource]
    guard: Guard
    desk: SyncDesk
    feed: ChangeFeed
    streams: Streams
    metrics: Metrics

    async def close(self) -> None:
        """End the streams of events, and the syncs that were begun here."""
        self.streams.close()
        await self.desk.close()

    async def may_write(self, request: Request) -> bool:
        """Return whether a request may change something."""
        return await self.guard.find_access(request) >= Access.WRITE


def site_of(request: Request) -> Site:
    """Return the site that answers a request."""
    site: Site = request.app.state.site
    return site
