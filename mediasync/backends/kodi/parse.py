"""From Kodi's records to findings. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from mediasync.backends.base import Found
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.people import OwnCast, cast_credits, parse_cast, parse_crew
from mediasync.backends.kodi.values import (
    parse_added,
    parse_count,
    parse_date,
    parse_images,
    parse_number,
    parse_path,
    parse_provider_ids,
    parse_ratings,
    parse_text,
)
from mediasync.models import Credit, Episode, MediaItem, Movie, Season, Show
from mediasync.vocabulary import Completeness

PARSER_VERSION: Final = "1"
"""Part of every change token. Raise it when the same answer gives a different item: all items are then read
again."""


def essence(record: Mapping[str, Any], properties: Sequence[str]) -> dict[str, Any]:
    """Return the properties that were asked for, without those that Kodi adds.

    Kodi adds other ones to its listings than to its details, and change tokens must not differ for that.
    """
    wanted = {name: record.get(name) for name in properties}
    if not wanted.get("title"):
        wanted["label"] = record.get("label")
    if isinstance(art := wanted.get("art"), Mapping):
        wanted["art"] = {kind: text for kind, text in art.items() if kind != "icon"}
    return wanted


def change_token(record: Mapping[str, Any], *more: object) -> str:
    """Return a fingerprint of a record, and of whatever else its item depends on.

    Kodi has no time of change, and may give an id to another item. So the fingerprint covers every property
    that was asked for, including the file and the provider ids.
    """
    text = json.dumps([record, *more], ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return f"{PARSER_VERSION}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def parse_movie(data: Mapping[str, Any], key: str, token: str, zone: ZoneInfo | None) -> Found:
    """Return a film with its cast, then its directors and writers."""
    record = JsonRecord(data)
    cast, whole = parse_cast(record)
    crew, crew_whole = parse_crew(record, len(cast))
    fields = _common_fields(record, key, zone) | {
        "tagline": parse_text(record, "tagline"),
        "premiere_date": parse_date(record, "premiered"),
        "runtime_seconds": parse_count(record, "runtime"),
    }
    item = Movie(**fields)
    _give_credits(item, [*cast_credits(cast), *crew], token, whole=whole and crew_whole)
    return Found(item, tuple(record.problems))


def parse_show(data: Mapping[str, Any], key: str, token: str, zone: ZoneInfo | None) -> Found:
    """Return a show with its cast. Kodi stores no crew of shows."""
    record = JsonRecord(data)
    cast, whole = parse_cast(record)
    item = Show(**_common_fields(record, key, zone), premiere_date=parse_date(record, "premiered"))
    _give_credits(item, cast_credits(cast), token, whole=whole)
    return Found(item, tuple(record.problems))


def parse_season(data: Mapping[str, Any], key: str, token: str, parent: str | None) -> Found:
    """Return a season. Kodi stores no people of seasons, so nothing is known of its credits."""
    record = JsonRecord(data)
    item = Season(
        remote_id=key,
        title=record.text("label") or "",
        images=parse_images(record),
        season_number=parse_number(record, "season"),
        parent_remote_id=parent,
        change_token=token,
    )
    return Found(item, tuple(record.problems))


def parse_episode(
    data: Mapping[str, Any], key: str, token: str, zone: ZoneInfo | None, parent: str | None, own: OwnCast
) -> Found:
    """Return an episode with its own cast, then its directors and writers.

    Args:
        data: Kodi's record.
        key: the episode's key.
        token: its change token.
        zone: the time zone of Kodi's clock.
        parent: the key of its season, or of its show.
        own: its cast without its show's.
    """
    record = JsonRecord(data)
    _, whole = parse_cast(record)
    crew, crew_whole = parse_crew(record, len(own.actors))
    if own.problem:
        record.note(own.problem)
    fields = _common_fields(record, key, zone) | {
        "parent_remote_id": parent,
        "season_number": parse_number(record, "season"),
        "episode_number": parse_number(record, "episode"),
        "premiere_date": parse_date(record, "firstaired"),
        "runtime_seconds": parse_count(record, "runtime"),
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


def _common_fields(record: JsonRecord, key: str, zone: ZoneInfo | None) -> dict[str, Any]:
    return {
        "remote_id": key,
        "title": parse_text(record, "title") or record.text("label") or "",
        "original_title": parse_text(record, "originaltitle"),
        "sort_title": parse_text(record, "sorttitle"),
        "overview": parse_text(record, "plot"),
        "content_rating": parse_text(record, "mpaa"),
        "year": parse_count(record, "year"),
        "genres": record.texts("genre"),
        "ratings": parse_ratings(record),
        "provider_ids": parse_provider_ids(record),
        "images": parse_images(record),
        "path": parse_path(record),
        "added_at": parse_added(record, zone),
    }
