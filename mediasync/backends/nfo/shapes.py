"""What a folder is: a show, one film's own folder, or a folder of many."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from mediasync.backends.nfo import naming
from mediasync.backends.nfo.folders import Folder, list_folder

_SPECIAL_NFOS: Final = frozenset({"movie.nfo", "tvshow.nfo", "season.nfo"})

Sniffer = Callable[[str, str], bool]
"""Whether the NFO file with this key and path describes an episode."""


class Shape(Enum):
    """What a folder is."""

    SHOW = "a show"
    FILM = "the own folder of one film"
    MANY = "a folder of films, of shows, or of folders"


def find_file(folder: Folder, name: str) -> str | None:
    """Return the file called *name* (in lower case) as it is spelt, ``None`` if there is none."""
    return next((file for file in folder.files if file.lower() == name), None)


def named_nfos(folder: Folder) -> list[str]:
    """Return the NFO files that are called like a video."""
    return naming.without_extras(
        name for name in folder.files if naming.is_nfo(name) and name.lower() not in _SPECIAL_NFOS
    )


def videos(folder: Folder) -> list[str]:
    """Return the videos that are no extras."""
    return naming.without_extras(name for name in folder.files if naming.is_video(name))


def discs(folder: Folder) -> list[str]:
    """Return the folders that are a disc's."""
    return [name for name in folder.dirs if naming.disc_nfo(name)]


def is_part_of_film(name: str, *, in_film: bool) -> bool:
    """Whether a folder has no films and shows of its own: extras, a disc, a part."""
    return (
        naming.is_extras_folder(name, in_film=in_film)
        or naming.disc_nfo(name) is not None
        or (in_film and naming.is_part_folder(name))
    )


class Shapes:
    """Tells what the folders of one root are.

    A show has ``tvshow.nfo``, or folders of seasons, or NFO files of episodes. A film's own folder has
    ``movie.nfo`` or a disc, and the videos of no second film; or it has the files of one film only, and is
    named after it or has no other folders in it. The root and folders with a library's name (``movies``) are
    a film's own folder only by ``movie.nfo``, a disc or (the latter) the film's own name: keys must not
    depend on where the root is mounted, nor on how many films lie in a library.

    Args:
        root: the real path of the root.
        describes_episode: asked about one file of a folder whose names do not tell films from episodes.
    """

    def __init__(self, root: str, describes_episode: Sniffer) -> None:
        self._root = root
        self._describes_episode = describes_episode

    def of(self, folder: Folder) -> Shape:
        """Tell what *folder* is from the names in it; a file is asked only where they leave it open."""
        if find_file(folder, "tvshow.nfo"):
            return Shape.SHOW
        if not find_file(folder, "movie.nfo") and self._is_show(folder):
            return Shape.SHOW
        return Shape.FILM if self._is_own_folder(folder) else Shape.MANY

    def _is_show(self, folder: Folder) -> bool:
        if any(naming.season_of_folder(name) for name in folder.dirs):
            return True
        nfos = named_nfos(folder)
        if not nfos or discs(folder):
            return False
        names = [(name, naming.episode_name(naming.stem_of(name))) for name in nfos]
        if any(found and found.certain for _, found in names):
            return True
        asked = next((name for name, found in names if found), nfos[0])
        key = folder.key if self._is_own_folder(folder) else folder.key_of(_base(asked, nfos))
        return self._describes_episode(key, folder.path_of(asked))

    def _is_own_folder(self, folder: Folder) -> bool:
        groups = naming.group_files(named_nfos(folder), videos(folder))
        described = [group for group in groups if group.nfos]
        films = {
            "" if naming.labels_folder(group.base, folder.name) else group.base
            for group in groups
            if group.videos
        }
        if discs(folder):
            return not films
        if find_file(folder, "movie.nfo"):
            return len(films) == 1 or (not films and len(described) <= 1 and not self._films_below(folder))
        if not folder.path or not groups or len(films) > 1:
            return False
        named = [group for group in groups if naming.names_folder(group.base, folder.name)]
        if len(described) > 1:
            return len(named) == 1 and bool(named[0].nfos)
        has_folders = any(not is_part_of_film(name, in_film=True) for name in folder.dirs)
        if has_folders or folder.name.casefold() in naming.LIBRARY_NAMES:
            return bool(named)
        return True

    def _films_below(self, folder: Folder) -> bool:
        for name in folder.dirs:
            if is_part_of_film(name, in_film=True):
                continue
            try:
                below = list_folder(self._root, folder.path_of(name))
            except OSError:
                continue  # the walk comes to this folder and reports it
            if any(naming.is_nfo(file) for file in below.files):
                return True
        return False


def _base(asked: str, nfos: list[str]) -> str:
    return next(group.base for group in naming.group_files(nfos, ()) if asked in group.nfos)
