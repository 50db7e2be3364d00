"""Collecting a show with everything below its folder: which NFO file describes which season and episode."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mediasync.backends.base import Remark
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FolderFailed, NfoFile, ShowUnit, VideoAlone
from mediasync.backends.nfo.folders.folder_kind import FolderKinds
from mediasync.backends.nfo.folders.listing import (
    ActorPictures,
    Folder,
    describe_file,
    extras_remark,
    list_actors,
    list_folder,
    nfos_below,
)
from mediasync.backends.nfo.folders.numbering import (
    name_of_episode,
    same_episodes,
    season_name,
    season_of_nfo,
    season_of_show,
)
from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.vocabulary import MediaType


def collect_show(root: str, folder: Folder, kinds: FolderKinds) -> tuple[ShowUnit, list[str]]:
    """Collect what lies below a show's folder.

    Returns:
        The show, and the paths of the folders below it that are separate shows or films.
    """
    return _Collector(root, folder, kinds).collect()


@dataclass(slots=True)
class _SeasonFile:
    """The NFO file of a season, before all folders are known."""

    folder: Folder
    name: str
    season: int | None
    actors: ActorPictures


@dataclass(slots=True)
class _Collector:
    root: str
    folder: Folder
    kinds: FolderKinds
    nested: list[str] = field(default_factory=list)
    season_files: list[_SeasonFile] = field(default_factory=list)
    actors: ActorPictures = field(init=False)
    title: str = field(init=False)
    show: ShowUnit = field(init=False)

    def collect(self) -> tuple[ShowUnit, list[str]]:
        folder = self.folder
        actors = self.actors = list_actors(self.root, folder)
        self.title = naming.title_and_year(folder.own_name)[0]
        pictures = naming.find_pictures(folder.pictures, (), MediaType.SHOW, bare=True)
        show = self.show = ShowUnit(folder.key, folder.path, folder.name, images=_paths(folder, pictures))
        if tvshow := folder.find("tvshow.nfo"):
            show.nfo = self._of_show(folder.path_of(tvshow))
        for number, found in naming.find_season_pictures(folder.pictures).items():
            show.season_images[number] = _paths(folder, found)
        self._remark_strays(folder, ("movie.nfo",), "in a show's folder")
        self._add_folder(folder, None, actors)
        pending: list[tuple[str, int | None]] = [
            (folder.path_of(name), None) for name in reversed(folder.dirs)
        ]
        while pending:
            path, season = pending.pop()
            below, season = self._visit(path, season)
            if below is not None:
                pending += [(below.path_of(name), season) for name in reversed(below.dirs)]
        self._add_seasons()
        show.episodes = self._with_twins(show.episodes)
        return show, self.nested

    def _of_show(self, path: str) -> NfoFile:
        return NfoFile(
            path=path,
            key=self.folder.key,
            kind=MediaType.SHOW,
            name=self.folder.name,
            item_path=self.folder.path or ".",
            images=self.show.images,
            actors=self.actors,
        )

    def _visit(self, path: str, season: int | None) -> tuple[Folder | None, int | None]:
        """Add a folder below the show's, unless it is another item's or holds only extras."""
        show = self.show
        try:
            below = list_folder(self.root, path)
            is_top = path.rpartition("/")[0] == self.folder.path
            named = season_of_show(below.name) if is_top else season_name(below.name)
            is_extras = naming.is_extras_folder(below.name) and below.find("tvshow.nfo") is None
            if is_extras and not self.kinds.holds_episodes(below):
                if nfos := nfos_below(self.root, path):
                    show.findings.append(extras_remark(below.key, nfos))
                return None, season
        except OSError as error:
            show.findings.append(FolderFailed(path, naming.nfc(path), reason(error)))
            return None, season
        if self.kinds.is_other_item(below, named):
            self.nested.append(path)
            return None, season
        if named is not None:
            season = named.number
            show.season_folders.setdefault(season, path)
            images = naming.find_pictures(below.pictures, (), MediaType.SEASON, bare=True)
            show.season_images[season] = show.season_images.get(season, {}) | _paths(below, images)
            if show.nfo is None and (tvshow := below.find("tvshow.nfo")):
                show.nfo = self._of_show(below.path_of(tvshow))  # the only file that describes the show
                self._remark_strays(below, ("movie.nfo",), "in a season's folder")
            else:
                self._remark_strays(below, ("movie.nfo", "tvshow.nfo"), "in a season's folder")
        self._add_folder(below, season, ActorPictures(self.actors | list_actors(self.root, below)))
        return below, season

    def _remark_strays(self, folder: Folder, names: tuple[str, ...], where: str) -> None:
        for name in names:
            if found := folder.find(name):
                self.show.findings.append(Remark(folder.key_of(found), f"{name} {where} describes nothing"))

    def _add_folder(self, folder: Folder, season: int | None, actors: ActorPictures) -> None:
        show = self.show
        seasons = {
            name: number
            for name in folder.nfos
            if (number := season_of_nfo(naming.stem_of(name), season)) is not None
        }
        if season_nfo := folder.find("season.nfo"):
            self.season_files.append(_SeasonFile(folder, season_nfo, season, actors))
        self.season_files += [_SeasonFile(folder, name, number, actors) for name, number in seasons.items()]
        described = {self._numbers(name, season) for name in folder.nfos}
        videos: dict[tuple[int, tuple[int, ...]] | None, str] = {}
        for name in folder.videos:
            videos.setdefault(self._numbers(name, season), name)
        episodes: list[NfoFile] = []
        for group in folder.groups:
            for nfo in group.nfos:
                if nfo not in seasons:
                    own = [name for name in group.videos if naming.stem_of(name) == naming.stem_of(nfo)]
                    numbers = self._numbers(nfo, season)
                    video = next(iter(own or group.videos), videos.get(numbers) if numbers else None)
                    episodes.append(self._episode(folder, group, nfo, video, season, actors))
            if not group.nfos:
                numbers = self._numbers(group.videos[0], season)
                if numbers is None or numbers not in described:
                    show.findings.append(VideoAlone(folder.key_of(group.videos[0])))
        show.episodes += episodes
        show.findings += [
            Remark(folder.key_of(name), "the NFO file of an extra is not read") for name in folder.extra_nfos
        ]
        show.findings += folder.findings

    def _episode(
        self,
        folder: Folder,
        group: naming.Group,
        nfo: str,
        video: str | None,
        season: int | None,
        actors: ActorPictures,
    ) -> NfoFile:
        base = group.base if nfo == group.nfos[0] else naming.stem_of(nfo)
        stems = [base, *(naming.stem_of(name) for name in (nfo, *group.nfos, *group.videos))]
        return NfoFile(
            path=folder.path_of(nfo),
            key=folder.key_of(base),
            kind=MediaType.EPISODE,
            name=naming.stem_of(nfo),
            item_path=folder.path_of(video or nfo),
            images=_paths(
                folder, naming.find_pictures(folder.pictures, stems, MediaType.EPISODE, bare=False)
            ),
            actors=actors,
            season=season,
            show=self.title,
        )

    def _numbers(self, name: str, season: int | None) -> tuple[int, tuple[int, ...]] | None:
        found = name_of_episode(naming.stem_of(name), season, self.title)
        return (found.season, found.episodes) if found else None

    def _with_twins(self, episodes: list[NfoFile]) -> list[NfoFile]:
        """Connect the files that describe the same episode by their names."""
        named: dict[tuple[int, tuple[int, ...], str], list[NfoFile]] = {}
        for file in episodes:
            if name := name_of_episode(file.name, file.season, file.show):
                named.setdefault(same_episodes(name, file.show), []).append(file)
        changed: dict[str, NfoFile] = {}
        for same in named.values():
            first, *others = sorted(same, key=lambda file: file.item_path == file.path)
            if others:
                states = [f"{file.path}-{describe_file(self.root, file.path)}" for file in others]
                changed[first.path] = first = replace(first, others="\0".join(states))
                changed |= {file.path: replace(file, first=first) for file in others}
        return [changed.get(file.path, file) for file in episodes]

    def _add_seasons(self) -> None:
        show = self.show
        for file in self.season_files:
            number = file.season
            path = show.season_folders.get(number) if number is not None else None
            show.seasons.append(
                NfoFile(
                    path=file.folder.path_of(file.name),
                    key=show.key,
                    kind=MediaType.SEASON,
                    name=file.folder.name,
                    item_path=path or file.folder.path or ".",
                    images=show.season_images.get(number, {}) if number is not None else {},
                    actors=file.actors,
                    season=number,
                )
            )


def _paths(folder: Folder, pictures: dict[str, str]) -> dict[str, str]:
    return {kind: folder.path_of(name) for kind, name in pictures.items()}
