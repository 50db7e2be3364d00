"""From the servers' JSON to models. Pure: no request is made here."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mediasync.backends.base import Found, Unreadable
from mediasync.backends.jellyfin.values import (
    image_reference,
    parse_date,
    parse_images,
    parse_ratings,
    parse_ticks,
    parse_time,
)
from mediasync.backends.json_record import JsonRecord
from mediasync.models import Credit, Episode, Library, Movie, Person, Season, Show
from mediasync.vocabulary import Completeness, MediaType, PersonType

PARSER_VERSION: Final = "1"
"""The version of this mapping. It is part of every change token: a new one makes that all is read again."""

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
"""What is listed in each kind of library, in this order: shows before seasons before episodes."""

_COLLECTION_KINDS: Final[Mapping[str, Literal["movies", "shows", "mixed"]]] = {
    "movies": "movies",
    "tvshows": "shows",
    "mixed": "mixed",
    "": "mixed",
}


def change_token(etag: str | None) -> str:
    """Return the change token that is stored for an item's Etag.

    All items without an Etag have the same token: it says only that the item was read. Whether it has changed
    since is known from the server's answer to what was saved since then.

    Example:
        >>> change_token("64bbc8cd"), change_token(None)
        ('1:64bbc8cd', '1:')
    """
    return f"{PARSER_VERSION}:{etag or ''}"


def parse_library(record: JsonRecord, source_id: str) -> Library | None:
    """Return a library, or None for one that holds neither films nor shows.

    A folder without a kind is a mixed library: it may hold both.
    """
    key = record.key("Id")
    collection = record.title("CollectionType")
    if record.data.get("CollectionType") and collection is None:
        return None  # which is noted
    kind = _COLLECTION_KINDS.get((collection or "").lower())
    if not record.data.get("CollectionType") and record.text("Type") not in {"CollectionFolder", "Folder"}:
        return None  # a channel, live TV, and whatever else is no folder of films
    if key is None or kind is None:
        return None
    return Library(id=key, source_id=source_id, title=record.title("Name") or "", kind=kind)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the list of persons says of one. It is long: a model is made of those alone who are told.

    Attributes:
        key: the person's id.
        name: as the list spells it.
        image_path: a reference to the picture.
        provider_ids: ids at public providers.
    """

    key: str
    name: str
    image_path: str | None
    provider_ids: dict[str, str]

    def person(self) -> Person:
        """Return the model."""
        return Person(
            remote_id=self.key,
            name=self.name,
            image_path=self.image_path,
            provider_ids=self.provider_ids,
        )


def parse_person(record: JsonRecord) -> PersonFacts | None:
    """Return what is said of a person of the list of persons, or None for an entry that names nobody."""
    key, name = record.key("Id"), (record.text("Name") or "").strip()
    if key is None or not name or record.data.get("Type", "Person") != "Person":
        return None
    images = record.data.get("ImageTags")
    tag = images.get("Primary") if isinstance(images, dict) else None
    image_path = image_reference(key, "Primary", tag) if isinstance(tag, str) and tag else None
    return PersonFacts(key, name, image_path, _provider_ids(record))


def credited_people(record: JsonRecord) -> set[str]:
    """Return the ids of those whom an item credits."""
    people = record.data.get("People")
    entries = people if isinstance(people, list) else []
    return {
        key
        for entry in entries
        if isinstance(entry, dict) and isinstance(key := entry.get("Id"), str) and key
    }


def parse_item(
    record: JsonRecord,
    *,
    trusted: bool,
    people_ids: Mapping[str, dict[str, str]],
    seasons: Container[str] | None = None,
) -> Found | Unreadable:
    """Return what an item's JSON says.

    Args:
        record: the item, of one of `KINDS`, with an ``Id``, read with ``fields=People``.
        trusted: whether its people are known to be all there are. If not, they are a preview, and the item
            has no change token: it is read again by the next sync.
        people_ids: ids at public providers, by the person's id; an item's own answer does not tell them.
        seasons: the seasons that are listed. An episode of another one belongs to its show.
    """
    key, title = record.key("Id") or "", record.text("Name")
    kind = KINDS[str(record.data.get("Type"))]
    if not title or not title.strip():
        return Unreadable(key, f"the server lists this {record.data.get('Type')} without a name")
    credits_ = _parse_credits(record, people_ids)
    certain = trusted and not record.problems and credits_ is not None
    fields: dict[str, Any] = {
        "remote_id": key,
        "title": title,
        **_parse_common(record, key, kind),
        "credits": credits_,
        "completeness": None if credits_ is None else Completeness.FULL if certain else Completeness.PREVIEW,
    }
    # What was not understood is read again, so that it is told again until somebody has repaired it.
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


def _parse_common(record: JsonRecord, key: str, kind: MediaType) -> dict[str, Any]:
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
        "provider_ids": _provider_ids(record),
        "images": parse_images(record, key, kind),
        "path": record.text("Path"),
        "added_at": parse_time(added) if added else None,
    }


def _parse_credits(record: JsonRecord, people_ids: Mapping[str, dict[str, str]]) -> list[Credit] | None:
    """Return the credits in billing order; None where the answer does not say who there is."""
    if not isinstance(record.data.get("People"), list):
        record.note("the answer does not say who took part (People)")
        return None
    credits_: list[Credit] = []
    for place, entry in enumerate(record.records("People")):
        person_id = entry.key("Id")
        tag = entry.text("PrimaryImageTag")
        person = Person(
            name=entry.text("Name") or "",
            remote_id=person_id,
            image_path=image_reference(person_id, "Primary", tag) if person_id and tag else None,
            provider_ids=people_ids.get(person_id, {}) if person_id else {},
        )
        credits_.append(
            Credit(
                person=person,
                person_type=entry.text("Type") or PersonType.UNKNOWN,
                role=entry.text("Role") or None,
                sort_order=place,
            )
        )
    return credits_


def _provider_ids(record: JsonRecord) -> dict[str, str]:
    if not record.data.get("ProviderIds"):
        return {}
    return {name.lower(): value for name, value in record.mapping("ProviderIds").items()}
