"""The backend for Kodi."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import httpx

from mediasync.backends.base import Finding, Stored, opened
from mediasync.backends.kodi.client import Client
from mediasync.backends.kodi.events import read_events
from mediasync.backends.kodi.library import LibraryReader
from mediasync.backends.kodi.rpc import Rpc
from mediasync.backends.library_errors import naming
from mediasync.backends.server_kind import find_other_kind
from mediasync.backends.transport import Transport
from mediasync.backends.waiting_hints import iter_hints
from mediasync.errors import (
    ConfigurationError,
    RequestRefused,
    SourceForbidden,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreadable,
    UnknownLibrary,
)
from mediasync.hints import Hint
from mediasync.models import Library, Source
from mediasync.settings.http import HttpOptions
from mediasync.settings.source_kinds import KODI_EVENTS_PORT
from mediasync.settings.timezones import find_timezone

_TITLES: Final = {"movies": "Movies", "shows": "TV shows"}
_USERNAME: Final = "kodi"
_CONCURRENCY: Final = 2
_OLDEST_API: Final = 10
_ROLES_MATTER_SINCE_API: Final = 12
_CLIENT_ERROR: Final = range(400, 500)
_NOT_KODI: Final = (
    "what answers at its address is not Kodi (give the address and port of Kodi's web server; in Kodi: "
    "Settings, Services, Control, 'Allow remote control via HTTP')"
)


class KodiBackend:
    """A Kodi, over JSON-RPC on its web server.

    Kodi gives no id for itself or for people, and no time at which an item changed. So every sync reads
    everything, page by page, and an item whose fingerprint is the stored one is reported as unchanged. Only a
    sync that takes up one which broke off within the last hour leaves out what that one has read.

    Args:
        url: the web server's address, without ``/jsonrpc``.
        source: the source that this Kodi is in the mirror.
        username: the web server's user name.
        password: the web server's password, if it asks for one.
        timezone: the zone of Kodi's clock: ``Europe/Berlin``. Without it Kodi's times are kept as text.
        options: certificates, headers, timeouts, retries, how many requests run at once.
        client: an HTTP client to use instead of a new one. It is not closed.
        page_size: how many items a page of a listing has at most.
        events_port: the port at which Kodi announces its notifications.

    Raises:
        ConfigurationError: if the address or the time zone is not valid.
        ValueError: if *page_size* is below 1.

    Example:
        >>> KodiBackend("http://kodi:8080", source=Source(id="kodi", kind="kodi"), password="secret")
        KodiBackend('http://kodi:8080', source='kodi')
    """

    def __init__(
        self,
        url: str,
        *,
        source: Source,
        username: str | None = None,
        password: str | None = None,
        timezone: str | None = None,
        options: HttpOptions = HttpOptions(),  # noqa: B008
        client: httpx.AsyncClient | None = None,
        page_size: int = 250,
        events_port: int = KODI_EVENTS_PORT,
    ) -> None:
        if page_size < 1:
            raise ValueError("page_size must be 1 or more")
        self.source = source
        self._url = url
        self._zone = _zone(timezone, source.id)
        self._page_size = page_size
        self._events_port = events_port
        self._transport = Transport(
            source.id,
            url,
            headers=basic_authorization(username, password),
            concurrency=_CONCURRENCY,
            options=options,
            client=client,
            secrets=("username", "password"),
        )
        self.on_wait: Callable[[str], None] | None = None
        self._client: Client | None = None
        self._roles_matter = True

    def __repr__(self) -> str:
        return f"KodiBackend({self._url!r}, source={self.source.id!r})"

    @property
    def requests(self) -> int:
        """How many requests were sent so far; each retry counts."""
        return self._transport.requests

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which Kodi can be read.

        Raises:
            SourceUnreachable: if it does not answer.
            SourceUnauthorised: if the user name or password is missing or wrong.
            SourceMismatch: if it is not Kodi, or older than Kodi 18.
            SourceError: for other reasons; see its subclasses.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self._transport.on_wait = self.on_wait
        async with self._transport.open():
            client = Client(Rpc(self._transport), self._page_size)
            api_version, name = await self._greet(client)
            if name and not self.source.name:
                self.source = self.source.model_copy(update={"name": name})
            self._roles_matter = api_version >= _ROLES_MATTER_SINCE_API
            self._client = client
            try:
                yield
            finally:
                self._client = None

    async def fetch_libraries(self) -> list[Library]:
        """Return the two libraries of every Kodi: ``movies`` and ``shows``."""
        opened(self._client)
        return [
            Library(id="movies", source_id=self.source.id, title=_TITLES["movies"], kind="movies"),
            Library(id="shows", source_id=self.source.id, title=_TITLES["shows"], kind="shows"),
        ]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read the items of a library: films; or shows, then seasons, then episodes.

        Args:
            library: one of `fetch_libraries`.
            stored: what the mirror holds. An item that still has its fingerprint is yielded as `Unchanged`.
            only: if given, the keys of the only items to read.

        Raises:
            UnknownLibrary: if it is neither of the two.
            LibraryUnreadable: if reading this library fails.
            SourceError: if reading from Kodi fails.
        """
        client = opened(self._client)
        if library.id not in _TITLES:
            raise UnknownLibrary(f"there is no library {library.id!r} in source {self.source.id!r}")
        reader = LibraryReader(
            client,
            library.id,
            stored.tokens,
            stored.just_read,
            zone=self._zone,
            roles_matter=self._roles_matter,
        )
        with naming(library):
            async with aclosing(reader.read_all() if only is None else reader.read_only(only)) as batches:
                async for batch in batches:
                    for finding in batch:
                        yield finding

    async def listen(self, on_start: Callable[[], None] | None = None) -> AsyncGenerator[Hint, None]:
        """Iterate over hints about what changed, from now on, until the caller stops.

        Kodi announces its notifications at a port of its own, without TLS and without a password. It accepts
        connections from other machines only if "Allow remote control from applications on other systems" is
        switched on.

        Raises:
            ConfigurationError: if the package ``websockets`` is not installed.
            SourceUnreachable: if the connection cannot be made, or is lost.
            SourceError: for other reasons; see its subclasses.
        """
        opened(self._client)
        reading = partial(read_events, self._transport, self._events_port)
        async with aclosing(iter_hints(reading, on_start)) as hints:
            async for hint in hints:
                yield hint

    async def _greet(self, client: Client) -> tuple[int, str]:
        """Return the major version of Kodi's API, and what its owner calls it.

        Raises:
            SourceMismatch: if it is not Kodi, or older than Kodi 18.
        """
        try:
            greeting = await client.fetch_greeting()
        except (SourceUnreadable, SourceUnauthorised, SourceForbidden) as error:
            if other := await find_other_kind(self._transport, "kodi"):
                raise SourceMismatch(self.source.id, f"what answers is {other}") from error
            if not isinstance(error, SourceUnreadable):
                raise
            if isinstance(error, RequestRefused) and error.status not in _CLIENT_ERROR:
                raise
            raise SourceMismatch(self.source.id, f"{_NOT_KODI}: {error.reason}") from error
        version = greeting.api_version
        if version is None or greeting.application is None:
            raise SourceMismatch(self.source.id, f"{_NOT_KODI}: it gives no version of Kodi")
        if version < _OLDEST_API:
            raise SourceMismatch(
                self.source.id,
                f"it is older than Kodi 18 (JSON-RPC {version}), which is the oldest that is supported",
            )
        return version, greeting.name


def basic_authorization(username: str | None, password: str | None) -> dict[str, str]:
    """Return the header that signs a user in; none if there is neither a name nor a password."""
    if username is None and password is None:
        return {}
    text = f"{username or _USERNAME}:{password or ''}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode('ascii')}"}


def _zone(name: str | None, source_id: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return find_timezone(name)
    except ValueError as error:
        raise ConfigurationError(f"source {source_id!r}: {error}") from None
