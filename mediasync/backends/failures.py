"""What a failed request is called, and whether it is worth another try."""

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
"""The server works, and will take the request later."""

ONCE: Final = 1
TWICE: Final = 2
"""Tries of what rarely passes: an error inside the server, and an answer that does not come in time."""

_SECURE_HINT: Final = "; or, if the server requires secure connections, write https:// in its address"
_PASSING: Final = frozenset({408, 425, 502, 504, *range(520, 528)})
_HOST_NAME_MISMATCH: Final = 62


class NoAnswerInTime(SourceUnreachable):
    """A connection was made, and the request was not answered in time. A smaller one may be."""


@dataclass(slots=True, eq=False)
class Failure(Exception):
    """A request that failed.

    Attributes:
        error: what is raised when it is not tried again.
        most: how often the request is tried at most; None: as often as the options say.
        unsent: whether it is certain that the server did not act on the request.
        busy: whether the server asked for time.
        wait: for how many seconds it did.
    """

    error: SourceError
    most: int | None = None
    unsent: bool = False
    busy: bool = False
    wait: float | None = None


def of_status(
    source_id: str, request: str, status: int, wait: float | None, *, secrets: Sequence[str], secure: bool
) -> Failure:
    """Return what an error status is.

    Args:
        source_id: named by the error.
        request: method and path.
        status: of HTTP, 300 or more.
        wait: what ``Retry-After`` says.
        secrets: the settings of the source that the server may ask for.
        secure: whether the request went over https.
    """
    answer = f"{request} was answered with {_phrase(status)}"
    if status == HTTPStatus.UNAUTHORIZED:
        variables = " or ".join(source_variable(source_id, secret) for secret in secrets)
        why = (
            f"{answer}: the {' or '.join(secrets)} is missing, wrong or revoked; give one that is valid "
            f"({variables} in the environment, or the configuration){'' if secure else _SECURE_HINT}"
        )
        return Failure(SourceUnauthorised(source_id, why), ONCE)
    if status == HTTPStatus.FORBIDDEN:
        why = (
            f"{answer}: the {secrets[0]} may not read this; give one of a user who may, an administrator's "
            f"say{'' if secure else _SECURE_HINT}"
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
    """Return what a redirect is that is not followed."""
    port = f":{url.port}" if url.port else ""
    return Failure(
        SourceUnreachable(
            source_id,
            f"{request} is redirected to {url.scheme}://{url.host}{port}, and the token is not sent to "
            "another server: if that is the source, give its address; else one that leads to it directly",
        ),
        ONCE,
    )


def of_loop(source_id: str, request: str, url: httpx.URL) -> Failure:
    """Return what a redirect is that leads back to where it came from, or never to an answer."""
    why = (
        f"{request} is redirected in a loop, at {url.scheme}://{url.netloc.decode('ascii')}{url.path}: the "
        "server, or a proxy before it, redirects to itself; check the address, http:// or https://"
    )
    return Failure(SourceUnreachable(source_id, why), ONCE)


def of_exception(source_id: str, request: str, error: Exception, url: httpx.URL, timeout: float) -> Failure:
    """Return what an exception is that came before the answer's head did.

    Args:
        source_id: named by the error.
        request: method and path.
        error: what the client raised.
        url: what was asked.
        timeout: in seconds, for an answer.
    """
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | OSError | UnicodeError):
        return _unconnected(source_id, request, error, url)
    if isinstance(error, httpx.ProxyError):
        why = f"{request}: the proxy that the environment names (HTTP_PROXY, HTTPS_PROXY) does not pass it on"
        return Failure(SourceUnreachable(source_id, f"{why} ({_words(error)})"), unsent=True)
    if isinstance(error, httpx.PoolTimeout):
        why = f"{request}: the client had no connection free for {timeout:g} s"
        return Failure(SourceUnreachable(source_id, why), unsent=True)
    if isinstance(error, httpx.TimeoutException):
        return late(source_id, request, timeout)
    why = f"{request}: the connection ended, or what came is no HTTP ({_words(error)})"
    if url.scheme == "http":
        why += _SECURE_HINT
    return Failure(SourceUnreachable(source_id, why))


def late(source_id: str, request: str, timeout: float) -> Failure:
    """Return what an answer is that does not come in time."""
    why = f"{request}: nothing came for {timeout:g} s; if it is only slow, allow it more (read_timeout)"
    return Failure(NoAnswerInTime(source_id, why), TWICE)


def endless(source_id: str, request: str, seconds: float) -> Failure:
    """Return what an answer is that comes, but does not end in time."""
    why = (
        f"{request}: the answer had not ended after {seconds:g} s; if it is only slow, allow it more "
        "(read_timeout)"
    )
    return Failure(NoAnswerInTime(source_id, why), ONCE)


def cut_off(source_id: str, request: str, error: Exception) -> Failure:
    """Return what an exception is that came while the answer's body was read."""
    return unreadable(source_id, request, f"an answer that was cut off ({_words(error)})", passing=True)


def unreadable(source_id: str, request: str, what: str, *, passing: bool) -> Failure:
    """Return what a body is that is not what it should be.

    Args:
        source_id: named by the error.
        request: method and path.
        what: what it is, as the end of a sentence.
        passing: whether another try may be answered better.
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
        why = (
            f"{host} does not answer in TLS ({_words(causes[-1])}): is its address http:// and not https://?"
        )
        return Failure(SourceUnreachable(source_id, f"{request}: {why}"), unsent=True)
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        why = f"the host {url.host} is not known: is its name right?"
    elif isinstance(error, httpx.ConnectTimeout):
        why = f"no connection to {host} in time: is the address right, and does a firewall let it through?"
    else:
        why = (
            f"no connection to {host} ({_words(causes[-1])}): does the server run, and is its address right?"
        )
    return Failure(SourceUnreachable(source_id, f"{request}: {why}"), unsent=True)


def _untrusted(host: str, error: ssl.SSLCertVerificationError) -> str:
    reason = error.verify_message.rstrip(".")
    if error.verify_code == _HOST_NAME_MISMATCH or "mismatch" in reason:
        return (
            f"the certificate of {host} is made out to another name ({reason}): use an address that it "
            "names, or switch the check off (verify = false)"
        )
    return (
        f"the certificate of {host} is not trusted ({reason}): give the file of the CA that signed it "
        '(verify = "/path/to/ca.pem"), or switch the check off (verify = false)'
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
