"""What the query of a page's address says, and addresses with other queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request


def text_of(request: Request, name: str) -> str | None:
    """Return a value of the query without white space around it; None if it is empty or not given."""
    return request.query_params.get(name, "").strip() or None


def texts_of(request: Request, name: str) -> list[str]:
    """Return all values of the query with a name, without empty ones and without repetition."""
    given = (value.strip() for value in request.query_params.getlist(name))
    return list(dict.fromkeys(value for value in given if value))


def address(path: str, query: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """Return a path with a query. Values that are None, empty or False are left out.

    Args:
        path: a path, which may have a query already.
        query: names and values; a list stands for several values.
        changes: further names and values, which replace those of the same name.

    Example:
        >>> address("/items", {"type": ["movie", "show"], "genre": None}, after="x")
        '/items?type=movie&type=show&after=x'
    """
    pairs: list[tuple[str, str]] = []
    for name, value in {**(query or {}), **changes}.items():
        values = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
        pairs += [(name, str(one)) for one in values if one not in (None, "", False)]
    if not pairs:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(pairs)}"
