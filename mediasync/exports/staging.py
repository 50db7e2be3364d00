"""Where an export writes: into a hidden folder inside the target, which becomes visible as a whole.

A file has its final name only when it is complete. So whatever ends an export early, nobody mistakes a part
of a file for the whole.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from mediasync.errors import ConfigurationError, ExportFailed

MANIFEST: Final = "mediasync-export.json"
"""The file that says what an export wrote, so that another one may replace it."""

_PREFIX: Final = ".mediasync-export-"
_NFO: Final = ".nfo"


@contextmanager
def failing_as_export(target: Path) -> Iterator[None]:
    """Raise what the file system refuses as an `ExportFailed`."""
    try:
        yield
    except OSError as error:
        path = error.filename if isinstance(error.filename, str) else str(target)
        raise ExportFailed(f"the export cannot be written: {path}: {error.strerror or error}") from error


class Staging:
    """The files of one export before they have their final names.

    Args:
        target: the folder to write to; it is created if it does not exist.
        overwrite: whether an earlier export in it is replaced.

    Raises:
        ConfigurationError: if the target is not a folder, or holds what no export wrote, or holds an export
            that is not to be replaced.
        ExportFailed: if the target cannot be written.
    """

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        self._target = target
        with failing_as_export(target):
            if target.exists() and not target.is_dir():
                raise ConfigurationError(f"{target} is not a folder: name a folder to export to")
            target.mkdir(parents=True, exist_ok=True)
            self._old, leftovers = _earlier(target)
            if (self._old or leftovers) and not overwrite:
                what = "holds an export" if self._old else "holds the rest of an export that was interrupted"
                raise ConfigurationError(
                    f"{target} {what}: name another folder, or replace it by --force (overwrite=True)"
                )
            for name in leftovers:
                shutil.rmtree(target / name)
            self.folder = target / f"{_PREFIX}{secrets.token_hex(4)}"
            self.folder.mkdir()

    def open(self, name: str) -> BinaryIO:
        """Open a new file for writing."""
        return (self.folder / name).open("xb")

    def finish(self, report: Mapping[str, Any]) -> None:
        """Give everything its final name, and remove what the earlier export wrote besides.

        Args:
            report: what the manifest says of the export.
        """
        with failing_as_export(self._target):
            names = sorted(os.listdir(self.folder))
            text = json.dumps({**report, "entries": names}, indent=2) + "\n"
            (self.folder / MANIFEST).write_text(text, encoding="utf-8")
            replaced = self.folder / "replaced"
            replaced.mkdir()
            for name in sorted({*self._old} - {*names}):
                (self._target / name).rename(replaced / name)
            for name in names:
                if (self._target / name).is_dir():
                    (self._target / name).rename(replaced / name)
                (self.folder / name).replace(self._target / name)
            (self.folder / MANIFEST).replace(self._target / MANIFEST)
            shutil.rmtree(self.folder)

    def discard(self) -> None:
        """Remove what was written, because the export failed."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _earlier(target: Path) -> tuple[list[str], list[str]]:
    """Return what an earlier export wrote into a folder, and what interrupted ones left there.

    Raises:
        ConfigurationError: if there is anything else in the folder.
    """
    found = sorted(os.listdir(target))
    leftovers = [name for name in found if name.startswith(_PREFIX)]
    own = [name for name in _entries_of_manifest(target) if name in found]
    others = [name for name in found if name not in {*leftovers, *own, MANIFEST}]
    others += [str(path.relative_to(target)) for name in own for path in _not_of_export(target / name)]
    if others:
        more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
        raise ConfigurationError(
            f"{target} holds other things than an export ({others[0]}{more}): name an empty folder"
        )
    return own, leftovers


def _entries_of_manifest(target: Path) -> list[str]:
    path = target / MANIFEST
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
        return [name for name in entries if name == Path(name).name]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is damaged: name an empty folder") from error


def _not_of_export(path: Path) -> Iterator[Path]:
    """Yield what somebody has put into a folder of NFO files since."""
    if path.is_dir():
        for folder, _, files in os.walk(path):
            yield from (Path(folder, name) for name in files if not name.endswith(_NFO))
