"""A source whose content changes while it is read, and a backend that notes what it has shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from simulation.content import Content, Seen, Triple
from simulation.observer import Observer

from mediasync import Credit, Episode, Library, MediaItem, MediaSync, Movie, Person, Show, Source
from mediasync.backends.base import Enumerated, Finding, Found, Stored, Unchanged, Unreadable, Watermark
from mediasync.errors import SourceUnreachable, SourceUnreadable
from mediasync.testing import FakeBackend

TROUBLES: Final = ("cut", "short", "few", "unreadable", "empty", "down", "preview", "preview", "without")
REFUSED: Final = "refused"
"""A role that the database of the simulation refuses."""

LIBRARIES: Final = ("films", "dated", "shows")
"""Items of the second have no change tokens. What changed there is found by the watermark."""

_SAME: Final = "-"
_LONGEST_ANSWER: Final = 0.02


@dataclass(eq=False)
class Entry:
    """A film, a show or an episode of a source.

    Attributes:
        key: its present key.
        name: what its title begins with.
        library: the key of its library.
        work: its id at a public provider.
        parent: the show of an episode.
        faithful: whether it stays, and keeps its key.
        version: counts the changes of the whole source; the number of its own last one.
        cast: the people of its credits, by their numbers, in order.
        refused: whether the database will not take it as it is.
    """

    key: str
    name: str
    library: str
    work: str
    parent: Entry | None = None
    faithful: bool = False
    version: int = 0
    cast: list[int] = field(default_factory=list)
    refused: bool = False


class Shelf:
    """A source.

    Args:
        source_id: its id in the mirror.
        random: decides what it has, and how that changes.

    Attributes:
        calm_syncs: how many undisturbed syncs see everything.
        entries: what it has now.
        lists: every full credit list that it ever had, by key.
        keys: every key that an entry ever had.
        left: every key that it did not have at some time after it had it.
        gone: the entries that were removed.
    """

    calm_syncs: Final = 1

    def __init__(self, source_id: str, random: Random) -> None:
        self.id = source_id
        self.random = random
        self.version = 0
        self.names = [1] * 12
        self.entries: list[Entry] = []
        self.lists: dict[str, set[tuple[Triple, ...]]] = {}
        self.keys: dict[Entry, list[str]] = {}
        self.left: set[str] = set()
        self.gone: list[Entry] = []
        self._number = 0
        for library in ("films", "films", "dated", "dated", "dated"):
            self.add(library)
        self.add("films").faithful = True
        show = self.add("shows")
        self.add("shows", show)
        self.add("shows", show)

    # What it has

    def content(self, entry: Entry) -> Content:
        """Return what an entry is now."""
        return Content(
            f"{entry.name} {entry.version}",
            entry.work,
            entry.parent.key if entry.parent else "",
            tuple(self._triple(entry, place, person) for place, person in enumerate(entry.cast)),
            entry.refused,
        )

    def _triple(self, entry: Entry, place: int, person: int) -> Triple:
        role = REFUSED if entry.refused and not place else f"{entry.name} in {entry.version // 3}"
        return (self._person_id(person), "actor" if place else "director", role)

    def _person_id(self, person: int) -> str:
        return f"{self.id}:p{person}" if person else f"{self.id}:name:nobody"

    def person_name(self, person: int) -> str:
        """Return the present name of a person. Number 0 has no key, and keeps the name."""
        return f"Person {person} {self.names[person]}" if person else "Nobody"

    def item(self, entry: Entry, *, preview: bool) -> MediaItem:
        """Return an entry as a backend reads it."""
        content = self.content(entry)
        credits_given = [
            Credit(
                person=Person(remote_id=f"p{person}" if person else None, name=self.person_name(person)),
                person_type=kind,
                role=role,
            )
            for person, (_, kind, role) in zip(entry.cast, content.credits, strict=True)
        ]
        common = {
            "remote_id": entry.key,
            "title": content.title,
            "path": f"/{entry.library}/{self.keys[entry][0]}",
            "provider_ids": {"tmdb": entry.work},
            "change_token": None if preview else self.token(entry),
            "credits": credits_given[:1] if preview else credits_given,
            "completeness": "preview" if preview else "full",
        }
        if entry.library != "shows":
            return Movie(**common)
        if entry.parent is None:
            return Show(**common)
        number = int(entry.work)
        return Episode(**common, parent_remote_id=entry.parent.key, season_number=1, episode_number=number)

    def token(self, entry: Entry) -> str:
        return _SAME if entry.library == "dated" else f"v{entry.version}"

    # How it changes

    def change(self) -> str:
        """Change something, and return what."""
        what = self.random.choice(_CHANGES)
        movable = [entry for entry in self.entries if not entry.faithful]
        match what:
            case "add":
                return f"add {self.add(self.random.choice(('films', 'dated'))).key}"
            case "episode":
                shows = [entry for entry in self.entries if entry.library == "shows" and not entry.parent]
                return f"add {self.add('shows', self.random.choice(shows)).key}"
            case "copy":
                [original] = [entry for entry in self.entries if entry.faithful]
                copy = self.add("films")
                copy.work = original.work
                return f"add {copy.key}, a copy of {original.key}"
            case "remove":
                homes = [entry.library for entry in self.entries]
                parents = {entry.parent for entry in self.entries}
                removable = [
                    entry for entry in movable if homes.count(entry.library) > 1 and entry not in parents
                ]
                if removable:
                    gone = self.random.choice(removable)
                    self.entries.remove(gone)
                    self.gone.append(gone)
                    self.left.add(gone.key)
                    self.version += 1
                    return f"remove {gone.key}"
            case "return" if self.gone:
                entry = self.gone.pop(self.random.randrange(len(self.gone)))
                self.entries.append(entry)
                self._touch(entry)
                return f"bring {entry.key} back"
            case "rekey":
                entry = self.random.choice(movable)
                old, entry.key = entry.key, self._new_key(entry.library)
                self.left.add(old)
                self.keys[entry].append(entry.key)
                self._touch(entry)
                for child in self.entries:
                    if child.parent is entry:
                        self._touch(child)
                return f"rekey {old} to {entry.key}"
            case "rename":
                person = self.random.randrange(1, len(self.names))
                self.names[person] += 1
                for entry in self.entries:
                    if person in entry.cast:
                        self._touch(entry)
                return f"rename person {person}"
        entry = self.random.choice(self.entries)
        entry.refused = what == "refuse"
        if self.random.random() < 0.6 or not entry.cast:
            entry.cast = self._cast()
        self._touch(entry)
        return f"edit {entry.key}" + (", refused" if entry.refused else "")

    def heal(self) -> None:
        """Let the database take everything."""
        for entry in self.entries:
            if entry.refused:
                entry.refused = False
                self._touch(entry)

    def add(self, library: str, parent: Entry | None = None) -> Entry:
        """Add an entry with a new key."""
        key = self._new_key(library)
        entry = Entry(key, f"{library} {key}", library, str(self._number), parent, cast=self._cast())
        self.entries.append(entry)
        self.keys[entry] = [key]
        self._touch(entry)
        return entry

    def _new_key(self, library: str) -> str:
        self._number += 1
        return f"{library[0]}{self._number}"

    def _cast(self) -> list[int]:
        return self.random.sample(range(len(self.names)), self.random.randint(1, 4))

    def _touch(self, entry: Entry) -> None:
        self.version += 1
        entry.version = self.version
        self.lists.setdefault(entry.work, set()).add(self.content(entry).credits)

    def trouble(self, random: Random) -> str:
        """Return something that may go wrong."""
        return random.choice(TROUBLES)

    def backend(self, trouble: str) -> ShelfBackend:
        """Return what reads the source once."""
        return ShelfBackend(source=Source(id=self.id, kind="plex", name="Shelf"), shelf=self, trouble=trouble)

    async def check(self, _ms: MediaSync, observer: Observer) -> None:
        """Check that the mirror shows what the source has now."""
        stored = observer.by_key(self.id)
        people = observer.snapshot().people
        for entry in self.entries:
            content, item = self.content(entry), stored.get(entry.key)
            if item is None:
                observer.note("an item of the source is not in the mirror", entry.key)
                continue
            if (item["title"], item["work"], item["parent"]) != content.fields:
                observer.note("the mirror shows an item as it was before", f"{content}: {item}")
            if item["credits"] != list(content.credits):
                observer.note("the mirror shows other credits than the source", f"{content}: {item}")
            if entry.faithful and item["id"] != f"{self.id}:{entry.key}":
                observer.note("an item got another id", f"{entry.key} is {item['id']}")
            for person in entry.cast:
                name = people.get(self._person_id(person))
                if name != self.person_name(person):
                    observer.note("the mirror shows a person as before", f"{self._person_id(person)}: {name}")
        if more := stored.keys() - {entry.key for entry in self.entries}:
            observer.note("the mirror shows items that the source does not have", sorted(more))
        works = [entry.work for entry in self.keys]
        observer.check_ids(self.id, {work for work in works if works.count(work) == 1})


_CHANGES: Final = (
    *("edit", "edit", "edit", "refuse", "add", "episode", "copy"),
    *("remove", "remove", "return", "rekey", "rekey", "rename"),
)


@dataclass
class ShelfBackend(FakeBackend):
    """Reads a `Shelf` item by item; other things happen between them.

    Attributes:
        shelf: what is read.
        trouble: what goes wrong: one of `TROUBLES`, or nothing.
        seen: what it has shown.
    """

    shelf: Shelf = field(kw_only=True)
    trouble: str = field(default="", kw_only=True)
    seen: Seen = field(default_factory=Seen, kw_only=True)
    began_at: int = field(default=0, kw_only=True)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        random = self.shelf.random
        names = [name for name in LIBRARIES if self.trouble != "without" or name != "shows"]
        self.libraries = dict.fromkeys(names, ())
        self._where = random.choice(names)
        self.seen.whole = self.trouble in ("", "preview")
        if self.trouble == "down":
            self.open_error = SourceUnreachable(self.shelf.id, "it is down")
        async with super().open():
            self.began_at = self.shelf.version
            yield

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        shelf, random = self.shelf, self.shelf.random
        trouble = self.trouble if library.id == self._where or self.trouble == "preview" else ""
        listed = [(entry, entry.key) for entry in shelf.entries if entry.library == library.id]
        last = random.randrange(len(listed) + 1) if trouble in ("cut", "short", "few") else len(listed)
        yield Watermark(str(self.began_at))
        if trouble == "empty":
            listed = []
        for place, (entry, key) in enumerate(listed):
            await asyncio.sleep(random.random() * _LONGEST_ANSWER)
            if place == last:
                break
            if (trouble == "unreadable" and not place) or entry.key != key or entry not in shelf.entries:
                self.seen.whole = False
                yield Unreadable(key, "the server does not answer")
                continue
            if self._is_unchanged(entry, stored):
                self.seen.unchanged[key] = shelf.content(entry)
                yield Unchanged(key)
                continue
            yield self._read(entry, trouble)
            if random.random() < 0.15:
                # The item was changed meanwhile, moved to the next page, and is read again.
                shelf._touch(entry)
                yield self._read(entry, trouble)
        if trouble == "cut":
            raise SourceUnreadable(shelf.id, "the server stopped in the middle")
        yield Enumerated(len(listed), complete=trouble != "short", reason="cut" if trouble == "short" else "")

    def _is_unchanged(self, entry: Entry, stored: Stored) -> bool:
        if stored.tokens.get(entry.key) != self.shelf.token(entry):
            return False
        return entry.library != "dated" or entry.version <= int(stored.watermark or -1)

    def _read(self, entry: Entry, trouble: str) -> Found:
        preview = trouble == "preview" and self.shelf.random.random() < 0.5
        item = self.shelf.item(entry, preview=preview)
        self.seen.shown[entry.key] = (self.shelf.content(entry), not preview)
        return Found(item)
