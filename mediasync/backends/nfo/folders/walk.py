"""Walking a folder and finding its libraries: lazily, one folder at a time.

Units come in a fixed order: the films of a folder, then the content of its folders, by name. A show with
everything below it is one unit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from mediasync.backends.base import Finding
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FolderFailed, Unit
from mediasync.backends.nfo.folders.films import loose_films, own_film, stray_remarks
from mediasync.backends.nfo.folders.folder_kind import FolderKind, FolderKinds, is_part_of_film
from mediasync.backends.nfo.folders.listing import Folder, Listings, extras_remark, list_folder, nfos_below
from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.backends.nfo.folders.shows import collect_show

ROOT_KEY: Final = "."
_FOLDERS_FOR_KIND: Final = 500
_EXCEPTIONS: Final = 10
"""A library is mixed if more than one in this many of its folders is of the other kind."""

Kind = Literal["movies", "shows", "mixed"]


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A folder that is a library.

    Attributes:
        key: the library's id, which is the folder's key.
        path: the folder, relative to the root; empty for the root.
        title: the folder's name.
        kind: what is in it.
        items: how many of its first folders hold a film or show.
        others: the names of folders in it that are libraries of their own.
    """

    key: str
    path: str
    title: str
    kind: Kind
    items: int = 1
    others: tuple[str, ...] = ()


def walk(
    root: str,
    path: str,
    kinds: FolderKinds,
    skip: Collection[str] = (),
    only: Collection[str] | None = None,
    listings: Listings | None = None,
) -> Iterator[Unit]:
    """Yield the units in and below a folder.

    Args:
        root: the real path of the root.
        path: the folder, relative to the root.
        kinds: decides what a folder is.
        skip: the names of folders directly in *path* to leave out.
        only: if given, keys of items: only folders are listed that may hold them.
        listings: what `find_libraries` has listed.
    """
    folders = None if only is None else _folders_of(only)
    return _Walk(root, kinds, listings or Listings(), folders).units(path, skip)


def _folders_of(keys: Iterable[str]) -> frozenset[str]:
    """Return the keys of items without the numbers of episodes, and those of all folders above them."""
    found: set[str] = set()
    for key in keys:
        # A name may contain a #, so every part before one may be the name.
        path, marks = key, key.count("#")
        for _ in range(marks + 1):
            parts = path.split("/")
            found.update("/".join(parts[:number]) for number in range(len(parts) + 1))
            path = path.rpartition("#")[0]
    return frozenset(found)


class _Walk:
    """One walk of a library.

    Args:
        root: the real path of the root.
        kinds: decides what a folder is.
        listings: what was listed before.
        only: the keys of the only folders that are visited, empty for the root; None for all.
    """

    def __init__(
        self, root: str, kinds: FolderKinds, listings: Listings, only: Collection[str] | None
    ) -> None:
        self._root = root
        self._kinds = kinds
        self._listings = listings
        self._only = only
        self._pending: list[str] = []
        self._claimed: set[str] = set()

    def units(self, path: str, skip: Collection[str]) -> Iterator[Unit]:
        self._pending.append(path)
        while self._pending:
            path = self._pending.pop()
            if self._only is not None and naming.nfc(path) not in self._only:
                continue
            try:
                folder = self._listings.take(self._root, path)
            except OSError as error:
                yield FolderFailed(path, naming.nfc(path) or ROOT_KEY, reason(error))
                continue
            folder_kind = self._kinds.of(folder)
            folder.dirs = [name for name in folder.dirs if name not in skip]
            skip = ()
            yield from self._visit(folder, folder_kind)

    def _visit(self, folder: Folder, folder_kind: FolderKind) -> Iterator[Unit]:
        """Yield the units of one folder, and push the folders in it that are to be visited next."""
        if folder_kind is FolderKind.SHOW:
            show, nested = collect_show(self._root, folder, self._kinds)
            self._pending += reversed(nested)
            yield show
            return
        below = _below(folder, folder_kind)
        if folder_kind is FolderKind.FILM:
            yield from self._extras(folder, below)
        self._pending += [folder.path_of(name) for name in reversed(below)]
        if folder_kind is FolderKind.MANY:
            yield from loose_films(self._root, folder, self._kinds, self._claimed)
        elif folder.path not in self._claimed:
            yield from own_film(self._root, folder)
        yield from folder.findings

    def _extras(self, folder: Folder, below: list[str]) -> Iterator[Unit]:
        """Report the NFO files in a film's extras; a show among them is added to the folders to visit."""
        for name in folder.dirs:
            if name in below or naming.disc_nfo(name):
                continue
            path = folder.path_of(name)
            try:
                is_show = list_folder(self._root, path).find("tvshow.nfo") is not None
                nfos = [] if is_show else nfos_below(self._root, path)
            except OSError as error:
                yield FolderFailed(path, naming.nfc(path), reason(error))
                continue
            if is_show:
                below.append(name)
            elif nfos:
                yield extras_remark(folder.key_of(name), nfos)


