"""The films of one folder: which NFO file describes which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mediasync.backends.base import Remark, Unreadable
from mediasync.backends.nfo import naming
from mediasync.backends.nfo.folders import Folder, list_actors, list_folder, reason
from mediasync.backends.nfo.shapes import Shape, Shapes
from mediasync.backends.nfo.units import NfoFile
from mediasync.vocabulary import MediaType

_NO_NFO: Final = "a video without an NFO file"


def own_film(root: str, folder: Folder) -> Iterator[NfoFile | Remark | Unreadable]:
    """Yield the film whose own folder this is: one film, one file to read."""
    groups = sorted(folder.groups, key=lambda group: not naming.names_folder(group.base, folder.own_name))
    disc = next(iter(folder.discs), None)
    chosen = folder.find("movie.nfo")
    if chosen is None:
        try:
            chosen = _disc_nfo(root, folder, disc)
        except OSError as error:
            yield Unreadable(folder.key, f"{folder.key_of(disc or '')}: {reason(error)}")
            return
    own = [group for group in groups if naming.labels_folder(group.base, folder.own_name)]
    own = own or [group for group in groups if group.videos] or ([] if disc else groups[:1])
    if chosen is None:
        chosen = next((group.nfos[0] for group in (*own, *groups) if group.nfos), None)
    for group in groups:
        if group.nfos and group not in own and chosen not in group.nfos:
            yield Remark(folder.key_of(group.nfos[0]), "not read: the folder is that of another film")
    film_videos = [video for group in groups for video in group.videos]
    video = next((group.videos[0] for group in groups if group.videos and chosen in group.nfos), None)
    video = video or disc or next(iter(film_videos), None)
    if chosen is None:
        yield Remark(folder.key_of(video or ""), _NO_NFO)
        return
    stems = [naming.stem_of(name) for name in (*folder.nfos, *film_videos)]
    stems += ["movie", *(group.base for group in groups)]
    yield NfoFile(
        path=folder.path_of(chosen),
        key=folder.key,
        kind=MediaType.MOVIE,
        name=folder.name,
        item_path=folder.path_of(video) if video else None,
        images=_images(folder, stems, bare=True),
        actors=list_actors(root, folder),
    )


def _disc_nfo(root: str, folder: Folder, disc: str | None) -> str | None:
    if disc is None:
        return None
    found = list_folder(root, folder.path_of(disc)).find(naming.disc_nfo(disc) or "")
    return f"{disc}/{found}" if found else None


def loose_films(root: str, folder: Folder, shapes: Shapes) -> Iterator[NfoFile | Remark | Unreadable]:
    """Yield the films that lie directly in a folder of many."""
    if movie_nfo := folder.find("movie.nfo"):
        yield Remark(folder.key_of(movie_nfo), "in a folder of many films movie.nfo describes none of them")
    actors = list_actors(root, folder)
    for group in folder.groups:
        key = folder.key_of(group.base)
        if not group.nfos:
            yield Remark(folder.key_of(group.videos[0]), _NO_NFO)
        elif _is_taken(root, folder, group.base, shapes):
            yield Unreadable(
                folder.key_of(group.nfos[0]), f"not read: its key {key!r} is that of the folder beside it"
            )
        else:
            stems = [group.base, *(naming.stem_of(name) for name in (*group.nfos, *group.videos))]
            yield NfoFile(
                path=folder.path_of(group.nfos[0]),
                key=key,
                kind=MediaType.MOVIE,
                name=group.base,
                item_path=folder.path_of(group.videos[0]) if group.videos else None,
                images=_images(folder, stems, bare=False),
                actors=actors,
            )


def _is_taken(root: str, folder: Folder, base: str, shapes: Shapes) -> bool:
    name = folder.dir_names.get(naming.nfc(base))
    if name is None:
        return False
    try:
        return shapes.of(list_folder(root, folder.path_of(name))) is not Shape.MANY
    except OSError:
        return False  # the walk comes to this folder and reports it


def _images(folder: Folder, stems: list[str], *, bare: bool) -> dict[str, str]:
    found = naming.find_pictures(folder.pictures, stems, MediaType.MOVIE, bare=bare)
    return {kind: folder.path_of(name) for kind, name in found.items()}
