"""A disk with too little room for a backup or a vacuum: that is said before anything is written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from mediasync import MediaSync
from mediasync.errors import DiskFull


async def test_too_little_room(file_ms: MediaSync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    with pytest.raises(DiskFull, match=r"MB free, and \d+ MB are needed for a copy of database"):
        await file_ms.backup(folder / "backup.db")
    assert os.listdir(folder) == []
    with pytest.raises(DiskFull, match="to be written anew; nothing was changed"):
        await file_ms.vacuum()
    assert (await file_ms.check()).flaws == ()
