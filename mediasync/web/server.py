"""The web server: uvicorn, with the limits that it lacks, ended by its caller."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mediasync.errors import UsageError
from mediasync.web.access_log import AccessLog

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

REQUEST_SECONDS: Final = 15.0
"""How long the head of a request may take to arrive, from the beginning of a connection on."""
WRITE_SECONDS: Final = 30.0
"""How long a client may read nothing while an answer waits for it."""
STOP_SECONDS: Final = 5
"""How long answers that are being sent may take when the server stops."""
KEEP_ALIVE_SECONDS: Final = 30
_WANTED_FILES: Final = 16_384
_FILES_KEPT: Final = 64
"""So many of the files that the process may open are kept from clients: for the database and for sources."""
_FIRST_INHERITED: Final = 3
_GRACE_OVER: Final = "Cancel %s running task(s), timeout graceful shutdown exceeded"


class _Protocol(H11Protocol):
    """HTTP with two timeouts: for the head of a request, and for a client that does not read."""

    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(REQUEST_SECONDS, self._end_without_request)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A further request on this connection has to begin while it is kept alive, and to arrive in time.
        if self._is_answering():
            self._stop_head_timer()
        elif self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(REQUEST_SECONDS, self._end_without_request)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # Closing waits until the client has read everything.
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_without_request(self) -> None:
        self._head_timer = None
        if not self._is_answering():
            self.transport.abort()


class RootPath:
    """Serves an app below a path, whether a proxy takes the path away or not.

    Args:
        app: the app.
        path: such as ``/media``.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            path = str(scope["path"])
            if path != self._path and not path.startswith(f"{self._path}/"):
                path = self._path + path
            scope = {**scope, "root_path": self._path, "path": path}
        await self._app(scope, receive, send)


class WebServer(uvicorn.Server):
    """Serves an app on sockets until `stop` is called.

    Args:
        app: the app.
        root_path: the path below which a proxy shows it.
        trusted_proxies: the addresses of proxies whose ``X-Forwarded-*`` headers are believed.
        on_listening: called when the server listens.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        root_path: str = "",
        trusted_proxies: Sequence[str] = (),
        on_listening: Callable[[], None],
    ) -> None:
        served: ASGIApp = RootPath(app, root_path) if root_path else app
        super().__init__(
            uvicorn.Config(
                AccessLog(served),
                http=_Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                limit_concurrency=_most_connections(),
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._on_listening = on_listening
        # What strangers send is not worth a line; what goes wrong in the app is an error.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)

    def stop(self) -> None:
        """End soon: nothing new is accepted, and answers under way have some seconds."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    # Clients that follow events are connected until the server ends.
    return record.msg != _GRACE_OVER


def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets that are bound to each address of a host, all to one port.

    Args:
        host: an address or a name.
        port: 0 for a free one.

    Raises:
        UsageError: if the host is unknown, or the port is in use or not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"--host {host}: is not an address of this machine: {error.strerror}") from error
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((family, address) for family, *_, address in found):
            sockets.append(_bound(family, address[0], port))
            port = sockets[0].getsockname()[1]
    except OSError as error:
        for made in sockets:
            made.close()
        why = error.strerror or error
        raise UsageError(
            f"nothing can listen on {host}, port {port}: {why}; --port chooses another port"
        ) from error
    return sockets


def bind_unix(path: str) -> list[socket.socket]:
    """Return a socket that is bound to a path. Its owner and group may connect.

    Raises:
        UsageError: if the path cannot be used.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # A socket that an earlier process left is in the way.
        if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode) and not _answers(path):
            os.unlink(path)
        made.bind(path)
        os.chmod(path, 0o660)
    except OSError as error:
        made.close()
        raise UsageError(f"--uds {path}: nothing can listen there: {error.strerror or error}") from error
    return [made]


def inherited_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    """Return the sockets that a service manager has opened for this process; there may be none.

    systemd numbers them from 3 on, and says how many there are and for whom
    (https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html).

    Args:
        environ: the environment variables.
    """
    number = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not number.isdecimal():
        return []
    return [socket.socket(fileno=_FIRST_INHERITED + each) for each in range(int(number))]


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(path) == 0


def _bound(family: int, address: Any, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made


def _most_connections() -> int:
    """Return how many clients may be connected, after allowing the process to open more files."""
    if sys.platform == "win32":
        return 500  # what the event loop of Windows can wait for
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS has a lower limit of its own.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(_FILES_KEPT, (_WANTED_FILES if soft == resource.RLIM_INFINITY else soft) - _FILES_KEPT)
