"""Limits: how large a request may be, how long it may take to arrive, and how often somebody may guess."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediasync.web.hooks import LARGEST_BODY as LARGEST_HOOK

LARGEST_BODY: Final = 64 * 1024
MOST_TURNS: Final = 8
BODY_SECONDS: Final = 30.0
"""How long the body of a request may take to arrive."""

GUESSES_OF_CLIENT: Final = 5
SECONDS_PER_GUESS: Final = 60.0
"""A client may guess so often at once, and then once in so many seconds."""
GUESSES_OF_ALL: Final = 50
SECONDS_PER_GUESS_OF_ALL: Final = 6.0
_CLIENTS: Final = 1_000


class BodyLimit:
    """Refuses bodies that are too large (413) or come too slowly (408).

    Args:
        app: the app that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        largest = LARGEST_HOOK if path.startswith("/hooks/") else LARGEST_BODY
        announced = Headers(scope=scope).get("content-length", "0")
        received, is_complete, deadline = 0, False, asyncio.get_running_loop().time() + BODY_SECONDS

        async def receive_within() -> Message:
            nonlocal received, is_complete
            if is_complete:  # what comes now is only that the client went away
                return await receive()
            if not announced.isdecimal() or int(announced) > largest:
                raise _too_large(largest)
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The request did not arrive in time.") from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                is_complete = not message.get("more_body", False)
                if received > largest:
                    raise _too_large(largest)
            return message

        await self._app(scope, receive_within, send)


def _too_large(largest: int) -> HTTPException:
    return HTTPException(413, f"This is too large: at most {largest // 1024:,} kB are taken.")


class Turns:
    """Lets questions that take seconds be asked one by one, so that pages find the database free.

    Example:
        >>> turns = Turns()
        >>> async def ask():
        ...     async with turns.take():
        ...         return "an answer"
        >>> asyncio.run(ask())
        'an answer'
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._taken = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn.

        Raises:
            HTTPException: with status 503 if `MOST_TURNS` others have or wait for one.
        """
        if self._taken >= MOST_TURNS:
            retry = {"Retry-After": "10"}
            raise HTTPException(503, "Too many ask what takes long to answer. Try again later.", retry)
        self._taken += 1
        try:
            async with self._lock:
                yield
        finally:
            self._taken -= 1


class GuessLimit:
    """Bounds how often somebody may try a wrong password: each client, and all together.

    Each wrong try takes one of a number of guesses, which come back with time. IPv6 addresses of one network
    count as one client.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._clients: OrderedDict[str, _Guesses] = OrderedDict()
        self._all = _Guesses(GUESSES_OF_ALL, SECONDS_PER_GUESS_OF_ALL, clock())

    def check(self, request: Request) -> None:
        """Check that a client may guess now.

        Raises:
            HTTPException: with status 429 if not; it says after how many seconds it may.
        """
        now = self._clock()
        waits = [self._all.wait(now)]
        if (own := self._clients.get(_client(request))) is not None:
            waits.append(own.wait(now))
        if (seconds := max(waits)) > 0:
            retry = {"Retry-After": str(int(seconds) + 1)}
            raise HTTPException(429, "There were too many wrong tokens. Wait, and try again.", retry)

    def note_wrong(self, request: Request) -> None:
        """Note that a client guessed wrong."""
        client, now = _client(request), self._clock()
        own = self._clients.setdefault(client, _Guesses(GUESSES_OF_CLIENT, SECONDS_PER_GUESS, now))
        self._clients.move_to_end(client)
        if len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)
        own.take(now)
        self._all.take(now)


class _Guesses:
    """A number of guesses that come back one by one."""

    def __init__(self, most: int, seconds: float, now: float) -> None:
        self._most = most
        self._seconds = seconds
        self._left = float(most)
        self._at = now

    def wait(self, now: float) -> float:
        """Return after how many seconds there is a guess."""
        self._left = min(self._most, self._left + (now - self._at) / self._seconds)
        self._at = now
        return max(0.0, (1 - self._left) * self._seconds)

    def take(self, now: float) -> None:
        """Take a guess, if there is one."""
        self.wait(now)
        self._left = max(0.0, self._left - 1)


def _client(request: Request) -> str:
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        # A socket for both families shows IPv4 addresses so, which all are in one network.
        return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
    return host
