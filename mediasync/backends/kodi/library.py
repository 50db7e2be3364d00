"""What is read of one library, and in which order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final
from zoneinfo import ZoneInfo

from mediasync.backends.base import (
    ONLY_SOME,
    Enumerated,
    Finding,
    Found,
    Unchanged,
    Unreadable,
    as_related,
    guarded,
)
from mediasync.backends.kodi.client import Client, Item
from mediasync.backends.kodi.episodes import EpisodeCasts
from mediasync.backends.kodi.kinds import EPISODES, MOVIES, SEASONS, SHOWS, KodiKind
from mediasync.backends.kodi.parse import (
    change_token,
    essence,
    parse_episode,
    parse_movie,
    parse_season,
    parse_show,
)
from mediasync.backends.kodi.people import OwnCast
from mediasync.backends.paging import Totals, together

KINDS_OF_LIBRARY: Final = {"movies": (MOVIES,), "shows": (SHOWS, SEASONS, EPISODES)}
"""The kinds of item in each library, parents first."""

_READS: Final = 3
_SKIPPED: Final = (MOVIES, EPISODES)
"""The kinds whose items are not read again if they were just read. The others are few, and episodes need
them."""


class LibraryReader:
    """Reads one library once.

    Args:
        client: the Kodi.
        library_id: the library to read, one of `KINDS_OF_LIBRARY`.
        tokens: the change token stored for each item, by its key.
        just_read: the keys of items that need not be read again.
        zone: the time zone of Kodi's clock; None if it is not known.
        roles_matter: see `mediasync.backends.kodi.people.seams`.
    """

    def __init__(
        self,
        client: Client,
        library_id: str,
        tokens: Mapping[str, str],
        just_read: Collection[str],
        *,
        zone: ZoneInfo | None,
        roles_matter: bool,
    ) -> None:
        self._client = client
        self._kinds = KINDS_OF_LIBRARY[library_id]
        self._tokens = tokens
        self._just_read = just_read
        self._zone = zone
        self._casts = EpisodeCasts(client, roles_matter=roles_matter)
        self._seasons: set[str] = set()

    async def read_all(self) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield the findings of the whole library in batches; the last one is an `Enumerated`.

        A batch is parsed while it is iterated over: use it up before asking for the next one.
        """
        ends: list[Enumerated] = []
        totals = Totals([kind.name for kind in self._kinds])
        for kind in self._kinds:
            check = self._casts.separate if kind is EPISODES else None
            just_read = self._just_read if kind in _SKIPPED else ()
            async with aclosing(self._client.list_items(kind, check, just_read)) as listing:
                async for page in listing:
                    if isinstance(page, Enumerated):
                        ends.append(page)
                    else:
                        yield totals.note(kind.name, page.total)
                        yield self._findings(kind, page.items, self._tokens, self._seasons)
        yield [together(ends)]

    async def read_only(self, keys: Collection[str]) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield the findings for those of *keys* that are in this library, whether they changed or not.

        Shows and seasons above them that are not stored come before them.
        """
        read: dict[str, list[Item]] = {}
        parents: set[str] = set()
        # From below to above: an episode names its season and its show.
        for kind in reversed(self._kinds):
            for _ in range(_READS):
                items = await self._client.fetch_items(kind, [*keys, *parents])
                if kind is not EPISODES or await self._casts.separate(
                    item for item in items if isinstance(item, Mapping)
                ):
                    break
            read[kind.name] = items
            above = {key for item in items if isinstance(item, Mapping) for key in _keys_above(kind, item)}
            parents |= above - self._tokens.keys() - set(keys)
        for kind in self._kinds:
            for finding in self._findings(kind, read[kind.name], {}, None):
                is_parent = isinstance(finding, Found) and finding.item.remote_id in parents
                yield [as_related(finding) if is_parent else finding]
        yield [ONLY_SOME]

    def _findings(
        self, kind: KodiKind, items: Iterable[Item], tokens: Mapping[str, str], seasons: set[str] | None
    ) -> Iterator[Finding]:
        """Yield the finding of each item.

        Args:
            kind: the items' kind.
            items: records of Kodi's, items that cannot be read, and items that were just read.
            tokens: the stored change tokens; empty if every item counts as changed.
            seasons: the keys of the listed seasons; None if it is not known which there are.
        """
        for item in items:
            if isinstance(item, Unreadable | Unchanged):
                yield item
                continue
            if kind is EPISODES:
                own, parent = self._casts.take(item), _parent(item, seasons)
                yield guarded(kind.key(item) or "", self._episode, item, own, parent, tokens)
                continue
            if kind is SHOWS:
                self._casts.note_show(item)
            elif kind is SEASONS and seasons is not None:
                seasons.add(SEASONS.key(item) or "")
            yield guarded(kind.key(item) or "", self._finding, kind, item, tokens)

    def _finding(self, kind: KodiKind, item: Mapping[str, Any], tokens: Mapping[str, str]) -> Finding:
        key = kind.key(item) or ""
        token = change_token(essence(item, kind.properties), self._zone)
        if tokens.get(key) == token:
            return Unchanged(key)
        if kind is SEASONS:
            return parse_season(item, key, token, SHOWS.key(item))
        parse = parse_movie if kind is MOVIES else parse_show
        return parse(item, key, token, self._zone)

    def _episode(
        self, item: Mapping[str, Any], own: OwnCast, parent: str | None, tokens: Mapping[str, str]
    ) -> Finding:
        key = EPISODES.key(item) or ""
        # The show's part of the cast is left out: if it changes, the episode has not changed.
        own_part = {**essence(item, EPISODES.properties), "cast": own.actors}
        token = change_token(own_part, self._zone, parent)
        if tokens.get(key) == token and not own.problem:
            return Unchanged(key)
        return parse_episode(item, key, token, self._zone, parent, own)


def _keys_above(kind: KodiKind, record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of the season and the show of an item."""
    kinds = {EPISODES: (SEASONS, SHOWS), SEASONS: (SHOWS,)}.get(kind, ())
    for above in kinds:
        if (key := above.key(record)) is not None:
            yield key


def _parent(episode: Mapping[str, Any], seasons: Collection[str] | None) -> str | None:
    """Return the key of an episode's season if there is one, else of its show."""
    season = SEASONS.key(episode)
    return season if season and (seasons is None or season in seasons) else SHOWS.key(episode)
