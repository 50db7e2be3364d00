"""The factory of the web app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from mediasync.errors import MediaSyncError
from mediasync.web.guard import Guard
from mediasync.web.headers import SecurityHeaders
from mediasync.web.pages import home, signing_in
from mediasync.web.pictures.desk import PictureDesk, PictureOptions
from mediasync.web.pictures.routes import routes as picture_routes
from mediasync.web.problems import show_bug, show_error
from mediasync.web.site import Site

if TYPE_CHECKING:
    from mediasync.app import MediaSync
    from mediasync.settings.source import FlawedSource, SourceConfig


def create_app(
    ms: MediaSync,
    *,
    sources: Mapping[str, SourceConfig | FlawedSource] | Iterable[SourceConfig | FlawedSource] = (),
    guard: Guard | None = None,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008 - frozen
) -> Starlette:
    """Return the web app around a mirror, to be served alone or mounted into another app.

    The mirror must be open while requests are answered, and is not closed by the app. Without a guard,
    everybody who reaches the app may read, and nobody may write.

    Args:
        ms: the mirror.
        sources: the sources that may be synced from the pages, and whose pictures are shown.
        guard: decides who may read and write.
        pictures: where pictures are kept, and for how long.

    Example:
        >>> app.mount("/media", create_app(ms))  # doctest: +SKIP
    """
    by_id = dict(sources) if isinstance(sources, Mapping) else {source.id: source for source in sources}
    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(SecurityHeaders)],
        lifespan=_closing,
        exception_handlers={
            HTTPException: show_error,
            MediaSyncError: show_error,
            Exception: show_bug,
        },
    )
    app.state.site = Site(ms, by_id, guard or Guard(), PictureDesk(by_id, pictures))
    return app


@asynccontextmanager
async def _closing(app: Starlette) -> AsyncIterator[None]:
    """Close what the app has opened. A mounted app has no such end: what it opened then ends when idle."""
    yield
    await app.state.site.close()


def _routes() -> list[BaseRoute]:
    static = StaticFiles(packages=[("mediasync.web", "static")])
    return [
        Mount("/static", static, name="static"),
        *home.routes,
        *signing_in.routes,
        *picture_routes,
    ]
