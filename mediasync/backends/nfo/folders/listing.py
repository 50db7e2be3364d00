"""Listing folders without following links and without trusting names."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from mediasync.backends.base import Finding, Remark, Unreadable
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.os_errors import reason

ACTORS_FOLDER = ".actors"
_NAMES_SHOWN = 20
_MOST_KEPT = 500
_COARSEST_TIME_NS = 2_000_000_000
"""The step of the times of modification on FAT, the coarsest of all file systems."""
_SPECIAL_NFOS = frozenset({"movie.nfo", "tvshow.nfo", "season.nfo"})


class PlainFilm(NamedTuple):
    """The names of the two files of a film that has a folder of its own."""

    nfo: str
    video: str


@dataclass
class Folder:
    """The content of one folder.

    Attributes:
        path: the folder, relative to the root, as the file system spells it; empty for the root.
        key: the path in NFC; ``.`` for the root.
        name: the folder's name in NFC.
        files: the names of the files, sorted.
        dirs: the names of the folders that are not hidden, sorted.
        linked: the names of files that are links. They count as present, but are never opened.
        has_actors: whether there is a folder of actors' pictures.
        findings: what has to be reported of entries that were left out.
    """

    path: str
    key: str
    name: str
    files: list[str] = field(default_factory=list)
    dirs: list[str] = field(default_factory=list)
    linked: set[str] = field(default_factory=set)
    has_actors: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def own_name(self) -> str:
        """The name, which counts for what the folder is; empty for the root, whose name must not matter."""
        return self.name if self.path else ""

    def path_of(self, name: str) -> str:
        """Return the path of an entry, relative to the root."""
        return join(self.path, name)

    def key_of(self, name: str) -> str:
        """Return the key of an entry."""
        return naming.nfc(join(self.path, name))

    @cached_property
    def _described(self) -> set[str]:
        """The names without suffix of the NFO files that are named like a video."""
        return {naming.stem_of(name) for name in self._all_nfos}

    @cached_property
    def _all_nfos(self) -> list[str]:
        return [name for name in self.files if naming.is_nfo(name) and name.lower() not in _SPECIAL_NFOS]

    @cached_property
    def _all_videos(self) -> list[str]:
        return [name for name in self.files if naming.is_video(name)]

    @cached_property
    def _extras(self) -> set[str]:
        """The names without suffix of trailers, samples and the like of something in this folder."""
        stems = {naming.stem_of(name) for name in (*self._all_nfos, *self._all_videos)}
        owners = {stem: owner for stem in stems if (owner := naming.extra_of(stem)) is not None}
        if not owners:
            return set()
        others = stems - owners.keys()
        names = {
            naming.letters(naming.base_of(stem, parts=parts)) for stem in others for parts in (False, True)
        }
        names.add(naming.letters(self.own_name))
        if self.find("tvshow.nfo"):
            names.add("tvshow")
        has_own_film = bool(self.discs or self.find("movie.nfo")) or any(
            naming.labels_folder(stem, self.own_name) for stem in others
        )
        return {
            stem
            for stem, owner in owners.items()
            if not naming.names_folder(stem, self.own_name)
            and (
                naming.letters(owner) in names
                if owner
                else has_own_film or (bool(others) and stem not in self._described)
            )
        }

    @cached_property
    def nfos(self) -> list[str]:
        """The NFO files that are named like a video, without those of extras."""
        return [name for name in self._all_nfos if naming.stem_of(name) not in self._extras]

    @cached_property
    def videos(self) -> list[str]:
        """The videos that are not extras."""
        return [name for name in self._all_videos if naming.stem_of(name) not in self._extras]

    @cached_property
    def extra_nfos(self) -> list[str]:
        """The NFO files of extras, which are not read."""
        return [name for name in self._all_nfos if naming.stem_of(name) in self._extras]

    @cached_property
    def plain_film(self) -> PlainFilm | None:
        """The film of a folder with ``movie.nfo``, one video, no folder and no other NFO file.

        Nearly all folders of films are like that, and none of the questions below has to be asked of them.
        None for all other folders, and for the root and folders with a library's name.
        """
        if self.dirs or not self.path or self.name.casefold() in naming.LIBRARY_NAMES:
            return None
        nfo = video = ""
        for name in self.files:
            suffix = naming.suffix_of(name)
            if suffix in naming.VIDEO_SUFFIXES:
                if video:
                    return None
                video = name
            elif name == "movie.nfo":
                nfo = name
            elif suffix == ".nfo":
                return None
        if not nfo or not video or naming.extra_of(naming.stem_of(video)) is not None:
            return None
        return PlainFilm(nfo, video)

    @cached_property
    def discs(self) -> list[str]:
        """The folders that hold a disc."""
        return [name for name in self.dirs if naming.disc_nfo(name)]

    @cached_property
    def groups(self) -> list[naming.Group]:
        """The NFO files and videos, grouped by film or episode."""
        return naming.group_files(self.nfos, self.videos)

    def find(self, name: str) -> str | None:
        """Return the file with this name in lower case, as it is spelt; None if there is none."""
        return self._by_lower_case.get(name)

    @cached_property
    def _by_lower_case(self) -> dict[str, str]:
        """The first file of each name in lower case."""
        return {file.lower(): file for file in reversed(self.files)}

    @cached_property
    def pictures(self) -> dict[str, str]:
        """The files that may be artwork; see `naming.index_pictures`."""
        return naming.index_pictures(name for name in self.files if name not in self.linked)

    @cached_property
    def dir_names(self) -> dict[str, str]:
        """The names of the folders, by their names in NFC."""
        return {naming.nfc(name): name for name in self.dirs}


def nfos_below(root: str, path: str) -> list[str]:
    """Return the keys of all NFO files in and below a folder.

    Raises:
        OSError: if it or a folder below it cannot be listed.
    """
    found: list[str] = []
    pending = [path]
    while pending:
        folder = list_folder(root, pending.pop())
        found += [folder.key_of(name) for name in folder.files if naming.is_nfo(name)]
        pending += [folder.path_of(name) for name in reversed(folder.dirs)]
    return found


def extras_remark(key: str, nfos: list[str]) -> Remark:
    """Return the remark on a folder of extras whose NFO files are not read.

    Args:
        key: the key of the folder.
        nfos: the keys of the files.
    """
    names = [nfo.removeprefix(f"{key}/") for nfo in nfos]
    shown = ", ".join(names[:_NAMES_SHOWN]) + (" …" if len(names) > _NAMES_SHOWN else "")
    return Remark(key, f"extras: their NFO files are not read ({len(names):,}: {shown})")


def folder_subject(key: str) -> str:
    """Return how a folder is named in a report; an item beside it may have the folder's key.

    Example:
        >>> folder_subject("movies/closed")
        'movies/closed/'
    """
    return f"{key}/"


def join(path: str, name: str) -> str:
    """Append a name to a path that is relative to the root."""
    return f"{path}/{name}" if path else name


def list_folder(root: str, path: str) -> Folder:
    """List one folder.

    Args:
        root: the real path of the root.
        path: the folder, relative to the root; empty for the root itself.

    Raises:
        OSError: if it cannot be listed.
    """
    absolute = os.path.join(root, path) if path else root
    folder = Folder(path, naming.nfc(path) or ".", printable(os.path.basename(path or root)))
    with os.scandir(absolute) as entries:
        for entry in entries:
            _sort_in(folder, entry, root)
    if len(folder.files) > 1:
        folder.files.sort(key=naming.sort_key)
    if len(folder.dirs) > 1:
        folder.dirs.sort(key=naming.sort_key)
        _drop_twins(folder)
    folder.findings.sort(
        key=lambda finding: getattr(finding, "subject", "") or getattr(finding, "remote_id", "")
    )
    return folder


class Listings:
    """Listings that are kept from the search for libraries until the walk comes to their folders.

    A listing is used once, and only if the folder was not changed since. Each change of an entry sets the
    folder's time of modification. So a listing is not kept if that time is so recent that another change
    could leave it as it is, nor if it says where links lead.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, ...], Folder]] = {}

    def keep(self, root: str, path: str) -> Folder:
        """List a folder as `list_folder` does, and keep the listing."""
        absolute = os.path.join(root, path)
        before = os.stat(absolute)
        folder = list_folder(root, path)
        is_settled = before.st_mtime_ns < time.time_ns() - _COARSEST_TIME_NS
        if is_settled and len(self._kept) < _MOST_KEPT and not (folder.linked or folder.findings):
            self._kept[path] = _identity(before), folder
        return folder

    def take(self, root: str, path: str) -> Folder:
        """Return the kept listing of a folder; without one, or if it is stale, do as `list_folder` does."""
        state, folder = self._kept.pop(path, (None, None))
        if folder is not None and _identity(os.stat(os.path.join(root, path))) == state:
            return folder
        return list_folder(root, path)


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_mtime_ns


