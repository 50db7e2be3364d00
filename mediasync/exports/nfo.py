"""NFO files in Kodi's dialect, which give the same credits when they are synced again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mediasync.aio import finish
from mediasync.exports.nfo_layout import (
    NfoLayout,
    beside,
    episode_name,
    film_file,
    library_name,
    parts_of,
    root_of,
    short_hash,
    title_name,
)
from mediasync.formats.nfo.people import MOST_CREDITS
from mediasync.formats.nfo.writing import HEADER, write_item
from mediasync.models import AnyMediaItem, Episode, Library, MediaItem, Season
from mediasync.repositories.exporting import Child, ExportReader
from mediasync.vocabulary import MediaType

Tell = Callable[[int], None]

_NFO: Final = ".nfo"
_FILM: Final = "movie.nfo"
_TOP: Final = (MediaType.MOVIE, MediaType.SHOW)
_MOST_BYTES: Final = 4 * 2**20
"""How long a file the reader of NFO files takes."""
_MOST_PROBLEMS: Final = 100
_KINDS: Final = {
    MediaType.MOVIE: "movies",
    MediaType.SHOW: "shows",
    MediaType.SEASON: "seasons",
    MediaType.EPISODE: "episodes",
}


class Tree:
    """The folder of an export, in which every file is new, also where case or Unicode forms do not count.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, parts: Sequence[str], text: str) -> bool:
        """Write a new file; return False if something is in its way.

        That is also what would be read as a description of the same film: ``Heat.nfo`` beside the folder
        ``Heat``, and any other file beside ``movie.nfo``.
        """
        path = self._folder.joinpath(*parts)
        above = path.parents[: len(parts) - 1]
        if path.with_suffix("").is_dir() or any(Path(f"{one}{_NFO}").exists() for one in above):
            return False
        if path.parent.exists() if path.name == _FILM else (path.parent / _FILM).exists():
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(text.encode())
        except (FileExistsError, NotADirectoryError):
            return False
        return True

    def append(self, parts: Sequence[str], text: str) -> None:
        """Add to a file."""
        with self._folder.joinpath(*parts).open("ab") as file:
            file.write(text.encode())