def _below(folder: Folder, folder_kind: FolderKind) -> list[str]:
    """Return the names of the folders in a folder that may hold other films and shows."""
    if folder_kind is FolderKind.FILM:
        return [name for name in folder.dirs if not is_part_of_film(name)]
    return [name for name in folder.dirs if not naming.disc_nfo(name)]


@dataclass(frozen=True, slots=True)
class Libraries:
    """The libraries of a root, and what has to be reported of entries that are in none of them."""

    folders: list[LibraryFolder]
    findings: list[Finding] = field(default_factory=list)


def find_libraries(root: str, kinds: FolderKinds, listings: Listings | None = None) -> Libraries:
    """Find the libraries of a root.

    A folder directly in the root is a library if it has a library's name (``movies``, ``tvshows``, …). Other
    folders that hold an NFO file or a video at any depth, and are neither a film's nor a show's own, are
    libraries too if there are more of them than films and shows directly in the root. Everything else belongs
    to the root, the library ``.``, which is listed if it has any item or if there is no other library.

    Args:
        root: the real path of the root.
        kinds: decides what a folder is.
        listings: where listings are kept for `walk`.

    Raises:
        OSError: if the root cannot be listed.
    """
    listings = listings or Listings()
    top = list_folder(root, "")
    folder_kind = kinds.of(top)
    if folder_kind is not FolderKind.MANY:
        kind: Kind = "shows" if folder_kind is FolderKind.SHOW else "movies"
        return Libraries([LibraryFolder(ROOT_KEY, "", top.name, kind)])
    named, unnamed = [], []
    items = len(top.groups)
    for name in _below(top, folder_kind):
        if name.casefold() in naming.LIBRARY_NAMES:
            named.append(name)
            continue
        try:
            below = list_folder(root, name)
        except OSError:
            unnamed.append(name)  # reading it will report it
            continue
        if kinds.of(below) is not FolderKind.MANY:
            items += 1
        elif _holds_anything(root, below):
            unnamed.append(name)
    names = sorted((*named, *unnamed), key=naming.sort_key) if len(unnamed) > items else named
    found = [
        LibraryFolder(naming.nfc(name), name, naming.nfc(name), *_count(root, name, kinds, listings))
        for name in names
    ]
    if not items and names:
        return Libraries(found, [*stray_remarks(top), *top.findings])
    here = LibraryFolder(ROOT_KEY, "", top.name, *_count(root, "", kinds, listings, names), tuple(names))
    return Libraries([here, *found])


def _holds_anything(root: str, folder: Folder) -> bool:
    pending = [folder.path_of(name) for name in _below(folder, FolderKind.MANY)]
    while not (folder.nfos or folder.videos or any(naming.is_nfo(name) for name in folder.files)):
        if not pending:
            return False
        path = pending.pop()
        try:
            folder = list_folder(root, path)
        except OSError:
            return True  # reading it will report it
        pending += [folder.path_of(name) for name in _below(folder, FolderKind.MANY)]
    return True


def _count(
    root: str, path: str, kinds: FolderKinds, listings: Listings, skip: Collection[str] = ()
) -> tuple[Kind, int]:
    """Return what is in a library, by the first of its folders, and how many of them hold a film or show.

    An empty library has the kind of its name.

    A few exceptions do not make a library mixed.
    """
    counts = {"movies": 0, "shows": 0}
    pending = [path]
    for _ in range(_FOLDERS_FOR_KIND):
        if not pending:
            break
        current = pending.pop(0)
        try:
            folder = listings.keep(root, current)
        except OSError:
            continue  # reading it will report it
        folder_kind = kinds.of(folder)
        if folder_kind is FolderKind.SHOW:
            counts["shows"] += 1
        elif folder_kind is FolderKind.FILM or folder.nfos:
            counts["movies"] += 1
        if folder_kind is FolderKind.MANY:
            names = (name for name in _below(folder, folder_kind) if current or name not in skip)
            pending += [folder.path_of(name) for name in names]
    movies, shows = counts["movies"], counts["shows"]
    if not movies and not shows:
        named = naming.LIBRARY_NAMES.get(path.casefold())
        return ("movies" if named == "movies" else "shows" if named == "shows" else "mixed"), 0
    if min(movies, shows) * _EXCEPTIONS > max(movies, shows):
        return "mixed", movies + shows
    return ("movies" if movies > shows else "shows"), movies + shows