def _drop_twins(folder: Folder) -> None:
    """Leave out folders whose names differ only in their Unicode form: they would share a key."""
    seen: set[str] = set()
    for name in [*folder.dirs]:
        key = folder.key_of(name)
        if key in seen:
            folder.dirs.remove(name)
            text = "another folder's name differs only in its Unicode form"
            folder.findings.append(Unreadable(folder_subject(key), text))
        seen.add(key)


def _sort_in(folder: Folder, entry: os.DirEntry[str], root: str) -> None:
    name = entry.name
    if name == ACTORS_FOLDER:
        folder.has_actors = not entry.is_symlink()
        return
    if naming.is_hidden(name):
        return
    if not _is_text(name):
        if naming.is_nfo(name) or entry.is_dir(follow_symlinks=False):
            folder.findings.append(
                Unreadable(printable(folder.path_of(name)), "the name is not valid text (UTF-8)")
            )
        return
    if entry.is_symlink():
        _sort_in_link(folder, entry, root)
    elif entry.is_dir(follow_symlinks=False):
        folder.dirs.append(name)
    elif entry.is_file(follow_symlinks=False):
        folder.files.append(name)
    elif naming.is_nfo(name):
        text = "a pipe, a socket or a device is not read"
        folder.findings.append(Remark(folder.key_of(name), text))


