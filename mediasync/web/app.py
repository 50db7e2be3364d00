"""The factory of the web app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from mediasync.errors import MediaSyncError
from mediasync.web import api, following, health
from mediasync.web.assets import make_assets
from mediasync.web.cors import CrossOrigin
from mediasync.web.guard import Guard
from mediasync.web.headers import SecurityHeaders
from mediasync.web.hooks import hook_routes, secrets_of
from mediasync.web.hosts import HostCheck
from mediasync.web.limits import BodyLimit
from mediasync.web.metrics import Measured, Metrics
from mediasync.web.pages import (
    doctor,
    find,
    home,
    item,
    library,
    people,
    person,
    removed,
    runs,
    search,
    signing_in,
    sources,
)
from mediasync.web.pictures.desk import PictureOptions
from mediasync.web.pictures.routes import routes as picture_routes
from mediasync.web.problems import show_bug, show_error
from mediasync.web.scopes import OwnScope
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
    hosts: Collection[str] | None = None,
    cors_origins: Collection[str] = (),
    public_metrics: bool = False,
    root_path: str = "",
) -> Starlette:
    """Return the web app around a mirror, to be served alone or mounted into another app.

    The mirror must be open while requests are answered, and is not closed by the app. Without a guard,
    everybody who reaches the app may read, and nobody may write.

    Args:
        ms: the mirror.
        sources: the sources that may be synced from the pages, and whose pictures are shown.
        guard: decides who may read and write.
        pictures: where pictures are kept, and for how long.
        hosts: the names by which browsers may call the server, besides ``localhost`` and addresses. This
            keeps pages of other sites from reading ours by DNS rebinding. None to check nothing, because the
            app around this one does.
        cors_origins: the origins whose pages may use ``/api`` and ``/events``, such as
            ``https://films.example``; none by default.
        public_metrics: let everybody read ``/metrics``, not only those who may read the mirror.
        root_path: the path below which the app is mounted, such as ``/media``. Only a host that does not say
            it, such as Litestar, needs this; Starlette and FastAPI do.

    Example:
        >>> app.mount("/media", create_app(ms))  # doctest: +SKIP
    """
    metrics = Metrics(is_public=public_metrics)
    by_id = dict(sources) if isinstance(sources, Mapping) else {source.id: source for source in sources}
    app = Starlette(
        routes=[*_routes(), *hook_routes(ms, secrets_of(by_id).get)],
        middleware=[
            Middleware(OwnScope, root_path=root_path.rstrip("/")),
            Middleware(Measured, metrics=metrics),
            Middleware(SecurityHeaders),
            *([Middleware(CrossOrigin, origins=tuple(cors_origins))] if cors_origins else ()),
            *([] if hosts is None else [Middleware(HostCheck, hosts=tuple(hosts))]),
            Middleware(BodyLimit),
        ],
        lifespan=_until_shutdown,
        exception_handlers={
            HTTPException: show_error,
            MediaSyncError: show_error,
            Exception: show_bug,
        },
    )
    app.state.site = Site(ms, by_id, guard or Guard(), pictures, metrics)
    return app


@asynccontextmanager
async def _until_shutdown(app: Starlette) -> AsyncIterator[None]:
    """End what the site has begun when the server stops. An app that is mounted is not told of that."""
    yield
    await shut_down(app)


async def shut_down(app: Starlette) -> None:
    """End the streams of events and the syncs of an app that `create_app` has made.

    Call it when the server begins to shut down: a server waits for answers that are still being sent, and a
    stream of events is one that does not end by itself. It has to be called before the mirror is closed.

    Args:
        app: the app.
    """
    site: Site = app.state.site
    await site.close()


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
        *picture_routes,
        *find.routes,
        *runs.routes,
        *removed.routes,
        *doctor.routes,
        *sources.routes,
        *api.routes,
        *following.routes,
        *health.routes,
    ]
