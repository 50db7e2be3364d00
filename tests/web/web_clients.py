"""Clients of the site for tests: somebody who signs in as a browser does, and sends forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from web_library import TOKEN


class Browser(httpx.AsyncClient):
    """A client that keeps cookies and sends the token of the forms."""

    def __init__(self, app: Starlette, *, address: str = "192.0.2.7", **options: Any) -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
        super().__init__(transport=transport, base_url="http://localhost", **options)

    async def form_token(self) -> str:
        """The token of a form that is shown."""
        page = await self.get("/sign-in")
        found = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert found is not None
        return found[1]

    async def submit(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form with its token."""
        return await self.post(path, data={"form_token": await self.form_token(), **fields})

    async def sign_in(self, token: str = TOKEN, **fields: Any) -> httpx.Response:
        """Sign in."""
        return await self.submit("/sign-in", token=token, **fields)


@asynccontextmanager
async def signed_in(app: Starlette, **options: Any) -> AsyncIterator[Browser]:
    """A client that has signed in."""
    async with Browser(app, **options) as browser:
        answer = await browser.sign_in()
        assert answer.status_code == 303, answer.text
        yield browser
