"""A catalogue as a fake Kodi shows it: ids, people and records, and the expected mirror of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from mediasync.models import Credit, Episode, MediaItem, Person, Season
from mediasync.testing.library import Catalogue, in_billing_order, parent_of
from mediasync.vocabulary import CAST_TYPES, Completeness, MediaType, PersonType

_LONGEST_NAME: Final = 255
_SAME: Final = (
    *("title", "original_title", "sort_title", "overview", "tagline", "year", "premiere_date"),
    *("runtime_seconds", "content_rating", "ratings", "genres", "provider_ids", "path"),
)
_NOT_OF: Final = {
    MediaType.MOVIE: frozenset[str](),
    MediaType.SHOW: frozenset({"tagline", "runtime_seconds"}),
    MediaType.SEASON: frozenset(_SAME) - {"title"},
    MediaType.EPISODE: frozenset({"sort_title", "tagline", "year", "content_rating", "genres"}),
}
ICONS: Final = {
    MediaType.MOVIE: "image://DefaultVideo.png/",
    MediaType.SHOW: "image://DefaultFolder.png/",
    MediaType.EPISODE: "image://DefaultVideo.png/",
}

ICON_OF_SEASONS: Final = "image://DefaultFolder.png/"
"""The properties that only details contain."""


class Link(NamedTuple):
    """An actor of an item, as Kodi stores it."""

    name: str
    role: str
    order: int
    picture: str


class Ids:
    """Kodi's ids: 1, 2, 3, … for each type. An item added after a removal may get the removed id."""

    def __init__(self) -> None:
        self._known: dict[MediaType, dict[str, int]] = {kind: {} for kind in MediaType}
        self._found: dict[MediaType, tuple[object, dict[int, MediaItem]]] = {}

    def of(self, catalogue: Catalogue, kind: MediaType) -> dict[int, MediaItem]:
        """Return the items of a type by their ids."""
        state = catalogue.state()
        if kind in self._found and self._found[kind][0] == state:
            return self._found[kind][1]
        items = {item.remote_id: item for item in catalogue.items() if item.media_type is kind}
        ids = {key: number for key, number in self._known[kind].items() if key in items}
        new = [key for key in items if key not in ids]
        ids.update(zip(new, itertools.count(max(ids.values(), default=0) + 1), strict=False))
        self._known[kind] = ids
        found = {number: items[key] for key, number in sorted(ids.items(), key=lambda pair: pair[1])}
        self._found[kind] = state, found
        return found

    def id_of(self, catalogue: Catalogue, item: MediaItem) -> int:
        """Return the id of an item."""
        known = self._known[item.media_type]
        if item.remote_id not in known:
            self.of(catalogue, item.media_type)
        return self._known[item.media_type][item.remote_id]


class People:
    """Kodi's people: one for each name, whatever its case. The last picture of a name is used."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._people: dict[str, tuple[str, str]] = {}
        for item in catalogue.items():
            for credit in item.credits or ():
                name, picture = self.get(credit.person.name)
                self._people[_folded(credit.person.name)] = (name, credit.person.image_path or picture)

    def get(self, name: str) -> tuple[str, str]:
        """Return the name and the picture of the person with this name."""
        return self._people.get(_folded(name), (_cut(name), ""))

    def cast(self, item: MediaItem) -> list[Link]:
        """Return the actors of an item in order, each role of an actor once."""
        links: dict[tuple[str, str], Link] = {}
        for order, credit in enumerate(_of(item, CAST_TYPES)):
            name, picture = self.get(credit.person.name)
            role = (credit.role or "").strip()
            links.setdefault((name, role), Link(name, role, order, picture))
        return list(links.values())

    def crew(self, item: MediaItem, kind: PersonType) -> list[str]:
        """Return the names of the directors or writers of an item."""
        return list(dict.fromkeys(self.get(credit.person.name)[0] for credit in _of(item, {kind})))


def _of(item: MediaItem, kinds: Iterable[PersonType | str]) -> Iterable[Credit]:
    wanted = set(kinds)
    return (credit for credit in item.credits or () if credit.person_type in wanted)


def _cut(name: str) -> str:
    return name.strip().encode()[:_LONGEST_NAME].decode("utf-8", "ignore")


def _folded(name: str) -> str:
    """Return a name as Kodi's database compares it: the case of ASCII letters alone is ignored."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in _cut(name))


