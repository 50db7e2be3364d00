"""The log of requests, without what is secret in their addresses."""

from __future__ import annotations

import logging
import re
import time
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediasync.display import safe

_log: Final = logging.getLogger("mediasync.web")

_LONGEST: Final = 300
_SECRET_NAME: Final = re.compile(r"token|secret|key|pass|auth|sig", re.I)
_HOOK: Final = re.compile(r"(/hooks/[^/]+)/.+")
_HIDDEN: Final = "..."


def shown_path(scope: Scope | dict[str, Any]) -> str:
    """Return the path and the query of a request, as they may be logged.

    Args:
        scope: of the request.

    Example:
        >>> shown_path({"path": "/hooks/home/s3cret", "query_string": b"token=s3cret&full=1"})
        '/hooks/home/...?token=...&full=1'
    """
    path = _HOOK.sub(rf"\1/{_HIDDEN}", str(scope["path"]))
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    shown = [(name, _HIDDEN if _SECRET_NAME.search(name) else value) for name, value in pairs]
    return safe(f"{path}?{urlencode(shown)}" if shown else path, _LONGEST)


class AccessLog:
    """Logs each request at the level DEBUG, when its answer is complete.

    Args:
        app: the app that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _log.isEnabledFor(logging.DEBUG):
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        shown = shown_path(scope)
        try:
            await self._app(scope, receive, note_status)
        finally:
            client = scope.get("client")
            _log.debug(
                "%s %s %s: %s, %.0f ms",
                client[0] if client else "-",
                scope["method"],
                shown,
                status or "no answer",
                1000 * (time.perf_counter() - began),
            )
