"""What the walk of a folder finds: the units that are read and yielded together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from mediasync.backends.base import Finding
from mediasync.backends.nfo.folders.listing import ActorPictures
from mediasync.vocabulary import MediaType

PARSER_VERSION: Final = "2"
"""A part of every change token. With another version every file is read again, though it did not change."""


@dataclass(slots=True)
class NfoFile:
    """An NFO file and what its surroundings say of the item in it.

    Attributes:
        path: relative to the root, as the file system spells it.
        key: the item's key; of an episode the part before ``#``; of a season the show's key.
        kind: what the file should describe.
        name: of the film's, show's or season's folder or of the video: a title may have to be read from it.
        item_path: where the item itself lies: its video, of a show or season its folder, else the NFO file.
        images: local artwork, kind to path relative to the root.
        actors: local pictures of actors.
        season: the number of the season that its folder is named after.
        show: of an episode, the title of its show, as the show's folder has it.
        first: the file beside it that describes the same episode, and goes first.
        others: of the first file, the states of those that describe its episode, too.
        surroundings: a digest of all of that; a part of the change token.
    """

    path: str
    key: str
    kind: MediaType
    name: str
    item_path: str
    images: dict[str, str] = field(default_factory=dict)
    actors: ActorPictures = field(default_factory=ActorPictures)
    season: int | None = None
    show: str = ""
    first: NfoFile | None = None
    others: str = ""
    surroundings: str = field(init=False)

    def __post_init__(self) -> None:
        parts = [PARSER_VERSION, self.path, self.others, self.item_path, self.actors.digest]
        text = "\0".join([*parts, *sorted(self.images.values())])
        self.surroundings = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class FilmFiles:
    """NFO files of one folder that describe one film (versions, editions, parts), or several.

    Which of the two only the files themselves tell. Files with the same key describe the same film.

    Attributes:
        files: in the order of their rank: the first one of a film's files describes it.
        shared_key: the folder's key, if the folder may be that of one of the films.
        shared_images: artwork that is called like no file: that of the film with the folder's key.
        has_owner: whether the first file's film is the one that the folder is named after; else the folder
            has an owner only if all files describe one film.
    """

    files: list[NfoFile]
    shared_key: str | None = None
    shared_images: dict[str, str] = field(default_factory=dict)
    has_owner: bool = False


@dataclass(frozen=True, slots=True)
class VideoAlone:
    """A video that no NFO file describes: it is not an item."""

    key: str


@dataclass(frozen=True, slots=True)
class FolderFailed:
    """A folder that could not be listed: nothing is known of what lies in it."""

    path: str
    key: str
    reason: str


@dataclass(slots=True)
class ShowUnit:
    """A show with everything below it.

    Attributes:
        key: of the show.
        path: its folder.
        name: of its folder.
        nfo: ``tvshow.nfo``, where there is one.
        images: the show's local artwork.
        seasons: the files called ``season.nfo``, ``season01.nfo`` and the like.
        episodes: the files that describe episodes.
        season_folders: season number to the folder that is named after it.
        season_images: season number to its local artwork.
        findings: what has to be said of videos, links and folders.
    """

    key: str
    path: str
    name: str
    nfo: NfoFile | None = None
    images: dict[str, str] = field(default_factory=dict)
    seasons: list[NfoFile] = field(default_factory=list)
    episodes: list[NfoFile] = field(default_factory=list)
    season_folders: dict[int, str] = field(default_factory=dict)
    season_images: dict[int, dict[str, str]] = field(default_factory=dict)
    findings: list[Finding | FolderFailed | VideoAlone] = field(default_factory=list)

    def files(self) -> list[NfoFile]:
        """Return the files of the show, the show's own first."""
        return [*([self.nfo] if self.nfo else []), *self.seasons, *self.episodes]


Unit = NfoFile | FilmFiles | ShowUnit | FolderFailed | VideoAlone | Finding
