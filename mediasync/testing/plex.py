"""A fake Plex Media Server."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlencode

from mediasync.models import Credit, Episode, MediaItem, Person, Season
from mediasync.testing.library import Catalogue, MediaLibrary, in_billing_order, parent_of
from mediasync.testing.server import FakeServer, Request, Response
from mediasync.vocabulary import Completeness, MediaType, PersonType

__all__ = ["FakePlex"]

_TYPES: Final = {"1": MediaType.MOVIE, "2": MediaType.SHOW, "3": MediaType.SEASON, "4": MediaType.EPISODE}
_LISTS: Final = {
    "Role": ("actor", PersonType.ACTOR),
    "Director": ("director", PersonType.DIRECTOR),
    "Writer": ("writer", PersonType.WRITER),
    "Producer": ("producer", PersonType.PRODUCER),
}
_PREVIEWS: Final = {"Role": 3, "Director": 2, "Writer": 2}
_PREVIEWED_GENRES: Final = 2
_PICTURES: Final = "https://metadata-static.plex.tv/people/"
_REFUSED: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class FakePlex(FakeServer):
    """A Plex Media Server that serves a catalogue.

    It was built from documents and recorded answers: listings name three roles without ids, details all
    people; each list of people has ids of its own, which ``tagKey`` joins; unknown ids are left out of
    details, and 404 is the answer only if none is left. People of a type that Plex has no list for are not
    served.

    Args:
        catalogue: what it serves; change it between two syncs.
        token: what ``X-Plex-Token`` must be.
        machine_id: the server's own id.
        name: its friendly name.
        old: whether it answers as a server with the agents of 2019: their guids, no ``Guid``, no ``tagKey``.
        tag_keys: the lists whose people have a ``tagKey``.
        page_limit: the longest page; None: any that is asked for.
        longest_url: a longer one is answered 414.
        base_path: the path that everything is served below.
        tls: if given, it speaks TLS with this context.

    Attributes:
        catalogue: as given.
        token: as given; another one revokes it.
        without_details: the keys of items that are listed, and that it does not find when asked for details.
        refreshing: the ids of the libraries that it says it is refreshing.

    Example::

        async with FakePlex(make_catalogue(films=100), token="secret") as server:
            print(server.url)
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        token: str,
        machine_id: str = "3f1c2a97b05d4f6e",
        name: str = "Fake Plex",
        old: bool = False,
        tag_keys: Collection[str] = tuple(_LISTS),
        page_limit: int | None = None,
        longest_url: int = 4096,
        base_path: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(base_path=base_path, tls=tls)
        self.catalogue = catalogue
        self.token = token
        self.without_details: set[str] = set()
        self.refreshing: set[str] = set()
        self._machine_id = machine_id
        self._name = name
        self._old = old
        self._tag_keys = () if old else tag_keys
        self._page_limit = page_limit
        self._longest_url = longest_url
        self._indexed: tuple[object, _Index | None] = (None, None)

    async def handle(self, request: Request) -> Response:
        """Answer a request; see `FakeServer`."""
        if len(request.path) + len(urlencode(request.query, doseq=True)) > self._longest_url:
            return _refusal(414, "URI Too Long")
        if request.path != "/identity" and request.headers.get("x-plex-token") != self.token:
            return _refusal(401, "Unauthorized")
        if "application/json" not in request.headers.get("accept", ""):
            return Response.text(
                '<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer size="0"/>\n', kind="text/xml"
            )
        match request.path.strip("/").split("/"):
            case [""]:
                return _container({"friendlyName": self._name, "machineIdentifier": self._machine_id}, 0)
            case ["identity"]:
                return _container(
                    {"claimed": True, "machineIdentifier": self._machine_id, "version": "1.43.0"}, 0
                )
            case ["library", "sections"]:
                return self._sections()
            case ["library", "sections", key, "all"]:
                return self._listing(key, request)
            case ["library", "metadata", keys]:
                return self._details(keys.split(","), request)
        return _refusal(404, "Not Found")

    def truth(self) -> Catalogue:
        """Return what a mirror of it should hold: with its keys, and without what Plex cannot say."""
        truth = self.catalogue.mapped()
        index = _Index(self.catalogue)
        for item in truth.items():
            original = index.items[item.remote_id][1]
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
                for name, (tag_type, person_type) in _LISTS.items()
                for credit in _listed(original, name)
            )
            item.completeness = Completeness.FULL
            if isinstance(item, Episode):
                item.episode_number_end = None
            if isinstance(item, Season):
                item.path = None
        return truth

    def _index(self) -> _Index:
        state = self.catalogue.state()
        known, index = self._indexed
        if index is None or known != state:
            index = _Index(self.catalogue)
            self._indexed = state, index
        return index

    def _sections(self) -> Response:
        sections: list[dict[str, Any]] = [
            {
                "key": library.id,
                "type": library.kind.removesuffix("s"),
                "title": library.title,
                "agent": f"tv.plex.agents.{library.kind.removesuffix('s')}",
                "uuid": f"0000-{library.id}",
                "refreshing": library.id in self.refreshing,
                "updatedAt": int(self.catalogue.now.timestamp()),
            }
            for library in self.catalogue.libraries
        ]
        sections.append({"key": "99", "type": "artist", "title": "Music", "refreshing": False})
        return _container({"Directory": sections, "title1": "Plex Library"}, len(sections))

    def _listing(self, section: str, request: Request) -> Response:
        library = next((library for library in self.catalogue.libraries if library.id == section), None)
        if library is None:
            return _refusal(404, "Not Found")
        kind = _TYPES.get(request.first("type"), MediaType(library.kind.removesuffix("s")))
        index = self._index()
        items = index.listing(library, kind, by_id=request.first("sort") == "id")
        start, size = _paging(request)
        page = items[start:] if size is None else items[start : start + min(size, self._page_limit or size)]
        entries = [self._entry(item, library, index, request, full=False) for item in page]
        content: dict[str, Any] = {"librarySectionID": int(section), "title1": library.title}
        if entries:
            content["Metadata"] = entries
        headers = {}
        if size is not None:
            content |= {"totalSize": len(items), "offset": start}
            headers = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Total-Size": str(len(items))}
        return _container(content, len(entries), headers)

    def _details(self, keys: Sequence[str], request: Request) -> Response:
        index = self._index()
        found = [
            index.items[key]
            for key in dict.fromkeys(keys)
            if key in index.items and key not in self.without_details
        ]
        if not found:
            return _refusal(404, "Not Found")
        entries = [self._entry(item, library, index, request, full=True) for library, item in found]
        return _container({"Metadata": entries}, len(entries))

    def _entry(
        self, item: MediaItem, library: MediaLibrary, index: _Index, request: Request, *, full: bool
    ) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "ratingKey": item.remote_id,
            "key": f"/library/metadata/{item.remote_id}",
            "guid": self._guid(item, index),
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
            "addedAt": _epoch(item.added_at),
            "updatedAt": _epoch(item.changed_at),
            **{
                "thumb" if name in ("poster", "thumb") else "art": path
                for name, path in self._images(item).items()
            },
            **index.place(item),
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
        if request.first("includeGuids") == "1" and not self._old:
            entry["Guid"] = [{"id": f"{name}://{value}"} for name, value in item.provider_ids.items()]
        entry["Genre"] = [{"tag": genre} for genre in item.genres[: None if full else _PREVIEWED_GENRES]]
        if full:
            entry |= {"librarySectionID": int(library.id), "Country": [{"id": 5, "tag": "France"}]}
        entry |= {
            name: self._tags(item, name) if full else _preview(item, name, _PREVIEWS.get(name, 0))
            for name in _LISTS
        }
        left_out = request.first("excludeElements").split(",") if full else []
        return {
            name: value for name, value in entry.items() if value not in (None, []) and name not in left_out
        }

    def _tags(self, item: MediaItem, name: str) -> list[dict[str, Any]]:
        tag_type = _LISTS[name][0]
        tags = []
        for credit in _listed(item, name):
            number = _tag_id(credit.person, name)
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
        return f"{tag_type}/{_tag_id(person, name)}"

    def _guid(self, item: MediaItem, index: _Index) -> str:
        if not self._old:
            return f"plex://{item.media_type}/{_hex(f'item {item.remote_id}')}"
        if item.media_type == MediaType.MOVIE:
            return f"com.plexapp.agents.imdb://{item.provider_ids.get('imdb', '')}?lang=en"
        place = index.place(item)
        show = index.items[place.get("grandparentRatingKey", place.get("parentRatingKey", item.remote_id))][1]
        numbers = [str(place[name]) for name in ("parentIndex", "index") if name in place]
        path = "/".join([show.provider_ids.get("tmdb", ""), *numbers])
        return f"com.plexapp.agents.themoviedb://{path}?lang=en"

    def _provider_ids(self, item: MediaItem) -> dict[str, str]:
        if not self._old:
            return {**item.provider_ids, "plex": _hex(f"item {item.remote_id}")}
        told = {MediaType.MOVIE: "imdb", MediaType.SHOW: "tmdb"}.get(item.media_type, "")
        return {name: value for name, value in item.provider_ids.items() if name == told}

    def _images(self, item: MediaItem) -> dict[str, str]:
        changed = _epoch(item.changed_at)
        name = "thumb" if isinstance(item, Episode) else "poster"
        return {name: f"/library/metadata/{item.remote_id}/thumb/{changed}"} if item.images else {}