def _sort_in_link(folder: Folder, entry: os.DirEntry[str], root: str) -> None:
    try:
        is_dir = entry.is_dir()
    except OSError:
        is_dir = False
    is_file = naming.is_video(entry.name) or naming.is_picture(entry.name) or os.path.isfile(entry.path)
    if is_file and not is_dir and not naming.is_nfo(entry.name):
        folder.files.append(entry.name)
        folder.linked.add(entry.name)
        return
    target = os.path.realpath(entry.path)
    if not os.path.lexists(target) or os.path.islink(target):
        text = "a link that leads nowhere"
    elif target == root or target.startswith(root.rstrip(os.sep) + os.sep):
        shown = printable(os.path.relpath(target, root)).replace(os.sep, "/")
        text = f"a link to {shown}, which is read in its own place"
    else:
        text = "a link that leads out of the root is not followed"
    folder.findings.append(Remark(folder.key_of(entry.name), text))


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str) -> str:
    """Return *path* as text that can be stored and shown, with escapes for bytes that are not valid text.

    Example:
        >>> printable("caf\\udce9.nfo")
        'caf\\\\udce9.nfo'
    """
    return naming.nfc(path.encode("utf-8", "backslashreplace").decode("utf-8"))


class ActorPictures(dict[str, str]):
    """Pictures of actors: their paths relative to the root, by `naming.actor_key`."""

    @cached_property
    def digest(self) -> str:
        """A digest of the paths, computed once because many files share one set of pictures."""
        return hashlib.blake2b("\0".join(sorted(self.values())).encode(), digest_size=8).hexdigest()


def list_actors(root: str, folder: Folder) -> ActorPictures:
    """Return the actors' pictures in a folder; if they cannot be listed, a remark says so."""
    pictures = ActorPictures()
    if not folder.has_actors:
        return pictures
    path = folder.path_of(ACTORS_FOLDER)
    try:
        listing = list_folder(root, path)
    except OSError as error:
        folder.findings.append(
            Remark(naming.nfc(path), f"the actors' pictures cannot be listed: {reason(error)}")
        )
        return pictures
    for name in listing.pictures.values():
        pictures.setdefault(naming.actor_key(naming.stem_of(name)), listing.path_of(name))
    return pictures


def describe_state(state: os.stat_result) -> str:
    """Return a text that changes whenever the file does."""
    return f"{state.st_size}-{state.st_mtime_ns}"


def describe_file(root: str, path: str) -> str:
    """Return a text that changes whenever a file does; empty if the file cannot be looked at."""
    try:
        return describe_state(os.stat(os.path.join(root, path), follow_symlinks=False))
    except OSError:
        return ""
