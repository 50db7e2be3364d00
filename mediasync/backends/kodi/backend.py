"""The backend for Kodi."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx

from mediasync.backends.base import Finding, Stored, opened
from mediasync.backends.kodi.library import Findings
from mediasync.backends.kodi.rpc import Call, KodiRefused, Rpc
from mediasync.backends.library_errors import naming
from mediasync.backends.server_kind import find_other_kind
from mediasync.backends.transport import Transport
from mediasync.errors import (
    ConfigurationError,
    RequestRefused,
    SourceForbidden,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreadable,
    UnknownLibrary,
)
from mediasync.models import Library, Source
from mediasync.settings.http import HttpOptions
from mediasync.settings.timezones import find_timezone

_TITLES: Final = {"movies": "Movies", "shows": "TV shows"}
_USERNAME: Final = "kodi"
_CONCURRENCY: Final = 2
_OLDEST_API: Final = 10
_ROLES_MATTER_SINCE_API: Final = 12
_FRIENDLY_NAME: Final = "System.FriendlyName"
_CLIENT_ERROR: Final = range(400, 500)


class KodiBackend:
    """One Kodi, over JSON-RPC on its web server.

    Kodi has no ids of its own for itself or for people, and none of a time of change: everything is read at
    every sync, a page at a time, and what has its fingerprint still is told as unchanged.

    Args:
        url: of the web server, without ``/jsonrpc``.
        source: the source it is.
        username: of the web server.
        password: of the web server, if it wants one.
        timezone: the zone of Kodi's clock: ``Europe/Berlin``. Without it Kodi's times are kept as text.
        options: certificates, headers, timeouts, retries.
        client: an HTTP client to use instead of an own one; it is not closed.
        page_size: how many items are asked for at once.

    Raises:
        ConfigurationError: if the address or the time zone is none.

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
    ) -> None:
        if page_size < 1:
            raise ValueError("page_size must be 1 or more")
        self.source = source
        self._url = url
        self._zone = _zone(timezone, source.id)
        self._page_size = page_size
        self._transport = Transport(
            source.id,
            url,
            headers=_authorization(username, password),
            concurrency=_CONCURRENCY,
            options=options,
            client=client,
            secrets=("username", "password"),
        )
        self._transport.on_wait = self._tell_waiting
        self.on_wait: Callable[[str], None] | None = None
        self._findings: Findings | None = None

    def __repr__(self) -> str:
        return f"KodiBackend({self._url!r}, source={self.source.id!r})"

    @property
    def transport(self) -> Transport:
        """What sends the requests."""
        return self._transport

    def _tell_waiting(self, text: str) -> None:
        if self.on_wait is not None:
            self.on_wait(text)

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which Kodi can be read.

        Raises:
            SourceUnreachable: if it does not answer.
            SourceUnauthorised: if user name and password are missing or wrong.
            SourceMismatch: if what answers is no Kodi, or one older than Kodi 18.
            SourceError: as its other subclasses say.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        async with self._transport.open():
            rpc = Rpc(self._transport)
            version, name = await self._greet(rpc)
            if name and not self.source.name:
                self.source = self.source.model_copy(update={"name": name})
            self._findings = Findings(
                rpc,
                zone=self._zone,
                page_size=self._page_size,
                roles_matter=version >= _ROLES_MATTER_SINCE_API,
            )
            try:
                yield
            finally:
                self._findings = None

    async def fetch_libraries(self) -> list[Library]:
        """Return the two libraries that a Kodi has: ``movies`` and ``shows``."""
        opened(self._findings)
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
            only: the keys of the only items that are wanted. They are read one by one.

        Raises:
            UnknownLibrary: if it is none of the two.
            LibraryUnreadable: if this library cannot be read on.
            SourceError: if Kodi cannot be read on.
        """
        findings = opened(self._findings)
        if library.id not in _TITLES:
            raise UnknownLibrary(f"there is no library {library.id!r} in source {self.source.id!r}")
        if only is not None:
            stream = findings.chosen(library.id, only)
        elif library.id == "movies":
            stream = findings.movies(stored.tokens)
        else:
            stream = findings.shows(stored.tokens)
        with naming(library):
            async with aclosing(stream):
                async for finding in stream:
                    yield finding

    async def _greet(self, rpc: Rpc) -> tuple[int, str]:
        """Return the version of Kodi's API and what its owner calls it."""
        try:
            version, application, labels = await rpc.call_all(
                [
                    Call("JSONRPC.Version", {}),
                    Call("Application.GetProperties", {"properties": ["name", "version"]}),
                    Call("XBMC.GetInfoLabels", {"labels": [_FRIENDLY_NAME]}),
                ]
            )
        except (SourceUnreadable, SourceUnauthorised, SourceForbidden) as error:
            if other := await find_other_kind(self._transport, "kodi"):
                raise SourceMismatch(self.source.id, f"what answers is {other}") from error
            if not isinstance(error, SourceUnreadable):
                raise
            if isinstance(error, RequestRefused) and error.status not in _CLIENT_ERROR:
                raise
            raise SourceMismatch(self.source.id, f"{_NO_KODI}: {error.reason}") from error
        major = _version(version)
        if (
            major is None
            or not isinstance(application, Mapping)
            or not isinstance(application.get("name"), str)
        ):
            raise SourceMismatch(self.source.id, f"{_NO_KODI}: it does not tell a version of Kodi's")
        if major < _OLDEST_API:
            raise SourceMismatch(
                self.source.id,
                f"it is older than Kodi 18 (JSON-RPC {major}), which is the oldest that is read",
            )
        return major, _name(labels)


_NO_KODI: Final = (
    "what answers at its address is no Kodi (give the address and port of Kodi's web server; in Kodi: "
    "Settings, Services, Control, 'Allow remote control via HTTP')"
)


def _authorization(username: str | None, password: str | None) -> dict[str, str]:
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


def _version(answer: Mapping[str, Any] | str | KodiRefused) -> int | None:
    version = answer.get("version") if isinstance(answer, Mapping) else None
    major = version.get("major") if isinstance(version, Mapping) else None
    return major if isinstance(major, int) else None


def _name(answer: Mapping[str, Any] | str | KodiRefused) -> str:
    name = answer.get(_FRIENDLY_NAME) if isinstance(answer, Mapping) else None
    return name.strip() if isinstance(name, str) and name.strip() != "Busy" else ""