def wrapped(source: str) -> str:
    """Return Kodi's reference to a picture."""
    encoded = quote(source, safe="-_.!()")
    parts = encoded.split("%")
    return f"image://{parts[0]}{''.join(f'%{part[:2].lower()}{part[2:]}' for part in parts[1:])}/"


def cast_entry(link: Link) -> dict[str, Any]:
    """Return an actor as Kodi answers it."""
    entry: dict[str, Any] = {"name": link.name, "order": link.order, "role": link.role}
    if link.picture:
        entry["thumbnail"] = wrapped(link.picture)
    return entry


def with_show_cast(own: list[Link], show: list[Link], *, roles_matter: bool) -> list[Link]:
    """Return the cast of an episode as Kodi answers it: its own, then the rest of the show's cast."""
    length = 2 if roles_matter else 1
    known = {link[:length] for link in own}
    return [*own, *(link for link in show if link[:length] not in known)]


class Records:
    """Makes the records of one state of a catalogue.

    Args:
        catalogue: the content.
        ids: Kodi's ids.
        people: Kodi's people.
        zone: the time zone of Kodi's clock.
        roles_matter: whether it is Kodi 19 or later.
    """

    def __init__(
        self, catalogue: Catalogue, ids: Ids, people: People, zone: ZoneInfo, *, roles_matter: bool
    ) -> None:
        self._catalogue = catalogue
        self._ids = ids
        self._zone = zone
        self._roles_matter = roles_matter
        self._people = people
        self._items = {item.remote_id: item for item in catalogue.items()}

    def credits_itself(self, item: MediaItem, names: Iterable[str]) -> bool:
        """Return whether an item's own cast contains one of *names*."""
        wanted = {_folded(name) for name in names}
        return any(_folded(link.name) in wanted for link in self._people.cast(item))

    def show_of(self, item: MediaItem) -> MediaItem:
        """Return the show of a season or an episode."""
        while (parent := parent_of(item)) is not None:
            item = self._items[parent]
        return item

    def record(self, number: int, item: MediaItem, properties: Iterable[str], id_name: str) -> dict[str, Any]:
        """Return a record with the requested properties."""
        fields = self.fields(number, item)
        always = {"label": self._label(item), id_name: number}
        return dict(
            sorted({**{name: fields[name] for name in properties if name in fields}, **always}.items())
        )

    def _label(self, item: MediaItem) -> str:
        if isinstance(item, Episode):
            return f"{item.season_number}x{item.episode_number:02}. {item.title}"
        return item.title

    def fields(self, number: int, item: MediaItem) -> dict[str, Any]:
        """Return all fields of an item's record."""
        images = {kind: wrapped(source) for kind, source in item.images.items()}
        icon = {"icon": ICONS[item.media_type]} if item.media_type in ICONS else {}
        added = item.added_at
        fields: dict[str, Any] = {
            **_NOTHING,
            "title": item.title,
            "originaltitle": item.original_title or "",
            "sorttitle": item.sort_title or "",
            "year": item.year or 0,
            "premiered": item.premiere_date.isoformat() if item.premiere_date else "",
            "plot": item.overview or "",
            "tagline": item.tagline or "",
            "mpaa": item.content_rating or "",
            "genre": list(item.genres),
            "runtime": item.runtime_seconds or 0,
            "ratings": {
                rating.name: {"default": not place, "rating": rating.value, "votes": rating.votes or 0}
                for place, rating in enumerate(item.ratings)
            },
            "file": item.path or "",
            "dateadded": (
                f"{added.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"
                if added is not None and not isinstance(added, str)
                else ""
            ),
            "art": {**icon, **images},
            "thumbnail": images.get("thumb", ""),
            "imdbnumber": next(iter(item.provider_ids.values()), ""),
            "cast": [cast_entry(link) for link in self._people.cast(item)],
            "director": self._people.crew(item, PersonType.DIRECTOR),
            "writer": self._people.crew(item, PersonType.WRITER),
        }
        if item.provider_ids:
            fields["uniqueid"] = dict(item.provider_ids)
        if isinstance(item, Season | Episode):
            self._add_parents(fields, item)
        elif item.media_type is MediaType.SHOW:
            self._add_counts(fields, item)
        return fields

    def _add_parents(self, fields: dict[str, Any], item: Season | Episode) -> None:
        show = self.show_of(item)
        fields |= {
            "season": -1 if item.season_number is None else item.season_number,
            "showtitle": show.title,
            "tvshowid": self._ids.id_of(self._catalogue, show),
        }
        if isinstance(item, Season):
            fields["episode"] = len(self._catalogue.children(item.remote_id))
            return
        parent = self._items[item.parent_remote_id or ""]
        own, of_show = self._people.cast(item), self._people.cast(show)
        fields |= {
            "episode": item.episode_number or 0,
            "seasonid": self._ids.id_of(self._catalogue, parent) if isinstance(parent, Season) else -1,
            "firstaired": fields["premiered"],
            "cast": [
                cast_entry(link) for link in with_show_cast(own, of_show, roles_matter=self._roles_matter)
            ],
        }

    def _add_counts(self, fields: dict[str, Any], show: MediaItem) -> None:
        seasons = self._catalogue.children(show.remote_id)
        fields["season"] = len(seasons)
        fields["episode"] = sum(len(self._catalogue.children(season.remote_id)) for season in seasons)

    def truth(self) -> Catalogue:
        """Return the expected mirror: with Kodi's keys, and without data that Kodi cannot express."""
        truth = self._catalogue.mapped(
            lambda item: f"{item.media_type}/{self._ids.id_of(self._catalogue, item)}"
        )
        for item, original in zip(truth.items(), self._catalogue.items(), strict=True):
            for name in _NOT_OF[item.media_type]:
                setattr(
                    item,
                    name,
                    [] if name in {"ratings", "genres"} else {} if name == "provider_ids" else None,
                )
            item.images = {kind: reference(source) for kind, source in item.images.items()}
            item.changed_at = item.change_token = None
            if isinstance(item, Season):
                item.added_at = item.credits = item.completeness = None
                continue
            if isinstance(item, Episode):
                item.episode_number_end = None
            item.credits = in_billing_order(self._credits(original))
            item.completeness = Completeness.FULL
        return truth

    def _credits(self, item: MediaItem) -> Iterable[Credit]:
        for link in self._people.cast(item):
            person = Person(name=link.name, image_path=reference(link.picture) if link.picture else None)
            yield Credit(person=person, person_type=PersonType.ACTOR, role=link.role or None)
        if item.media_type is MediaType.SHOW:
            return
        for kind in (PersonType.DIRECTOR, PersonType.WRITER):
            for name in self._people.crew(item, kind):
                yield Credit(person=Person(name=name), person_type=kind)


def reference(source: str) -> str:
    """Return a picture as a mirror stores it: a public address, or otherwise Kodi's own reference."""
    return source if source.startswith("https://") else wrapped(source)


_NOTHING: Final[dict[str, Any]] = {
    **dict.fromkeys(("trailer", "plotoutline", "lastplayed", "set", "fanart", "episodeguide"), ""),
    **dict.fromkeys(("playcount", "setid", "top250", "userrating", "watchedepisodes"), 0),
    **{name: [] for name in ("studio", "country", "showlink", "tag")},
    **dict.fromkeys(("specialsortseason", "specialsortepisode"), -1),
    "rating": 0.0,
    "votes": "0",
    "productioncode": "",
    "resume": {"position": 0.0, "total": 0.0},
    "streamdetails": {"audio": [], "subtitle": [], "video": []},
}
"""The fields for which the catalogue has no data."""
