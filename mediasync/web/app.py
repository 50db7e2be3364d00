"""The factory of the web app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from mediasync.errors import MediaSyncError
from mediasync.web.assets import make_assets
from mediasync.web.guard import Guard
from mediasync.web.headers import SecurityHeaders
from mediasync.web.pages import home, item, library, people, person, search, signing_in
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
) -> Starlette:
    """Return the web app around a mirror, to be served alone or mounted into another app.

    The mirror must be open while requests are answered, and is not closed by the app. Without a guard,
    everybody who reaches the app may read, and nobody may write.

    Args:
        ms: the mirror.
        sources: the sources that may be synced from the pages, and whose pictures are shown.
        guard: decides who may read and write.

    Example:
        >>> app.mount("/media", create_app(ms))  # doctest: +SKIP
    """
    by_id = dict(sources) if isinstance(sources, Mapping) else {source.id: source for source in sources}
    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={
            HTTPException: show_error,
            MediaSyncError: show_error,
            Exception: show_bug,
        },
    )
    app.state.site = Site(ms, by_id, guard or Guard())
    return app


def _routes() -> list[BaseRoute]:
    return [
        Mount("/static", make_assets(), name="static"),
        *home.routes,
        *library.routes,
        *item.routes,
        *people.routes,
        *person.routes,
        *search.routes,
        *signing_in.routes,
    ]
