"""Telling the own casts of episodes from their shows' casts, with Kodi's help where that is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.parse import OwnCast, change_token
from mediasync.backends.kodi.people import Actor, doubtful_names, read_cast, seam_by_links, seams
from mediasync.backends.kodi.rpc import Call, KodiRefused, Rpc
from mediasync.backends.multiread import read_adaptively
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable

_SHOWS_PER_REQUEST: Final = 100
_NAMES_PER_CALL: Final = 100
_WILDCARDS: Final = frozenset("_%")
"""Of the database: Kodi's answer about a name with one of them may be about another name."""

_KEPT: Final = "all that Kodi lists for the episode is kept as a preview until a sync can tell"
_NO_SHOW: Final = f"Kodi does not tell the cast of the episode's show: {_KEPT}"
_CHANGED: Final = f"the cast of the episode's show changed while it was read: {_KEPT}"
_NO_SEAM: Final = f"the cast that Kodi lists for the episode does not end with its show's: {_KEPT}"
_OPEN: Final = (
    f"the episode's own cast cannot be told from its show's, which begins with somebody of it: {_KEPT}"
)


@dataclass(slots=True)
class _Case:
    """One episode whose cast is to be cut."""

    episode_id: int
    show_id: int
    listed: list[Actor]
    possible: list[int]
    own: OwnCast

    @property
    def doubtful(self) -> list[str]:
        """The people who may be of the episode's own cast or of its show's."""
        return doubtful_names(self.listed, self.possible)

    def settle(self, length: int | None) -> None:
        """Say how long the episode's own cast is, None if that stays open."""
        self.own = OwnCast(self.listed, _OPEN) if length is None else OwnCast(self.listed[:length])


