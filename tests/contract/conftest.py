"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.servers import SERVERS, Place, make_server


@pytest.fixture(params=SERVERS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """A server of each kind, while it runs; tests of all sources have a fixture of their own."""
    server = make_server(request.param)
    assert server is not None
    async with server:
        yield Place(request.param, server)
