"""What of a source is synced, where it is not all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from mediasync.errors import ConfigurationError, UsageError
from mediasync.ids import make_id
from mediasync.models import Library
from mediasync.text import check_texts


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of one source. What is not selected is never taken for gone.

    Attributes:
        include: the only libraries that are read, by title or id; all if there are none.
        exclude: libraries that are not read.
        libraries: the only libraries that are read this time, which beats both; all if there are none.
        items: the own keys, as they were first seen, of the only items that are read; all if there are none.
        keys: the present own keys of the only items that are read, because events named them. If the source
            does not have one, that is a remark and not a failure.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    items: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    @property
    def is_partial(self) -> bool:
        """Whether this run reads only some of the source's libraries or items."""
        return bool(self.libraries or self.items or self.keys)

    @property
    def is_of_items(self) -> bool:
        """Whether this run reads single items."""
        return bool(self.items or self.keys)

    @property
    def digest(self) -> str:
        """A short text that is equal for equal selections of one run; empty if the run is not partial."""
        if not self.is_partial:
            return ""
        libraries = sorted({name.strip().casefold() for name in self.libraries})
        named = [libraries, sorted(self.items), *([sorted(self.keys)] if self.keys else [])]
        return sha256(json.dumps(named).encode()).hexdigest()[:32]

    def choose(self, source_id: str, libraries: Sequence[Library]) -> tuple[list[Library], list[str]]:
        """Return the libraries that are wanted, and in words what could not be found of what is named.

        Raises:
            ConfigurationError: if a library that is asked for this time is not there, or none is that is
                to be included.
        """
        missing = [name for name in self.libraries if not _named(libraries, [name])]
        if missing:
            raise ConfigurationError(
                f"source {source_id!r} has no library {missing[0]!r}; {_what_there_is(libraries)}"
            )
        if self.libraries:
            return _named(libraries, self.libraries), []
        included = _named(libraries, self.include) if self.include else list(libraries)
        if self.include and not included:
            raise ConfigurationError(
                f"source {source_id!r} has none of the libraries that are to be included "
                f"({', '.join(self.include)}); {_what_there_is(libraries)}"
            )
        excluded = _named(libraries, self.exclude)
        unknown = [
            f"there is no library {name!r} to {verb}; {_what_there_is(libraries)}"
            for verb, names in (("include", self.include), ("exclude", self.exclude))
            for name in names
            if not _named(libraries, [name])
        ]
        return [library for library in included if library not in excluded], unknown


def _named(libraries: Iterable[Library], names: Iterable[str]) -> list[Library]:
    keys = {name.strip().casefold() for name in names}
    return [
        library
        for library in libraries
        if {library.title.strip().casefold(), library.id.casefold(), library.full_id.casefold()} & keys
    ]


def _what_there_is(libraries: Sequence[Library]) -> str:
    if not libraries:
        return "it has none"
    return "it has " + ", ".join(
        f"{library.title} ({library.full_id})" if library.title else library.full_id for library in libraries
    )


def share_selection(
    libraries: Iterable[str], items: Iterable[str], source_ids: Sequence[str]
) -> dict[str, Selection]:
    """Return what is selected of each source. A source of which nothing is selected is left out.

    Args:
        libraries: the only libraries to read, as `share_libraries` takes them; none for all.
        items: the only items to read, as `share_items` takes them; none for all.
        source_ids: the sources.

    Raises:
        ConfigurationError: as `share_items` does.

    Example:
        >>> share_selection([], ["home:1"], ["home", "den"])["home"].items
        frozenset({'1'})
    """
    libraries, items = list(libraries), list(items)
    of_libraries, of_items = share_libraries(libraries, source_ids), share_items(items, source_ids)
    return {
        source_id: Selection(libraries=of_libraries[source_id], items=of_items[source_id])
        for source_id in source_ids
        if (of_libraries[source_id] or not libraries) and (of_items[source_id] or not items)
    }


def share_libraries(names: Iterable[str], source_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return which of *names* are asked of which source.

    A full id is asked of its own source alone, if that is one of them; anything else of all.
    """
    shared: dict[str, list[str]] = {source_id: [] for source_id in source_ids}
    for name in names:
        owner = name.partition(":")[0]
        for source_id in [owner] if owner in shared and ":" in name else source_ids:
            shared[source_id].append(name)
    return {source_id: tuple(found) for source_id, found in shared.items()}


def share_items(item_ids: Iterable[str], source_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the own keys of items by the source that they are asked of.

    Args:
        item_ids: full ids; of one source alone the own keys will do. White space around them does not count.
        source_ids: the sources.

    Raises:
        ConfigurationError: if it cannot be told of which source an item is, or no item can have the id.
    """
    shared: dict[str, set[str]] = {source_id: set() for source_id in source_ids}
    for item_id in map(str.strip, item_ids):
        try:
            check_texts(f"item {item_id!r}", {"id": item_id})
        except UsageError as error:
            raise ConfigurationError(str(error)) from None
        owner, colon, key = item_id.partition(":")
        if owner in shared and colon and key:
            shared[owner].add(key)
        elif len(shared) == 1 and item_id:
            shared[source_ids[0]].add(item_id)
        else:
            raise ConfigurationError(
                f"{item_id!r} is no item of {', '.join(source_ids)}: write its whole id, "
                f"{make_id(source_ids[0] if source_ids else 'SOURCE', 'KEY')}"
            )
    return {source_id: frozenset(found) for source_id, found in shared.items()}
