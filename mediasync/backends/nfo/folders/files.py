"""The units that the walk of a library yields: files that are read and reported together."""

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
    """An NFO file, and what its surroundings say of the item in it.

    Attributes:
        path: the file, relative to the root, as the file system spells it.
        key: the item's key; of an episode the part before ``#``, of a season the show's key.
        kind: what the file should describe.
        name: the name of the item's folder or video, from which a missing title is taken.
        item_path: where the item lies: its video, the folder of a show or season, else the NFO file.
        images: local artwork, from its kind to its path relative to the root.
        actors: local pictures of actors.
        season: the number of the season that the folder is named after.
        show: the title of an episode's show, as the show's folder has it.
        first: another file that describes the same episode and is preferred.
        others: the states of other files that describe the same episode, if this one is preferred.
        surroundings: a digest of everything above that the item depends on; part of its change token.
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
    """NFO files of one folder that describe one film (versions, editions, parts) or several.

    Only the contents of the files can tell. Files with the same key describe the same film.

    Attributes:
        files: the files, the preferred ones first: a film is described by the first of its files.
        shared_key: the folder's key, if the folder may be one of the films' own.
        shared_images: artwork that is not named after a file. It belongs to the film with the folder's key.
        has_owner: whether the folder is named after the film of the first file. If not, the folder belongs to
            a film only if all files describe that film.
    """

    files: list[NfoFile]
    shared_key: str | None = None
    shared_images: dict[str, str] = field(default_factory=dict)
    has_owner: bool = False


@dataclass(frozen=True, slots=True)
class VideoAlone:
    """A video that no NFO file describes, which is therefore not an item."""

    key: str


@dataclass(frozen=True, slots=True)
class FolderFailed:
    """A folder that could not be listed, so that nothing is known of what lies in it."""

    path: str
    key: str
    reason: str


@dataclass(slots=True)
class ShowUnit:
    """A show with everything below it.

    Attributes:
        key: the show's key.
        path: the show's folder.
        name: the name of the folder.
        nfo: the file ``tvshow.nfo``, if there is one.
        images: the show's local artwork.
        seasons: the files named ``season.nfo``, ``season01.nfo`` and the like.
        episodes: the files that describe episodes.
        season_folders: the folder that is named after a season, by its number.
        season_images: the local artwork of a season, by its number.
        findings: what has to be reported of videos, links and folders.
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
        """Return all files, the show's own first."""
        return [*([self.nfo] if self.nfo else []), *self.seasons, *self.episodes]


Unit = NfoFile | FilmFiles | ShowUnit | FolderFailed | VideoAlone | Finding
