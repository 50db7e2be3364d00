"""The backend for Plex Media Server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Final

import anyio.lowlevel
import httpx

from mediasync.backends.base import Finding, Remark, Stored, opened
from mediasync.backends.library_errors import naming
from mediasync.backends.plex.client import Client
from mediasync.backends.plex.events import read_events
from mediasync.backends.plex.library import LibraryReader
from mediasync.backends.plex.parse import parse_library
from mediasync.backends.plex.tokens import DeviceTokens
from mediasync.backends.server_kind import find_other_kind
from mediasync.backends.transport import Transport
from mediasync.backends.waiting_hints import iter_hints
from mediasync.errors import (
    RequestRefused,
    SourceForbidden,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreadable,
    UnknownLibrary,
)
from mediasync.hints import Hint
from mediasync.models import Library, Source
from mediasync.settings.distribution import find_version
from mediasync.settings.http import HttpOptions

_CONCURRENCY: Final = 3
_TOKEN_HEADER: Final = "X-Plex-Token"  # noqa: S105
_FINDINGS_PER_PAUSE: Final = 20
_NO_PLEX: Final = "it does not answer like a Plex Media Server; check the address"


class PlexBackend:
    """A Plex Media Server.

    Listings show which items there are and which of them changed. They cut the lists of people short, so the
    people of every new or changed item are read from its details, up to 200 items with one request.

    Args:
        url: the server's address, which may contain a path.
        source: the source that this server is in the mirror.
        token: an ``X-Plex-Token``. It is sent only in a header.
        tokens: gives the token instead, and renews it.
        client_id: identifies this installation to the server; keep it the same from run to run.
        options: certificates, timeouts, retries, how many requests run at once.
        client: an HTTP client to use instead of a new one. It is not closed.

    Example:
        >>> import asyncio
        >>> from mediasync import MediaSync, Source
        >>> async def sync():
        ...     backend = PlexBackend("http://127.0.0.1:32400", source=Source(id="home", kind="plex"),
        ...                           token="…", client_id="my-mirror")
        ...     async with MediaSync("sqlite:///media.db") as ms:
        ...         return await ms.sync(backend)
        >>> asyncio.run(sync())  # doctest: +SKIP
    """

    def __init__(
        self,
        url: str,
        *,
        source: Source,
        token: str | None = None,
        tokens: DeviceTokens | None = None,
        client_id: str,
        options: HttpOptions = HttpOptions(),  # noqa: B008 - frozen
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.source = source
        headers = {
            "Accept": "application/json",
            "X-Plex-Client-Identifier": client_id,
            "X-Plex-Product": "mediasync",
            "X-Plex-Version": find_version() or "0",
        }
        if token:
            headers[_TOKEN_HEADER] = token
        self._tokens = tokens
        self._transport = Transport(
            source.id,
            url,
            headers=headers,
            concurrency=_CONCURRENCY,
            options=options,
            client=client,
            reserved=(_TOKEN_HEADER,),
        )
        self._client = Client(self._transport, options.concurrency or _CONCURRENCY)
        self.on_wait: Callable[[str], None] | None = None
        self._sections: list[tuple[Library, bool]] | None = None

    @property
    def requests(self) -> int:
        """How many requests were sent so far; each retry counts."""
        return self._transport.requests

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the server can be read.

        Raises:
            SourceUnreachable: if it does not answer.
            SourceMismatch: if it is not a Plex Media Server.
            SourceUnauthorised: if it does not accept the token.
            SourceError: for other reasons; see its subclasses.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self._transport.on_wait = self.on_wait
        async with self._transport.open():
            update = {"server_id": await self._identify()}
            self._sections = await self._sign_in_and_read_sections()
            if not self.source.name and (name := await self._client.find_name()):
                update["name"] = name
            self.source = self.source.model_copy(update=update)
            try:
                yield
            finally:
                self._sections = None

    async def _identify(self) -> str:
        """Return the server's id.

        Raises:
            SourceMismatch: if it is not a Plex Media Server.
        """
        try:
            identity = await self._client.fetch_identity()
        except (SourceUnreadable, SourceUnauthorised, SourceForbidden) as error:
            if other := await find_other_kind(self._transport, "plex"):
                raise SourceMismatch(self.source.id, f"what answers is {other}") from error
            refused = isinstance(error, RequestRefused) and error.status >= 500
            if refused or not isinstance(error, SourceUnreadable):
                raise
            raise SourceMismatch(self.source.id, f"{_NO_PLEX}: {error.reason}") from error
        server_id = identity.data.get("machineIdentifier")
        if isinstance(server_id, str) and (usable := identity.key("machineIdentifier")):
            return usable
        raise SourceMismatch(
            self.source.id, f"{_NO_PLEX}: GET /identity was answered without a machineIdentifier"
        )

    async def _sign_in_and_read_sections(self) -> list[tuple[Library, bool]]:
        """Return the libraries. If the server does not accept the token of a device, it is renewed once."""
        if self._tokens is None:
            return await self._read_sections()
        self._transport.set_header(_TOKEN_HEADER, await self._tokens.current())
        try:
            return await self._read_sections()
        except SourceUnauthorised:
            self._transport.set_header(_TOKEN_HEADER, await self._tokens.renew())
            return await self._read_sections()

    async def _read_sections(self) -> list[tuple[Library, bool]]:
        """Return the libraries, each with whether the server refreshes it."""
        return [
            (library, bool(section.flag("refreshing")))
            for section in await self._client.fetch_sections()
            if (library := parse_library(section, self.source.id)) is not None
        ]

    async def _is_refreshing(self, library_id: str) -> bool:
        return any(flag for library, flag in await self._read_sections() if library.id == library_id)

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries of films, personal videos and shows, in the server's order."""
        return [library for library, _ in opened(self._sections)]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read the items of a library: films; or all shows, then all seasons, then all episodes.

        Args:
            library: one of `fetch_libraries`.
            stored: what the mirror holds. An item whose change token is the same is yielded as `Unchanged`;
                its details are not read.
            only: if given, the keys of the only items to read. There is no listing then; items of other
                libraries are left out.

        Raises:
            UnknownLibrary: if the server has no such library.
            LibraryUnreadable: if reading this library fails.
            SourceError: if reading from the server fails.
        """
        found = next((entry for entry in opened(self._sections) if entry[0].id == library.id), None)
        if found is None:
            raise UnknownLibrary(f"there is no library {library.id!r} in source {self.source.id!r}")
        reader = LibraryReader(
            self._client,
            found[0],
            stored,
            refreshing=found[1],
            ask_refreshing=partial(self._is_refreshing, library.id),
        )
        number = 0
        with naming(library):
            async with aclosing(reader.read_all() if only is None else reader.read_only(only)) as batches:
                async for batch in batches:
                    for text in self._transport.take_waits():
                        yield Remark(self.source.id, text)
                    for finding in batch:
                        yield finding
                        number += 1
                        if number % _FINDINGS_PER_PAUSE == 0:
                            await anyio.lowlevel.checkpoint()

    async def listen(self, on_start: Callable[[], None] | None = None) -> AsyncGenerator[Hint, None]:
        """Iterate over hints about what changed, from now on, until the caller stops.

        Raises:
            ConfigurationError: if the package ``websockets`` is not installed.
            SourceUnreachable: if the connection cannot be made, or is lost.
            SourceError: for other reasons; see its subclasses.
        """
        opened(self._sections)
        async with aclosing(iter_hints(partial(read_events, self._transport), on_start)) as hints:
            async for hint in hints:
                yield hint
