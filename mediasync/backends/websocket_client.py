"""The connection of a WebSocket, by the package ``websockets``. Imported only where somebody listens."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect

_SILENT: Final = logging.Logger("mediasync.websockets", logging.CRITICAL + 1)
"""``websockets`` logs whole requests, with their tokens. This logger writes nothing, whatever is set up."""


class Connecting(connect):
    """Opens a connection. It follows no redirect, and has a time limit of its own for connecting.

    Args:
        uri: where to connect to.
        connect_timeout: seconds to make a connection; ``open_timeout`` includes them.
        options: those of `websockets.asyncio.client.connect`.
    """

    def __init__(self, uri: str, *, connect_timeout: float, **options: Any) -> None:
        super().__init__(uri, logger=_SILENT, **options)
        self._connect_timeout = connect_timeout

    async def create_connection(self) -> ClientConnection:
        """Connect; see `websockets.asyncio.client.connect`.

        Raises:
            httpx.ConnectTimeout: if there is no connection in time.
        """
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await super().create_connection()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Leave redirects to the caller, who knows where secrets may go."""
        return exc
