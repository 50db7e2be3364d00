"""The walk of a folder and its libraries: lazy, one folder at a time.

The units come in a fixed order: the films of a folder, then what is in its subfolders, by name; a show with
everything below it is one unit. No NFO file is opened here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mediasync.backends.nfo import naming
from mediasync.backends.nfo.films import loose_films, own_film
from mediasync.backends.nfo.folders import Folder, list_folder, reason
from mediasync.backends.nfo.shapes import Shape, Shapes, is_part_of_film
from mediasync.backends.nfo.shows import collect_show
from mediasync.backends.nfo.units import FolderFailed, Unit

ROOT_KEY: Final = "."
_FOLDERS_FOR_KIND: Final = 500

Kind = Literal["movies", "shows", "mixed"]


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A folder that is a library.

    Attributes:
        key: the library's id: the folder's key.
        path: of the folder, relative to the root; empty for the root.
        title: the folder's name.
        kind: what is in it.
        others: the names of folders in it that are libraries themselves.
    """

    key: str
    path: str
    title: str
    kind: Kind
    others: tuple[str, ...] = ()


def walk(root: str, path: str, shapes: Shapes, skip: Collection[str] = ()) -> Iterator[Unit]:
    """Yield what lies in and below a folder.

    Args:
        root: the real path of the root.
        path: of the folder, relative to it.
        shapes: tells what a folder is.
        skip: names of folders directly in *path* to leave out.

    Raises:
        OSError: if *path* itself cannot be listed.
    """
    folder = list_folder(root, path)
    folder.dirs = [name for name in folder.dirs if name not in skip]
    pending: list[str] = []
    yield from _visit(root, folder, shapes, pending)
    while pending:
        path = pending.pop()
        try:
            folder = list_folder(root, path)
        except OSError as error:
            yield FolderFailed(path, naming.nfc(path), reason(error))
        else:
            yield from _visit(root, folder, shapes, pending)


def _visit(root: str, folder: Folder, shapes: Shapes, pending: list[str]) -> Iterator[Unit]:
    """Yield the units of one folder, and put the folders to visit after it on top of *pending*."""
    shape = shapes.of(folder)
    if shape is Shape.SHOW:
        show, nested = collect_show(root, folder)
        pending += reversed(nested)
        yield show
        return
    pending += [folder.path_of(name) for name in reversed(_below(folder, shape))]
    yield from own_film(root, folder) if shape is Shape.FILM else loose_films(root, folder, shapes)
    yield from folder.findings


def _below(folder: Folder, shape: Shape) -> list[str]:
    return [name for name in folder.dirs if not is_part_of_film(name, in_film=shape is Shape.FILM)]


def find_libraries(root: str, shapes: Shapes) -> list[LibraryFolder]:
    """Find the libraries of a root.

    A folder directly in the root is a library if it has a library's name (``movies``, ``tvshows``, …), or if
    it is neither a film's nor a show's folder, holds an NFO file or a video at any depth, and the root itself
    holds no film and no show. The root is the library ``.`` for all that is in none of those; it is listed
    if there is anything for it or no other library.

    Raises:
        OSError: if the root cannot be listed.
    """
    top = list_folder(root, "")
    shape = shapes.of(top)
    if shape is not Shape.MANY:
        return [LibraryFolder(ROOT_KEY, "", top.name, "shows" if shape is Shape.SHOW else "movies")]
    named, unnamed = [], []
    holds_items = bool(top.nfos or top.videos)
    for name in _below(top, shape):
        if name.casefold() in naming.LIBRARY_NAMES:
            named.append(name)
            continue
        try:
            below = list_folder(root, name)
        except OSError:
            unnamed.append(name)  # reading it will report it
            continue
        if shapes.of(below) is not Shape.MANY:
            holds_items = True
        elif _holds_anything(root, below):
            unnamed.append(name)
    names = named if holds_items else sorted((*named, *unnamed), key=naming.sort_key)
    found = [
        LibraryFolder(naming.nfc(name), name, naming.nfc(name), _kind(root, name, shapes)) for name in names
    ]
    if holds_items or not names:
        found.insert(0, LibraryFolder(ROOT_KEY, "", top.name, _kind(root, "", shapes, names), tuple(names)))
    return found


def _holds_anything(root: str, folder: Folder) -> bool:
    pending = [folder.path_of(name) for name in _below(folder, Shape.MANY)]
    while not (folder.nfos or folder.videos or any(naming.is_nfo(name) for name in folder.files)):
        if not pending:
            return False
        path = pending.pop()
        try:
            folder = list_folder(root, path)
        except OSError:
            return True  # reading it will report it
        pending += [folder.path_of(name) for name in _below(folder, Shape.MANY)]
    return True


def _kind(root: str, path: str, shapes: Shapes, skip: Collection[str] = ()) -> Kind:
    """Tell what is in a library from the first of its folders; an empty one has the kind of its name."""
    seen: set[Kind] = set()
    pending = [path]
    for _ in range(_FOLDERS_FOR_KIND):
        if not pending or len(seen) > 1:
            break
        current = pending.pop(0)
        try:
            folder = list_folder(root, current)
        except OSError:
            continue  # reading it will report it
        shape = shapes.of(folder)
        if shape is Shape.SHOW:
            seen.add("shows")
        elif shape is Shape.FILM or folder.nfos:
            seen.add("movies")
        if shape is Shape.MANY:
            names = (name for name in _below(folder, shape) if current or name not in skip)
            pending += [folder.path_of(name) for name in names]
    if seen:
        return seen.pop() if len(seen) == 1 else "mixed"
    return (
        "shows"
        if naming.LIBRARY_NAMES.get(path.casefold()) == "shows"
        else ("movies" if path.casefold() in naming.LIBRARY_NAMES else "mixed")
    )
