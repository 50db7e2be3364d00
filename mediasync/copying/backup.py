"""Backups: a snapshot of a mirror in a SQLite file, which appears complete or not at all."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mediasync.aio import finish
from mediasync.copying.copy import CopyService
from mediasync.copying.verification import Tell
from mediasync.database.database import Database
from mediasync.database.sqlite.engine import make_empty_file
from mediasync.errors import ConfigurationError, DatabaseCorrupt, DatabaseError
from mediasync.reports import BackupReport
from mediasync.repositories.changes import ChangeRepository
from mediasync.settings.database import DatabaseOptions, sqlite_url

_LOGS: Final = ("-wal", "-journal")
_ROWS: Final = "-rows"
_PARTS: Final = [name + end for name in ("", _ROWS) for end in ("", "-wal", "-shm", "-journal")]


class BackupService:
    """Writes backups of one mirror.

    Args:
        database: the open database.
        own_file: its file, if it has one.
        tell: called with the progress, where the mirror is copied page by page.
    """

    def __init__(self, database: Database, own_file: Path | None, tell: Tell) -> None:
        self._database = database
        self._own_file = own_file
        self._tell = tell

    async def write(self, path: Path, *, force: bool) -> BackupReport:
        """Write a backup beside its final place, check it, and then rename it.

        Args:
            path: the file.
            force: replace a file that exists.

        Raises:
            ConfigurationError: if *path* cannot be that of a backup.
            DiskFull: if the disk has no room.
            DatabaseError: if the database fails, or the file cannot be written.
        """
        target = path.expanduser().absolute()
        self._check_target(target, force=force)
        partial = target.with_name(f"{target.name}.partial")
        with _unfinished(partial, self._mode()):
            if not await self._database.copy_into(partial):
                await self._copy_rows(partial)
            newest = await self._look_at(partial)
            replaced = await finish(asyncio.to_thread(_put_in_place, partial, target, force))
        return BackupReport(str(target), target.stat().st_size, newest, replaced)

    def _check_target(self, target: Path, *, force: bool) -> None:
        if target.is_dir():
            raise ConfigurationError(f"{target} is a folder; give the name of a file in it")
        if not target.parent.is_dir():
            raise ConfigurationError(f"{target}: the folder {target.parent} does not exist; create it first")
        if self._own_file is not None and self._own_file.resolve() == target.resolve():
            raise ConfigurationError(f"{target} is the database itself; give another file for the backup")
        if not target.exists():
            return
        if not target.is_file():
            raise ConfigurationError(f"{target} is not a file; give another name")
        for end in _LOGS:
            if Path(f"{target}{end}").exists():
                raise ConfigurationError(
                    f"{target} is a database in use: {target.name}{end} lies beside it. Give another file"
                )
        if not force:
            raise _exists(target)

    def _mode(self) -> int:
        if self._own_file is None:
            return self._database.options.file_mode
        return self._own_file.stat().st_mode & 0o777

    async def _copy_rows(self, partial: Path) -> None:
        """Copy row by row into a database of its own, and that one into the backup, which then has no log."""
        rows = partial.with_name(f"{partial.name}{_ROWS}")
        make_empty_file(rows, self._mode())
        copy = Database(sqlite_url(rows), options=DatabaseOptions(readers=1))
        await copy.open()
        try:
            await CopyService(self._database, copy, self._tell).run()
            await copy.copy_into(partial)
        finally:
            await copy.close()
        rows.unlink()

    @staticmethod
    async def _look_at(partial: Path) -> int:
        """Check the backup, so that it never replaces a better one, and return its newest change."""
        backup = Database(sqlite_url(partial), options=DatabaseOptions(readers=1), read_only=True)
        await backup.open()
        try:
            async with backup.read(snapshot=True) as session:
                for found in await session.fetch_all("SELECT quick_check FROM pragma_quick_check(1)"):
                    if found != ("ok",):
                        raise DatabaseCorrupt(
                            f"the database is damaged, so no backup was written: {found[0]}; see "
                            "`mediasync check`"
                        )
                return (await ChangeRepository(session).find_extent()).newest
        finally:
            await backup.close()


def _exists(target: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{target} exists already; give another file, or --force (force=True) to replace it"
    )


@contextmanager
def _unfinished(partial: Path, mode: int) -> Iterator[None]:
    """Create the unfinished backup in place of one that a killed process has left, and remove it in the end.

    A lock on the file tells one that is being written from one that was left. It goes with the process.
    """
    try:
        with suppress(FileNotFoundError):
            _release(_lock(partial))
        _remove_parts(partial)
        make_empty_file(partial, mode)
        lock = _lock(partial)
    except OSError as error:
        raise DatabaseError(f"{partial} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        _remove_parts(partial)
        _release(lock)


def _remove_parts(partial: Path) -> None:
    for end in _PARTS:
        Path(f"{partial}{end}").unlink(missing_ok=True)


def _release(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _lock(partial: Path) -> int | None:
    """Open a file and lock it, where that is possible; on Windows, an open file could not be renamed."""
    if sys.platform == "win32":
        return None
    import fcntl

    opened = os.open(partial, os.O_RDWR)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        raise DatabaseError(
            f"another backup is being written to {partial.with_suffix('')}; give each of them a file of its "
            "own"
        ) from None
    except OSError:
        return opened  # This file system has no locks.
    return opened


def _put_in_place(partial: Path, target: Path, force: bool) -> bool:
    """Give the complete file its name, so that a power failure leaves the old file or the new one."""
    try:
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        replaced = target.exists()
        if replaced and not force:
            raise _exists(target)
        os.replace(partial, target)
        if os.name == "posix":
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise DatabaseError(f"{target} cannot be written: {error.strerror}") from error
    return replaced
