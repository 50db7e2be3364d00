"""From the servers' JSON to libraries and findings. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final, Literal

from mediasync.backends.base import Found, Unreadable
from mediasync.backends.jellyfin.people import parse_credits
from mediasync.backends.jellyfin.values import (
    parse_date,
    parse_images,
    parse_provider_ids,
    parse_ratings,
    parse_ticks,
    parse_time,
)
from mediasync.backends.json_record import JsonRecord
from mediasync.models import Episode, Library, Movie, Season, Show
from mediasync.vocabulary import Completeness, MediaType

PARSER_VERSION: Final = "1"
"""Part of every change token. Raise it when the same answer gives a different item: all items are then read
again."""

KINDS: Final = {
    "Movie": MediaType.MOVIE,
    "Series": MediaType.SHOW,
    "Season": MediaType.SEASON,
    "Episode": MediaType.EPISODE,
}
"""The servers' types that are mirrored."""

TYPES_OF_LIBRARY: Final[Mapping[str, tuple[str, ...]]] = {
    "movies": ("Movie",),
    "shows": ("Series", "Season", "Episode"),
    "mixed": ("Movie", "Series", "Season", "Episode"),
}
"""The types that are listed in each kind of library, parents first."""

_COLLECTION_KINDS: Final[Mapping[str, Literal["movies", "shows", "mixed"]]] = {
    "movies": "movies",
    "tvshows": "shows",
    "mixed": "mixed",
    "": "mixed",
}


def change_token(etag: str | None) -> str:
    """Return the change token of an item with this Etag.

    All items without an Etag share one token, which says only that the item was read. Whether it has changed
    since then is found out by asking the server for the items saved since.

    Example:
        >>> change_token("64bbc8cd"), change_token(None)
        ('1:64bbc8cd', '1:')
    """
    return f"{PARSER_VERSION}:{etag or ''}"


def parse_library(record: JsonRecord, source_id: str) -> Library | None:
    """Return a library, or None for one that holds neither films nor shows.

    A folder without a kind may hold both: it is a mixed library.
    """
    key = record.key("Id")
    collection = record.title("CollectionType")
    if record.data.get("CollectionType") and collection is None:
        return None  # the record has noted why
    kind = _COLLECTION_KINDS.get((collection or "").lower())
    if not record.data.get("CollectionType") and record.text("Type") not in {"CollectionFolder", "Folder"}:
        return None  # a channel or live TV, for instance
    if key is None or kind is None:
        return None
    return Library(id=key, source_id=source_id, title=record.title("Name") or "", kind=kind)


def parse_item(
    record: JsonRecord,
    *,
    trusted: bool,
    people_ids: Mapping[str, dict[str, str]],
    seasons: Container[str] | None = None,
) -> Found | Unreadable:
    """Return the finding for an item.

    Args:
        record: an item with an ``Id``, of a type in `KINDS`, that was read with ``fields=People``.
        trusted: whether its list of people is known to be complete. If not, the list is a preview, and the
            item gets no change token, so that the next sync reads it again.
        people_ids: ids at public providers by the person's id; an item does not hold them.
        seasons: the seasons that are listed. An episode of any other season belongs to its show.
    """
    key, title = record.key("Id") or "", record.text("Name")
    kind = KINDS[str(record.data.get("Type"))]
    if not title or not title.strip():
        return Unreadable(key, f"the server lists this {record.data.get('Type')} without a name")
    credits_ = parse_credits(record, people_ids)
    certain = trusted and not record.problems and credits_ is not None
    fields: dict[str, Any] = {
        "remote_id": key,
        "title": title,
        **_common_fields(record, key, kind),
        "credits": credits_,
        "completeness": None if credits_ is None else Completeness.FULL if certain else Completeness.PREVIEW,
    }
    # An item with problems is read at every sync, and so reported again until somebody has repaired it.
    whole = certain and not record.problems
    fields["change_token"] = change_token(record.text("Etag")) if whole else None
    item: Movie | Show | Season | Episode
    match kind:
        case MediaType.MOVIE:
            item = Movie(**fields)
        case MediaType.SHOW:
            item = Show(**fields)
        case MediaType.SEASON:
            item = Season(
                **fields,
                parent_remote_id=record.key("SeriesId"),
                season_number=record.integer("IndexNumber"),
            )
        case MediaType.EPISODE:
            item = Episode(
                **fields,
                parent_remote_id=_parent_of_episode(record, seasons),
                season_number=record.integer("ParentIndexNumber"),
                episode_number=record.integer("IndexNumber"),
                episode_number_end=record.integer("IndexNumberEnd"),
            )
    return Found(item, tuple(record.problems))


def _parent_of_episode(record: JsonRecord, seasons: Container[str] | None) -> str | None:
    season = record.key("SeasonId")
    return season if season and (seasons is None or season in seasons) else record.key("SeriesId")


def _common_fields(record: JsonRecord, key: str, kind: MediaType) -> dict[str, Any]:
    """Return the fields that all kinds of item have."""
    taglines = record.texts("Taglines")
    premiere = record.text("PremiereDate")
    added = record.text("DateCreated")
    return {
        "original_title": record.text("OriginalTitle"),
        "sort_title": record.text("SortName"),
        "overview": record.text("Overview"),
        "tagline": taglines[0] if taglines else None,
        "year": record.integer("ProductionYear"),
        "premiere_date": parse_date(premiere) if premiere else None,
        "runtime_seconds": parse_ticks(record.integer("RunTimeTicks")),
        "content_rating": record.text("OfficialRating"),
        "ratings": parse_ratings(
            record.number("CommunityRating"), record.number("CriticRating"), record.problems
        ),
        "genres": record.texts("Genres"),
        "provider_ids": parse_provider_ids(record),
        "images": parse_images(record, key, kind),
        "path": record.text("Path"),
        "added_at": parse_time(added) if added else None,
    }
