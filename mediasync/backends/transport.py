"""The HTTP transport of one source: limited concurrency, retries, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import anyio
import httpx

from mediasync.backends import failures
from mediasync.backends.failures import Failure, NoAnswerInTime
from mediasync.backends.json_body import ENCODING, Body, NotJson, decode
from mediasync.backends.redirects import SecretHeaders, check_base_url, check_headers, may_follow
from mediasync.backends.retrying import http_date, pause, retry_after
from mediasync.errors import (
    ConfigurationError,
    LifecycleError,
    RequestRefused,
    SourceError,
    SourceUnreachable,
    UsageError,
)
from mediasync.settings.http import HttpOptions
from mediasync.text import without_secrets

__all__ = ["NoAnswerInTime", "Transport"]

_log: Final = logging.getLogger("mediasync.http")

LONGEST_ANSWER: Final = 3.0
"""How long an answer may take from the request to its last byte, as a multiple of
`HttpOptions.read_timeout`."""

_OF_THE_MESSAGE: Final = frozenset(
    {
        *("connection", "content-encoding", "content-length", "content-type"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""Headers that describe a request or its connection. The HTTP client or the request sets them."""

_KEPT_ALIVE: Final = 30.0
_REDIRECTS: Final = 5
_LARGEST_PROBE: Final = 64 * 1024
_LONGEST_NAME: Final = 120
_SEE_OTHER: Final = 303
_NO_CONTENT: Final = 204


