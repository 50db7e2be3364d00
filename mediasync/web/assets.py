"""The style sheet and the scripts: their addresses change with their contents, so browsers keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_YEAR_SECONDS: Final = 365 * 24 * 3600
_SHORTEST_COMPRESSED: Final = 1_000


@lru_cache(maxsize=64)
def version_of(name: str) -> str:
    """Return a text that is another one as soon as a file is.

    Args:
        name: a file in ``static``.
    """
    content = files("mediasync.web").joinpath("static", name).read_bytes()
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def asset_path(name: str) -> str:
    """Return the path of a file in ``static``, relative to the root of the app, with its version.

    Args:
        name: a file in ``static``, such as ``mediasync.css``.
    """
    return f"/static/{name}?v={version_of(name)}"


def make_assets() -> ASGIApp:
    """Return the app that serves the files of ``static``.

    They are the same for everybody, so compressing them tells nothing. The pages are not compressed: they
    have a secret (the token of their forms) beside texts that others choose, such as what is searched for,
    and the sizes of compressed answers would give the secret away (BREACH).
    """
    return GZipMiddleware(
        _Kept(StaticFiles(packages=[("mediasync.web", "static")])), minimum_size=_SHORTEST_COMPRESSED
    )


class _Kept:
    """Lets browsers keep what was asked for with its version, and ask again for anything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v", [])
        control = f"public, max-age={_YEAR_SECONDS}, immutable" if asked else "no-cache"

        async def send_with_age(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 304):
                MutableHeaders(scope=message)["Cache-Control"] = control
            await send(message)

        await self._app(scope, receive, send_with_age)
