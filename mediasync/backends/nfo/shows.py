"""A show and everything below its folder: which NFO file describes which season and episode."""

from __future__ import annotations

from mediasync.backends.base import Remark
from mediasync.backends.nfo import naming
from mediasync.backends.nfo.folders import ActorPictures, Folder, list_actors, list_folder, reason
from mediasync.backends.nfo.units import FolderFailed, NfoFile, ShowUnit
from mediasync.vocabulary import MediaType


def collect_show(root: str, folder: Folder) -> tuple[ShowUnit, list[str]]:
    """Collect what lies below a show's folder.

    Returns:
        The show, and the paths of folders below it that are shows or films of their own.
    """
    actors = list_actors(root, folder)
    pictures = naming.find_pictures(folder.pictures, (), MediaType.SHOW, bare=True)
    show = ShowUnit(folder.key, folder.path, folder.name, images=_paths(folder, pictures))
    if tvshow := folder.find("tvshow.nfo"):
        show.nfo = NfoFile(
            path=folder.path_of(tvshow),
            key=folder.key,
            kind=MediaType.SHOW,
            name=folder.name,
            item_path=folder.path or ".",
            images=show.images,
            actors=actors,
        )
    for number, found in naming.find_season_pictures(folder.pictures).items():
        show.season_images[number] = _paths(folder, found)
    if movie_nfo := folder.find("movie.nfo"):
        show.findings.append(
            Remark(folder.key_of(movie_nfo), "in a show's folder movie.nfo describes nothing")
        )
    nested: list[str] = []
    _add_folder(root, show, folder, None, actors)
    pending: list[tuple[str, int | None]] = [(folder.path_of(name), None) for name in reversed(folder.dirs)]
    while pending:
        path, season = pending.pop()
        if naming.is_extras_folder(path.rpartition("/")[2], in_film=True):
            continue
        try:
            below = list_folder(root, path)
        except OSError as error:
            show.findings.append(FolderFailed(path, naming.nfc(path), reason(error)))
            continue
        if _is_other_item(below):
            nested.append(path)
            continue
        own_season = naming.season_of_folder(below.name)
        if own_season is not None:
            season = own_season
            show.season_folders.setdefault(season, path)
            images = naming.find_pictures(below.pictures, (), MediaType.SEASON, bare=True)
            show.season_images[season] = show.season_images.get(season, {}) | _paths(below, images)
        _add_folder(root, show, below, season, ActorPictures(actors | list_actors(root, below)))
        pending += [(below.path_of(name), season) for name in reversed(below.dirs)]
    return show, nested


def _is_other_item(folder: Folder) -> bool:
    return (
        folder.find("tvshow.nfo") is not None
        or folder.find("movie.nfo") is not None
        or any(naming.season_of_folder(name) for name in folder.dirs)
    )


def _add_folder(root: str, show: ShowUnit, folder: Folder, season: int | None, actors: ActorPictures) -> None:
    if season_nfo := folder.find("season.nfo"):
        show.seasons.append(
            NfoFile(
                path=folder.path_of(season_nfo),
                key=show.key,
                kind=MediaType.SEASON,
                name=folder.name,
                item_path=folder.path if season is not None else None,
                images=show.season_images.get(season, {}) if season is not None else {},
                actors=actors,
                season=season,
            )
        )
    described = {_numbers(name) for name in folder.nfos}
    videos: dict[tuple[int, tuple[int, ...]] | None, str] = {}
    for name in folder.videos:
        videos.setdefault(_numbers(name), name)
    for group in folder.groups:
        if group.nfos:
            numbers = _numbers(group.nfos[0])
            video = next(iter(group.videos), None) or (videos.get(numbers) if numbers else None)
            show.episodes.append(_episode(folder, group, video, season, actors))
        elif _numbers(group.videos[0]) is None or _numbers(group.videos[0]) not in described:
            show.findings.append(Remark(folder.key_of(group.videos[0]), "a video without an NFO file"))
    show.findings += folder.findings


def _episode(
    folder: Folder, group: naming.Group, video: str | None, season: int | None, actors: ActorPictures
) -> NfoFile:
    nfo = group.nfos[0]
    stems = [group.base, *(naming.stem_of(name) for name in (*group.nfos, *group.videos))]
    return NfoFile(
        path=folder.path_of(nfo),
        key=folder.key_of(group.base),
        kind=MediaType.EPISODE,
        name=naming.stem_of(nfo),
        item_path=folder.path_of(video) if video else None,
        images=_paths(folder, naming.find_pictures(folder.pictures, stems, MediaType.EPISODE, bare=False)),
        actors=actors,
        season=season,
    )


def _numbers(name: str) -> tuple[int, tuple[int, ...]] | None:
    found = naming.episode_name(naming.stem_of(name))
    return (found.season, found.episodes) if found else None


def _paths(folder: Folder, pictures: dict[str, str]) -> dict[str, str]:
    return {kind: folder.path_of(name) for kind, name in pictures.items()}
