"""Deciding what a folder is: a show, one film's own folder, or a folder of many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final, Protocol, TypeVar

from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.listing import Folder, list_folder
from mediasync.backends.nfo.folders.numbering import (
    EpisodeName,
    SeasonName,
    episode_name,
    episodes_in_season,
    letters,
    season_name,
    season_of_nfo,
    season_of_show,
)
from mediasync.vocabulary import MediaType

T = TypeVar("T")

_LOOKS: Final = 3
_FOLDERS_WEIGHED: Final = 32
_MOST_IN_FILMS_FOLDER: Final = 12
_MOST_VERSIONS: Final = 6
_TOLD_APART: Final = (MediaType.MOVIE, MediaType.EPISODE, MediaType.SEASON)


class Memory(Protocol):
    """What a folder was at the last sync."""

    def was_show(self, key: str) -> bool:
        """Whether the folder was a show, with seasons."""
        ...

    def was_related(self, key: str) -> bool:
        """Whether films or shows lay in the folder."""
        ...


Look = Callable[[str, Collection[str]], MediaType | None]
"""Returns what an NFO file describes, given its path and its item's possible keys; None if unknown."""


class FolderKind(Enum):
    """What a folder is."""

    SHOW = "a show"
    FILM = "one film's own folder"
    MANY = "a folder of films, of shows, or of folders"


def is_part_of_film(name: str) -> bool:
    """Whether a folder in a film's folder belongs to the film: extras, a disc or a part."""
    return naming.is_extras_folder(name) or naming.disc_nfo(name) is not None or naming.is_part_folder(name)


@dataclass(slots=True)
class _Weight:
    """How much in a folder suggests a show, and how much suggests a folder of films and shows.

    Attributes:
        show: the number of seasons and episodes.
        others: the number of films and of folders with other items.
        own: whether a film has the folder's name and no season lies in the folder.
    """

    show: int = 0
    others: int = 0
    own: bool = False


