"""The pictures of a Jellyfin or Emby server, which scales them down itself."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from typing import Final
from urllib.parse import quote

from mediasync.backends.jellyfin.client import JELLYFIN, ApiVariant
from mediasync.backends.jellyfin.emby import EMBY
from mediasync.backends.transport import Transport
from mediasync.errors import SourceUnreadable
from mediasync.settings.http import HttpOptions

_AT_ONCE: Final = 4
_QUALITY: Final = 90
_REFERENCE: Final = re.compile(r"Items/([^/?#]+)/Images/([A-Za-z]+)(?:/(\d+))?\?tag=([^&#]*)")


class JellyfinPictures:
    """Fetches the pictures of a Jellyfin server, which asks for no token for them.

    Args:
        url: the server's address.
        source_id: the source that errors name.
        token: sent with each request, if it is given.
        options: certificates, headers, timeouts, retries.
    """

    variant: ApiVariant = JELLYFIN

    def __init__(
        self,
        url: str,
        source_id: str,
        *,
        token: str | None = None,
        options: HttpOptions = HttpOptions(),  # noqa: B008
    ) -> None:
        headers = {self.variant.token_header: self.variant.token_format.format(token=token)} if token else {}
        base = url.rstrip("/").removesuffix(self.variant.prefix)
        self._transport = Transport(source_id, base, headers=headers, concurrency=_AT_ONCE, options=options)

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which pictures can be fetched."""
        return self._transport.open()

    def serves(self, reference: str) -> bool:
        """Return whether this is a picture of the server."""
        return _REFERENCE.fullmatch(reference) is not None

    async def fetch(self, reference: str, width: int) -> bytes:
        """Return the bytes of a picture, at most *width* pixels wide."""
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise SourceUnreadable(
                self._transport.source_id, "this is not the reference of one of its pictures"
            )
        item, kind, index, tag = found.groups()
        path = f"{self.variant.prefix}/Items/{quote(item, safe='')}/Images/{kind}" + (
            f"/{index}" if index else ""
        )
        query = {"tag": tag, "maxWidth": width, "quality": _QUALITY}
        return await self._transport.get_bytes(path, query, headers={"Accept": "image/*"})


class EmbyPictures(JellyfinPictures):
    """Fetches the pictures of an Emby server. Its specification asks for a token; see `JellyfinPictures`."""

    variant = EMBY
