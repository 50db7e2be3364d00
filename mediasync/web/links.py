"""The paths of pages and pictures, relative to the root of the app. Ids may hold any character."""

from __future__ import annotations

from urllib.parse import quote


def item_path(item_id: str) -> str:
    """Return the path of an item's page.

    A path that ends in ``.json`` asks for JSON. An id that does so has the page's path with ``?format=html``.

    Example:
        >>> item_path("films:Heat (1995)/heat?.nfo")
        '/items/films:Heat%20%281995%29/heat%3F.nfo'
    """
    return _page(f"/items/{_quoted(item_id)}")


def person_path(person_id: str) -> str:
    """Return the path of a person's page."""
    return _page(f"/people/{_quoted(person_id)}")


def item_picture(item_id: str, width: int) -> str:
    """Return the path of an item's poster.

    Args:
        item_id: the item.
        width: how wide it is shown, in CSS pixels.
    """
    return f"/pictures/items/{_quoted(item_id)}?width={width}"


def person_picture(person_id: str, width: int) -> str:
    """Return the path of a person's picture.

    Args:
        person_id: the person.
        width: how wide it is shown, in CSS pixels.
    """
    return f"/pictures/people/{_quoted(person_id)}?width={width}"


def _page(path: str) -> str:
    return f"{path}?format=html" if path.endswith(".json") else path


def _quoted(full_id: str) -> str:
    # A dot segment would be resolved by the browser, which "%2E" is as well: such ids keep their slashes.
    return quote(full_id, safe=":/" if "/." not in full_id else ":")
