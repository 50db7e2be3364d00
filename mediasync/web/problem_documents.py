"""Problem documents (RFC 9457): what programs get when a request fails."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

PROBLEM_TYPE: Final = "application/problem+json"


def problem_document(status: int, detail: str) -> dict[str, Any]:
    """Return a problem document.

    Args:
        status: the HTTP status.
        detail: what is wrong, and what to do.

    Example:
        >>> problem_document(404, "There is no run 7.")
        {'type': 'about:blank', 'title': 'Not Found', 'status': 404, 'detail': 'There is no run 7.'}
    """
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail}


def problem_response(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the response with a problem document, and with its status."""
    return JSONResponse(document, document["status"], headers, media_type=PROBLEM_TYPE)
