"""Reading what a form or a query holds."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from mediasync.errors import UsageError

LARGEST_NUMBER = 2**62


def number_of(values: Mapping[str, object], name: str, *, least: int = 0) -> int | None:
    """Return a whole number from a form or a query; None if it is not given or empty.

    Args:
        values: the fields of the form, or the parameters of the query.
        name: of the field.
        least: the smallest number that is allowed.

    Raises:
        UsageError: if it is not a whole number, or out of range.
    """
    text = str(values.get(name, "") or "").strip()
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_NUMBER))
    if not is_number or not least <= int(text) <= LARGEST_NUMBER:
        raise UsageError(f"{name}: {text[:40]!r} is not a whole number of at least {least}")
    return int(text)


def see(request: Request, path: str, **parameters: object) -> RedirectResponse:
    """Return the answer that sends a browser to a page of this app after a form.

    Args:
        request: the request with the form.
        path: of the page, below the root of the app.
        parameters: of its query; those that are None are left out.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    query = f"?{urlencode(given)}" if given else ""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{path}{query}", 303)
