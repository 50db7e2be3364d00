"""Kodi's records as models. Pure.

What Kodi writes for "nothing" (0 for a year or a length, -1 for a number, an empty text, a date of 1601) is
nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from mediasync.backends.base import Found
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.people import Actor, cast_credits, read_cast, read_crew
from mediasync.backends.kodi.values import image_reference
from mediasync.models import Credit, Episode, MediaItem, Movie, Rating, Season, Show
from mediasync.text import without_secrets
from mediasync.vocabulary import Completeness

PARSER_VERSION: Final = "1"
"""Stands before every change token. Another one makes every item be read again: give it to another parser."""

MOVIE_PROPERTIES: Final = (
    *(
        "title",
        "originaltitle",
        "sorttitle",
        "year",
        "premiered",
        "plot",
        "tagline",
        "mpaa",
        "genre",
        "ratings",
    ),
    *("runtime", "cast", "director", "writer", "uniqueid", "imdbnumber", "file", "dateadded", "art"),
)
SHOW_PROPERTIES: Final = (
    *("title", "originaltitle", "sorttitle", "year", "premiered", "plot", "mpaa", "genre", "ratings"),
    *("cast", "uniqueid", "imdbnumber", "file", "dateadded", "art"),
)
SEASON_PROPERTIES: Final = ("season", "tvshowid", "art")
EPISODE_PROPERTIES: Final = (
    *("title", "originaltitle", "season", "episode", "tvshowid", "seasonid", "firstaired", "plot", "ratings"),
    *("runtime", "cast", "director", "writer", "uniqueid", "file", "dateadded", "art"),
)
"""What is asked for. Kodi refuses a request that names a property which the type does not have."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_YEAR: Final = 1601
_IMDB: Final = re.compile(r"tt\d+")
_LARGEST_COUNT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class OwnCast:
    """The cast of an episode without its show's.

    Attributes:
        actors: the episode's own; all that Kodi listed where that could not be told apart.
        problem: why it could not be told apart; empty where it could.
    """

    actors: Sequence[Actor]
    problem: str = ""


def essence(record: Mapping[str, Any], properties: Sequence[str]) -> dict[str, Any]:
    """Return what was asked for of a record. What Kodi adds differs between its listings and its details."""
    wanted = {name: record.get(name) for name in properties}
    if not wanted.get("title"):
        wanted["label"] = record.get("label")
    if isinstance(art := wanted.get("art"), Mapping):
        wanted["art"] = {kind: text for kind, text in art.items() if kind != "icon"}
    return wanted


