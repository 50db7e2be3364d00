"""The pages for browsing, as a browser shows them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from support.looking import is_wider_than_screen, violations


def test_home_is_accessible(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    assert violations(page) == []
    assert not is_wider_than_screen(page)
