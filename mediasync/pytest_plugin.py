"""Fixtures for pytest, which loads this module wherever mediasync is installed.

A project that uses none of them pays nothing: the first test that asks for a mirror or a clock imports the
package. No fixture is async, so they work with pytest-asyncio in both modes and with anyio.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mediasync import MediaSync
    from mediasync.testing.clock import FakeClock


@pytest.fixture
def mediasync_clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    from mediasync.testing.clock import FakeClock

    return FakeClock()


@pytest.fixture
def mediasync_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet. Override it to test on another database."""
    return f"sqlite:///{tmp_path / 'media.db'}"


@pytest.fixture
def mediasync_mirror(mediasync_url: str, mediasync_clock: FakeClock) -> MediaSync:
    """A mirror at ``mediasync_url`` with the clock ``mediasync_clock``; open it with ``async with``."""
    from mediasync import MediaSync

    return MediaSync(mediasync_url, clock=mediasync_clock)
