"""Exporting a mirror, read page by page in one snapshot."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from mediasync.aio import finish
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import ChangesPruned, ConfigurationError, UnknownLibrary, UnknownSource, UsageError
from mediasync.exports.staging import Staging, failing_as_export
from mediasync.exports.writer import Writer
from mediasync.models import Library
from mediasync.reports import ExportReport
from mediasync.repositories.changes import ChangeRepository
from mediasync.repositories.exporting import ExportReader, Selection
from mediasync.repositories.sources import SourceRepository
from mediasync.vocabulary import EntityKind, MediaType

if TYPE_CHECKING:
    from mediasync.exports.nfo_layout import NfoLayout

T = TypeVar("T")

Tell = Callable[[str, int, int], None]
Target = Path | Callable[[str], object]
"""A folder, or a function that takes the text."""

_PEOPLE_REMEMBERED: Final = 100_000
"""Of how many people it is remembered that they were written after a change."""


class ExportFormat(StrEnum):
    """The formats of exports."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    NFO = "nfo"
    SINGER = "singer"


STREAMED: Final = frozenset({ExportFormat.JSONL, ExportFormat.SINGER})
"""The formats that can be written to a function, and that can go on after a change."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How an export is written; `mediasync.MediaSync.export` explains the fields."""

    format: ExportFormat
    selection: Selection
    since: int | None = None
    layout: NfoLayout | None = None
    for_spreadsheets: bool = False
    overwrite: bool = False

    def check(self, target: Target) -> None:
        """Check that the options go together.

        Raises:
            UsageError: if they do not.
        """
        name, selection = self.format, self.selection
        is_stream = not isinstance(target, Path)
        if is_stream and name not in STREAMED:
            raise UsageError(f"an export as {name} is several files: name a folder for them")
        if self.since is not None:
            if name not in STREAMED:
                raise UsageError(f"an export as {name} cannot say what was removed: leave since out")
            if selection.library_id is not None:
                raise UsageError(
                    "the change log does not say in which library an item was: give since without a library"
                )
            if is_stream and name is ExportFormat.JSONL:
                raise UsageError(
                    "a stream of items cannot say what was removed: name a folder, or use singer"
                )
        if self.layout is not None and name is not ExportFormat.NFO:
            raise UsageError(f"an export as {name} has no layout of folders: leave layout out")
        if self.for_spreadsheets and name is not ExportFormat.CSV:
            raise UsageError(f"an export as {name} is not for spreadsheets: leave for_spreadsheets out")
        if name is ExportFormat.NFO:
            parts = selection.media_types & {MediaType.SEASON, MediaType.EPISODE}
            if parts and MediaType.SHOW not in selection.media_types:
                raise UsageError(
                    "an NFO file of a season or episode means nothing without its show: give the type show, "
                    "whose seasons and episodes are written with it"
                )


