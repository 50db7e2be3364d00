"""The WebSocket of a server, with the certificates, headers, timeouts and errors of its HTTP transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import httpx

from mediasync.aio import end_task, finish
from mediasync.backends import failures
from mediasync.backends.json_body import NotJson, decode
from mediasync.backends.redirects import may_follow
from mediasync.backends.transport import Transport
from mediasync.errors import (
    ConfigurationError,
    RequestRefused,
    SourceError,
    SourceUnreachable,
    SourceUnreadable,
)
from mediasync.settings.distribution import install_command
from mediasync.settings.http import HttpOptions
from mediasync.text import without_secrets

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

LARGEST_MESSAGE: Final = 16 * 1024 * 1024
"""The largest message in bytes, decompressed. It has room for the ids of some 200,000 items."""

PING_SECONDS: Final = 20.0
"""How often the server is pinged, unless ``read_timeout`` is shorter than twice that."""

_CLOSING: Final = b"\x88"
"""Begins the frame that closes a connection. Kodi 20 sends that frame as the text of a message."""

_CLOSE_SECONDS: Final = 0.5
_REDIRECTS: Final = 5
_LONGEST_REASON: Final = 120
_OF_THE_HANDSHAKE: Final = frozenset({"accept", "accept-encoding", "user-agent"})
_SCHEMES: Final = {"http": "ws", "https": "wss"}


class Socket:
    """An open WebSocket that carries JSON.

    Args:
        connection: the connection.
        source_id: the source that errors name.
        name: what errors call the socket.
        silence: how many seconds the server may leave a ping unanswered, for the message.
    """

    def __init__(self, connection: ClientConnection, source_id: str, name: str, silence: float) -> None:
        self._connection = connection
        self._source_id = source_id
        self._name = name
        self._silence = silence

    async def read(self, *, within: float | None = None) -> Any:
        """Wait for the next message, and return its JSON.

        Args:
            within: after how many seconds without a message the server counts as dead.

        Raises:
            SourceUnreachable: if the connection was lost, or the server does not answer pings.
            SourceUnreadable: if the message is too large, or not JSON.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(within):
                message = await self._connection.recv(decode=False)
        except TimeoutError:
            why = f"nothing arrived for {within:g} s; is the server still running?"
            raise SourceUnreachable(self._source_id, f"{self._name}: {why}") from None
        except ConnectionClosed as closed:
            raise self._lost(closed) from None
        if message[:1] == _CLOSING:
            raise SourceUnreachable(self._source_id, f"{self._name}: the server closed the connection")
        try:
            return await decode(message, "")
        except NotJson as error:
            raise SourceUnreadable(self._source_id, f"{self._name} sent {error}") from None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message.

        Raises:
            SourceUnreachable: if the connection was lost.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(json.dumps(message, separators=(",", ":")))
        except ConnectionClosed as closed:
            raise self._lost(closed) from None

    @asynccontextmanager
    async def repeating(self, message: Mapping[str, Any], seconds: float) -> AsyncIterator[None]:
        """Send a message every so many seconds while the body runs.

        A failure to send it ends that; whoever reads notices that the connection was lost.
        """

        async def repeat() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self.send(message)

        task = asyncio.create_task(repeat())
        try:
            yield
        finally:
            await end_task(task)

    def _lost(self, closed: ConnectionClosed) -> SourceError:
        ours, theirs = closed.sent, closed.rcvd
        if ours is not None and not closed.rcvd_then_sent:
            if ours.code == 1009:
                limit = LARGEST_MESSAGE // 1024 // 1024
                return SourceUnreadable(
                    self._source_id, f"{self._name} sent a message of more than {limit} MiB"
                )
            if ours.code == 1011:
                why = f"the server did not answer a ping for {self._silence:g} s; is it still running?"
                return SourceUnreachable(self._source_id, f"{self._name}: {why}")
            if theirs is None:
                why = f"what arrived is not valid ({_short(ours.reason) or ours.code})"
                return SourceUnreadable(self._source_id, f"{self._name}: {why}")
        if theirs is None:
            return SourceUnreachable(self._source_id, f"{self._name}: the connection was lost")
        reason = _short(theirs.reason) or "it gave no reason"
        why = f"the server closed the connection ({theirs.code}: {reason})"
        return SourceUnreachable(self._source_id, f"{self._name}: {why}")


def ping_seconds(options: HttpOptions) -> float:
    """Return how often a server is pinged."""
    return min(PING_SECONDS, options.read_timeout / 2)


