"""What a Kodi holds, as a stream of findings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from typing import Any, Final
from zoneinfo import ZoneInfo

from mediasync.backends.base import ONLY_SOME, Enumerated, Finding, Unchanged, Unreadable
from mediasync.backends.kodi.chosen import read_chosen
from mediasync.backends.kodi.client import Listing
from mediasync.backends.kodi.episodes import EpisodeCasts
from mediasync.backends.kodi.kinds import EPISODES, MOVIES, SEASONS, SHOWS, KodiKind
from mediasync.backends.kodi.parse import (
    OwnCast,
    change_token,
    essence,
    parse_episode,
    parse_movie,
    parse_season,
    parse_show,
)
from mediasync.backends.kodi.rpc import Rpc
from mediasync.backends.paging import Totals, together

_READS: Final = 3

Tokens = Mapping[str, str]
Item = Mapping[str, Any] | Unreadable


class Findings:
    """Reads one Kodi.

    Args:
        rpc: asks it.
        zone: that its times are in.
        page_size: how many items are asked for at once.
        roles_matter: see `mediasync.backends.kodi.people.seams`.
    """

    def __init__(self, rpc: Rpc, *, zone: ZoneInfo | None, page_size: int, roles_matter: bool) -> None:
        self._rpc = rpc
        self._zone = zone
        self._page_size = page_size
        self._roles_matter = roles_matter

    async def movies(self, tokens: Tokens) -> AsyncGenerator[Finding, None]:
        """Read all films."""
        totals = Totals([MOVIES.name])
        listing = self._listing(MOVIES)
        async with aclosing(listing.read()) as stream:
            async for page in stream:
                if isinstance(page, Enumerated):
                    yield page
                else:
                    for expected in totals.note(MOVIES.name, listing.total):
                        yield expected
                    for item in page:
                        yield self._finding(MOVIES, item, tokens)

    async def shows(self, tokens: Tokens) -> AsyncGenerator[Finding, None]:
        """Read all shows, then their seasons, then their episodes."""
        casts = EpisodeCasts(self._rpc, roles_matter=self._roles_matter)
        seasons: set[str] = set()
        ends: list[Enumerated] = []
        kinds = (SHOWS, SEASONS, EPISODES)
        totals = Totals([kind.name for kind in kinds])
        for kind in kinds:
            check = casts.cut if kind is EPISODES else None
            listing = self._listing(kind)
            async with aclosing(listing.read(check)) as stream:
                async for page in stream:
                    if isinstance(page, Enumerated):
                        ends.append(page)
                        continue
                    for expected in totals.note(kind.name, listing.total):
                        yield expected
                    for item in page:
                        if isinstance(item, Unreadable):
                            yield item
                        elif kind is EPISODES:
                            yield self._episode(item, casts.take(item), _parent(item, seasons), tokens)
                        else:
                            if kind is SHOWS:
                                casts.note_show(item)
                            else:
                                seasons.add(SEASONS.key(item) or "")
                            yield self._finding(kind, item, tokens)
        yield together(ends)

    async def chosen(self, library_id: str, keys: Collection[str]) -> AsyncGenerator[Finding, None]:
        """Read the items of a library that are wanted, changed or not."""
        for kind in (MOVIES,) if library_id == "movies" else (SHOWS, SEASONS):
            for item in await read_chosen(self._rpc, kind, keys):
                yield self._finding(kind, item, {})
        if library_id != "movies":
            casts = EpisodeCasts(self._rpc, roles_matter=self._roles_matter)
            for _ in range(_READS):
                episodes = await read_chosen(self._rpc, EPISODES, keys)
                if await casts.cut(item for item in episodes if not isinstance(item, Unreadable)):
                    break
            for item in episodes:
                if isinstance(item, Unreadable):
                    yield item
                else:
                    yield self._episode(item, casts.take(item), _parent(item, None), {})
        yield ONLY_SOME

    def _listing(self, kind: KodiKind) -> Listing:
        return Listing(self._rpc, kind, self._page_size)

    def _finding(self, kind: KodiKind, item: Item, tokens: Tokens) -> Finding:
        if isinstance(item, Unreadable):
            return item
        key = kind.key(item) or ""
        token = change_token(essence(item, kind.properties), self._zone)
        if tokens.get(key) == token:
            return Unchanged(key)
        if kind is SEASONS:
            return parse_season(item, key, token, SHOWS.key(item))
        parse = parse_movie if kind is MOVIES else parse_show
        return parse(item, key, token, self._zone)

    def _episode(self, item: Mapping[str, Any], own: OwnCast, parent: str | None, tokens: Tokens) -> Finding:
        key = EPISODES.key(item) or ""
        # The show's part of the cast is none of the episode's: that it changes is no change of the episode.
        own_part = {**essence(item, EPISODES.properties), "cast": own.actors}
        token = change_token(own_part, self._zone, parent)
        if tokens.get(key) == token and not own.problem:
            return Unchanged(key)
        return parse_episode(item, key, token, self._zone, parent, own)


def _parent(episode: Mapping[str, Any], seasons: Collection[str] | None) -> str | None:
    """Return the key of an episode's season if there is one, else of its show."""
    season = SEASONS.key(episode)
    return season if season and (seasons is None or season in seasons) else SHOWS.key(episode)