class FolderKinds:
    """Decides what the folders of one root are.

    A show's folder has ``tvshow.nfo``, or most of what lies in it is season folders and NFO files of
    episodes, by their names and contents. A single entry never outvotes the others. If they are about even,
    a folder stays what it was at the last sync.

    A film's own folder has ``movie.nfo`` or a disc and no second film, or has only the files of one film, or
    is named after one of its films. The root is a film's own folder only with ``movie.nfo`` or a disc: its
    name does not count, because it may be mounted elsewhere. A folder with a library's name (``movies``)
    needs one of these, or a film of its own name: keys must not depend on how many films a library has.

    Args:
        root: the real path of the root.
        memory: what the folders were at the last sync.
        look: called for files whose names do not tell films from episodes.
        look_closely: called for files in folders that are named like a season.
    """

    def __init__(self, root: str, memory: Memory, look: Look, look_closely: Look) -> None:
        self._root = root
        self._memory = memory
        self._look = look
        self._look_closely = look_closely

    def of(self, folder: Folder) -> FolderKind:
        """Return what a folder is. Names decide; files are looked at only where names leave it open."""
        if folder.plain_film:
            return FolderKind.FILM
        if folder.find("tvshow.nfo"):
            if self._is_stray_tvshow_nfo(folder):
                return FolderKind.MANY
            return FolderKind.FILM if self._is_stray_beside_film(folder) else FolderKind.SHOW
        if folder.discs:
            strangers = [group for group in _described(folder) if not _is_named_so(group, folder)]
            is_library = _is_library(folder) and any(self._items_below(folder))
            return FolderKind.MANY if len(strangers) > 1 or is_library else FolderKind.FILM
        has_movie_nfo = folder.find("movie.nfo") is not None
        if has_movie_nfo and self._is_described_by_movie_nfo(folder):
            return FolderKind.FILM
        own = not has_movie_nfo and _is_own_folder(folder)
        if self._is_show(folder, own=own):
            return FolderKind.SHOW
        return FolderKind.FILM if own else FolderKind.MANY

    def is_other_item(self, folder: Folder, season: SeasonName | None) -> bool:
        """Whether a folder in a show's folder is a separate show or film.

        ``tvshow.nfo`` and ``movie.nfo`` in a season's folder are strays and do not make it one.

        Args:
            folder: the folder in the show's folder.
            season: the season in its name.
        """
        if season and self._holds_episodes(folder) and (season.plain or _agrees(folder, season)):
            return False
        if folder.find("tvshow.nfo"):
            return not (season and season.plain) or any(self._seasons(folder))
        if folder.find("movie.nfo") or folder.discs:
            return True
        if season is None and any(self._seasons(folder)):
            return True
        return self._kinds(folder, _described(folder)) == [MediaType.MOVIE]

    def holds_episodes(self, folder: Folder) -> bool:
        """Whether a folder that is named like extras holds NFO files of episodes."""
        return self._kinds(folder, _described(folder), closely=True) == [MediaType.EPISODE]

    # Shows

    def _is_show(self, folder: Folder, *, own: bool) -> bool:
        weight = self._weigh(folder, own=own)
        if not weight.show:
            return False
        is_library = _is_library(folder)
        if self._memory.was_show(folder.key) and not is_library:
            return 2 * weight.show >= weight.others
        is_named = bool(folder.path) and is_library
        if is_named or self._memory.was_related(folder.key) or _lies_among(folder, "movies"):
            return weight.show > 2 * weight.others
        return weight.show > weight.others or (
            weight.show == weight.others and not is_library and not weight.own
        )

    def _weigh(self, folder: Folder, *, own: bool) -> _Weight:
        weight = _Weight()
        seasons = _of_one_show(folder, dict(self._seasons(folder)))
        weight.show += len(seasons) + (folder.find("season.nfo") is not None)
        for_films = naming.LIBRARY_NAMES.get(folder.own_name.casefold()) == "movies"
        described = _described(folder)
        of_seasons = [group for group in described if season_of_nfo(_stem_of(group), None) is not None]
        if of_seasons and self._kinds(folder, of_seasons, closely=True) == [MediaType.SEASON]:
            described = [group for group in described if group not in of_seasons]
            weight.show += len(of_seasons)
        named = [group for group in described if (found := _name_of(group)) and found.certain]
        if named and self._kinds(folder, named) != [MediaType.MOVIE]:
            described = [group for group in described if group not in named]
            weight.show += 0 if for_films else len(named)
        if described:
            kinds = self._kinds(folder, described, own=own)
            if kinds == [MediaType.EPISODE] and not for_films:
                weight.show += len(described)
            else:
                weight.others += len(described)
                weight.own = not seasons and any(_is_named_so(group, folder) for group in described)
        if weight.show:
            others = [name for name in folder.dirs if name not in seasons and not is_part_of_film(name)]
            weight.others += sum(self._holds_items(folder.path_of(name)) for name in _spread(others))
        return weight

    def _seasons(self, folder: Folder) -> Iterator[tuple[str, SeasonName]]:
        """Iterate over the season folders in a folder; only the first of very many are looked at."""
        is_library = _is_library(folder)
        read = season_name if is_library and not folder.find("tvshow.nfo") else season_of_show
        named = [(name, found) for name in folder.dirs if (found := read(naming.nfc(name)))]
        for name, found in islice(named, _FOLDERS_WEIGHED):
            try:
                below = list_folder(self._root, folder.path_of(name))
            except OSError:
                is_season = found.plain
            else:
                is_season = self._holds_season(below, found, in_library=is_library)
            if is_season:
                yield name, found

    def _holds_season(self, folder: Folder, named: SeasonName, *, in_library: bool) -> bool:
        """Whether a folder that is named like a season is one and not a film or show with such a title."""
        if folder.find("season.nfo"):
            return True
        if folder.discs or folder.find("movie.nfo"):
            return False
        if folder.find("tvshow.nfo"):
            return not in_library and self._holds_episodes(folder) and _agrees(folder, named)
        if self._holds_episodes(folder):
            return named.plain or season_name(folder.name) is not None or _agrees(folder, named)
        if described := _described(folder):
            kinds = self._kinds(folder, described, closely=True)
            return kinds != [MediaType.MOVIE] if kinds else named.plain
        if folder.videos:
            films = any(naming.names_folder(group.base, folder.name) for group in folder.groups)
            return named.plain and not films
        return named.plain

    def _holds_episodes(self, folder: Folder) -> bool:
        """Whether most files in a folder are named like episodes of a season."""
        groups = _described(folder) or folder.groups
        certain = [group for group in groups if (found := _name_of(group)) and found.certain]
        if 2 * len(certain) > len(groups):
            return True
        named = [group for group in groups if group in certain or episodes_in_season(_stem_of(group))]
        described = [group for group in named if group.nfos]
        return 2 * len(named) > len(groups) and (
            self._kinds(folder, described, closely=True) != [MediaType.MOVIE]
        )

    # Films

    def _is_described_by_movie_nfo(self, folder: Folder) -> bool:
        films = _filmed(folder)
        if films and not _is_library(folder):
            return len(films) == 1
        has_one = len(films) <= 1 and len(_described(folder)) <= 1
        return has_one and not any(self._items_below(folder))

    def _is_stray_tvshow_nfo(self, folder: Folder) -> bool:
        """Whether ``tvshow.nfo`` lies in a library, which has shows where a show has seasons and episodes."""
        if not _is_library(folder):
            return False
        named = [group for group in folder.groups if (found := _name_of(group)) and found.certain]
        seasons = dict(self._seasons(folder))
        names = [name for name in folder.dirs if name not in seasons and not is_part_of_film(name)]
        others = sum(
            2 if name.casefold() in naming.LIBRARY_NAMES else 1
            for name in _spread(names)
            if self._holds_items(folder.path_of(name))
        )
        show = len(named) + len(seasons)
        return others > show + 1 if show else others > 0

    def _is_stray_beside_film(self, folder: Folder) -> bool:
        """Whether ``tvshow.nfo`` lies in a film's folder, without any season or episode."""
        if not _is_own_folder(folder) or _lies_among(folder, "shows"):
            return False
        films = [group for group in _described(folder) if _is_named_so(group, folder)]
        is_film = bool(films) and self._kinds(folder, films, own=True) == [MediaType.MOVIE]
        return is_film and not any(map(_name_of, folder.groups)) and not any(self._seasons(folder))

    def _items_below(self, folder: Folder) -> Iterator[bool]:
        names = [name for name in folder.dirs if not is_part_of_film(name)]
        return (self._holds_items(folder.path_of(name)) for name in _spread(names))

    def _holds_items(self, path: str, *, deeper: bool = True) -> bool:
        """Whether a folder, or a folder in it, holds an NFO file."""
        try:
            folder = list_folder(self._root, path)
        except OSError:
            return False  # the walk will reach this folder and report it
        if any(naming.is_nfo(name) for name in folder.files):
            return True
        below = (folder.path_of(name) for name in _spread(folder.dirs))
        return deeper and any(self._holds_items(name, deeper=False) for name in below)

    # Files

    def _kinds(
        self, folder: Folder, groups: list[naming.Group], *, own: bool = False, closely: bool = False
    ) -> list[MediaType]:
        """Return the kind that most of some files describe; empty if no kind has a majority."""
        look = self._look_closely if closely else self._look
        said: list[MediaType] = []
        for group in _spread(groups, _LOOKS):
            keys = [folder.key_of(group.base), *([folder.key] if own else [])]
            kind = look(folder.path_of(group.nfos[0]), keys)
            if kind in _TOLD_APART:
                said.append(kind)
        return [kind for kind in _TOLD_APART if 2 * said.count(kind) > len(said)]