class Transport:
    """The HTTP client of one source.

    Args:
        source_id: the source that every error names.
        base_url: the server's address, which may contain a path (``https://host/jellyfin``).
        headers: the backend's own headers, sent with every request. They may hold a token.
        concurrency: how many requests may run at once, unless the options say otherwise. It is halved
            whenever the server asks for fewer requests.
        options: certificates, extra headers, timeouts, retries.
        client: an HTTP client to use instead of a new one. It is not closed.
        secrets: the source's settings that a refusal asks the user to check.
        reserved: headers that the backend may set later, in addition to *headers*.

    Attributes:
        source_id: the source that every error names.
        base_url: the server's address, without trailing slashes.
        requests: how many requests were sent so far; each retry counts.
        on_wait: called once with a message when the transport waits for a server that is starting or asks for
            fewer requests.
        server_time: the server's clock at the first answer since the transport was opened; None if the answer
            gave no time.

    Raises:
        ConfigurationError: if the address or a header is not valid, or the options set a header of the
            backend.

    Example::

        transport = Transport("home", "https://host/jellyfin", headers={"Authorization": "…"}, concurrency=2)
        async with transport.open():
            info = await transport.get_json("/System/Info")
    """

    def __init__(
        self,
        source_id: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        concurrency: int,
        options: HttpOptions = HttpOptions(),  # noqa: B008
        client: httpx.AsyncClient | None = None,
        secrets: Sequence[str] = ("token",),
        reserved: Collection[str] = (),
    ) -> None:
        self.source_id = source_id
        self.requests = 0
        self.on_wait: Callable[[str], None] | None = None
        self._waits: list[str] = []
        self.server_time: datetime | None = None
        self.base_url = check_base_url(source_id, base_url)
        extra = {name: value.get_secret_value() for name, value in options.headers.items()}
        self._headers = SecretHeaders(
            {"Accept": "application/json", "Accept-Encoding": ENCODING, "User-Agent": "mediasync"}
        )
        self._headers.update(check_headers(source_id, headers))
        self._check_extra_headers([*self._headers, *reserved], extra)
        self._headers.update(check_headers(source_id, extra))
        self._secrets = secrets
        self._options = options
        self._concurrency = options.concurrency or concurrency
        self._injected = client
        self._client: httpx.AsyncClient | None = None
        self._limiter: anyio.CapacityLimiter | None = None
        self._shrunk_at = 0.0
        self._wait_reported = False

    def _check_extra_headers(self, own: Collection[str], extra: Mapping[str, str]) -> None:
        taken = {name.lower() for name in own} - {"user-agent"}
        for name in extra:
            if name.lower() in _OF_THE_MESSAGE:
                raise ConfigurationError(
                    f"source {self.source_id!r}: the extra header {name} describes a request or its "
                    "connection; mediasync sets it itself: remove it"
                )
            if name.lower() in taken:
                raise ConfigurationError(
                    f"source {self.source_id!r}: the extra header {name} would replace the one that "
                    "mediasync sends itself, for instance with the token or password: remove it"
                )

    def __repr__(self) -> str:
        return f"Transport({self.source_id!r}, {self.base_url!r})"

    @property
    def concurrency(self) -> int:
        """How many requests may currently run at once."""
        return int(self._limiter.total_tokens) if self._limiter else self._concurrency

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which requests can be sent. Unless a client was given, it is closed at the end.

        Raises:
            ConfigurationError: if the CA file cannot be read.
            LifecycleError: if the transport is open already.
        """
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        if self._client is not None:
            raise LifecycleError(f"the transport of source {self.source_id!r} is open already")
        self._client = self._injected or self._make_client()
        self._limiter = anyio.CapacityLimiter(self._concurrency)
        self._wait_reported = False
        self.server_time = None
        try:
            yield
        finally:
            client, self._client, self._limiter = self._client, None, None
            if client is not self._injected:
                await client.aclose()

    def set_header(self, name: str, value: str) -> None:
        """Send a header with every request from now on: for instance a token, after signing in."""
        self._headers.update(check_headers(self.source_id, {name: value}))

    @property
    def options(self) -> HttpOptions:
        """Certificates, extra headers, timeouts, retries."""
        return self._options

    @property
    def headers(self) -> SecretHeaders:
        """A copy of the headers of every request. They may hold a token."""
        return SecretHeaders(self._headers)

    @property
    def secrets(self) -> Sequence[str]:
        """The source's settings that a refusal asks the user to check."""
        return self._secrets

    def make_tls_context(self) -> ssl.SSLContext:
        """Return the TLS context of a connection that is not one of the HTTP client's.

        Raises:
            ConfigurationError: if the CA file cannot be read.
        """
        trust = self._trust()
        if isinstance(trust, ssl.SSLContext):
            return trust
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    async def get_json(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        may_hold_secrets: bool = False,
    ) -> Any:
        """Send a GET and return the decoded JSON of the answer; None for an answer without content (204).

        Args:
            path: a quoted path, relative to the base URL, that begins with a slash.
            params: the query.
            headers: headers of this request only. They override the others.
            may_hold_secrets: whether the query may hold a secret, because the server takes it nowhere else.
                Neither errors nor the log repeat a query.

        Raises:
            SourceUnreachable: if there is no connection, or no answer in time (`NoAnswerInTime`).
            SourceUnauthorised: for status 401.
            SourceForbidden: for status 403.
            SourceBusy: for status 429 or 503, after the longest wait.
            RequestRefused: for any other error status.
            SourceUnreadable: if the answer is not JSON.
        """
        return await self._ask(
            "GET", path, params, headers, None, idempotent=True, may_hold_secrets=may_hold_secrets
        )

    async def post_json(
        self,
        path: str,
        body: Any,
        *,
        idempotent: bool = True,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Post JSON and return the decoded JSON of the answer; see `get_json`.

        Args:
            path: a quoted path, relative to the base URL, that begins with a slash.
            body: what is sent, as JSON.
            idempotent: whether the request may be repeated if it is not known whether it arrived.
            params: the query, which must hold no secrets.
            headers: headers of this request only.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        return await self._ask("POST", path, params, sent, content, idempotent=idempotent)

    async def get_bytes(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a GET and return the content of the answer as it is: a picture; see `get_json`."""
        content = await self._ask("GET", path, params, headers, None, idempotent=True, decodes=False)
        return bytes(content or b"")

    async def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        *,
        idempotent: bool,
        decodes: bool = True,
        may_hold_secrets: bool = False,
    ) -> Any:
        client, limiter = self._client, self._limiter
        if client is None or limiter is None:
            raise LifecycleError(f"the transport of source {self.source_id!r} is not open")
        url = self._url(method, path, params, may_hold_secrets=may_hold_secrets)
        request = self._build(client, method, url, headers, content)
        name = _shortened(f"{method} {path.partition('?')[0]}")
        async with limiter:
            return await self._send_until_answered(
                client, request, name, idempotent=idempotent, decodes=decodes
            )

    def _url(
        self, method: str, path: str, params: Mapping[str, str | int] | None, *, may_hold_secrets: bool
    ) -> httpx.URL:
        if not path.startswith("/"):
            raise UsageError(f"{path!r}: the path of a request must begin with a slash")
        try:
            address = self.base_url + path
            url = httpx.URL(address, params=params) if params else httpx.URL(address)
        except (httpx.InvalidURL, UnicodeError) as error:
            why = f"{_shortened(f'{method} {path}')}: this is not a valid request ({error})"
            raise RequestRefused(self.source_id, why, status=HTTPStatus.REQUEST_URI_TOO_LONG) from error
        query = f"?{url.query.decode('ascii')}"
        if without_secrets(query) != query and not may_hold_secrets:
            raise UsageError(f"{method} {url.path}: secrets are sent in headers, never in a query")
        return url

    def _build(
        self,
        client: httpx.AsyncClient,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> httpx.Request:
        all_headers = SecretHeaders(self._headers)
        all_headers.update(check_headers(self.source_id, headers or {}))
        timeout = httpx.Timeout(self._options.read_timeout, connect=self._options.connect_timeout)
        return client.build_request(method, url, headers=all_headers, content=content, timeout=timeout)

    async def _send_until_answered(
        self, client: httpx.AsyncClient, request: httpx.Request, name: str, *, idempotent: bool, decodes: bool
    ) -> Any:
        tries, waited = 0, 0.0
        while True:
            tries += 1
            started = asyncio.get_running_loop().time()
            try:
                answer = await self._send_in_time(client, request, name, decodes=decodes)
            except Failure as error:
                failure = error.with_traceback(None)  # the traceback would make a reference cycle
                self._log(failure.error.reason, started)
                if failure.busy:
                    self._shrink(started)
                seconds = self._pause(failure, tries, waited, idempotent=idempotent)
                if seconds is None:
                    raise _final(failure.error, tries, waited) from failure.__cause__
            else:
                self._log(f"{name} answered", started)
                return answer
            if failure.busy:
                waited += seconds
                self._report_wait(failure)
            await asyncio.sleep(seconds)

    def _log(self, what: str, started: float) -> None:
        seconds = asyncio.get_running_loop().time() - started
        _log.debug("%s: %s: %.3f s", self.source_id, what, seconds, extra={"source_id": self.source_id})

    def _pause(self, failure: Failure, tries: int, waited: float, *, idempotent: bool) -> float | None:
        """Return how long to wait before the next try, in seconds; None if there is no further try."""
        seconds = pause(tries, self._options.backoff)
        if failure.wait is not None:
            seconds = max(seconds, failure.wait) if failure.wait < 1 else failure.wait
            return seconds if waited + seconds <= self._options.patience else None
        most = min(failure.most or self._options.tries, self._options.tries)
        return seconds if tries < most and (idempotent or failure.unsent) else None

    def _shrink(self, started: float) -> None:
        """Halve the concurrency, once for all the requests that were running when the server asked for it."""
        if self._limiter is not None and started >= self._shrunk_at:
            self._limiter.total_tokens = max(1, int(self._limiter.total_tokens) // 2)
            self._shrunk_at = asyncio.get_running_loop().time()

    def take_waits(self) -> list[str]:
        """Return the messages about waiting since the last call."""
        waits, self._waits = self._waits, []
        return waits

    def _report_wait(self, failure: Failure) -> None:
        if self._wait_reported:
            return
        self._wait_reported = True
        text = f"{failure.error.reason}; waiting up to {self._options.patience:g} s for it"
        self._waits.append(text)
        if self.on_wait is not None:
            self.on_wait(text)

    async def _send_in_time(
        self, client: httpx.AsyncClient, request: httpx.Request, name: str, *, decodes: bool
    ) -> Any:
        seconds = LONGEST_ANSWER * self._options.read_timeout
        try:
            async with asyncio.timeout(seconds):
                answer = await self._send(client, request, name)
        except TimeoutError as error:
            raise failures.endless(self.source_id, name, seconds) from error
        if answer is None:
            return None
        content, kind = answer
        if not decodes:
            return content
        try:
            return await decode(content, kind)
        except NotJson as error:
            failure = failures.unreadable(self.source_id, name, str(error), passing=error.passing)
        content.clear()  # the traceback would keep it alive
        raise failure

    async def _send(
        self, client: httpx.AsyncClient, request: httpx.Request, name: str
    ) -> tuple[bytearray, str] | None:
        """Return the answer's content and content type; None if it has no content."""
        async with self._answered(client, request, name) as response:
            return None if response.status_code == _NO_CONTENT else await self._body(response, name)

    @asynccontextmanager
    async def open_stream(self, path: str, params: Mapping[str, str | int]) -> AsyncIterator[httpx.Response]:
        """Send a GET, and give the response while its body is still to come. It has a connection of its own.

        Args:
            path: a quoted path, relative to the base URL, that begins with a slash.
            params: the query, which must hold no secrets.

        Raises:
            SourceError: as `get_json` says, without retries; also if the body breaks off while it is read.
        """
        client = self._injected or self._make_client()
        name = f"GET {path}"
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        url = self._url("GET", path, params, may_hold_secrets=False)
        request = self._build(client, "GET", url, headers, None)
        try:
            async with self._answered(client, request, name) as response:
                try:
                    yield response
                except httpx.TimeoutException as error:
                    raise failures.late(self.source_id, name, self._options.read_timeout) from error
                except (httpx.HTTPError, OSError) as error:
                    raise SourceUnreachable(self.source_id, f"{name}: the connection was lost") from error
        except Failure as failure:
            raise failure.error from failure.__cause__
        finally:
            if client is not self._injected:
                await client.aclose()

    @asynccontextmanager
    async def _answered(
        self, client: httpx.AsyncClient, request: httpx.Request, name: str
    ) -> AsyncIterator[httpx.Response]:
        """Follow redirects, and give the successful response. Its body is still to be read."""
        asked: set[httpx.URL] = set()
        while request.url not in asked and len(asked) <= _REDIRECTS:
            asked.add(request.url)
            response = await self._head(client, request, name)
            try:
                if response.is_success:
                    yield response
                    return
                if not response.has_redirect_location:
                    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
                    raise failures.of_status(
                        self.source_id,
                        name,
                        response.status_code,
                        wait,
                        secrets=self._secrets,
                        secure=request.url.scheme == "https",
                    )
                request = self._redirected(client, request, response, name)
            finally:
                await response.aclose()
        raise failures.of_loop(self.source_id, name, request.url)

    async def probe(self, method: str, path: str, body: Any = None) -> httpx.Response | None:
        """Send a request without secrets, and return its response, whatever it is; None if none arrives.

        Args:
            method: the HTTP method.
            path: a path, relative to the base URL, that begins with a slash.
            body: sent as JSON, unless it is None.
        """
        client = self._client
        if client is None:
            raise LifecycleError(f"the transport of source {self.source_id!r} is not open")
        self.requests += 1
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = client.build_request(method, self.base_url + path, headers=headers, content=content)
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                response = await client.send(request, stream=True, auth=None, follow_redirects=False)
                try:
                    found = Body(response.headers.get("Content-Encoding", ""), _LARGEST_PROBE)
                    async for chunk in response.aiter_raw():
                        found.add(chunk)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, OSError, UnicodeError, NotJson):
            return None
        return httpx.Response(response.status_code, headers=response.headers, content=bytes(found.content))

    async def _head(self, client: httpx.AsyncClient, request: httpx.Request, name: str) -> httpx.Response:
        self.requests += 1
        try:
            response = await client.send(request, stream=True, auth=None, follow_redirects=False)
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            timeout = self._options.read_timeout
            raise failures.of_exception(self.source_id, name, error, request.url, timeout) from error
        if self.server_time is None:
            self.server_time = http_date(response.headers.get("Date", ""))
        return response

    async def _body(self, response: httpx.Response, name: str) -> tuple[bytearray, str]:
        try:
            body = Body(response.headers.get("Content-Encoding", ""))
            async for chunk in response.aiter_raw():
                body.add(chunk)
            body.finish()
            return body.content, response.headers.get("Content-Type", "").lower()
        except NotJson as error:
            raise failures.unreadable(self.source_id, name, str(error), passing=error.passing) from None
        except httpx.TimeoutException as error:
            raise failures.late(self.source_id, name, self._options.read_timeout) from error
        except (httpx.HTTPError, OSError) as error:
            raise failures.cut_off(self.source_id, name, error) from error

    def _redirected(
        self, client: httpx.AsyncClient, request: httpx.Request, response: httpx.Response, name: str
    ) -> httpx.Request:
        url = request.url.join(response.headers["Location"])
        if not may_follow(request.url, url):
            raise failures.of_redirect(self.source_id, name, url)
        method = "GET" if response.status_code == _SEE_OTHER else request.method
        headers = SecretHeaders(request.headers)
        for header in ("Host", "Content-Length"):
            headers.pop(header, None)
        content = request.content if method == request.method else None
        timeout = request.extensions["timeout"]
        return client.build_request(
            method, url, headers=headers, content=content or None, extensions={"timeout": timeout}
        )

    def _make_client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(
            max_connections=self._concurrency,
            max_keepalive_connections=self._concurrency,
            keepalive_expiry=_KEPT_ALIVE,
        )
        return httpx.AsyncClient(verify=self._trust(), limits=limits, trust_env=True)

    def _trust(self) -> ssl.SSLContext | bool:
        verify = self._options.verify
        if verify is True:
            return usual_trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        if verify is False:
            return False
        try:
            return ssl.create_default_context(cafile=str(verify))
        except (OSError, ValueError) as error:  # a file without certificates raises SSLError, an OSError
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"source {self.source_id!r}: its CA file {str(verify)!r} cannot be used: {reason}"
            ) from error


@lru_cache(maxsize=1)
def usual_trust(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return the usual trusted authorities. Reading them takes some 20 ms, so it is done once.

    Args:
        file: the environment's file of authorities, a key of the cache only: httpx reads the environment.
        folder: the environment's folder of authorities, likewise.
    """
    return httpx.create_ssl_context()


def _final(error: SourceError, tries: int, waited: float) -> SourceError:
    """Return *error*, with the number of tries in its message."""
    if tries > 1:
        after = f" over {waited:.0f} s" if waited >= 1 else ""
        error.reason = f"{error.reason} (tried {tries} times{after})"
        error.args = (f"source {error.source_id!r}: {error.reason}",)
    return error


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
