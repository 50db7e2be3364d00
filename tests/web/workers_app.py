"""The app that the workers of a test serve; the environment names the database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

from mediasync import MediaSync
from mediasync.web import create_app

ms = MediaSync(os.environ["TEST_DATABASE"], readers=2)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the mirror in each worker."""
    async with ms:
        yield


app = Starlette(routes=[Mount("/media", create_app(ms))], lifespan=lifespan)
