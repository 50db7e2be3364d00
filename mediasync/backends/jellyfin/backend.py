"""The backend for Jellyfin servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final

import anyio
import httpx

from mediasync.aio import finish
from mediasync.backends.base import Enumerated, Finding, FoundPerson, Remark, Stored, Watermark, opened
from mediasync.backends.jellyfin.client import JELLYFIN, ApiVariant, Client, introduction
from mediasync.backends.jellyfin.events import read_events
from mediasync.backends.jellyfin.library import LibraryReader
from mediasync.backends.jellyfin.parse import parse_library
from mediasync.backends.jellyfin.person_list import PersonList
from mediasync.backends.jellyfin.scans import ScanWatch
from mediasync.backends.jellyfin.watermark import SavedWatermark, iso
from mediasync.backends.json_record import expect_record
from mediasync.backends.library_errors import naming
from mediasync.backends.server_kind import find_other_kind
from mediasync.backends.sockets import open_socket
from mediasync.backends.transport import Transport
from mediasync.backends.waiting_hints import WaitingHints, iter_hints
from mediasync.errors import (
    ConfigurationError,
    RequestRefused,
    SourceError,
    SourceForbidden,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreadable,
    UnknownLibrary,
)
from mediasync.hints import Hint
from mediasync.models import Library, Source
from mediasync.settings.environment import source_variable
from mediasync.settings.http import HttpOptions

_AT_ONCE: Final = 2
_SIGN_OUT_SECONDS: Final = 5.0
_OF_NO_USER: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


class JellyfinBackend:
    """A Jellyfin server, 10.11 or newer.

    Args:
        url: the server's address, which may contain a path.
        source: the source that this server is in the mirror.
        token: an API key, or a user's access token.
        username: the user to sign in as, if there is no token.
        password: that user's password.
        options: certificates, timeouts, retries, how many requests run at once.
        client: an HTTP client to use instead of a new one. It is not closed.
        client_id: identifies this installation to the server; keep it the same from run to run.
        wait_for_scan: the longest time to wait for the end of a library scan, in seconds.
        scan_poll: seconds from one request to the next while waiting.

    Example:
        >>> from mediasync import Source
        >>> backend = JellyfinBackend(
        ...     "https://media.example", source=Source(id="home", kind="jellyfin"), token="secret"
        ... )
        >>> backend.source.id
        'home'
    """

    variant: ApiVariant = JELLYFIN

    def __init__(
        self,
        url: str,
        *,
        source: Source,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        options: HttpOptions = HttpOptions(),  # noqa: B008
        client: httpx.AsyncClient | None = None,
        client_id: str = "mediasync",
        wait_for_scan: float = 900.0,
        scan_poll: float = 5.0,
    ) -> None:
        self.source = source
        self._token = token or None
        self._username = username or None
        self._password = password or ""
        self._user_id: str | None = None
        self._client_id = client_id
        self._token_in_use = self._token
        self._introduction = introduction(client_id)
        self.wait_for_scan = wait_for_scan
        self._scan_poll = scan_poll
        headers = {self.variant.token_header: self._with_token(self._token)} if self._token else {}
        self._transport = Transport(
            source.id,
            url.rstrip("/").removesuffix(self.variant.prefix),
            headers=headers,
            concurrency=_AT_ONCE,
            options=options,
            client=client,
            secrets=("token",) if self._token else ("token", "password"),
            reserved=(self.variant.token_header,),
        )
        self.on_wait: Callable[[str], None] | None = None
        self._client: Client | None = None
        self._libraries: list[Library] | None = None
        self._people = PersonList()
        self._without_etags: set[str] = set()
        self._watch: ScanWatch | None = None
        self._notes: list[str] = []

    @property
    def requests(self) -> int:
        """How many requests were sent so far; each retry counts."""
        return self._transport.requests

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the server can be read.

        Raises:
            SourceUnreachable: if it does not answer.
            SourceMismatch: if it is not a server of this kind.
            SourceUnauthorised: if it does not accept the token, or the user's name and password.
            SourceBusy: if it is still starting after the longest wait.
            SourceError: for other reasons; see its subclasses.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self._transport.on_wait = self.on_wait
        async with self._transport.open():
            client = Client(self._transport, self.variant)
            try:
                await self._check_server(client)
                signed_in = await self._sign_in(client)
                try:
                    self._libraries = await self._read_libraries(client)
                    self._client = client
                    yield
                finally:
                    if signed_in:
                        await finish(_sign_out(client))
            finally:
                self._client = self._libraries = self._watch = None
                self._people = PersonList()
                self._without_etags = set()

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries of films, of shows and of both, in the server's order."""
        return list(opened(self._libraries))

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read the items of a library: films; shows, then all their seasons, then all their episodes.

        Args:
            library: one of `fetch_libraries`.
            stored: what the mirror holds. An item whose Etag is the same is yielded as `Unchanged`, unless it
                credits somebody whose name changed.
            only: if given, the keys of the only items to read.

        Raises:
            UnknownLibrary: if the server has no such library.
            LibraryUnreadable: if reading this library fails.
            SourceError: if reading from the server fails.
        """
        client = opened(self._client)
        if library.id not in {known.id for known in self._libraries or ()}:
            raise UnknownLibrary(f"there is no library {library.id!r} in source {self.source.id!r}")
        watch = await self._watched(client)
        for remark in self._remarks(library):
            yield remark
        if watch.last.running:
            watch.announce()
            for remark in self._remarks(library):
                yield remark
            await watch.wait()
        if only is None and not self._people.serves(stored):
            async with aclosing(self._people.compare(client, stored)) as people:
                async for person_or_remark in people:
                    yield person_or_remark
        now, last = client.transport.server_time, SavedWatermark.parse(stored.watermark)
        if now is None or last is None or not last.holds_for(library.id, now):
            last = None
        since = None if last is None else iso(last.since)
        is_listed = partial(self._is_listed, library)
        reader = LibraryReader(client, library, stored, since, self._people, watch, is_listed)
        with naming(library):
            async with aclosing(reader.read_all() if only is None else reader.read_only(only)) as batches:
                async for batch in batches:
                    for finding in batch:
                        if isinstance(finding, Enumerated):
                            if reader.lacks_etags:
                                self._without_etags.add(library.id)
                            if finding.complete and (mark := self._people.watermark) is not None:
                                libraries = frozenset(self._without_etags)
                                yield Watermark(str(replace(mark, libraries=libraries)))
                            for last_words in self._end_of(library, whole=only is None):
                                yield last_words
                        yield finding

    async def listen(self, on_start: Callable[[], None] | None = None) -> AsyncGenerator[Hint, None]:
        """Iterate over hints about what changed, from now on, until the caller stops.

        The server gathers changes for some time of calm, 30 seconds by default, before it reports them. It
        reports no changes of people.

        Raises:
            ConfigurationError: if the token is an API key, because the server reports changes only to users;
                or if the package ``websockets`` is not installed.
            SourceUnreachable: if the connection cannot be made, or is lost.
            SourceError: for other reasons; see its subclasses.
        """
        client = opened(self._client)
        if not await self._is_user(client):
            raise ConfigurationError(
                f"source {self.source.id!r}: its token is an API key, and {self.variant.name} reports "
                "changes to users alone: to hear of them, sign in as a user, with username and password or "
                "with an access token of that user",
                source_id=self.source.id,
            )
        async with aclosing(iter_hints(self._read_events, on_start)) as hints:
            async for hint in hints:
                yield hint

    async def _read_events(self, waiting: WaitingHints) -> None:
        names = {"token": self._token_in_use or "", "device": self._client_id}
        query = {name: text.format(**names) for name, text in self.variant.socket_query.items()}
        async with open_socket(self._transport, self.variant.socket_path, secret_query=query) as socket:
            await read_events(socket, waiting)

    async def _is_user(self, client: Client) -> bool:
        """Return whether the token belongs to a user. An API key does not, and is refused as one."""
        if self._user_id is None:
            try:
                self._user_id = await self._find_user(client)
            except RequestRefused as error:
                if error.status not in _OF_NO_USER:
                    raise
        return bool(self._user_id)

    async def _watched(self, client: Client) -> ScanWatch:
        if self._watch is None:
            self._watch = ScanWatch(client, self.wait_for_scan, self._scan_poll)
            await self._watch.look()
        return self._watch

    def _end_of(self, library: Library, *, whole: bool) -> Iterator[Remark | FoundPerson]:
        """Yield the remarks and the renamed people at the end of a library, each person once in a run.

        The items in it that credit them have been read again by then. If they were reported earlier, a run
        that ends in between would leave those items as they are. Other libraries read their items again later
        in this run; the people are not held back until the last library, because it may not be selected.
        """
        yield from self._remarks(library)
        if whole:
            yield from map(FoundPerson, self._people.take_renamed())

    def _remarks(self, library: Library) -> list[Remark]:
        texts, self._notes = [*self._transport.take_waits(), *self._notes], []
        if self._watch is not None:
            texts += self._watch.take_remarks()
        return [Remark(library.full_id, text) for text in texts]

    async def _check_server(self, client: Client) -> None:
        """Ask the server what it is, and put its id and name into the source.

        Raises:
            SourceMismatch: if it is not a server of this kind.
        """
        name = self.variant.name
        try:
            answer = await client.get("/System/Info/Public")
            info = expect_record(answer, self.source.id, "GET /System/Info/Public")
        except (SourceUnreadable, SourceUnauthorised, SourceForbidden) as error:
            if other := await find_other_kind(self._transport, name.lower()):
                raise SourceMismatch(self.source.id, f"what answers is {other}") from error
            fails = isinstance(error, RequestRefused) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            if fails or not isinstance(error, SourceUnreadable):
                raise
            raise SourceMismatch(
                self.source.id, f"what answers is not {name} ({error.reason}); check the address"
            ) from error
        product, key = info.text("ProductName"), info.key("Id")
        if key is None or not self._is_product(product):
            other = await find_other_kind(self._transport, name.lower())
            what = f"calls itself {product!r}" if product else f"is not {name}"
            if other:
                what = f"is {other}"
            raise SourceMismatch(self.source.id, f"what answers {what}: check the address and the kind")
        update = {"server_id": key, "name": self.source.name or info.title("ServerName") or ""}
        self.source = self.source.model_copy(update=update)

    def _is_product(self, product: str | None) -> bool:
        return product is not None and product.startswith("Jellyfin")

    async def _sign_in(self, client: Client) -> bool:
        """Sign in if there is no token, and return whether that was done."""
        if self._token is not None:
            return False
        if self._username is None:
            variable = source_variable(self.source.id, "token")
            raise SourceUnauthorised(
                self.source.id,
                f"a token is needed ({variable} in the environment, or the configuration), or the name "
                "and password of a user",
            )
        introduction = f"{self.variant.scheme} {self._introduction}"
        try:
            answer = await client.post(
                "/Users/AuthenticateByName",
                {"Username": self._username, "Pw": self._password},
                headers={self.variant.sign_in_header: introduction},
            )
        except SourceUnauthorised as error:
            raise SourceUnauthorised(
                self.source.id, f"the server does not accept the user {self._username!r} with this password"
            ) from error
        signed_in = expect_record(answer, self.source.id, "POST /Users/AuthenticateByName")
        token, user = signed_in.text("AccessToken"), signed_in.record("User")
        self._user_id = user.key("Id") if user else None
        if not token:
            raise SourceUnreadable(
                self.source.id, "POST /Users/AuthenticateByName was answered without a token"
            )
        self._transport.set_header(self.variant.token_header, self._with_token(token))
        self._token_in_use = token
        return True

    def _with_token(self, token: str) -> str:
        return self.variant.token_format.format(token=token, client=self._introduction)

    async def _read_libraries(self, client: Client) -> list[Library]:
        """Return the libraries: all folders if the token may list them, else those of its user."""
        try:
            folders = await client.fetch_media_folders()
        except SourceForbidden:
            folders = await client.fetch_views(self._user_id or await self._find_user(client))
        found = [parse_library(folder, self.source.id) for folder in folders]
        problems = dict.fromkeys(problem for folder in folders for problem in folder.problems)
        self._notes += [f"a library's {problem}" for problem in problems]
        return [library for library in found if library is not None]

    async def _find_user(self, client: Client) -> str:
        """Return the id of the user to whom the token belongs."""
        return expect_record(await client.get("/Users/Me"), self.source.id, "GET /Users/Me").key("Id") or ""

    async def _is_listed(self, library: Library) -> bool:
        """Ask whether the server still lists a library."""
        client = opened(self._client)
        return any(known.id == library.id for known in await self._read_libraries(client))


async def _sign_out(client: Client) -> None:
    """End the session. It would expire anyway, so a failure is ignored and the wait is short."""
    with anyio.move_on_after(_SIGN_OUT_SECONDS), suppress(SourceError):
        await client.post("/Sessions/Logout", {})
