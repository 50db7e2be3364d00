"""What a folder is: a show, one film's own folder, or a folder of many."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from mediasync.backends.nfo import naming
from mediasync.backends.nfo.folders import Folder, list_folder

Sniffer = Callable[[str, str, str], bool]
"""Whether an NFO file describes an episode; asked with the key of the film it would be, the key of the
episodes it would hold (before ``#``), and its path."""


class Shape(Enum):
    """What a folder is."""

    SHOW = "a show"
    FILM = "the own folder of one film"
    MANY = "a folder of films, of shows, or of folders"


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
        if folder.find("tvshow.nfo"):
            return Shape.SHOW
        if folder.discs:
            return Shape.FILM
        if folder.find("movie.nfo"):
            return Shape.FILM if self._is_described_by_movie_nfo(folder) else Shape.MANY
        own = _is_own_folder(folder)
        if self._is_show(folder, own=own):
            return Shape.SHOW
        return Shape.FILM if own else Shape.MANY

    def _is_show(self, folder: Folder, *, own: bool) -> bool:
        if any(naming.season_of_folder(name) for name in folder.dirs):
            return True
        described = [group for group in folder.groups if group.nfos]
        if not described:
            return False
        names = [(group, naming.episode_name(naming.stem_of(group.nfos[0]))) for group in described]
        if any(found and found.certain for _, found in names):
            return True
        asked = next((group for group, found in names if found), described[0])
        key = folder.key if own else folder.key_of(asked.base)
        return self._describes_episode(key, folder.key_of(asked.base), folder.path_of(asked.nfos[0]))

    def _is_described_by_movie_nfo(self, folder: Folder) -> bool:
        films = _filmed(folder)
        if films:
            return len(films) == 1
        return sum(bool(group.nfos) for group in folder.groups) <= 1 and not self._films_below(folder)

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


def _filmed(folder: Folder) -> set[str]:
    """The films that there are videos of, those with the folder's name being one."""
    return {
        "" if naming.labels_folder(group.base, folder.own_name) else group.base
        for group in folder.groups
        if group.videos
    }


def _is_own_folder(folder: Folder) -> bool:
    """Whether a folder without ``movie.nfo`` and without a disc is that of one film."""
    if not folder.path or not folder.groups or len(_filmed(folder)) > 1:
        return False
    named = [group for group in folder.groups if naming.names_folder(group.base, folder.name)]
    if sum(bool(group.nfos) for group in folder.groups) > 1:
        return len(named) == 1 and bool(named[0].nfos)
    has_folders = any(not is_part_of_film(name, in_film=True) for name in folder.dirs)
    if has_folders or folder.name.casefold() in naming.LIBRARY_NAMES:
        return bool(named)
    return True
