"""Names the failure of a request, and says whether a retry is worthwhile."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

from mediasync.errors import (
    RequestRefused,
    SourceBusy,
    SourceError,
    SourceForbidden,
    SourceUnauthorised,
    SourceUnreachable,
    SourceUnreadable,
)
from mediasync.settings.environment import source_variable
from mediasync.text import without_secrets

BUSY: Final = frozenset({429, 503})
"""The server works, and asks to send the request later."""

TOKEN_EXPIRED: Final = 498
"""Plex's answer to a token that has reached its end."""

ONCE: Final = 1
TWICE: Final = 2
"""The most tries for failures that a retry rarely cures: an error inside the server, and a timeout."""

_SECURE_HINT: Final = "; or, if the server requires secure connections, write https:// in its address"
_PASSING: Final = frozenset({408, 425, 502, 504, *range(520, 528)})
_HOST_NAME_MISMATCH: Final = 62


class NoAnswerInTime(SourceUnreachable):
    """A connection was made, but the request was not answered in time. A smaller request may be."""


@dataclass(slots=True, eq=False)
class Failure(Exception):
    """A request that failed.

    Attributes:
        error: the error to raise if there is no retry.
        most: the most tries of this request; None for as many as the options allow.
        unsent: whether it is certain that the server did not act on the request.
        busy: whether the server asked for time.
        wait: how many seconds it asked for; None if it did not say.
    """

    error: SourceError
    most: int | None = None
    unsent: bool = False
    busy: bool = False
    wait: float | None = None


def of_status(
    source_id: str, request: str, status: int, wait: float | None, *, secrets: Sequence[str], secure: bool
) -> Failure:
    """Return the failure that an HTTP status means.

    Args:
        source_id: the source that the error names.
        request: the request's method and path.
        status: the status, 300 or more.
        wait: the seconds that ``Retry-After`` asks for.
        secrets: the source's settings that a refusal asks the user to check.
        secure: whether the request went over https.
    """
    answer = f"{request} was answered with {_phrase(status)}"
    if status == HTTPStatus.UNAUTHORIZED:
        variables = " or ".join(source_variable(source_id, secret) for secret in secrets)
        why = (
            f"{answer}: the {' or '.join(secrets)} is missing, wrong or revoked; give a valid one "
            f"({variables} in the environment, or the configuration){'' if secure else _SECURE_HINT}"
        )
        return Failure(SourceUnauthorised(source_id, why), ONCE)
    if status == TOKEN_EXPIRED:
        why = f"{answer}: the {secrets[0]} has expired; give a new one, or sign in again with mediasync init"
        return Failure(SourceUnauthorised(source_id, why), ONCE)
    if status == HTTPStatus.FORBIDDEN:
        why = (
            f"{answer}: the {secrets[0]} may not read this; give that of a user who may, for instance an "
            f"administrator's{'' if secure else _SECURE_HINT}"
        )
        return Failure(SourceForbidden(source_id, why), ONCE)
    if status in BUSY:
        what = "is still starting, or is overloaded" if status == 503 else "asks for fewer requests"
        why = f"{answer}: the server {what}; try again later"
        return Failure(SourceBusy(source_id, why), unsent=True, busy=True, wait=wait)
    if status in {413, 414, 431}:
        answer = f"{answer}: the request is too large for it"
    error = RequestRefused(source_id, answer, status=status)
    if status in _PASSING:
        return Failure(error)
    return Failure(error, TWICE if status >= 500 else ONCE)


def of_redirect(source_id: str, request: str, url: httpx.URL) -> Failure:
    """Return the failure for a redirect that is not followed."""
    port = f":{url.port}" if url.port else ""
    return Failure(
        SourceUnreachable(
            source_id,
            f"{request} is redirected to {url.scheme}://{url.host}{port}, and the token is not sent to "
            "another server: if that is the source, give this address; otherwise give one that leads to the "
            "source directly",
        ),
        ONCE,
    )


def of_loop(source_id: str, request: str, url: httpx.URL) -> Failure:
    """Return the failure for a redirect that leads back to itself, or for too many redirects."""
    why = (
        f"{request} is redirected in a loop, at {url.scheme}://{url.netloc.decode('ascii')}{url.path}: the "
        "server, or a proxy before it, redirects to itself; check the address, and whether it begins with "
        "http:// or https://"
    )
    return Failure(SourceUnreachable(source_id, why), ONCE)