class _Index:
    """A catalogue's items by key and in their orders, and how many are below each."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.items = {
            item.remote_id: (library, item) for library in catalogue.libraries for item in library.items
        }
        self._below = Counter(parent_of(item) for item in catalogue.items())
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
        """Return what an entry says of the item's place among the others."""
        below = self._below[item.remote_id]
        if isinstance(item, Season):
            return {"parentRatingKey": item.parent_remote_id, "index": item.season_number, "leafCount": below}
        if isinstance(item, Episode):
            parent = self.items[item.parent_remote_id or ""][1]
            show = parent.parent_remote_id if isinstance(parent, Season) else parent.remote_id
            return {
                "parentRatingKey": parent.remote_id if isinstance(parent, Season) else None,
                "grandparentRatingKey": show,
                "parentIndex": item.season_number,
                "index": item.episode_number,
            }
        return {"childCount": below} if item.media_type == MediaType.SHOW else {}


def _listed(item: MediaItem, name: str) -> Iterable[Credit]:
    wanted = {_LISTS[name][1], PersonType.GUEST_STAR} if name == "Role" else {_LISTS[name][1]}
    return (credit for credit in item.credits or () if credit.person_type in wanted)


def _preview(item: MediaItem, name: str, most: int) -> list[dict[str, Any]]:
    return [{"tag": credit.person.name} for credit in _listed(item, name)][:most]


def _tag_id(person: Person, name: str) -> int:
    return int(person.remote_id or 0) * 10 + list(_LISTS).index(name)


def _picture(person: Person) -> str | None:
    return f"{_PICTURES}{person.image_path}" if person.image_path else None


def _hex(text: str) -> str:
    return blake2b(text.encode(), digest_size=12).hexdigest()


def _epoch(value: Any) -> int | None:
    return int(value.timestamp()) if value is not None else None


def _paging(request: Request) -> tuple[int, int | None]:
    start = request.headers.get("x-plex-container-start") or request.first("X-Plex-Container-Start") or "0"
    size = request.headers.get("x-plex-container-size") or request.first("X-Plex-Container-Size")
    return int(start), int(size) if size else None


def _container(content: dict[str, Any], size: int, headers: dict[str, str] | None = None) -> Response:
    return Response.json({"MediaContainer": {"size": size, **content}}, headers=headers)


def _refusal(status: int, text: str) -> Response:
    return Response.text(_REFUSED.format(f"{status} {text}"), status, "text/html")