class NfoExport:
    """Writes the NFO files of one source.

    Args:
        reader: reads what is written.
        folder: an empty folder.
        layout: how the folders are laid out.
        libraries: the libraries of the source.
        library_id: the only library whose folder is made, if only its items are written.
        tell: called with the number of films and shows that are done.
    """

    def __init__(
        self,
        reader: ExportReader,
        folder: Path,
        layout: NfoLayout,
        libraries: Sequence[Library],
        library_id: str | None,
        tell: Tell,
    ) -> None:
        self._reader = reader
        self._tree = Tree(folder)
        self._layout = layout
        self._library_id = library_id
        self._tell = tell
        self._folders = _library_folders(libraries)
        self._roots: dict[str, str] = {}
        self.rows = dict.fromkeys(_KINDS.values(), 0)
        self.left_out = 0
        self.problems: list[tuple[str, str]] = []

    async def run(self, types: frozenset[MediaType]) -> None:
        """Write everything that is selected of these types; seasons and episodes come with their shows."""
        paths = await self._reader.find_paths()
        self._roots = {library_id: root_of(*both) for library_id, both in paths.items()}
        wanted = [kind for kind in _TOP if kind in types]
        done = 0
        async for items in self._reader.iter_items(wanted):
            films = [item for item in items if item.media_type is MediaType.MOVIE]
            await finish(asyncio.to_thread(self._add_films, films))
            for item in items:
                if item.media_type is MediaType.SHOW:
                    await self._add_show(item)
            done += len(items)
            self._tell(done)
        if MediaType.SHOW in wanted:
            async for ids in self._reader.iter_orphans():
                for item_id in ids:
                    self._leave_out(item_id, "it belongs to no show, and an NFO file of it would be no item")

    # Films

    def _add_films(self, films: Sequence[AnyMediaItem]) -> None:
        for film in films:
            text = HEADER + write_item(film)
            parts = self._parts(film)
            file = film_file(parts) if parts else None
            if file is None or not self._tree.create([*self._library(film), *file], text):
                self._create_in_own_folder(film, _FILM, text)
            self._count(film, text)

    def _create_in_own_folder(self, item: MediaItem, name: str, text: str) -> list[str]:
        """Write a file into a folder that is named after its item, and return the folder."""
        title = title_name(item)
        for folder in (title, f"{title} {short_hash(item.id or '')}"):
            parts = [*self._library(item), folder]
            if self._tree.create([*parts, name], text):
                return parts
        raise AssertionError(f"two items have the id {item.id!r}")

    # Shows

    async def _add_show(self, show: AnyMediaItem) -> None:
        children = await self._reader.list_children(show.id or "")
        folder = await finish(asyncio.to_thread(self._begin_show, show, children))
        below = [child.id for child in children]
        async for items in self._reader.iter_whole_items(below):
            await finish(asyncio.to_thread(folder.add, items))
            for item in items:
                if isinstance(item, Season):
                    episodes = await self._reader.list_children(item.id or "")
                    async for some in self._reader.iter_whole_items([child.id for child in episodes]):
                        await finish(asyncio.to_thread(folder.add, some))

    def _begin_show(self, show: AnyMediaItem, children: Sequence[Child]) -> _ShowFolder:
        names = {
            child.season_number: child.title
            for child in children
            if child.season_number is not None
            and child.media_type == MediaType.SEASON
            and child.title not in (f"Season {child.season_number}", "Specials", "")
        }
        text = HEADER + write_item(show, names)
        parts = self._parts(show)
        folder = [*self._library(show), *parts] if parts else None
        if folder is None or not self._tree.create([*folder, "tvshow.nfo"], text):
            folder = self._create_in_own_folder(show, "tvshow.nfo", text)
        self._count(show, text)
        return _ShowFolder(self, folder)

    # Shared with the folders of shows

    def _parts(self, item: MediaItem) -> list[str] | None:
        """Return the path of an item below its library; None if its title names its folder."""
        if self._layout is NfoLayout.FLAT or not item.path:
            return None
        return parts_of(item.path, self._roots.get(item.library_id or "", "")) or None

    def _library(self, item: MediaItem) -> list[str]:
        return [self._folders[self._library_id or item.library_id or ""]]

    def _count(self, item: MediaItem, text: str) -> None:
        self.rows[_KINDS[item.media_type]] += 1
        if len(text) > _MOST_BYTES // 4 and len(text.encode()) > _MOST_BYTES:
            self._warn(item.id or "", "its NFO file has more than 4 MiB, and mediasync does not read it")
        elif len(item.credits or ()) > MOST_CREDITS:
            what = f"it has more than {MOST_CREDITS:,} credits, and mediasync reads no more from one file"
            self._warn(item.id or "", what)

    def _leave_out(self, item_id: str, reason: str) -> None:
        self.left_out += 1
        self._warn(item_id, f"left out: {reason}")

    def _warn(self, item_id: str, reason: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append((item_id, reason))


class _ShowFolder:
    """The folder of one show.

    Args:
        export: what it belongs to.
        parts: the folder.
    """

    def __init__(self, export: NfoExport, parts: list[str]) -> None:
        self._export = export
        self._parts = parts
        self._seasons: set[int] = set()
        self._files: dict[tuple[str, ...], set[tuple[int | None, int | None]]] = {}
        """The files of episodes, with the numbers of those in them."""

    def add(self, items: Sequence[AnyMediaItem]) -> None:
        """Write seasons and episodes."""
        for item in items:
            if isinstance(item, Season):
                self._add_season(item)
            elif isinstance(item, Episode):
                self._add_episode(item)

    def _below(self, item: MediaItem) -> list[str] | None:
        """Return the path of an item, None if the source does not have it in the folder of the show."""
        below = self._export._parts(item)
        if below is None:
            return None
        parts = [*self._export._library(item), *below]
        is_below = len(parts) > len(self._parts) and parts[: len(self._parts)] == self._parts
        return parts if is_below else None

    def _add_season(self, season: Season) -> None:
        number = season.season_number
        if number is None or number < 0:
            self._export._leave_out(
                season.id or "", "it has no number, by which NFO files tell seasons apart"
            )
            return
        if number in self._seasons:
            self._export._leave_out(season.id or "", f"another season of the show has the number {number}")
            return
        self._seasons.add(number)
        text = HEADER + write_item(season)
        folder = self._below(season)
        tree = self._export._tree
        if (folder and tree.create([*folder, "season.nfo"], text)) or tree.create(
            [*self._parts, f"season{number:02}.nfo"], text
        ):
            self._export._count(season, text)
        else:
            self._export._leave_out(season.id or "", "another item lies where its file would lie")

    def _add_episode(self, episode: Episode) -> None:
        text = write_item(episode)
        numbers = (episode.season_number, episode.episode_number)
        tree, name = self._export._tree, episode_name(episode)
        own = self._below(episode)
        candidates = [
            *([found] if own and (found := beside(own)) else []),
            [*self._parts, f"{name}.nfo"],
            [*self._parts, f"{name} {short_hash(episode.id or '')}.nfo"],
        ]
        for file in candidates:
            told = self._files.get(tuple(file))
            if told is None and tree.create(file, HEADER + text):
                self._files[tuple(file)] = {numbers}
                break
            if told is not None and file is not candidates[-1] and numbers not in told and own:
                tree.append(file, text)
                told.add(numbers)
                break
        else:
            self._export._leave_out(episode.id or "", "other items lie where its file would lie")
            return
        self._export._count(episode, text)


def _library_folders(libraries: Sequence[Library]) -> Mapping[str, str]:
    """Return the names of the folders of libraries, all of them different, by the libraries' full ids."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for library in libraries:
        name = library_name(library)
        if name.casefold() in taken:
            name = f"{name} {short_hash(library.full_id)}"
        taken.add(name.casefold())
        found[library.full_id] = name
    return found
