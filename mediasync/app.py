"""The composition root: `MediaSync` wires everything together, once."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from mediasync.backends.base import Backend
from mediasync.backends.nfo import NfoBackend
from mediasync.concurrency import finish
from mediasync.config import DatabaseOptions, sqlite_path
from mediasync.database import Database, State, system_clock
from mediasync.errors import ConfigurationError
from mediasync.ids import SOURCE_ID, check_source_id
from mediasync.models import Source, SyncRun
from mediasync.redaction import without_secrets
from mediasync.reports import CheckReport, CopyReport
from mediasync.repositories.checks import CheckRepository
from mediasync.services.copy import CopyService
from mediasync.services.media import MediaService
from mediasync.services.people import PeopleService
from mediasync.services.sync import Sync, SyncService
from mediasync.services.writer import Writer
from mediasync.vocabulary import SourceKind


class MediaSync:
    """A mirror of media libraries in one SQL database.

    Open it with ``async with``, use it from the event loop that opened it, and share it between tasks.

    Args:
        url: ``sqlite:///media.db`` (relative), ``sqlite:////full/path/media.db`` or ``sqlite:///:memory:``.
        read_only: only read; the database must be there and of this version.
        upgrade: create the database where there is none, and upgrade the schema of an older one.
        clock: tells the time in milliseconds since 1970, UTC.
        **options: those of `mediasync.config.DatabaseOptions`.

    Attributes:
        media: saves and reads items.
        people: saves and reads people.

    Raises:
        ConfigurationError: if the URL or an option cannot be used.

    Example:
        >>> async with MediaSync("sqlite:///media.db") as ms:  # doctest: +SKIP
        ...     report = await ms.sync("nfo:examples/library")
    """

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        upgrade: bool = True,
        clock: Callable[[], int] = system_clock,
        **options: Any,
    ) -> None:
        try:
            database_options = DatabaseOptions(**options)
        except ValidationError as error:
            flaws = "; ".join(f"{flaw['loc'][0]}: {flaw['msg']}" for flaw in error.errors())
            raise ConfigurationError(f"options of the database: {flaws}") from error
        self._database = Database(
            url, options=database_options, read_only=read_only, upgrade=upgrade, clock=clock
        )
        self._writer = Writer(self._database)
        self.media = MediaService(self._database, self._writer)
        self.people = PeopleService(self._database, self._writer)
        self._syncs = SyncService(self._database, self._writer, self.media)

    async def open(self) -> None:
        """Connect, and create or upgrade the schema. `async with` does it.

        Raises:
            LifecycleError: if it was opened before.
            DatabaseError: as its subclasses say.
        """
        await self._database.open()
        self._writer.start()
        try:
            # From here on the writer runs, and closes what an ending event loop would leave open.
            await asyncio.sleep(0)
        except BaseException:
            await finish(self.close())
            raise

    async def close(self) -> None:
        """Refuse new saves, finish the accepted ones up to ``close_timeout``, and disconnect.

        Closing one that is not open does nothing.

        Raises:
            LifecycleError: if it is called from another event loop.
        """
        if self._database.state in {State.NEW, State.CLOSED}:
            return
        self._database.check_loop()
        try:
            await self._writer.close(self._database.options.close_timeout)
        finally:
            await self._database.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def sync(self, source: str | Backend, *, full: bool = False) -> Sync:
        """Sync one source: await what is returned for the report, or iterate over it for events.

        Args:
            source: ``nfo:FOLDER`` or ``NAME=nfo:FOLDER``, or an object that implements
                `mediasync.backends.base.Backend`.
            full: read everything again, changed or not.

        Raises:
            ConfigurationError: at once, if the text names no source that can be used; when awaited, if
                the source is stored as one of another kind.
            SourceError: when awaited, if the source cannot be read.
            DatabaseError: when awaited, if the database fails.
        """
        backend = make_backend(source) if isinstance(source, str) else source
        return Sync(lambda emit: self._syncs.run(backend, emit, full=full))

    async def list_runs(self, source_id: str | None = None, *, limit: int = 20) -> list[SyncRun]:
        """Return the newest *limit* runs, of one source or of all."""
        return await self._syncs.list_runs(source_id, limit=limit)

    async def find_run(self, run_id: int) -> SyncRun | None:
        """Return one run, or None."""
        return await self._syncs.find_run(run_id)

    async def list_problems(self, run_id: int) -> list[tuple[str, str, str]]:
        """Return what a run could not read or store, as (kind, subject, reason).

        The kinds are ``failure`` (the item is not saved), ``problem`` (part of it is not) and ``remark``.
        """
        return await self._syncs.list_problems(run_id)

    async def check(self) -> CheckReport:
        """Check the database: its storage, foreign keys, and what every save keeps."""
        async with self._database.read(snapshot=True) as session:
            return await CheckRepository(session, self._database.dialect.integrity_checks).run()


async def copy_mirror(
    origin: str, target: str, *, on_progress: Callable[[str, int, int], None] | None = None
) -> CopyReport:
    """Copy a whole mirror into another database, of the same engine or the other, and compare the two.

    The origin is only read, in one snapshot, and may be used meanwhile; nothing else may write to the target.
    A copy that was cancelled, or whose process was killed, is finished by the same call.

    Args:
        origin: the URL of the database that is read.
        target: the URL of an empty database, which is made if it is not there, or of a copy of this origin
            that was begun before. What has changed in the origin since is brought to the same state.
        on_progress: called with what is being copied (the name of a public view, or ``comparing``), and how
            many rows of how many are done.

    Raises:
        ConfigurationError: if a URL cannot be used, both name one database, or the target holds what is not
            the origin's or is newer.
        DatabaseError: if a database fails, or the two differ in the end; the message says where.

    Example:
        >>> report = await copy_mirror("sqlite:///media.db", "postgresql://me@host/media")  # doctest: +SKIP
    """
    if origin == target or _same_file(origin, target):
        raise ConfigurationError("the origin and the target of a copy are the same database")
    source, copy = MediaSync(origin, read_only=True), MediaSync(target)
    async with source, copy:
        return await CopyService(source._database, copy._database, on_progress or _tell_nobody).run()


def _same_file(origin: str, target: str) -> bool:
    paths = [path.resolve() for url in (origin, target) if (path := sqlite_path(url)) is not None]
    return len(paths) == 2 and paths[0] == paths[1]


def _tell_nobody(_what: str, _done: int, _total: int) -> None:
    return


def make_backend(text: str) -> Backend:
    """Return the backend that a source given as text means.

    Args:
        text: ``nfo:FOLDER`` or ``NAME=nfo:FOLDER``. Without a name the source's id is its kind and the
            folder's own name, in lower case, each run of other characters than letters and digits being
            one ``-``: ``nfo:/films/My Library`` is ``nfo-my-library``, from whichever folder it is named.

    Raises:
        ConfigurationError: if it is none that can be used.
    """
    name, separator, url = text.partition("=")
    if not separator or not SOURCE_ID.fullmatch(name):
        name, url = "", text
    kind, colon, folder = url.partition(":")
    if kind != SourceKind.NFO or not colon or not folder:
        raise ConfigurationError(
            f"{without_secrets(text)!r} is no source: write nfo:FOLDER, or NAME=nfo:FOLDER to give it a name "
            "of lower-case letters, digits, '-' and '_'"
        )
    try:
        root = Path(folder).expanduser()
        label = root.resolve().name or "root"
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(f"{without_secrets(text)!r} names no folder: {error}") from error
    source_id = check_source_id(name) if name else f"{kind}-{_slug(label)}"
    return NfoBackend(root, source=Source(id=source_id, kind=SourceKind.NFO, name="" if name else label))


def _slug(label: str) -> str:
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        raise ConfigurationError(
            f"no name can be made of the folder {label!r}: give the source one, NAME=nfo:FOLDER"
        )
    return slug
