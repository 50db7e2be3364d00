"""The app inside another one: what the host has noted in the scope of a request is not ours."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

_OF_HOST: Final = ("app_root_path", "endpoint", "path_params", "route", "router")


class OwnScope:
    """Lets the app take the path that it is mounted below for its root.

    Otherwise links are made by the router of a Starlette or FastAPI app around this one, which may have
    routes of the same names, and cookies are set for all of it.

    Args:
        app: the app that answers.
        root_path: the path that it is mounted below, if the host takes it away without a trace; else empty.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = {key: value for key, value in scope.items() if key not in _OF_HOST}
        if self._root_path and scope["type"] == "http":
            # Litestar also adds a slash at the end of the path, and only there.
            raw: bytes = scope.get("raw_path") or b""
            own["path"] = unquote(raw.decode("latin-1")) if raw else self._root_path + scope["path"]
            own["root_path"] = self._root_path
        await self._app(own, receive, send)


_FOR_PROGRAMS: Final = ("/api/", "/events", "/healthz", "/hooks/", "/metrics", "/readyz")


def is_for_programs(scope: Scope) -> bool:
    """Return whether a path is one that programs ask for, so that errors are problems and not pages."""
    path = path_in_app(scope)
    return path.endswith(".json") or path.startswith(_FOR_PROGRAMS)


def path_in_app(scope: Scope) -> str:
    """Return the path of a request below the root of the app."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
