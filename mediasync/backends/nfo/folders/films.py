"""Finding the films of one folder, and which NFO file describes which."""

from __future__ import annotations

from collections.abc import Iterator

from mediasync.backends.base import Remark, Unreadable
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile, VideoAlone
from mediasync.backends.nfo.folders.folder_kind import FolderKind, FolderKinds, may_be_own_folder
from mediasync.backends.nfo.folders.listing import ActorPictures, Folder, PlainFilm, list_actors, list_folder
from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.vocabulary import MediaType

FilmUnit = NfoFile | FilmFiles | VideoAlone | Remark | Unreadable


def own_film(root: str, folder: Folder, beside: str | None = None) -> Iterator[FilmUnit]:
    """Yield the film whose own folder this is, and what else the NFO files in the folder may describe.

    Args:
        root: the real path of the root.
        folder: the film's folder.
        beside: the path of an NFO file beside the folder that describes the film in it.
    """
    if beside is None and (plain := folder.plain_film):
        yield _plain_film(root, folder, plain)
        return
    yield from _extras(folder)
    for name in ("season.nfo", "tvshow.nfo"):
        if found := folder.find(name):
            yield Remark(folder.key_of(found), f"{name} in a film's folder describes nothing")
    disc = next(iter(folder.discs), None)
    chosen = folder.find("movie.nfo")
    if chosen is None and beside is None:
        try:
            chosen = _disc_nfo(root, folder, disc)
        except OSError as error:
            yield Unreadable(folder.key, f"{folder.key_of(disc or '')}: {reason(error)}")
            return
    groups = folder.groups
    if len(groups) > 1:
        groups = sorted(groups, key=lambda group: _rank(group, folder))
    described = [group for group in groups if group.nfos]
    if chosen is None and beside is None and described:
        if sum(len(group.nfos) for group in described) > 1:
            videos = (video for group in groups for video in group.videos)
            yield _several(root, folder, described, disc or next(videos, None))
            return
        chosen = described[0].nfos[0]
    yield from _of_other_films(folder, described, chosen)
    yield _film_of_folder(root, folder, groups, chosen, beside, disc)


def _plain_film(root: str, folder: Folder, film: PlainFilm) -> NfoFile:
    stem = naming.stem_of(film.video)
    stems = [stem, "movie", naming.base_of(stem, parts=True)] if folder.pictures else []
    return _nfo_file(root, folder, folder.path_of(film.nfo), folder.path_of(film.video), stems)


def _nfo_file(root: str, folder: Folder, path: str, item_path: str, stems: list[str]) -> NfoFile:
    return NfoFile(
        path=path,
        key=folder.key,
        kind=MediaType.MOVIE,
        name=folder.name,
        item_path=item_path,
        images=_images(folder, stems, bare=True),
        actors=list_actors(root, folder),
    )


def _of_other_films(folder: Folder, described: list[naming.Group], chosen: str | None) -> Iterator[Remark]:
    """Yield remarks on the NFO files in a film's folder that are named after other films."""
    for group in described:
        if chosen not in group.nfos and not naming.labels_folder(group.base, folder.own_name):
            text = "not read: the folder belongs to another film"
            yield Remark(folder.key_of(group.nfos[0]), text)


def _film_of_folder(
    root: str,
    folder: Folder,
    groups: list[naming.Group],
    chosen: str | None,
    beside: str | None,
    disc: str | None,
) -> NfoFile | VideoAlone:
    """Return the one NFO file that describes the film of a folder, or its video if there is none.

    Args:
        root: the real path of the root.
        folder: the film's folder.
        groups: what lies in it, the film's own files first.
        chosen: the name of the NFO file in the folder.
        beside: the path of the NFO file beside the folder; it counts if there is none in the folder.
        disc: the name of the folder of a disc.
    """
    videos = [video for group in groups for video in group.videos]
    own = (group.videos[0] for group in groups if group.videos and chosen in group.nfos)
    video = next(own, None) or disc or next(iter(videos), None)
    path = folder.path_of(chosen) if chosen else beside
    if path is None:
        return VideoAlone(folder.key_of(video or ""))
    stems = [naming.stem_of(name) for name in (*folder.nfos, *videos)]
    stems += ["movie", *(group.base for group in groups)]
    return _nfo_file(root, folder, path, folder.path_of(video) if video else path, stems)


def _rank(group: naming.Group, folder: Folder) -> tuple[bool, bool, bool]:
    """Sort the groups of a film's folder: the one that the folder is named after comes first."""
    return (
        not naming.names_folder(group.base, folder.own_name),
        not naming.labels_folder(group.base, folder.own_name),
        not group.videos,
    )