def of_exception(source_id: str, request: str, error: Exception, url: httpx.URL, timeout: float) -> Failure:
    """Return the failure for an exception that was raised before the answer's headers arrived.

    Args:
        source_id: the source that the error names.
        request: the request's method and path.
        error: the exception that the HTTP client raised.
        url: the address that was asked.
        timeout: how long an answer may take, in seconds.
    """
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | OSError | UnicodeError):
        return _unconnected(source_id, request, error, url)
    if isinstance(error, httpx.ProxyError):
        why = f"{request}: the proxy in the environment (HTTP_PROXY, HTTPS_PROXY) does not pass it on"
        return Failure(SourceUnreachable(source_id, f"{why} ({_words(error)})"), unsent=True)
    if isinstance(error, httpx.PoolTimeout):
        why = f"{request}: the HTTP client had no free connection for {timeout:g} s"
        return Failure(SourceUnreachable(source_id, why), unsent=True)
    if isinstance(error, httpx.TimeoutException):
        return late(source_id, request, timeout)
    why = f"{request}: the connection ended, or the response is not HTTP ({_words(error)})"
    if url.scheme == "http":
        why += _SECURE_HINT
    return Failure(SourceUnreachable(source_id, why))


def late(source_id: str, request: str, timeout: float) -> Failure:
    """Return the failure for an answer of which nothing arrived in time."""
    why = f"{request}: nothing arrived for {timeout:g} s; if the server is slow, raise read_timeout"
    return Failure(NoAnswerInTime(source_id, why), TWICE)


def endless(source_id: str, request: str, seconds: float) -> Failure:
    """Return the failure for an answer that does not end in time."""
    why = f"{request}: the answer did not end within {seconds:g} s; if the server is slow, raise read_timeout"
    return Failure(NoAnswerInTime(source_id, why), ONCE)


def cut_off(source_id: str, request: str, error: Exception) -> Failure:
    """Return the failure for an exception that was raised while the answer's body was read."""
    return unreadable(source_id, request, f"an answer that was cut off ({_words(error)})", passing=True)


def unreadable(source_id: str, request: str, what: str, *, passing: bool) -> Failure:
    """Return the failure for a body that is not the expected JSON.

    Args:
        source_id: the source that the error names.
        request: the request's method and path.
        what: what the body is, as the end of "was answered with …".
        passing: whether a retry may get a better answer.
    """
    error = SourceUnreadable(source_id, f"{request} was answered with {what}")
    return Failure(error, None if passing else ONCE)


def _unconnected(source_id: str, request: str, error: Exception, url: httpx.URL) -> Failure:
    host = f"{url.host}:{url.port}" if url.port else url.host
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(SourceUnreachable(source_id, f"{request}: {_untrusted(host, cause)}"), ONCE)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        why = f"{host} does not use TLS ({_words(causes[-1])}): should its address begin with http://?"
        return Failure(SourceUnreachable(source_id, f"{request}: {why}"), unsent=True)
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        why = f"the host {url.host} is not known: is its name spelled correctly?"
    elif isinstance(error, httpx.ConnectTimeout):
        why = f"no connection to {host} in time: is the address right, and does a firewall allow it?"
    else:
        why = f"no connection to {host} ({_words(causes[-1])}): is it running, and is its address right?"
    return Failure(SourceUnreachable(source_id, f"{request}: {why}"), unsent=True)


def _untrusted(host: str, error: ssl.SSLCertVerificationError) -> str:
    reason = error.verify_message.rstrip(".")
    if error.verify_code == _HOST_NAME_MISMATCH or "mismatch" in reason:
        return (
            f"the certificate of {host} is for another name ({reason}): use an address with that name, or "
            "turn the check off (verify = false)"
        )
    return (
        f"the certificate of {host} is not trusted ({reason}): give the file of the CA that signed it "
        '(verify = "/path/to/ca.pem"), or turn the check off (verify = false)'
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        if isinstance(current, BaseExceptionGroup):
            current = current.exceptions[0]
        else:
            current = current.__cause__ or current.__context__


def _words(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return without_secrets(text.strip()) or type(error).__name__


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
