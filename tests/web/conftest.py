"""What the tests of the web app share: the example library as a site."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from mediasync import MediaSync
from mediasync.web import Access, Guard, create_app

EXAMPLES = Path(__file__).parents[2] / "examples" / "library"
TOKEN = "a token for the tests"

Client = Callable[[Starlette], httpx.AsyncClient]


@pytest.fixture
async def ms(tmp_path: Path) -> AsyncIterator[MediaSync]:
    """The mirror of the example library."""
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        await ms.sync(f"examples=nfo:{EXAMPLES}")
        yield ms


def client_of(app: Starlette, **options: object) -> httpx.AsyncClient:
    """A client of an app, without a socket."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", **options)  # type: ignore[arg-type]


@pytest.fixture
async def client(ms: MediaSync) -> AsyncIterator[httpx.AsyncClient]:
    """A reader who is not signed in."""
    async with client_of(create_app(ms, guard=Guard(TOKEN, default=Access.READ))) as client:
        yield client
