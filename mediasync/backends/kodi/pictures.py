"""The pictures of a Kodi, which its web server gives out as they are."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final
from urllib.parse import quote

from mediasync.backends.kodi.backend import basic_authorization
from mediasync.backends.transport import Transport
from mediasync.settings.http import HttpOptions

_AT_ONCE: Final = 2
_WRAPPER: Final = "image://"


class KodiPictures:
    """Fetches the pictures of a Kodi through its web server; Kodi keeps those of public addresses.

    Args:
        url: the web server's address, without ``/jsonrpc``.
        source_id: the source that errors name.
        username: the web server's user name.
        password: the web server's password, if it asks for one.
        options: certificates, headers, timeouts, retries.
    """

    def __init__(
        self,
        url: str,
        source_id: str,
        *,
        username: str | None = None,
        password: str | None = None,
        options: HttpOptions = HttpOptions(),  # noqa: B008
    ) -> None:
        self._transport = Transport(
            source_id,
            url,
            headers=basic_authorization(username, password),
            concurrency=_AT_ONCE,
            options=options,
            secrets=("username", "password"),
        )

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which pictures can be fetched."""
        return self._transport.open()

    def serves(self, reference: str) -> bool:
        """Return whether Kodi can open this: its own form of a reference, or a public address."""
        return reference.startswith((_WRAPPER, "https://", "http://"))

    async def fetch(self, reference: str, width: int) -> bytes:
        """Return the bytes of a picture. Kodi does not scale it."""
        wrapped = reference if reference.startswith(_WRAPPER) else f"{_WRAPPER}{quote(reference, safe='')}/"
        return await self._transport.get_bytes(
            f"/image/{quote(wrapped, safe='')}", headers={"Accept": "image/*"}
        )