def _spread(entries: Iterable[T], most: int = _FOLDERS_WEIGHED) -> list[T]:
    """Return a sample from all over a long list, because its first entries may have something in common."""
    entries = list(entries)
    return (
        [entries[place * len(entries) // most] for place in range(most)] if len(entries) > most else entries
    )


def _described(folder: Folder) -> list[naming.Group]:
    return [group for group in folder.groups if group.nfos]


def _stem_of(group: naming.Group) -> str:
    return naming.stem_of((group.nfos or group.videos)[0])


def _name_of(group: naming.Group) -> EpisodeName | None:
    return episode_name(_stem_of(group))


def _agrees(folder: Folder, season: SeasonName) -> bool:
    """Whether no episode name in a folder states another season, or the folder's name as its show."""
    names = [found for group in folder.groups if (found := _name_of(group)) and found.certain]
    own = letters(folder.name)
    return all(found.season == season.number and found.title != own for found in names)


def _is_named_so(group: naming.Group, folder: Folder) -> bool:
    return naming.labels_folder(group.base, folder.own_name)


def _filmed(folder: Folder) -> set[str]:
    """Return the films that have videos in a folder; all with the folder's name count as one."""
    return {"" if _is_named_so(group, folder) else group.base for group in folder.groups if group.videos}


def _is_own_folder(folder: Folder) -> bool:
    """Whether a folder without ``movie.nfo`` and without a disc may be one film's own.

    It may hold several NFO files; only their contents tell whether they describe one film.
    """
    described = _described(folder)
    if not folder.path or not folder.groups or len(described) > _MOST_IN_FILMS_FOLDER:
        return False
    if len(_filmed(folder)) > 1 and not all(
        group.nfos or _is_named_so(group, folder) for group in folder.groups
    ):
        return False
    named = any(naming.names_folder(group.base, folder.name) for group in folder.groups)
    has_folders = any(not is_part_of_film(name) for name in folder.dirs)
    if has_folders or _is_library(folder):
        return named
    if len(described) < 2 or any(_is_named_so(group, folder) for group in described):
        return True
    return len({naming.family(group.base) for group in described}) == 1


def may_be_own_folder(folder: Folder) -> bool:
    """Whether the few NFO files in a folder may all describe one film, whose own folder it is."""
    return (
        not _is_library(folder)
        and 1 < len(_described(folder)) <= _MOST_VERSIONS
        and all(group.nfos for group in folder.groups)
        and all(is_part_of_film(name) for name in folder.dirs)
    )


def _lies_among(folder: Folder, kind: str) -> bool:
    """Whether a folder lies in a folder with the name of a library of this kind."""
    above = folder.path.casefold().split("/")[:-1]
    named = [naming.LIBRARY_NAMES[name] for name in above if name in naming.LIBRARY_NAMES]
    return bool(named) and named[-1] == kind


def _is_library(folder: Folder) -> bool:
    """Whether a folder is for many films or shows: the root, or one with a library's name."""
    return not folder.path or folder.name.casefold() in naming.LIBRARY_NAMES


def _of_one_show(folder: Folder, seasons: dict[str, SeasonName]) -> dict[str, SeasonName]:
    """Return the seasons that may belong to one show; a library may hold seasons of several shows."""
    titles = {named.title for named in seasons.values() if named.title}
    if _is_library(folder) or len(titles) > 1:
        own = "" if _is_library(folder) else letters(folder.name)
        return {name: named for name, named in seasons.items() if named.title in {"", own}}
    return seasons
