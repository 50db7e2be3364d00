"""The pictures of a Plex server, which scales them down itself, and fetches those of Plex's own servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from mediasync.backends.plex.tokens import DeviceTokens
from mediasync.backends.transport import Transport
from mediasync.settings.http import HttpOptions

_AT_ONCE: Final = 4
_TOKEN_HEADER: Final = "X-Plex-Token"  # noqa: S105 - a name


class PlexPictures:
    """Fetches the pictures of a Plex server.

    Args:
        url: the server's address.
        source_id: the source that errors name.
        token: an ``X-Plex-Token``, sent only in a header.
        tokens: gives the token instead, and renews it.
        client_id: identifies this installation to the server.
        options: certificates, headers, timeouts, retries.
    """

    def __init__(
        self,
        url: str,
        source_id: str,
        *,
        token: str | None = None,
        tokens: DeviceTokens | None = None,
        client_id: str,
        options: HttpOptions = HttpOptions(),  # noqa: B008
    ) -> None:
        headers = {"X-Plex-Client-Identifier": client_id}
        if token:
            headers[_TOKEN_HEADER] = token
        self._tokens = tokens
        self._transport = Transport(
            source_id,
            url,
            headers=headers,
            concurrency=_AT_ONCE,
            options=options,
            reserved=(_TOKEN_HEADER,),
        )

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which pictures can be fetched.

        Raises:
            SourceError: if the token has to be renewed, and Plex gives none.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        async with self._transport.open():
            if self._tokens is not None:
                self._transport.set_header(_TOKEN_HEADER, await self._tokens.current())
            yield

    def serves(self, reference: str) -> bool:
        """Return whether the server can fetch this: a path on it, or a public address."""
        return reference.startswith(("/", "https://", "http://")) and not reference.startswith("//")

    async def fetch(self, reference: str, width: int) -> bytes:
        """Return the bytes of a picture, scaled down by the server's transcoder."""
        query: dict[str, str | int] = {
            "url": reference,
            "width": width,
            "height": width * 3 // 2,
            "minSize": 1,
            "upscale": 0,
            "format": "jpeg",
        }
        return await self._transport.get_bytes("/photo/:/transcode", query, headers={"Accept": "image/*"})
