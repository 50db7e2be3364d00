"""Requests from other origins: off by default, and only for what programs use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from mediasync.web.scopes import path_in_app

_FOR_PROGRAMS: Final = ("/api/", "/events")


class CrossOrigin:
    """Lets pages of some other origins use the API and follow the changes.

    They send a bearer token if one is needed: no cookie is accepted from them.

    Args:
        app: the app that answers.
        origins: such as ``https://films.example``; ``*`` for all.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._with_cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=("Authorization", "If-None-Match", "Last-Event-ID"),
            expose_headers=("ETag", "Link", "Location", "Retry-After"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_for_programs = scope["type"] == "http" and path_in_app(scope).startswith(_FOR_PROGRAMS)
        await (self._with_cors if is_for_programs else self._app)(scope, receive, send)
