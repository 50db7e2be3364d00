"""What every request needs: the mirror, its sources, and the services of the web app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request

from mediasync.web.examining import Examination
from mediasync.web.feed import ChangeFeed
from mediasync.web.guard import Access, Guard
from mediasync.web.limits import Turns
from mediasync.web.memory import Memory
from mediasync.web.metrics import Metrics
from mediasync.web.pictures.desk import PictureDesk, PictureOptions
from mediasync.web.streams import Streams
from mediasync.web.syncing import SyncDesk

if TYPE_CHECKING:
    from mediasync.app import MediaSync
    from mediasync.settings.source import FlawedSource, SourceConfig


class Site:
    """The web app around one mirror.

    Args:
        ms: the open mirror.
        sources: the sources that can be synced and whose pictures can be fetched, by id.
        guard: decides who may read and write.
        pictures: how pictures are kept.
        metrics: measures the requests.

    Attributes:
        ms: the open mirror.
        sources: those of the arguments.
        guard: decides who may read and write.
        pictures: finds pictures.
        memory: numbers that take long to count.
        desk: starts and follows syncs.
        examination: what the doctor finds.
        feed: sends changes to those who follow them.
        streams: the open streams of events.
        metrics: measures the requests.
        turns: for questions that take seconds.
    """

    def __init__(
        self,
        ms: MediaSync,
        sources: Mapping[str, SourceConfig | FlawedSource],
        guard: Guard,
        pictures: PictureOptions,
        metrics: Metrics,
    ) -> None:
        self.ms = ms
        self.sources = sources
        self.guard = guard
        self.pictures = PictureDesk(sources, pictures)
        self.memory = Memory(ms)
        self.desk = SyncDesk(ms, sources)
        self.examination = Examination(ms)
        self.feed = ChangeFeed(ms)
        self.streams = Streams()
        self.metrics = metrics
        self.turns = Turns()

    async def close(self) -> None:
        """End what the pages have begun, and close what they have opened. The mirror stays open."""
        self.streams.close()
        await self.desk.close()
        await self.examination.close()
        await self.pictures.close()

    async def may_write(self, request: Request) -> bool:
        """Return whether a request may change something."""
        return await self.guard.find_access(request) >= Access.WRITE


def site_of(request: Request) -> Site:
    """Return the site that answers a request."""
    site: Site = request.app.state.site
    return site
