"""Webhooks, received: a Starlette endpoint that turns them into hints."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mediasync.display import safe
from mediasync.errors import ConfigurationError, DatabaseError, HookUnreadable, UsageError
from mediasync.hints import Hint
from mediasync.hooks import parse_hook
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.web.problem_documents import problem_document, problem_response

if TYPE_CHECKING:
    from mediasync.app import MediaSync

SECRET_HEADER: Final = "X-Mediasync-Secret"  # noqa: S105
"""The header in which a webhook may show its secret."""
LARGEST_BODY: Final = 1024 * 1024
"""In bytes. A picture that Plex sends with an event has about a tenth of that."""

_LOG: Final = logging.getLogger(__name__)
_PARTS: Final = ("payload", "data")
"""The parts of a form that hold JSON: that of Plex, and that of older versions of Emby."""
_MOST_PARTS: Final = 8
_NOBODYS_SECRET: Final = "-" * 32
"""What is compared for a source without a secret, so that the answer takes as long."""
_RETRY_SECONDS: Final = 30


class _Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: the status of the answer.
        detail: what is wrong, and what to do.
        headers: further headers of the answer.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def hook_routes(ms: MediaSync, secret_of: Callable[[str], str | None]) -> list[Route]:
    """Return the routes of webhooks: ``POST /hooks/{source}`` and ``POST /hooks/{source}/{secret}``.

    A request shows the secret of its source in the header ``X-Mediasync-Secret``, as the password of HTTP
    Basic, or in its path. The query may say who sends it (``?from=radarr``), if the body does not show it,
    and for how many seconds its hints wait (``?wait=90``).

    Answers are JSON: 202 with ``sender``, ``event`` and ``hints``, the number of items or sources that are
    looked into; else a problem document. Whoever does not know the secret is not told whether there is such
    a source.

    Args:
        ms: an open mirror, in the event loop that answers.
        secret_of: returns the secret of a source by its id; None if there is no such source, or if it takes
            no webhooks. It must not block.

    Example:
        >>> from starlette.applications import Starlette
        >>> app = Starlette(routes=hook_routes(ms, {"home": "a-long-random-text"}.get))  # doctest: +SKIP
    """
    endpoint = partial(_answer, ms, secret_of)
    return [
        Route("/hooks/{source}", endpoint, methods=["POST"], name="hook"),
        Route("/hooks/{source}/{secret}", endpoint, methods=["POST"], name="hook_with_secret"),
    ]


def secrets_of(sources: Mapping[str, SourceConfig | FlawedSource]) -> dict[str, str]:
    """Return the secret that webhooks of each source have to show; a source without one takes none.

    A secret that cannot be read is logged, and the source then takes no webhooks.
    """
    found: dict[str, str] = {}
    for source_id, source in sources.items():
        if not isinstance(source, SourceConfig):
            continue
        try:
            secret = source.read_secret("hook_secret")
        except ConfigurationError as error:
            _LOG.warning("%s: takes no webhooks: %s", source_id, error)
        else:
            if secret is not None:
                found[source_id] = secret
    return found


async def _answer(ms: MediaSync, secret_of: Callable[[str], str | None], request: Request) -> Response:
    source_id = request.path_params["source"]
    try:
        _check_secret(request, secret_of(source_id))
        wait = _read_wait(request)
        body = await _read_document(request)
        hook = parse_hook(request.headers, body, request.query_params.get("from"))
        hints = hook.hints if wait is None else tuple(_waiting(hint, wait) for hint in hook.hints)
        number = await ms.hint(source_id, hints)
    except _Refused as refused:
        return _problem(refused.status, refused.detail, refused.headers)
    except HookUnreadable as error:
        _LOG.warning("%s: a webhook cannot be read: %s", source_id, error)
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    except UsageError as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    except DatabaseError as error:
        _LOG.warning("%s: the hints of a webhook cannot be stored: %s", source_id, error)
        detail = "the hints cannot be stored now: send it again later"
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(_RETRY_SECONDS)})
    answer = {"sender": hook.sender, "event": safe(hook.event), "hints": number}
    return JSONResponse(answer, HTTPStatus.ACCEPTED)


def _check_secret(request: Request, expected: str | None) -> None:
    """Compare what a request shows with the secret of its source, in a time that tells nothing."""
    given = _given_secret(request).encode()
    fits = hmac.compare_digest(given, (expected or _NOBODYS_SECRET).encode())
    if not fits or not expected:
        raise _Refused(
            HTTPStatus.UNAUTHORIZED,
            "there is no such source, it has no hook_secret, or the secret is wrong: send the secret in the "
            f"header {SECRET_HEADER}, as the password of HTTP Basic, or at the end of the path",
            {"WWW-Authenticate": 'Basic realm="mediasync webhooks"'},
        )


def _given_secret(request: Request) -> str:
    if (in_path := request.path_params.get("secret")) is not None:
        return str(in_path)
    if (in_header := request.headers.get(SECRET_HEADER)) is not None:
        return in_header
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _read_wait(request: Request) -> float | None:
    text = request.query_params.get("wait")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"wait is {text[:20]!r}: write a number of seconds")
    return float(text)


def _waiting(hint: Hint, seconds: float) -> Hint:
    return Hint(hint.kind, hint.remote_ids, hint.provider_ids, seconds, hint.media_type)


async def _read_document(request: Request) -> str | bytes:
    """Return the JSON of a request: its body, or a part of a form."""
    body = await _read_body(request)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    if kind == "multipart/form-data":
        parser: FormParser | MultiPartParser = MultiPartParser(
            request.headers,
            stream(),
            max_files=_MOST_PARTS,
            max_fields=_MOST_PARTS,
            max_part_size=LARGEST_BODY,
        )
    elif kind == "application/x-www-form-urlencoded":
        parser = FormParser(request.headers, stream())
    else:
        return body
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise HookUnreadable(f"the form cannot be read: {error}") from None
    try:
        for name in _PARTS:
            part = form.get(name)
            if part is not None:
                return await part.read() if isinstance(part, UploadFile) else part
    finally:
        await form.close()
    names = ", ".join(sorted(form.keys())[:10]) or "none"
    raise HookUnreadable(f"the form has no part payload or data; its parts are {names}")


async def _read_body(request: Request) -> bytes:
    too_large = _Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {LARGEST_BODY:,} bytes"
    )
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise too_large
    except ClientDisconnect:
        raise _Refused(HTTPStatus.BAD_REQUEST, "the body is not complete") from None
    return bytes(body)


def _problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    return problem_response(problem_document(status, detail), headers)
