"""Errors: a page for people, ``application/problem+json`` (RFC 9457) for programs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mediasync.display import safe
from mediasync.errors import (
    ChangesPruned,
    DatabaseError,
    LifecycleError,
    SourceHeld,
    UnknownItem,
    UnknownLibrary,
    UnknownRun,
    UnknownSource,
    UsageError,
)
from mediasync.web.access_log import shown_path
from mediasync.web.headers import add_security_headers
from mediasync.web.problem_documents import problem_document, problem_response
from mediasync.web.rendering import Answer, respond
from mediasync.web.scopes import is_for_programs

_log: Final = logging.getLogger("mediasync.web")

_NO_ANSWER: Final = "The database does not answer. Try again."
_STATUS: Final[list[tuple[type[Exception], int]]] = [
    (UnknownItem, 404),
    (UnknownRun, 404),
    (UnknownSource, 404),
    (UnknownLibrary, 404),
    (ChangesPruned, 410),
    (UsageError, 400),
    (SourceHeld, 409),
    (DatabaseError, 503),
    (LifecycleError, 503),
]


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """A part of a request that cannot be used.

    Attributes:
        place: ``query``, ``body`` or ``header``.
        name: the parameter, or the path of the field, with points.
        value: what was given.
        detail: why it is refused.
        allowed: what is allowed, as a JSON schema; the names of the parameters if the name is unknown.
    """

    place: str
    name: str
    value: str
    detail: str
    allowed: Any = None


class Refusal(HTTPException):
    """A request with parts that cannot be used.

    Args:
        status: the HTTP status.
        detail: what is wrong, in words.
        errors: the parts.
    """

    def __init__(self, status: int, detail: str, errors: Sequence[RefusedValue]) -> None:
        first = f" {errors[0].name}: {errors[0].detail}" if errors else ""
        super().__init__(status, f"{detail}{first}")
        self.errors = errors


def status_of(error: Exception) -> int:
    """Return the HTTP status that stands for an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


async def show_error(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, dict(error.headers or {})
    else:
        status = status_of(error)
        detail = str(error)
        if status >= 500:
            detail = "The server is stopping." if isinstance(error, LifecycleError) else _NO_ANSWER
            _log.error("%s %s failed: %s", request.method, shown_path(request.scope), error)
    problem = problem_document(status, safe(detail))
    if isinstance(error, Refusal):
        problem["errors"] = [asdict(one) for one in error.errors]
    if is_for_programs(request.scope) or _prefers_json(request):
        return problem_response(problem, headers)
    return await respond(request, Answer("error.html", problem, problem, status, headers))


def _prefers_json(request: Request) -> bool:
    return "text/html" not in request.headers.get("accept", "text/html") and "json" in request.headers.get(
        "accept", ""
    )


async def show_bug(request: Request, _error: Exception) -> Response:
    """Return the answer to a request that failed because of a bug. Starlette logs the traceback."""
    error = HTTPException(500, "Something went wrong. The log of the server has more.")
    response = await show_error(request, error)
    # This answer does not pass through the middleware.
    add_security_headers(response.headers)
    return response
