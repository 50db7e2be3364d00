"""What the browser tests ask of a page that is open in a browser."""

from __future__ import annotations

from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, *rules: str) -> list[str]:
    """Return what axe finds wrong with a page: the rule, and the elements that break it.

    Args:
        page: the page.
        rules: only these rules; all of WCAG 2.2 AA and the best practices, if none is given.
    """
    chosen = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": _TAGS}
    found = Axe().run(page, options={"runOnly": chosen, "resultTypes": ["violations"]})
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def is_wider_than_screen(page: Page) -> bool:
    """Return whether a page has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