@asynccontextmanager
async def open_socket(
    transport: Transport,
    path: str,
    *,
    port: int | None = None,
    pings: bool = True,
    secret_query: Mapping[str, str] | None = None,
) -> AsyncIterator[Socket]:
    """Open a WebSocket of a server, and close it at the end.

    It is opened once, without retries. Redirects are followed where those of other requests are.

    Args:
        transport: how the server is reached, and what is sent with every request.
        path: a quoted path, relative to the base URL, that begins with a slash.
        port: another port of the host, which speaks neither TLS nor HTTP. *path* is relative to its root
            then, and no headers with secrets are sent.
        pings: whether a server that answers no pings counts as dead. Without, give `Socket.read` a limit.
        secret_query: parameters that may hold a token, for servers that do not read it from a header.

    Raises:
        ConfigurationError: if the package ``websockets`` is not installed, or the CA file cannot be read.
        SourceUnreachable: if there is no connection.
        SourceUnreadable: if what answers does not speak WebSocket.
        SourceUnauthorised: for status 401.
        SourceForbidden: for status 403.
        SourceBusy: for status 429 or 503.
        RequestRefused: for any other status.
    """
    name = f"the WebSocket {path}"
    base = httpx.URL(transport.base_url)
    url = httpx.URL(transport.base_url + path)
    if port is not None:
        url = httpx.URL(scheme="http", host=base.host, port=port, path=path)
    if secret_query:
        url = url.copy_merge_params(secret_query)
    connection = await _connect(transport, url, name, is_bare=port is not None, pings=pings)
    try:
        yield Socket(connection, transport.source_id, name, transport.options.read_timeout)
    finally:
        await finish(connection.close())


async def _connect(
    transport: Transport, url: httpx.URL, name: str, *, is_bare: bool, pings: bool
) -> ClientConnection:
    """Connect, following redirects."""
    asked: set[httpx.URL] = set()
    while url not in asked and len(asked) <= _REDIRECTS:
        asked.add(url)
        found = await _connect_once(transport, url, name, is_bare=is_bare, pings=pings)
        if not isinstance(found, httpx.URL):
            return found
        if is_bare or not may_follow(url, found):
            raise failures.of_redirect(transport.source_id, name, found).error
        url = found
    raise failures.of_loop(transport.source_id, name, url).error


async def _connect_once(
    transport: Transport, url: httpx.URL, name: str, *, is_bare: bool, pings: bool
) -> ClientConnection | httpx.URL:
    """Return the connection, or where the server redirects to."""
    try:
        from websockets.exceptions import (
            InvalidMessage,
            InvalidProxy,
            InvalidStatus,
            ProxyError,
            WebSocketException,
        )

        from mediasync.backends.websocket_client import Connecting
    except ImportError as error:
        raise ConfigurationError(
            f"source {transport.source_id!r}: listening to events needs the package 'websockets': "
            f"{install_command('live')}",
            source_id=transport.source_id,
        ) from error
    options, source_id, is_secure = transport.options, transport.source_id, url.scheme == "https"
    headers = transport.headers
    try:
        return await Connecting(
            str(url.copy_with(scheme=_SCHEMES[url.scheme])),
            connect_timeout=options.connect_timeout,
            open_timeout=options.connect_timeout + options.read_timeout,
            user_agent_header=headers["User-Agent"],
            additional_headers={} if is_bare else _without(headers, _OF_THE_HANDSHAKE),
            ssl=transport.make_tls_context() if is_secure else None,
            ping_interval=ping_seconds(options) if pings else None,
            ping_timeout=options.read_timeout,
            close_timeout=_CLOSE_SECONDS,
            max_size=LARGEST_MESSAGE,
        )
    except InvalidStatus as refused:
        response = refused.response
        location = response.headers.get("Location")
        if location and HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
            try:
                return url.join(location)
            except httpx.InvalidURL:
                why = "a redirect to an address that is not valid"
                raise SourceUnreadable(source_id, f"{name} was answered with {why}") from None
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            why = f"{name} was answered with {response.status_code} instead of being opened"
            raise RequestRefused(source_id, why, status=response.status_code) from None
        raise failures.of_status(
            source_id, name, response.status_code, None, secrets=transport.secrets, secure=is_secure
        ).error from None
    except TimeoutError as error:
        raise failures.late(source_id, name, options.read_timeout).error from error
    except (httpx.ConnectTimeout, OSError) as error:
        raise failures.of_exception(source_id, name, error, url, options.read_timeout).error from error
    except InvalidMessage:
        why = "the connection ended, or the response is not HTTP"
        raise SourceUnreachable(source_id, f"{name}: {why}") from None
    except (ProxyError, InvalidProxy, ImportError) as error:  # a proxy of SOCKS needs another package
        why = "the proxy in the environment (HTTP_PROXY, HTTPS_PROXY) cannot be used"
        raise SourceUnreachable(source_id, f"{name}: {why} ({type(error).__name__})") from None
    except WebSocketException as error:
        why = f"it was answered by something that does not speak WebSocket ({_short(str(error))})"
        raise SourceUnreadable(source_id, f"{name}: {why}") from None


def _without(headers: httpx.Headers, names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _short(text: str) -> str:
    return without_secrets(text)[:_LONGEST_REASON]
