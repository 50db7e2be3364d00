"""Who may read and who may write, by a token, a session cookie, or the rules of the app around this one."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final
from urllib.parse import urlsplit

from itsdangerous import BadSignature, TimestampSigner
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mediasync.web.limits import GuessLimit

SESSION_COOKIE: Final = "mediasync_session"
FORM_COOKIE: Final = "mediasync_form"
FORM_FIELD: Final = "form_token"
FORM_HEADER: Final = "X-Form-Token"
SESSION_SECONDS: Final = 30 * 24 * 3600

_OF_PROXIES: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers by which a proxy shows itself."""


class Access(IntEnum):
    """What a request may do."""

    NONE = 0
    READ = 1
    WRITE = 2


Authorizer = Callable[[Request], Access | Awaitable[Access]]


class Guard:
    """Decides what a request may do.

    Args:
        token: the password for people and the bearer token for programs. Without one nobody can sign in.
        default: what a request may do that is not signed in.
        authorize: decides in place of the token, for an app that has users of its own.
        only_direct: whether *default* holds only for requests that no proxy has forwarded. A proxy on this
            machine brings requests of everybody who reaches it.

    Example:
        >>> Guard(token="secret").accepts("wrong")
        False
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        default: Access = Access.READ,
        authorize: Authorizer | None = None,
        only_direct: bool = False,
    ) -> None:
        self._token = token
        self._default = default
        self._only_direct = only_direct
        self._authorize = authorize
        self._signer = None if token is None else TimestampSigner(token, salt="mediasync session")
        self._guesses = GuessLimit()

    @property
    def can_sign_in(self) -> bool:
        """Whether there is a token to sign in with."""
        return self._token is not None and self._authorize is None

    def accepts(self, token: str) -> bool:
        """Return whether *token* is the right one, in a time that does not depend on it."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    def try_token(self, request: Request, token: str) -> bool:
        """Return whether the token that somebody sends is the right one.

        Raises:
            HTTPException: with status 429 if there were too many wrong ones.
        """
        self._guesses.check(request)
        if self.accepts(token):
            return True
        self._guesses.note_wrong(request)
        return False

    async def find_access(self, request: Request) -> Access:
        """Return what a request may do. It is found once for each request."""
        found: Access | None = getattr(request.state, "access", None)
        if found is None:
            # Where somebody is refused, the answer is made for a stranger.
            request.state.access = Access.NONE
            found = await self._find_access(request)
            request.state.access = found
        return found

    async def _find_access(self, request: Request) -> Access:
        if self._authorize is not None:
            decided = self._authorize(request)
            return decided if isinstance(decided, Access) else await decided
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return Access.WRITE if self.try_token(request, given.strip()) else Access.NONE
        if self._has_session(request):
            return Access.WRITE
        is_forwarded = any(name in request.headers for name in _OF_PROXIES)
        return Access.NONE if self._only_direct and is_forwarded else self._default

    def _has_session(self, request: Request) -> bool:
        cookie = request.cookies.get(SESSION_COOKIE)
        if cookie is None or self._signer is None:
            return False
        try:
            self._signer.unsign(cookie, max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return True

    def begin_session(self, request: Request, response: Response) -> None:
        """Sign a browser in."""
        if self._signer is None:
            raise AssertionError("nobody can sign in without a token")
        session = self._signer.sign(secrets.token_urlsafe(16)).decode()
        _set_cookie(request, response, SESSION_COOKIE, session, SESSION_SECONDS)

    @staticmethod
    def end_session(request: Request, response: Response) -> None:
        """Sign a browser out."""
        response.delete_cookie(SESSION_COOKIE, path=_cookie_path(request), httponly=True, samesite="lax")


def form_token(request: Request) -> str:
    """Return the token that the forms of a page carry; `keep_form_token` puts the same one into a cookie."""
    token: str | None = getattr(request.state, "form_token", None)
    if token is None:
        token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
        request.state.form_token = token
    return token


def keep_form_token(request: Request, response: Response) -> None:
    """Set the cookie of the forms, if the page has any and the browser does not have it."""
    token = getattr(request.state, "form_token", None)
    if token is not None and token != request.cookies.get(FORM_COOKIE):
        _set_cookie(request, response, FORM_COOKIE, token, SESSION_SECONDS, samesite="strict")


async def check_form(request: Request) -> None:
    """Check that a form was sent by one of our own pages.

    A request with a bearer token needs no such check: a browser does not add it by itself.

    Raises:
        HTTPException: with status 403 if it comes from another site, or carries no token of our forms; with
            status 415 if it is multipart.
    """
    # Its parts are decoded as it says, with any codec that Python has. No page sends one.
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise HTTPException(415, "Send the form as application/x-www-form-urlencoded.")
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if not is_same_origin(request):
        raise HTTPException(403, "This form was sent by another site.")
    check_form_token(
        request, request.headers.get(FORM_HEADER) or str((await request.form()).get(FORM_FIELD, ""))
    )


def check_form_token(request: Request, given: str) -> None:
    """Check the token that a form carries against the one in the cookie.

    Raises:
        HTTPException: with status 403 if they differ.
    """
    kept = request.cookies.get(FORM_COOKIE, "")
    if not kept or not hmac.compare_digest(given.encode(), kept.encode()):
        raise HTTPException(
            403, "This form is too old, or cookies are blocked. Reload the page and try again."
        )


def is_same_origin(request: Request) -> bool:
    """Return whether a request was not sent by a page of another site."""
    origin = request.headers.get("origin")
    if origin is not None:
        # Only the host: a proxy may not say that it speaks TLS.
        return urlsplit(origin).netloc == request.headers.get("host", "")
    return request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


def _cookie_path(request: Request) -> str:
    return str(request.scope.get("root_path", "")) or "/"


def _set_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    seconds: int,
    samesite: str = "lax",
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=_cookie_path(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite=samesite,  # type: ignore[arg-type]
    )