def _several(root: str, folder: Folder, described: list[naming.Group], video: str | None) -> FilmFiles:
    actors = list_actors(root, folder)
    has_owner = naming.labels_folder(described[0].base, folder.own_name)
    if any(group.videos for group in described):
        video = None
    files = list(_loose_files(folder, described[0], actors, video))
    files += [file for group in described[1:] for file in _loose_files(folder, group, actors)]
    return FilmFiles(files, folder.key, _images(folder, ["movie"], bare=True), has_owner)


def _disc_nfo(root: str, folder: Folder, disc: str | None) -> str | None:
    if disc is None:
        return None
    below = list_folder(root, folder.path_of(disc))
    found = below.find(naming.disc_nfo(disc) or "") or below.find("movie.nfo")
    found = found or next(filter(naming.is_nfo, below.files), None)
    return f"{disc}/{found}" if found else None


def loose_films(root: str, folder: Folder, kinds: FolderKinds, claimed: set[str]) -> Iterator[FilmUnit]:
    """Yield the films that lie directly in a folder of many.

    Args:
        root: the real path of the root.
        folder: the folder.
        kinds: decides what the folders in it are.
        claimed: the paths of folders in it whose film is described by a file beside the folder; added to.
    """
    yield from stray_remarks(folder)
    actors = list_actors(root, folder)
    families: dict[str, list[naming.Group]] = {}
    may_be_one = may_be_own_folder(folder)
    for group in folder.groups:
        if not group.nfos:
            yield VideoAlone(folder.key_of(group.videos[0]))
            continue
        beside = _folder_of_name(root, folder, group.base, kinds)
        if beside is None:
            families.setdefault("" if may_be_one else naming.family(group.base), []).append(group)
            continue
        below, folder_kind = beside
        if folder_kind is FolderKind.SHOW or group.videos or _is_described(root, below):
            text = f"not read: the folder beside it has the same key, {folder.key_of(group.base)!r}"
            yield Unreadable(folder.key_of(group.nfos[0]), text)
        else:
            claimed.add(below.path)
            yield from own_film(root, below, beside=folder.path_of(group.nfos[0]))
    for groups in families.values():
        files = [file for group in groups for file in _loose_files(folder, group, actors)]
        if len(files) == 1:
            yield files[0]
        elif may_be_one:
            yield FilmFiles(files, folder.key, _images(folder, ["movie"], bare=True))
        else:
            yield FilmFiles(files)


def stray_remarks(folder: Folder) -> Iterator[Remark]:
    """Yield remarks on what describes nothing in a folder of many films or shows."""
    yield from _extras(folder)
    for name, what in (("movie.nfo", "films"), ("tvshow.nfo", "shows"), ("season.nfo", "shows")):
        if found := folder.find(name):
            yield Remark(folder.key_of(found), f"{name} in a folder of many {what} describes none of them")
    for disc in folder.discs:
        yield Remark(folder.key_of(disc), "a disc in a folder of many films is not an item")


def _extras(folder: Folder) -> Iterator[Remark]:
    for name in folder.extra_nfos:
        yield Remark(folder.key_of(name), "the NFO file of an extra is not read")


def _loose_files(
    folder: Folder, group: naming.Group, actors: ActorPictures, video: str | None = None
) -> Iterator[NfoFile]:
    """Yield the NFO files of one group; *video* belongs to them if the group has none."""
    stems = [group.base, *(naming.stem_of(name) for name in (*group.nfos, *group.videos))]
    images = _images(folder, stems, bare=False)
    for nfo in group.nfos:
        own = [video for video in group.videos if naming.stem_of(video) == naming.stem_of(nfo)]
        yield NfoFile(
            path=folder.path_of(nfo),
            key=folder.key_of(group.base),
            kind=MediaType.MOVIE,
            name=group.base,
            item_path=folder.path_of(next(iter(own or group.videos), video or nfo)),
            images=images,
            actors=actors,
        )


def _folder_of_name(
    root: str, folder: Folder, base: str, kinds: FolderKinds
) -> tuple[Folder, FolderKind] | None:
    """Return the folder that has the name of a film beside it, if it is a film's or show's own folder."""
    name = folder.dir_names.get(naming.nfc(base))
    if name is None:
        return None
    try:
        below = list_folder(root, folder.path_of(name))
    except OSError:
        return None  # the walk will reach this folder and report it
    folder_kind = kinds.of(below)
    return (below, folder_kind) if folder_kind is not FolderKind.MANY else None


def _is_described(root: str, folder: Folder) -> bool:
    """Whether the film in its own folder has an NFO file there."""
    if folder.nfos or folder.find("movie.nfo"):
        return True
    try:
        return _disc_nfo(root, folder, next(iter(folder.discs), None)) is not None
    except OSError:
        return True  # perhaps; the walk will report the folder


def _images(folder: Folder, stems: list[str], *, bare: bool) -> dict[str, str]:
    found = naming.find_pictures(folder.pictures, stems, MediaType.MOVIE, bare=bare)
    return {kind: folder.path_of(name) for kind, name in found.items()}
