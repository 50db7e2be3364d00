"""The pictures of a Plex server, which scales them down itself, and fetches those of Plex's own servers."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from mediasync.backends.transport import Transport
from mediasync.settings.http import HttpOptions

_AT_ONCE: Final = 4


class PlexPictures:
    """Fetches the pictures of a Plex server.

    Args:
        url: the server's address.
        source_id: the source that errors name.
        token: an ``X-Plex-Token``, sent only in a header.
        client_id: identifies this installation to the server.
        options: certificates, headers, timeouts, retries.
    """

    def __init__(
        self,
        url: str,
        source_id: str,
        *,
        token: str | None,
        client_id: str,
        options: HttpOptions = HttpOptions(),  # noqa: B008
    ) -> None:
        headers = {"X-Plex-Client-Identifier": client_id}
        if token:
            headers["X-Plex-Token"] = token
        self._transport = Transport(source_id, url, headers=headers, concurrency=_AT_ONCE, options=options)

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which pictures can be fetched."""
        return self._transport.open()

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