class ExportService:
    """Exports one mirror.

    Args:
        database: the open database.
        tell: called with the progress: what is written, how many items or people are done, and of how many.
    """

    def __init__(self, database: Database, tell: Tell) -> None:
        self._database = database
        self._tell = tell

    async def run(self, options: ExportOptions, target: Target) -> ExportReport:
        """Write an export, all of one state of the database.

        Raises:
            UsageError: if the options do not go together, or name what is not stored.
            ConfigurationError: if the target cannot be used.
            ExportFailed: if it cannot be written.
        """
        options.check(target)
        async with self._database.read(snapshot=True) as session:
            libraries = await _check_stored(session, options.selection)
            extent = await ChangeRepository(session).find_extent()
            since = options.since
            if since is not None and not 0 <= since <= extent.newest:
                raise UsageError(
                    f"there is no change {since}: the newest one is {extent.newest}. Was the number "
                    "remembered of another database?"
                )
            if since is not None and since < extent.pruned:
                raise ChangesPruned(since, extent.pruned)
            reader = ExportReader(session, options.selection)
            if options.format is ExportFormat.NFO and isinstance(target, Path):
                return await self._write_nfo(reader, options, target, libraries, extent.newest)
            async with _writing(options, target) as run:
                if since is None:
                    await self._write_all(reader, run)
                else:
                    await self._write_changes(reader, run, options.selection, since, extent.newest)
                await run.call(run.writer.finish, extent.newest)
                return await run.finish(ExportReport(options.format, extent.newest, dict(run.writer.rows)))

    async def _write_all(self, reader: ExportReader, run: _Run) -> None:
        total, done = await reader.count_items(), 0
        self._tell("items", 0, total)
        async for items in reader.iter_items():
            await run.call(run.writer.add_items, items)
            done += len(items)
            self._tell("items", done, total)
        done = 0
        async for people in reader.iter_people():
            await run.call(run.writer.add_people, people)
            done += len(people)
            self._tell("people", done, done)

    async def _write_changes(
        self, reader: ExportReader, run: _Run, selection: Selection, since: int, newest: int
    ) -> None:
        """Write what changed since a number, as it is now, and what no longer exists.

        A person who came with an item has no change of their own, so the people of changed items are written
        with these.
        """
        written = _Remembered(_PEOPLE_REMEMBERED)
        total = newest - since
        self._tell("changes", 0, total)
        async for changes in reader.iter_changes(since):
            of_items = {one.entity_id: one for one in changes if one.entity is EntityKind.ITEM}
            async for items in reader.iter_whole_items(list(of_items)):
                for item in items:
                    of_items.pop(item.id or "", None)
                wanted = [item for item in items if item.media_type in selection.media_types]
                await run.call(run.writer.add_items, wanted)
                people = {one.person.id or "": one.person for item in wanted for one in item.credits or ()}
                new = [person for key, person in people.items() if written.is_new(key)]
                await run.call(run.writer.add_people, new)
            of_people = {one.entity_id: one for one in changes if one.entity is EntityKind.PERSON}
            found = await reader.find_shown_people(list(of_people))
            for person in found:
                of_people.pop(person.id or "", None)
            await run.call(
                run.writer.add_people, [person for person in found if written.is_new(person.id or "")]
            )
            gone = sorted([*of_items.values(), *of_people.values()], key=lambda one: one.number)
            await run.call(run.writer.add_removed, gone)
            self._tell("changes", changes[-1].number - since, total)

    async def _write_nfo(
        self,
        reader: ExportReader,
        options: ExportOptions,
        target: Path,
        libraries: Sequence[Library],
        change: int,
    ) -> ExportReport:
        from mediasync.exports.nfo import NfoExport
        from mediasync.exports.nfo_layout import NfoLayout

        sources = sorted({library.source_id for library in libraries})
        if len(sources) > 1:
            raise UsageError(
                f"a folder of NFO files is one source, and {len(sources)} are stored: name one of "
                f"{', '.join(sources)}"
            )
        top = options.selection.media_types & {MediaType.MOVIE, MediaType.SHOW}
        total = await reader.count_items(top)
        self._tell("films and shows", 0, total)
        async with _staged(target, overwrite=options.overwrite) as staging:
            export = NfoExport(
                reader,
                staging.folder,
                options.layout or NfoLayout.SOURCE,
                libraries,
                options.selection.library_id,
                lambda done: self._tell("films and shows", done, total),
            )
            await export.run(top)
            report = ExportReport(
                options.format, change, export.rows, export.left_out, tuple(export.problems)
            )
            await finish(asyncio.to_thread(staging.finish, report.as_dict()))
        return report


async def _check_stored(session: Session, selection: Selection) -> list[Library]:
    """Return the libraries of the source, or all.

    Raises:
        UnknownSource: if the source is not stored.
        UnknownLibrary: if the library is not stored, or not one of the source.
    """
    sources = SourceRepository(session)
    if selection.source_id is not None and await sources.find_source(selection.source_id) is None:
        known = ", ".join(source.id for source in await sources.list_sources())
        raise UnknownSource(f"there is no source {selection.source_id!r}; there are: {known or 'none'}")
    libraries = await sources.list_libraries(selection.source_id)
    if selection.library_id is None:
        return libraries
    found = next((one for one in libraries if one.full_id == selection.library_id), None)
    if found is None:
        known = ", ".join(library.full_id for library in libraries)
        raise UnknownLibrary(f"there is no library {selection.library_id!r}; there are: {known or 'none'}")
    return [library for library in libraries if library.source_id == found.source_id]


