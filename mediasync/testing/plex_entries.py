"""A catalogue as a fake Plex shows it: the entries of its answers, and the expected mirror of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import Any, Final

from mediasync.models import Credit, Episode, MediaItem, Person, Season
from mediasync.testing.library import Catalogue, MediaLibrary, in_billing_order, parent_of
from mediasync.vocabulary import Completeness, MediaType, PersonType

LISTS: Final = {
    "Role": ("actor", PersonType.ACTOR),
    "Director": ("director", PersonType.DIRECTOR),
    "Writer": ("writer", PersonType.WRITER),
    "Producer": ("producer", PersonType.PRODUCER),
}
"""The elements that name people, each with the name of its filter and the type of its people."""

_PREVIEWS: Final = {"Role": 3, "Director": 2, "Writer": 2}
_PREVIEWED_GENRES: Final = 2
_PICTURES: Final = "https://metadata-static.plex.tv/people/"


class PlexEntries:
    """Makes the entries of one state of a catalogue.

    Args:
        catalogue: the content.
        old: whether the server has the agents of 2019: their guids, no ``Guid``.
        tag_keys: the lists whose people have a ``tagKey``.

    Attributes:
        index: the items of the catalogue by key and in their orders.
    """

    def __init__(self, catalogue: Catalogue, *, old: bool, tag_keys: Collection[str]) -> None:
        self._catalogue = catalogue
        self._old = old
        self._tag_keys = tag_keys
        self.index = PlexIndex(catalogue)

    def truth(self) -> Catalogue:
        """Return the expected mirror: with Plex's keys, and without data that Plex cannot express."""
        truth = self._catalogue.mapped()
        for item in truth.items():
            original = self.index.items[item.remote_id][1]
            item.images = self._images(original)
            item.provider_ids = self._provider_ids(original)
            for rating in item.ratings:
                rating.votes = None
            item.credits = in_billing_order(
                Credit(
                    person=Person(
                        remote_id=self._person_key(credit.person, name, tag_type),
                        name=credit.person.name,
                        image_path=_picture(credit.person),
                    ),
                    person_type=person_type,
                    role=credit.role if name == "Role" else None,
                )
                for name, (tag_type, person_type) in LISTS.items()
                for credit in listed(original, name)
            )
            item.completeness = Completeness.FULL
            if isinstance(item, Episode):
                item.episode_number_end = None
            if isinstance(item, Season):
                item.path = None
        return truth

    def entry(
        self,
        item: MediaItem,
        *,
        full: bool,
        guids: bool = False,
        left_out: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return one item as the server answers it.

        Args:
            item: an item of the catalogue.
            full: True for details, with all people; False for listings, with a preview of them.
            guids: whether the request asks for the ids of public providers.
            left_out: elements to leave out of details.
        """
        library = self.index.items[item.remote_id][0]
        entry: dict[str, Any] = {
            "ratingKey": item.remote_id,
            "key": f"/library/metadata/{item.remote_id}",
            "guid": self.guid(item),
            "type": str(item.media_type),
            "title": item.title,
            "titleSort": item.sort_title,
            "originalTitle": item.original_title,
            "summary": item.overview or "",
            "tagline": item.tagline,
            "year": item.year,
            "contentRating": item.content_rating,
            "originallyAvailableAt": item.premiere_date.isoformat() if item.premiere_date else None,
            "duration": item.runtime_seconds * 1000 if item.runtime_seconds else None,
            "addedAt": epoch(item.added_at),
            "updatedAt": epoch(item.changed_at),
            **{
                "thumb" if name in ("poster", "thumb") else "art": path
                for name, path in self._images(item).items()
            },
            **self.index.place(item),
            "librarySectionID": int(library.id),
            "librarySectionKey": f"/library/sections/{library.id}",
            "librarySectionTitle": library.title,
        }
        if item.ratings:
            entry |= {
                "rating": item.ratings[0].value,
                "ratingImage": f"{item.ratings[0].name}://image.rating",
            }
        if item.path and not isinstance(item, Season):
            if item.media_type == MediaType.SHOW:
                entry["Location"] = [{"path": item.path}] if full else None
            else:
                entry["Media"] = [{"id": int(item.remote_id), "Part": [{"id": 1, "file": item.path}]}]
        if guids and not self._old:
            entry["Guid"] = [{"id": f"{name}://{value}"} for name, value in item.provider_ids.items()]
        entry["Genre"] = [{"tag": genre} for genre in item.genres[: None if full else _PREVIEWED_GENRES]]
        if full:
            entry["Country"] = [{"id": 5, "tag": "France"}]
        entry |= {
            name: self._tags(item, name) if full else _preview(item, name, _PREVIEWS.get(name, 0))
            for name in LISTS
        }
        return {
            name: value for name, value in entry.items() if value not in (None, []) and name not in left_out
        }

    def _tags(self, item: MediaItem, name: str) -> list[dict[str, Any]]:
        tag_type = LISTS[name][0]
        tags = []
        for credit in listed(item, name):
            number = tag_id(credit.person, name)
            tag: dict[str, Any] = {"id": number, "filter": f"{tag_type}={number}", "tag": credit.person.name}
            if name in self._tag_keys:
                tag["tagKey"] = _hex(f"person {credit.person.remote_id}")
            if name == "Role" and credit.role:
                tag["role"] = credit.role
            if picture := _picture(credit.person):
                tag["thumb"] = picture
            tags.append(tag)
        return tags

    def _person_key(self, person: Person, name: str, tag_type: str) -> str:
        if name in self._tag_keys:
            return _hex(f"person {person.remote_id}")
        return f"{tag_type}/{tag_id(person, name)}"

    def guid(self, item: MediaItem) -> str:
        """Return the id that an agent gives an item."""
        if not self._old:
            return f"plex://{item.media_type}/{_hex(f'item {item.remote_id}')}"
        if item.media_type == MediaType.MOVIE:
            return f"com.plexapp.agents.imdb://{item.provider_ids.get('imdb', '')}?lang=en"
        place = self.index.place(item)
        show = self.index.items[
            place.get("grandparentRatingKey", place.get("parentRatingKey", item.remote_id))
        ][1]
        numbers = [str(place[name]) for name in ("parentIndex", "index") if name in place]
        path = "/".join([show.provider_ids.get("tmdb", ""), *numbers])
        return f"com.plexapp.agents.themoviedb://{path}?lang=en"

    def _provider_ids(self, item: MediaItem) -> dict[str, str]:
        if not self._old:
            return {**item.provider_ids, "plex": _hex(f"item {item.remote_id}")}
        provider = {MediaType.MOVIE: "imdb", MediaType.SHOW: "tmdb"}.get(item.media_type, "")
        return {name: value for name, value in item.provider_ids.items() if name == provider}

    def _images(self, item: MediaItem) -> dict[str, str]:
        changed = epoch(item.changed_at)
        name = "thumb" if isinstance(item, Episode) else "poster"
        return {name: f"/library/metadata/{item.remote_id}/thumb/{changed}"} if item.images else {}


class PlexIndex:
    """The items of a catalogue by key and in their orders, and how many are below each."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.items = {
            item.remote_id: (library, item) for library in catalogue.libraries for item in library.items
        }
        self._below = Counter(parent_of(item) for item in catalogue.items())
        self._children: dict[str, list[MediaItem]] = {}
        for item in sorted(catalogue.items(), key=_number):
            if parent := parent_of(item):
                self._children.setdefault(parent, []).append(item)
        self._listings: dict[tuple[str, MediaType, bool], list[MediaItem]] = {}

    def listing(self, library: MediaLibrary, kind: MediaType, *, by_id: bool) -> list[MediaItem]:
        """Return the items of one kind of a library, by key or by title."""
        asked = (library.id, kind, by_id)
        if asked not in self._listings:
            self._listings[asked] = sorted(
                (item for item in library.items if item.media_type == kind),
                key=lambda item: int(item.remote_id) if by_id else item.sort_title or item.title,
            )
        return self._listings[asked]

    def place(self, item: MediaItem) -> dict[str, Any]:
        """Return the fields of an entry for the item's place in its show."""
        below = self._below[item.remote_id]
        if isinstance(item, Season):
            show = self.items[item.parent_remote_id or ""][1]
            return {**_named("parent", show), "index": item.season_number, "leafCount": below}
        if isinstance(item, Episode):
            parent = self.items[item.parent_remote_id or ""][1]
            season = parent if isinstance(parent, Season) else None
            show = self.items[season.parent_remote_id or ""][1] if season else parent
            return {
                **(_named("parent", season) if season else {}),
                **_named("grandparent", show),
                "parentIndex": item.season_number,
                "index": item.episode_number,
            }
        if item.media_type == MediaType.SHOW:
            leaves = sum(self._below[child.remote_id] for child in self.children(item))
            return {"childCount": below, "leafCount": leaves}
        return {}

    def children(self, item: MediaItem) -> list[MediaItem]:
        """Return the seasons of a show, or the episodes of a season, by number."""
        return self._children.get(item.remote_id, [])

    def leaves(self, item: MediaItem) -> list[MediaItem]:
        """Return the episodes of a show or of a season, by number."""
        below = self.children(item)
        return [
            leaf
            for child in below
            for leaf in ([child] if isinstance(child, Episode) else self.leaves(child))
        ]


