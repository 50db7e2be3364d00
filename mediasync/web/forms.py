"""Reading what a form or a query holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from mediasync.errors import UsageError

LARGEST_NUMBER: Final = 2**62
_LAST_YEAR: Final = 9_999


def number_of(
    values: Mapping[str, object], name: str, *, least: int = 0, most: int = LARGEST_NUMBER
) -> int | None:
    """Return a whole number from a form or a query; None if it is not given or empty.

    Args:
        values: the fields of the form, or the parameters of the query.
        name: of the field.
        least: the smallest number that is allowed.
        most: the largest one.

    Raises:
        UsageError: if it is not a whole number, or out of range.
    """
    text = str(values.get(name, "") or "").strip()
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_NUMBER))
    if not is_number or not least <= int(text) <= most:
        allowed = f"of at least {least}" if most == LARGEST_NUMBER else f"from {least} to {most:,}"
        raise UsageError(f"{name}: {text[:40]!r} is not a whole number {allowed}")
    return int(text)


def year_of(values: Mapping[str, object], name: str) -> int | None:
    """Return a year from a form or a query; None if it is not given or empty.

    Raises:
        UsageError: if it is not a year.
    """
    return number_of(values, name, least=1, most=_LAST_YEAR)


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
