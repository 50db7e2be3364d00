"""What the tests of the web app share: the example library as a site."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from support.engines import SQLITE_FILE, Engine
from web_library import EXAMPLES, TOKEN, client_of

from mediasync import MediaSync
from mediasync.web import Access, Guard, create_app


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the example library, synced once for all tests; each gets a copy."""
    path = tmp_path_factory.mktemp("synced") / "media.db"

    async def sync() -> None:
        async with MediaSync(f"sqlite:///{path}") as ms:
            await ms.sync(f"examples=nfo:{EXAMPLES}")

    asyncio.run(sync())
    return path


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """A SQLite file, or the engine that a test names."""
    return getattr(request, "param", SQLITE_FILE)


@pytest.fixture
async def ms(engine: Engine, tmp_path: Path, synced: Path) -> AsyncIterator[MediaSync]:
    """The mirror of the example library."""
    if engine is SQLITE_FILE:
        shutil.copy(synced, tmp_path / "media.db")
    async with MediaSync(engine.new_mirror_url(tmp_path)) as ms:
        if engine is not SQLITE_FILE:
            await ms.sync(f"examples=nfo:{EXAMPLES}")
        yield ms


@pytest.fixture
async def client(ms: MediaSync) -> AsyncIterator[httpx.AsyncClient]:
    """A reader who is not signed in."""
    async with client_of(create_app(ms, guard=Guard(TOKEN, default=Access.READ))) as client:
        yield client