def listed(item: MediaItem, name: str) -> Iterable[Credit]:
    wanted = {LISTS[name][1], PersonType.GUEST_STAR} if name == "Role" else {LISTS[name][1]}
    return (credit for credit in item.credits or () if credit.person_type in wanted)


def _preview(item: MediaItem, name: str, most: int) -> list[dict[str, Any]]:
    return [{"tag": credit.person.name} for credit in listed(item, name)][:most]


def tag_id(person: Person, name: str) -> int:
    return int(person.remote_id or 0) * 10 + list(LISTS).index(name)


def _picture(person: Person) -> str | None:
    return f"{_PICTURES}{person.image_path}" if person.image_path else None


def _hex(text: str) -> str:
    return blake2b(text.encode(), digest_size=12).hexdigest()


def epoch(value: Any) -> int | None:
    return int(value.timestamp()) if value is not None else None


def _number(item: MediaItem) -> int:
    number = item.episode_number if isinstance(item, Episode) else getattr(item, "season_number", None)
    return number or 0


def _named(prefix: str, item: MediaItem) -> dict[str, Any]:
    return {
        f"{prefix}RatingKey": item.remote_id,
        f"{prefix}Key": f"/library/metadata/{item.remote_id}",
        f"{prefix}Title": item.title,
    }
