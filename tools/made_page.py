"""Pages of the docs of which one part is made from other files."""

from __future__ import annotations


def replace_made_part(made: str, page: str, *, begin: str, end: str) -> str:
    """Return the page with its made part replaced.

    Raises:
        ValueError: if the page has no part between *begin* and *end*.
    """
    before, found_begin, rest = page.partition(f"{begin}\n")
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the page has no part between {begin} and {end}")
    return f"{before}{begin}\n\n{made}\n{end}{after}"
