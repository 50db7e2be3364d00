"""The content of a fake Jellyfin, as the JSON of a real one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from mediasync.models import Credit, Episode, MediaItem, Movie, Person, Season
from mediasync.vocabulary import MediaType, PersonType

__all__ = ["PersonRow", "Row", "digest"]

TYPES: Final = {
    MediaType.MOVIE: "Movie",
    MediaType.SHOW: "Series",
    MediaType.SEASON: "Season",
    MediaType.EPISODE: "Episode",
}
ASKED_FOR: Final = {
    "People": ("People",),
    "ProviderIds": ("ProviderIds",),
    "Etag": ("Etag",),
    "Path": ("Path",),
    "OriginalTitle": ("OriginalTitle",),
    "SortName": ("SortName",),
    "Overview": ("Overview",),
    "Genres": ("Genres", "GenreItems"),
    "Taglines": ("Taglines",),
    "DateCreated": ("DateCreated",),
    "ParentId": ("ParentId",),
    "MediaSources": ("MediaSources",),
}
"""The fields that a request must ask for, each with the keys that it adds."""

PICTURES: Final = ("ImageTags", "BackdropImageTags")

_IMAGE_KINDS: Final = {
    "poster": "Primary",
    "thumb": "Primary",
    "clearlogo": "Logo",
    "banner": "Banner",
    "landscape": "Thumb",
    "clearart": "Art",
    "discart": "Disc",
}
_LONGEST_NAME: Final = 255
_TICKS: Final = 10_000_000


def digest(*parts: object) -> str:
    """Return a hash of *parts* as 32 hexadecimal digits."""
    text = "\0".join(map(str, parts))
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def ticks(moment: datetime) -> str:
    """Return a time as the server writes it: with seven decimal places.

    Example:
        >>> ticks(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
        '2024-01-02T03:04:05.0000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


@dataclass(slots=True)
class PersonRow:
    """A person of the server: one for each name, whatever the catalogue says.

    Attributes:
        id: a hash of the name under which the person was first credited.
        credited: that name.
        person: the person in the catalogue.
        saved_at: when the server last saved a change of the person.
    """

    id: str
    credited: str
    person: Person
    saved_at: datetime | None = None
    _saved: tuple[Any, ...] = ()

    def save(self, now: datetime) -> bool:
        """Save the person if it has changed; return whether it has."""
        person = self.person
        if (person.name, person.image_path, person.provider_ids) == self._saved:
            return False
        self.saved_at, self._saved = now, (person.name, person.image_path, dict(person.provider_ids))
        return True

    @property
    def tag(self) -> str | None:
        """The tag of the picture."""
        path = self.person.image_path
        return digest("picture", path) if path else None

    def record(self, server_id: str) -> dict[str, Any]:
        """Return all fields."""
        person = self.person
        return {
            "Name": person.name,
            "ServerId": server_id,
            "Id": self.id,
            "Etag": digest(self.id, person.name, person.image_path, sorted(person.provider_ids.items())),
            "ChannelId": None,
            "ProviderIds": {name.capitalize(): value for name, value in person.provider_ids.items()},
            "Type": "Person",
            "ImageTags": {"Primary": self.tag} if self.tag else {},
            "BackdropImageTags": [],
            "ImageBlurHashes": {},
            "LocationType": "FileSystem",
            "MediaType": "Unknown",
        }


@dataclass(slots=True)
class Row:
    """An item, a person or a folder that can be listed.

    Attributes:
        id: the server's id.
        type: the server's name of its type.
        sort: the sort key.
        library: the id of its library, or empty.
        record: a function that builds all fields; the argument says whether to include its people.
        people: the ids of the people it credits now.
        saved_at: when it was last changed.
    """

    id: str
    type: str
    sort: str
    library: str
    record: Callable[[bool], dict[str, Any]]
    people: Callable[[], set[str]] = field(default=set)
    saved_at: datetime | None = None
    _fields: dict[str, Any] | None = None

    def value(self, name: str) -> Any:
        """Return the value of a field, for sorting; rows are built again when the clock moves."""
        if self._fields is None:
            self._fields = self.record(False)
        return self._fields.get(name)

    def to_json(self, fields: frozenset[str], *, images: bool) -> dict[str, Any]:
        """Return the fields of an answer to a request for *fields*."""
        hidden = {
            key for name, keys in ASKED_FOR.items() if name.lower() not in fields for key in keys
        } | set(() if images else PICTURES)
        record = self.record("people" in fields)
        shown = {key: value for key, value in record.items() if key not in hidden}
        return shown if images or "ImageBlurHashes" not in shown else {**shown, "ImageBlurHashes": {}}


def row_of_record(record: Mapping[str, Any], library: str) -> Row:
    """Return a row for a record of a real server."""
    return Row(
        record["Id"],
        record["Type"],
        record.get("SortName", record["Name"].lower()),
        library,
        lambda _: dict(record),
        lambda: {entry["Id"] for entry in record.get("People", ())},
    )


@dataclass(slots=True)
class CreditRow:
    """A credit as the server answers it."""

    person: PersonRow
    type: str
    role: str

    def record(self) -> dict[str, Any]:
        """Return all fields."""
        tag = {"PrimaryImageTag": self.person.tag} if self.person.tag else {}
        name = self.person.person.name.strip()
        return {"Name": name, "Id": self.person.id, "Role": self.role, "Type": self.type, **tag}


def credit_rows(
    credits_given: list[Credit], person_of: Callable[[Person], PersonRow], *, all_roles: bool
) -> list[CreditRow]:
    """Return the credits that a server still has of those in a catalogue.

    It loses the credits of people who were renamed since (credits refer to people by name) and of names that
    are empty or very long. Unless *all_roles*, it keeps only the first role of a person in one function.
    """
    credits_: list[CreditRow] = []
    seen: set[tuple[str, ...]] = set()
    for credit in sorted(credits_given, key=lambda credit: credit.sort_order or 0):
        person = person_of(credit.person)
        if credit.person.name != person.credited and credit.person.name.lower() != person.credited.lower():
            continue
        if not person.credited.strip() or len(person.credited) > _LONGEST_NAME:
            continue
        kind, role = type_word(credit.person_type), (credit.role or "").strip()
        key = (person.id, kind, role) if all_roles else (person.id, kind)
        if key not in seen:
            seen.add(key)
            credits_.append(CreditRow(person, kind, role))
    return credits_


def type_word(person_type: PersonType | str) -> str:
    """Return the server's name of a function; ``Unknown`` for a function that it does not know.

    Example:
        >>> type_word(PersonType.GUEST_STAR), type_word("Gaffer")
        ('GuestStar', 'Unknown')
    """
    if not isinstance(person_type, PersonType):
        return "Unknown"
    return "".join(word.capitalize() for word in person_type.value.split("_"))


def item_record(
    item: MediaItem,
    server_id: str,
    etag: str,
    credits_told: list[CreditRow],
    item_id: Callable[[str], str],
    show: MediaItem | None,
) -> dict[str, Any]:
    """Return all fields of an item.

    Args:
        item: the item in the catalogue.
        server_id: the server's own id.
        etag: the item's Etag.
        credits_told: the credits to include.
        item_id: a function that turns a key of the catalogue into the server's id.
        show: the show of a season or an episode.
    """
    kind = item.media_type
    folder = kind in {MediaType.SHOW, MediaType.SEASON}
    record: dict[str, Any] = {
        "Name": item.title,
        "OriginalTitle": item.original_title,
        "ServerId": server_id,
        "Id": item_id(item.remote_id),
        "Etag": etag,
        "DateCreated": ticks(item.added_at) if isinstance(item.added_at, datetime) else None,
        "Container": None if folder else "mkv",
        "SortName": item.sort_title or sort_name(item),
        "PremiereDate": f"{item.premiere_date}T00:00:00.0000000Z" if item.premiere_date else None,
        "Path": item.path,
        "OfficialRating": item.content_rating,
        "Overview": item.overview,
        "Taglines": [item.tagline] if item.tagline else [],
        "Genres": list(item.genres),
        "CommunityRating": next((rating.value for rating in item.ratings), None),
        "RunTimeTicks": item.runtime_seconds * _TICKS if item.runtime_seconds else None,
        "ProductionYear": item.year,
        "ProviderIds": {name.capitalize(): value for name, value in item.provider_ids.items()},
        "IsFolder": folder,
        "Type": TYPES[kind],
        "People": [credit.record() for credit in credits_told],
        **_place(item, item_id, show),
        "ImageTags": {
            _IMAGE_KINDS[name]: digest("picture", path)
            for name, path in item.images.items()
            if name in _IMAGE_KINDS
        },
        "BackdropImageTags": [digest("picture", item.images["fanart"])] if "fanart" in item.images else [],
        "ImageBlurHashes": {},
        "LocationType": "FileSystem",
        "MediaType": "Unknown" if folder else "Video",
    }
    kept = {key: value for key, value in record.items() if value is not None}
    return {**kept, "ChannelId": None}


def sort_name(item: MediaItem) -> str:
    """Return the text by which the server sorts an item."""
    if isinstance(item, Season):
        return f"{item.season_number or 0:04}"
    if isinstance(item, Episode):
        return f"{item.season_number or 0:03} - {item.episode_number or 0:04} - {item.title}"
    return item.title.lower()


def _place(item: MediaItem, item_id: Callable[[str], str], show: MediaItem | None) -> dict[str, Any]:
    if isinstance(item, Movie) or show is None:
        return {}
    series = {"SeriesName": show.title, "SeriesId": item_id(show.remote_id)}
    if isinstance(item, Season):
        return {"IndexNumber": item.season_number, **series}
    assert isinstance(item, Episode)
    season = item.parent_remote_id if item.parent_remote_id != show.remote_id else None
    return {
        "IndexNumber": item.episode_number,
        "IndexNumberEnd": item.episode_number_end,
        "ParentIndexNumber": item.season_number,
        **series,
        **({"SeasonId": item_id(season)} if season else {}),
    }
