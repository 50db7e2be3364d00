"""Identifying people of sources that give them no ids of their own.

Such a person has one key for each provider id in the data, and one for the name. The key seen first becomes
the person's id for good, and the other keys become aliases of it:

* People who share a provider's id are one person, unless that person would get two different ids of one
  provider.
* A credit without any provider id belongs to the person with that name in the same list, if there is exactly
  one; otherwise to the one person with that name in the source.
* A person with provider ids is the person of that name who has none yet. Two people who both have provider
  ids are not merged because of their names.
* If an id shows that two people are one, the person who was seen first stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mediasync.ids import name_key, provider_keys
from mediasync.rows import PersonRow, stored_provider_ids


@dataclass(slots=True, eq=False)
class KnownPerson:
    """A person who is stored, or came earlier in the same stream.

    Attributes:
        id: the person's id.
        keys: the ids made of the person's provider ids, by provider.
        seen: orders people by when they were first seen.
        key: the person's storage key; 0 for a person who is not stored yet.
        joined: the person into whom this one was merged; None if it was not.
    """

    id: str
    keys: Mapping[str, str]
    seen: tuple[int, int, int]
    key: int = 0
    joined: KnownPerson | None = None

    def one(self) -> KnownPerson:
        """Return the person who remains after all merges."""
        person = self
        while person.joined is not None:
            person = person.joined
        return person


Holders = Mapping[str, Sequence[KnownPerson | None]]
"""The people with an id or alias: the owner of the id first; None for several people who share a name."""


@lru_cache(maxsize=16_384)
def keys_of(source_id: str, provider_ids: str) -> Mapping[str, str]:
    """Return the ids made of a person's provider ids, by provider.

    Args:
        source_id: the source of the person.
        provider_ids: a JSON object, or ''.

    Example:
        >>> keys_of("home", '{"imdb":"nm1","tmdb":"1"}')
        {'tmdb': 'home:tmdb:1', 'imdb': 'home:imdb:nm1'}
    """
    keys = provider_keys(stored_provider_ids(provider_ids)) if provider_ids else {}
    return {provider: f"{source_id}:{key}" for provider, key in keys.items()}


def keys_of_row(row: PersonRow) -> tuple[Mapping[str, str], str]:
    """Return the ids made of the provider ids of a person in normal form, and the id made of the name.

    Args:
        row: a person for whom the source has no id. Without provider ids, the row's id is made of the name.

    Example:
        >>> keys_of_row(("home:tmdb:1", "Ada", "", '{"imdb":"nm1","tmdb":"1"}'))
        ({'tmdb': 'home:tmdb:1', 'imdb': 'home:imdb:nm1'}, 'home:name:ada')
    """
    if not row[3]:
        return _NO_KEYS, row[0]
    source_id = row[0].partition(":")[0]
    return keys_of(source_id, row[3]), f"{source_id}:{name_key(row[1])}"


_NO_KEYS: Final[Mapping[str, str]] = {}
_SETTLED: Final = (0, 0, 0)
_SEVERAL: Final = KnownPerson("", {}, _SETTLED)
"""Stands for the several people who share a name."""


class Identification:
    """Identifies the people whom items credit, item by item.

    Args:
        holders: the people stored under the keys of those people.
        settled: the rows of people whose stored rows equal them; their keys need not be in *holders*.

    Attributes:
        aliases: the aliases to be stored: the person's id by alias.
        shared: the aliases among them that are names of several people.
        merged: the stored people who were merged into others.
        first_seen: the order in which new people came, by id.
    """

    def __init__(self, holders: Holders, settled: Set[PersonRow] = frozenset()) -> None:
        self._holders: dict[str, list[KnownPerson]] = {
            key: [_SEVERAL if person is None else person for person in found]
            for key, found in holders.items()
        }
        self._settled = settled
        self._answers: dict[PersonRow, KnownPerson] = {}
        self._new_people = 0
        self.aliases: dict[str, str] = {}
        self.shared: set[str] = set()
        self.merged: list[KnownPerson] = []
        self.first_seen: dict[str, int] = {}

    def add(self, people: Iterable[PersonRow]) -> dict[str, KnownPerson]:
        """Return the people of one item, by the ids in their rows, except settled ones.

        Later items may show that some of them are other people: see `KnownPerson.one`.

        Args:
            people: all people of the item for whom the source has no id.
        """
        bare: list[tuple[PersonRow, str]] = []
        named: list[tuple[PersonRow, Mapping[str, str], str]] = []
        names: dict[str, set[str]] = {}
        for row in people:
            keys, name = keys_of_row(row)
            if not keys:
                bare.append((row, name))
                continue
            names.setdefault(name, set()).add(row[0])
            if row not in self._settled:
                named.append((row, keys, name))
        found: dict[str, KnownPerson] = {}
        for row, keys, name in named:
            person = self._answers.get(row)
            if person is None:
                person = self._identify(keys, name, alone=len(names[name]) == 1)
                self._answers[row] = person
            found[row[0]] = person
        for row, name in bare:
            beside = names.get(name, ())
            if len(beside) == 1:
                [known] = beside
                found[row[0]] = found.get(known) or KnownPerson(known, {}, _SETTLED)
            elif row not in self._settled:
                found[row[0]] = self._holder(name) or self._new(name, {})
        return found

    def joined(self) -> dict[str, str]:
        """Return the ids of the people who remain, by the ids of the people who were merged into them."""
        return {person.id: person.one().id for person in self.merged}

    def _identify(self, keys: Mapping[str, str], name: str, *, alone: bool) -> KnownPerson:
        if name not in self._holders and self._holders.keys().isdisjoint(keys.values()):
            person = self._new(next(iter(keys.values())), keys)
        else:
            person = self._find(keys, name, alone=alone)
        for key in keys.values():
            if key not in self._holders:
                self._hold(key, person)
        self._hold_name(name, person)
        return person

    def _find(self, keys: Mapping[str, str], name: str, *, alone: bool) -> KnownPerson:
        """Return the person with these keys, or with the name where that decides, or else a new one."""
        candidates = dict.fromkeys(
            person.one() for key in keys.values() for person in self._holders.get(key, ())
        )
        met = dict(keys)
        same: list[KnownPerson] = []
        for person in candidates:
            if not _differ(met, person.keys):
                met |= person.keys
                same.append(person)
        bearer = None if _SEVERAL in self._holders.get(name, ()) else self._holder(name)
        free = [key for key in keys.values() if key not in self._holders]
        if same:
            person = min(same, key=lambda one: one.seen)
            for other in same:
                if other is not person:
                    self._merge(other, person)
        elif bearer is not None and not bearer.keys and alone:
            person = bearer
        elif free:
            person = self._new(free[0], keys)
        else:
            person = next(iter(candidates))
        person.keys = {**person.keys, **met}
        return person

    def _holder(self, name: str) -> KnownPerson | None:
        """Return the only person with a name, or None if there is none or several."""
        found = self._holders.get(name)
        person = found[0].one() if found else None
        return None if person is _SEVERAL else person

    def _new(self, person_id: str, keys: Mapping[str, str]) -> KnownPerson:
        self._new_people += 1
        self.first_seen[person_id] = self._new_people
        person = KnownPerson(person_id, keys, (1, 0, self._new_people))
        self._holders[person_id] = [person, *self._holders.get(person_id, ())]
        return person

    def _hold(self, alias: str, person: KnownPerson) -> None:
        self._holders[alias] = [person]
        self.aliases[alias] = person.id

    def _hold_name(self, name: str, person: KnownPerson) -> None:
        held = self._holders.get(name)
        if not held:
            self._hold(name, person)
            return
        holder = held[0].one()
        if holder not in (person, _SEVERAL) and holder.id != name:
            self._holders[name] = [_SEVERAL]
            self.aliases[name] = holder.id
            self.shared.add(name)

    def _merge(self, person: KnownPerson, into: KnownPerson) -> None:
        person.joined = into
        self.aliases = {
            alias: into.id if person_id == person.id else person_id
            for alias, person_id in self.aliases.items()
        }
        self.aliases[person.id] = into.id
        self.first_seen.pop(person.id, None)
        if person.key:
            self.merged.append(person)


def _differ(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Return whether two people have different ids at one provider."""
    return any(second.get(provider, key) != key for provider, key in first.items())