def change_token(record: Mapping[str, Any], *more: object) -> str:
    """Return a fingerprint of a record, and of what else decides what is made of it.

    Kodi has no time of change and gives ids anew: the fingerprint covers everything that was asked for, the
    file and the provider ids among it.
    """
    text = json.dumps([record, *more], ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return f"{PARSER_VERSION}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def parse_movie(data: Mapping[str, Any], key: str, token: str, zone: ZoneInfo | None) -> Found:
    """Return a film with its cast, then its directors and writers."""
    record = JsonRecord(data)
    cast, whole = read_cast(record)
    crew, crew_whole = read_crew(record, len(cast))
    fields = _common(record, key, zone) | {
        "tagline": _text(record, "tagline"),
        "premiere_date": _date(record, "premiered"),
        "runtime_seconds": _count(record, "runtime"),
    }
    item = Movie(**fields)
    _give_credits(item, [*cast_credits(cast), *crew], token, whole=whole and crew_whole)
    return Found(item, tuple(record.problems))


def parse_show(data: Mapping[str, Any], key: str, token: str, zone: ZoneInfo | None) -> Found:
    """Return a show with its cast; Kodi knows no crew of a show."""
    record = JsonRecord(data)
    cast, whole = read_cast(record)
    item = Show(**_common(record, key, zone), premiere_date=_date(record, "premiered"))
    _give_credits(item, cast_credits(cast), token, whole=whole)
    return Found(item, tuple(record.problems))


def parse_season(data: Mapping[str, Any], key: str, token: str, parent: str | None) -> Found:
    """Return a season. Kodi knows nobody of it, and whether there is somebody is not known."""
    record = JsonRecord(data)
    item = Season(
        remote_id=key,
        title=record.text("label") or "",
        images=_images(record),
        season_number=_number(record, "season"),
        parent_remote_id=parent,
        change_token=token,
    )
    return Found(item, tuple(record.problems))


def parse_episode(
    data: Mapping[str, Any], key: str, token: str, zone: ZoneInfo | None, parent: str | None, own: OwnCast
) -> Found:
    """Return an episode with its own cast, then its directors and writers.

    Args:
        data: the record.
        key: of the episode.
        token: its change token.
        zone: that Kodi's times are in.
        parent: the key of its season, or of its show.
        own: its own cast.
    """
    record = JsonRecord(data)
    _, whole = read_cast(record)
    crew, crew_whole = read_crew(record, len(own.actors))
    if own.problem:
        record.note(own.problem)
    fields = _common(record, key, zone) | {
        "parent_remote_id": parent,
        "season_number": _number(record, "season"),
        "episode_number": _number(record, "episode"),
        "premiere_date": _date(record, "firstaired"),
        "runtime_seconds": _count(record, "runtime"),
    }
    item = Episode(**fields)
    known = whole and crew_whole and not own.problem
    _give_credits(item, [*cast_credits(own.actors), *crew], token, whole=known)
    return Found(item, tuple(record.problems))


def _give_credits(item: MediaItem, given: list[Credit], token: str, *, whole: bool) -> None:
    if whole:
        item.credits, item.completeness, item.change_token = given, Completeness.FULL, token
    elif given:
        item.credits, item.completeness = given, Completeness.PREVIEW


def _common(record: JsonRecord, key: str, zone: ZoneInfo | None) -> dict[str, Any]:
    return {
        "remote_id": key,
        "title": _text(record, "title") or record.text("label") or "",
        "original_title": _text(record, "originaltitle"),
        "sort_title": _text(record, "sorttitle"),
        "overview": _text(record, "plot"),
        "content_rating": _text(record, "mpaa"),
        "year": _count(record, "year"),
        "genres": record.texts("genre"),
        "ratings": _ratings(record),
        "provider_ids": _provider_ids(record),
        "images": _images(record),
        "path": _path(record),
        "added_at": _time(record, zone),
    }


def _text(record: JsonRecord, key: str) -> str | None:
    return record.text(key) or None


def _number(record: JsonRecord, key: str) -> int | None:
    number = record.integer(key)
    return number if number is not None and 0 <= number <= _LARGEST_COUNT else None


def _count(record: JsonRecord, key: str) -> int | None:
    return _number(record, key) or None


def _path(record: JsonRecord) -> str | None:
    path = record.text("file")
    return without_secrets(path) if path else None


def _date(record: JsonRecord, key: str) -> date | None:
    text = record.text(key)
    if not text or text.startswith("0000"):
        return None
    try:
        parsed = date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text).date()
    except ValueError:
        record.note(f"{key} {text!r} is no date")
        return None
    return parsed if parsed.year > _NO_YEAR else None


def _time(record: JsonRecord, zone: ZoneInfo | None) -> datetime | str | None:
    """Return when an item was added: a time of Kodi's own zone, which only the configuration knows."""
    text = record.text("dateadded")
    if not text or zone is None:
        return text or None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return text
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def _provider_ids(record: JsonRecord) -> dict[str, str]:
    """Return the provider ids. Kodi's word for an id whose provider was not named is ``unknown``."""
    ids = record.mapping("uniqueid")
    default = ids.get("unknown") or record.key("imdbnumber") or ""
    if "imdb" not in ids and _IMDB.fullmatch(default):
        ids["imdb"] = default
        ids.pop("unknown", None)
    return ids


def _ratings(record: JsonRecord) -> list[Rating]:
    given = record.record("ratings")
    if given is None:
        return []
    ratings: list[tuple[bool, Rating]] = []
    for name in given.data:
        entry = given.record(name)
        value = entry.number("rating") if entry else None
        if entry is None or value is None:
            continue
        votes = _number(entry, "votes")
        if value == 0 and not votes:
            continue
        if not name or not math.isfinite(value) or not 0 <= value <= 10:
            given.note(f"{name!r}: {value:g} is no rating from 0 to 10")
            continue
        ratings.append((not entry.flag("default"), Rating(name=name, value=value, votes=votes)))
    return [rating for _, rating in sorted(ratings, key=lambda pair: pair[0])]


def _images(record: JsonRecord) -> dict[str, str]:
    """Return an item's own pictures; those of its show, season or set (``tvshow.poster``) are theirs."""
    art = record.record("art")
    if art is None:
        return {}
    images = {kind: art.text(kind) or "" for kind in art.data if "." not in kind}
    return {kind: reference for kind, text in images.items() if (reference := image_reference(text))}