class EpisodeCasts:
    """Cuts the shows' casts off the casts of episodes.

    Args:
        rpc: asks Kodi.
        roles_matter: see `mediasync.backends.kodi.people.seams`.
    """

    def __init__(self, rpc: Rpc, *, roles_matter: bool) -> None:
        self._rpc = rpc
        self._roles_matter = roles_matter
        self._marks: dict[int, str] = {}
        self._own: dict[int, OwnCast] = {}

    def note_show(self, show: Mapping[str, Any]) -> None:
        """Remember, by a fingerprint, which cast a show has before its episodes are read."""
        self._marks[_id(show, "tvshowid")] = _mark(_whole_cast(show))

    def take(self, episode: Mapping[str, Any]) -> OwnCast:
        """Return the own cast of an episode that `cut` was given."""
        return self._own.pop(_id(episode, "episodeid"))

    async def cut(self, episodes: Iterable[Mapping[str, Any]]) -> bool:
        """Find out the own casts of *episodes*, for `take`.

        Returns:
            False if the cast of a show is not what it was before: its episodes may have been listed with the
            one or the other. Read them again and cut them again, then it is certain.

        Raises:
            SourceError: if Kodi cannot be read on.
        """
        records = list(episodes)
        shows = await self._read_shows(dict.fromkeys(_id(episode, "tvshowid") for episode in records))
        changed = {show_id for show_id, cast in shows.items() if self._marks.get(show_id) != _mark(cast)}
        self._marks.update({show_id: _mark(cast) for show_id, cast in shows.items()})
        cases = [self._case(episode, shows, changed) for episode in records]
        await self._ask(shows, [case for case in cases if len(case.possible) > 1])
        self._own.update({case.episode_id: case.own for case in cases})
        return not changed

    def _case(
        self, episode: Mapping[str, Any], shows: Mapping[int, list[Actor] | None], changed: set[int]
    ) -> _Case:
        listed, _ = read_cast(JsonRecord(episode))
        show_id = _id(episode, "tvshowid")
        cast = shows.get(show_id)
        case = _Case(_id(episode, "episodeid"), show_id, listed, [], OwnCast(listed, _NO_SHOW))
        if show_id in changed:
            case.own = OwnCast(listed, _CHANGED)
        elif cast is not None:
            case.own = OwnCast(listed, _NO_SEAM)
            case.possible = seams(listed, cast, roles_matter=self._roles_matter)
            if len(case.possible) == 1:
                case.settle(case.possible[0])
        return case

    async def _read_shows(self, show_ids: Iterable[int]) -> dict[int, list[Actor] | None]:
        """Return the casts of shows, None where Kodi does not tell."""
        casts: dict[int, list[Actor] | None] = dict.fromkeys(show_ids)

        async def read(ids: Sequence[str]) -> None:
            calls = [
                Call("VideoLibrary.GetTVShowDetails", {"tvshowid": int(show_id), "properties": ["cast"]})
                for show_id in ids
            ]
            for show_id, result in zip(ids, await self._rpc.call_all(calls), strict=True):
                details = result.get("tvshowdetails") if isinstance(result, Mapping) else None
                if isinstance(details, Mapping):
                    casts[int(show_id)] = _whole_cast(details)

        known = [str(show_id) for show_id in casts if show_id > 0]
        for start in range(0, len(known), _SHOWS_PER_REQUEST):
            part = known[start : start + _SHOWS_PER_REQUEST]
            async for _ in read_adaptively(part, read, refused=_leave_open):
                pass
        return casts

    async def _ask(self, shows: Mapping[int, list[Actor] | None], cases: Sequence[_Case]) -> None:
        """Settle the cases that the lists leave open: by whom of its show an episode credits itself.

        One question a show tells which episodes credit anybody of it; most do not. About the others it is
        asked person by person.
        """
        anybody = await self._crediting_anybody(
            {case.show_id: [actor.name for actor in shows[case.show_id] or ()] for case in cases}
        )
        unsure = [case for case in cases if case.episode_id in (anybody[case.show_id] or ())]
        questions = dict.fromkeys((case.show_id, name) for case in unsure for name in case.doubtful)
        answers = await self._crediting([(show_id, [name]) for show_id, name in questions])
        by_name = {
            question: ids if _WILDCARDS.isdisjoint(question[1]) else None
            for question, ids in zip(questions, answers, strict=True)
        }
        for case in cases:
            untold = anybody[case.show_id] is None
            case.settle(None if untold else seam_by_links(case.listed, case.possible, ()))
        for case in unsure:
            told = {name: by_name[case.show_id, name] for name in case.doubtful}
            credited = [name for name, ids in told.items() if ids is not None and case.episode_id in ids]
            open_still = None in told.values()
            case.settle(None if open_still else seam_by_links(case.listed, case.possible, credited))

    async def _crediting_anybody(self, casts: Mapping[int, list[str]]) -> dict[int, set[int] | None]:
        """Return which episodes of each show credit anybody of its cast themselves; None: not told."""
        questions = [
            (show_id, names[start : start + _NAMES_PER_CALL])
            for show_id, names in casts.items()
            for start in range(0, len(names), _NAMES_PER_CALL)
        ]
        found: dict[int, set[int] | None] = {show_id: set() for show_id in casts}
        for (show_id, _), ids in zip(questions, await self._crediting(questions), strict=True):
            known = found[show_id]
            found[show_id] = None if known is None or ids is None else known | ids
        return found

    async def _crediting(self, questions: Sequence[tuple[int, list[str]]]) -> list[set[int] | None]:
        """Return which episodes of a show credit one of some people themselves; None: not told."""
        calls = [
            Call(
                "VideoLibrary.GetEpisodes",
                {"tvshowid": show_id, "filter": {"field": "actor", "operator": "is", "value": names}},
            )
            for show_id, names in questions
        ]
        try:
            return [_episode_ids(result) for result in await self._rpc.call_all(calls)]
        except (RequestRefused, SourceUnreadable, NoAnswerInTime):
            return [None] * len(calls)


def _episode_ids(result: Mapping[str, Any] | str | KodiRefused) -> set[int] | None:
    if not isinstance(result, Mapping) or not isinstance(result.get("limits"), Mapping):
        return None
    episodes = result.get("episodes", [])
    if not isinstance(episodes, list) or not all(isinstance(episode, dict) for episode in episodes):
        return None
    ids = {_id(episode, "episodeid") for episode in episodes}
    return ids if len(ids) == result["limits"].get("total") and 0 not in ids else None


def _id(record: Mapping[str, Any], key: str) -> int:
    """Return an id, 0 where there is none."""
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _whole_cast(show: Mapping[str, Any]) -> list[Actor] | None:
    cast, whole = read_cast(JsonRecord(show))
    return cast if whole else None


def _mark(cast: list[Actor] | None) -> str:
    return change_token({}, None if cast is None else [actor.credit for actor in cast])


def _leave_open(_show_id: str, _error: SourceError) -> None:
    """A show whose cast cannot be read: that its episodes are kept as previews says so."""
