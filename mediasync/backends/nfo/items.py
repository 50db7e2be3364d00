"""Items made of what an NFO file says and of what lies around it. Pure."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from mediasync.backends.base import Found, Remark
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import NfoFile
from mediasync.backends.nfo.tokens import FileToken
from mediasync.construction import make_credits, model_maker
from mediasync.formats.nfo.records import NfoCredit, NfoRecord
from mediasync.models import Credit, MediaItem, Movie, Rating, zoned_or_text
from mediasync.vocabulary import MediaType

NOUNS: Final = {
    MediaType.MOVIE: "a film",
    MediaType.SHOW: "a show",
    MediaType.SEASON: "a season",
    MediaType.EPISODE: "an episode",
}
_SHARED_FIELDS: Final = tuple(one.name for one in fields(NfoRecord) if one.name in MediaItem.model_fields)
_shared_values: Final = attrgetter(*_SHARED_FIELDS)
_credit_values: Final = attrgetter("name", "remote_id", "image_path", "provider_ids", "person_type", "role")
_MOVIE: Final = {name: field.default for name, field in Movie.model_fields.items()}
"""The values of a film's fields that no file states. `item_fields` replaces all lists and dicts."""
_make_movie: Final = model_maker(Movie)


def season_key(show_key: str, number: int) -> str:
    """Return the key of a season.

    Example:
        >>> season_key("tvshows/Dark (2017)", 1)
        'tvshows/Dark (2017)#s01'
    """
    return f"{show_key}#s{number:02}"


def episode_key(stem_key: str, season: int | None, episode: int | None) -> str:
    """Return the key of an episode, which is the key of its file if a number is missing.

    Example:
        >>> episode_key("Dark/Dark S01E02", 1, 2), episode_key("Dark/Pilot", None, None)
        ('Dark/Dark S01E02#s01e02', 'Dark/Pilot')
    """
    return stem_key if season is None or episode is None else f"{stem_key}#s{season:02}e{episode:02}"


def foreign_remark(file: NfoFile, text: str) -> Remark:
    """Return the remark on a file that is about neither films nor shows."""
    return Remark(naming.nfc(file.path), text.removeprefix(f"{naming.nfc(file.path)}: "))


def misplaced(file: NfoFile, kind: MediaType) -> str:
    """Return the reason why a file is not read that describes an item of a kind that cannot be there."""
    return f"{naming.nfc(file.path)}: it describes {NOUNS[kind]}, which does not belong here"


def found_movie(file: NfoFile, records: list[NfoRecord], token: FileToken | None) -> Found:
    """Return the film that a file describes."""
    record = records[0]
    if len(records) > 1:
        record.problems.append(f"{len(records)} films in one file: only the first is used")
    values = {**_MOVIE, **item_fields(file, record)}
    values["remote_id"] = file.key
    values["change_token"] = token_text(token, record)
    if record.added_at is not None:
        values["added_at"] = zoned_or_text(record.added_at)
    return Found(_make_movie(values), tuple(record.problems))


def token_text(token: FileToken | None, record: NfoRecord) -> str | None:
    """Return the text of an item's change token; None if its file is damaged and has to be read again."""
    return None if record.damage or token is None else str(token)


def item_fields(file: NfoFile, record: NfoRecord) -> dict[str, Any]:
    """Return the fields that all kinds of item have, completed from the names and files around the file."""
    found = dict(zip(_SHARED_FIELDS, _shared_values(record), strict=True))
    found["ratings"] = [Rating(**rating._asdict()) for rating in record.ratings]
    found["images"] = record.images | file.images
    found["path"] = file.item_path
    found["credits"] = None if record.credits is None else _credits(record.credits, file.actors)
    if record.kind is MediaType.MOVIE or record.kind is MediaType.SHOW:
        title, year = naming.title_and_year(file.name)
        found["year"] = record.year if record.exported else record.year or year
        if not record.title:
            found["title"] = title
            if record.credits is not None:
                record.problems.append("no title: the name of the folder or file is used")
    return found


def _credits(given: list[NfoCredit], pictures: dict[str, str]) -> list[Credit]:
    """Return credits as models, with the pictures of actors that lie beside the file."""
    if not pictures:
        return make_credits(map(_credit_values, given))
    return make_credits(
        (
            one.name,
            None,
            one.image_path or pictures.get(naming.actor_key(one.name)),
            one.provider_ids,
            one.person_type,
            one.role,
        )
        for one in given
    )