class _Run:
    """One export while it is written.

    Args:
        writer: writes the format.
        staging: the folder that becomes visible at the end; None for a function.
    """

    def __init__(self, writer: Writer, staging: Staging | None) -> None:
        self.writer = writer
        self._staging = staging

    async def call(self, write: Callable[[T], None], what: T) -> None:
        """Call a method of the writer: in a thread if it writes to files."""
        if self._staging is None:
            write(what)
        else:
            await finish(asyncio.to_thread(write, what))

    async def finish(self, report: ExportReport) -> ExportReport:
        """Make the files visible, and return the report."""
        if self._staging is not None:
            await finish(asyncio.to_thread(self._staging.finish, report.as_dict()))
        return report


@asynccontextmanager
async def _staged(target: Path, *, overwrite: bool) -> AsyncIterator[Staging]:
    """Write into a folder that is removed if the export fails."""
    staging = Staging(target, overwrite=overwrite)
    try:
        with failing_as_export(target):
            yield staging
    except BaseException:
        staging.discard()
        raise


@asynccontextmanager
async def _writing(options: ExportOptions, target: Target) -> AsyncIterator[_Run]:
    if not isinstance(target, Path):
        yield _Run(_stream_writer(options, target), None)
        return
    load = _LOADERS[options.format]  # imports what is missing before the folder is made
    make = load()
    async with _staged(target, overwrite=options.overwrite) as staging:
        writer = make(options, staging)
        try:
            yield _Run(writer, staging)
        finally:
            writer.close()


def _stream_writer(options: ExportOptions, write: Callable[[str], object]) -> Writer:
    if options.format is ExportFormat.SINGER:
        from mediasync.exports.singer import SingerWriter

        return SingerWriter(write, lambda: None)
    from mediasync.exports.jsonl import JsonlStream

    return JsonlStream(write)


Make = Callable[[ExportOptions, Staging], Writer]


def _load_jsonl() -> Make:
    from mediasync.exports.jsonl import JsonlWriter

    return lambda options, staging: JsonlWriter(staging.open, tells_removed=options.since is not None)


def _load_csv() -> Make:
    from mediasync.exports.csv_tables import CsvWriter

    return lambda options, staging: CsvWriter(staging.open, for_spreadsheets=options.for_spreadsheets)


def _load_parquet() -> Make:
    from mediasync.exports.parquet import ParquetWriter

    return lambda _options, staging: ParquetWriter(staging.open)


def _load_singer() -> Make:
    from mediasync.exports.singer import SingerWriter

    def make(_options: ExportOptions, staging: Staging) -> Writer:
        file = staging.open("messages.jsonl")
        return SingerWriter(lambda text: file.write(text.encode()), file.close)

    return make


_LOADERS: Final[dict[ExportFormat, Callable[[], Make]]] = {
    ExportFormat.JSONL: _load_jsonl,
    ExportFormat.CSV: _load_csv,
    ExportFormat.PARQUET: _load_parquet,
    ExportFormat.SINGER: _load_singer,
}


class _Remembered:
    """Remembers the latest of some keys.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: OrderedDict[str, None] = OrderedDict()

    def is_new(self, key: str) -> bool:
        """Remember a key, and return whether it was not remembered before."""
        is_new = key not in self._keys
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._most:
            self._keys.popitem(last=False)
        return is_new


def as_types(media_types: Collection[MediaType | str]) -> frozenset[MediaType]:
    """Return types of items; all of them if none is given.

    Raises:
        ConfigurationError: if one is unknown.
    """
    try:
        return frozenset(map(MediaType, media_types)) or frozenset(MediaType)
    except ValueError as error:
        raise ConfigurationError(f"{error}: give {', '.join(MediaType)}") from error


def as_layout(text: str | None) -> NfoLayout | None:
    """Return the layout of a name.

    Raises:
        ConfigurationError: if it is unknown.
    """
    from mediasync.exports.nfo_layout import NfoLayout

    try:
        return None if text is None else NfoLayout(text)
    except ValueError as error:
        raise ConfigurationError(f"there is no layout {text!r}: give {', '.join(NfoLayout)}") from error


def as_format(text: str) -> ExportFormat:
    """Return the format of a name.

    Raises:
        ConfigurationError: if it is unknown.
    """
    try:
        return ExportFormat(text)
    except ValueError as error:
        raise ConfigurationError(f"there is no format {text!r}: give {', '.join(ExportFormat)}") from error
