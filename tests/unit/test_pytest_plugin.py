"""The fixtures that pytest finds wherever mediasync is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, code: str, *options: str) -> str:
    """Run pytest in a project of one file of tests, and return what it prints."""
    (folder / "test_it.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *options],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def test_a_project_that_uses_no_fixture_pays_nothing(tmp_path: Path) -> None:
    code = """
import sys

def test_it():
    ours = {name for name in sys.modules if name.partition(".")[0] == "mediasync"}
    assert ours <= {"mediasync", "mediasync.pytest_plugin"}
"""
    assert "1 passed" in run(tmp_path, code)


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_the_fixtures_make_a_mirror(tmp_path: Path, mode: str) -> None:
    code = """
import pytest
from mediasync.testing import FakeBackend, make_movie

@pytest.mark.asyncio
async def test_it(mediasync_mirror, mediasync_clock, tmp_path):
    mediasync_clock.tick(5_000)
    async with mediasync_mirror as ms:
        report = await ms.sync(FakeBackend({"films": [make_movie("1")]}))
        assert report.saved == 1
        stored = await ms.media.get_media_item("fake:1")
        assert stored.created_at.timestamp() * 1000 == mediasync_clock.now
    assert (tmp_path / "media.db").is_file()
"""
    assert "1 passed" in run(tmp_path, code, "-o", f"asyncio_mode={mode}")


def test_the_url_can_be_overridden(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef mediasync_url():\n    return 'sqlite:///:memory:'\n", "utf-8"
    )
    code = """
async def test_it(mediasync_mirror, tmp_path):
    async with mediasync_mirror:
        assert not list(tmp_path.iterdir())
"""
    assert "1 passed" in run(tmp_path, code, "-o", "asyncio_mode=auto")


def test_the_parts_without_servers_need_no_extra(tmp_path: Path) -> None:
    code = """
import sys

sys.modules["h11"] = None

def test_it(mediasync_clock):
    from mediasync.testing import FakeBackend, RecordingSink, make_movie

    assert mediasync_clock() and FakeBackend and RecordingSink and make_movie
"""
    assert "1 passed" in run(tmp_path, code)
