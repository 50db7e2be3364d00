"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.servers import SERVERS, Place, make_server


@pytest.fixture(params=SERVERS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """A running server of each kind; tests of all sources have their own fixture."""
    server = make_server(request.param)
    assert server is not None
    async with server:
        yield Place(request.param, server)
