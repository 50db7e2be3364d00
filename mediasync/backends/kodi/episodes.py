"""The casts of episodes: separates them from their shows' casts, with Kodi's help where it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.client import Client
from mediasync.backends.kodi.parse import change_token
from mediasync.backends.kodi.people import (
    Actor,
    OwnCast,
    doubtful_names,
    parse_cast,
    seam_by_links,
    seams,
)
from mediasync.backends.kodi.values import parse_id

_NAMES_PER_CALL: Final = 100
_WILDCARDS: Final = frozenset("_%")
"""Wildcards of Kodi's database: its answer about a name that contains one may be about another name."""

_KEPT: Final = (
    "everybody whom Kodi lists for the episode stays as a preview until a sync can separate the casts"
)
_NO_SHOW: Final = f"Kodi does not give the cast of the episode's show: {_KEPT}"
_CHANGED: Final = f"the cast of the episode's show changed while it was read: {_KEPT}"
_NO_SEAM: Final = f"the cast that Kodi lists for the episode does not end with its show's: {_KEPT}"
_OPEN: Final = f"the episode's own cast cannot be separated from its show's, which begins alike: {_KEPT}"


@dataclass(slots=True)
class _Case:
    """An episode whose own cast is to be found.

    Attributes:
        episode_id: Kodi's id of the episode.
        show_id: Kodi's id of its show.
        listed: the cast that Kodi lists for the episode.
        possible: the lengths that its own cast can have.
        own: its own cast, as far as it is known.
    """

    episode_id: int
    show_id: int
    listed: list[Actor]
    possible: list[int]
    own: OwnCast

    @property
    def doubtful(self) -> list[str]:
        """The people who may belong to the episode's own cast or to its show's."""
        return doubtful_names(self.listed, self.possible)

    def settle(self, length: int | None) -> None:
        """Set the length of the episode's own cast; None if it stays unknown."""
        self.own = OwnCast(self.listed, _OPEN) if length is None else OwnCast(self.listed[:length])


class EpisodeCasts:
    """Separates the casts of episodes from those of their shows.

    Args:
        client: the Kodi.
        roles_matter: see `mediasync.backends.kodi.people.seams`.
    """

    def __init__(self, client: Client, *, roles_matter: bool) -> None:
        self._client = client
        self._roles_matter = roles_matter
        self._marks: dict[int, str] = {}
        self._own: dict[int, OwnCast] = {}

    def note_show(self, show: Mapping[str, Any]) -> None:
        """Remember a fingerprint of the cast that a show has before its episodes are read."""
        self._marks[parse_id(show, "tvshowid")] = _mark(_whole_cast(show))

    def take(self, episode: Mapping[str, Any]) -> OwnCast:
        """Return the own cast of an episode that was given to `separate`."""
        return self._own.pop(parse_id(episode, "episodeid"))

    async def separate(self, episodes: Iterable[Mapping[str, Any]]) -> bool:
        """Find the own casts of *episodes*, for `take`.

        Returns:
            False if the cast of a show has changed since it was read last: its episodes may have been listed
            with either. Read the episodes again and call this again.

        Raises:
            SourceError: if reading from Kodi fails.
        """
        records = list(episodes)
        show_ids = dict.fromkeys(parse_id(episode, "tvshowid") for episode in records)
        shows = {
            show_id: None if show is None else _whole_cast(show)
            for show_id, show in (await self._client.fetch_show_casts(show_ids)).items()
        }
        changed = {show_id for show_id, cast in shows.items() if self._marks.get(show_id) != _mark(cast)}
        self._marks.update({show_id: _mark(cast) for show_id, cast in shows.items()})
        cases = [self._case(episode, shows, changed) for episode in records]
        await self._settle(shows, [case for case in cases if len(case.possible) > 1])
        self._own.update({case.episode_id: case.own for case in cases})
        return not changed

    def _case(
        self, episode: Mapping[str, Any], shows: Mapping[int, list[Actor] | None], changed: set[int]
    ) -> _Case:
        listed, _ = parse_cast(JsonRecord(episode))
        show_id = parse_id(episode, "tvshowid")
        cast = shows.get(show_id)
        case = _Case(parse_id(episode, "episodeid"), show_id, listed, [], OwnCast(listed, _NO_SHOW))
        if show_id in changed:
            case.own = OwnCast(listed, _CHANGED)
        elif cast is not None:
            case.own = OwnCast(listed, _NO_SEAM)
            case.possible = seams(listed, cast, roles_matter=self._roles_matter)
            if len(case.possible) == 1:
                case.settle(case.possible[0])
        return case

    async def _settle(self, shows: Mapping[int, list[Actor] | None], cases: Sequence[_Case]) -> None:
        """Settle the cases that the lists leave open, by asking Kodi whom the episodes themselves credit.

        One request a show finds the episodes that credit anybody of its cast; most do not. Only for the
        others Kodi is asked person by person.
        """
        anybody = await self._crediting_anybody(
            {case.show_id: [actor.name for actor in shows[case.show_id] or ()] for case in cases}
        )
        unsure = [case for case in cases if case.episode_id in (anybody[case.show_id] or ())]
        questions = list(dict.fromkeys((case.show_id, name) for case in unsure for name in case.doubtful))
        answers = await self._client.find_crediting([(show_id, [name]) for show_id, name in questions])
        by_name = {
            question: ids if _WILDCARDS.isdisjoint(question[1]) else None
            for question, ids in zip(questions, answers, strict=True)
        }
        for case in cases:
            unanswered = anybody[case.show_id] is None
            case.settle(None if unanswered else seam_by_links(case.listed, case.possible, ()))
        for case in unsure:
            known = {name: by_name[case.show_id, name] for name in case.doubtful}
            credited = [name for name, ids in known.items() if ids is not None and case.episode_id in ids]
            unanswered = None in known.values()
            case.settle(None if unanswered else seam_by_links(case.listed, case.possible, credited))

    async def _crediting_anybody(self, casts: Mapping[int, list[str]]) -> dict[int, set[int] | None]:
        """Return, for each show, the episodes that themselves credit anybody of its cast; None if unknown."""
        questions = [
            (show_id, names[start : start + _NAMES_PER_CALL])
            for show_id, names in casts.items()
            for start in range(0, len(names), _NAMES_PER_CALL)
        ]
        found: dict[int, set[int] | None] = {show_id: set() for show_id in casts}
        for (show_id, _), ids in zip(questions, await self._client.find_crediting(questions), strict=True):
            known = found[show_id]
            found[show_id] = None if known is None or ids is None else known | ids
        return found


def _whole_cast(show: Mapping[str, Any]) -> list[Actor] | None:
    cast, whole = parse_cast(JsonRecord(show))
    return cast if whole else None


def _mark(cast: list[Actor] | None) -> str:
    return change_token({}, None if cast is None else [actor.credit for actor in cast])
