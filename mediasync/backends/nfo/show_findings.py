"""The findings for a show: the show itself, its seasons and its episodes. Pure, but for rereading files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from mediasync.backends.base import Finding, Found, Remark, Unchanged, Unreadable
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import NfoFile, ShowUnit
from mediasync.backends.nfo.folders.numbering import EpisodeName, name_of_episode, same_episodes, season_name
from mediasync.backends.nfo.items import (
    NOUNS,
    episode_key,
    foreign_remark,
    found_movie,
    item_fields,
    misplaced,
    season_key,
    token_text,
)
from mediasync.backends.nfo.loading import Failed, Loaded
from mediasync.backends.nfo.reading import Outcome, Same
from mediasync.backends.nfo.tokens import FileToken, StoredTokens, season_token
from mediasync.backends.nfo.versions import describes_same, merge
from mediasync.formats.nfo.records import NfoRecord
from mediasync.models import Episode, Season, Show
from mediasync.vocabulary import MediaType

Reread = Callable[[NfoFile], Outcome]
"""Reads a file whether it changed or not."""


def show_findings(
    show: ShowUnit, outcomes: Mapping[str, Outcome], stored: StoredTokens, reread: Reread
) -> Iterator[Finding]:
    """Yield what was found of a show: the show, its seasons, its episodes.

    A show whose ``tvshow.nfo`` cannot be read is made from the name of its folder, unless it is stored: then
    it stays as it is. The same goes for its seasons.

    Args:
        show: the show.
        outcomes: what became of each of its files, by path.
        stored: the stored change tokens.
        reread: called for an unchanged file that must be compared with a changed one, or completes it.
    """
    own = outcomes[show.nfo.path] if show.nfo else None
    seasons = _Seasons(show, own, stored, reread)
    for file in show.seasons:
        seasons.add(file, outcomes[file.path])
    episodes = _Episodes(show, stored, reread)
    for file in show.episodes:
        outcome = outcomes[file.path]
        if isinstance(outcome, Loaded) and outcome.records[0].kind is MediaType.SEASON:
            seasons.add(_as_season(file), outcome)
        else:
            episodes.add(file, outcome)
    found = list(episodes.findings())
    seasons.complete(set(_season_numbers(found)))
    if own is None and not found and not seasons.findings():
        return
    yield from _own_findings(show, own, stored)
    yield from seasons.findings()
    yield from found


def _own_findings(show: ShowUnit, outcome: Outcome | None, stored: StoredTokens) -> Iterator[Finding]:
    match outcome:
        case Same(ids):
            yield from map(Unchanged, ids)
        case Loaded(records, state) if show.nfo:
            record = records[0]
            if record.kind is not MediaType.SHOW:
                record.problems.append(
                    f"the root element is that of {NOUNS[record.kind]}; it is read as a show"
                )
                record.kind = MediaType.SHOW
            fields = item_fields(show.nfo, record)
            token = token_text(FileToken.of_file(show.nfo, state, 1), record)
            yield Found(Show(remote_id=show.key, change_token=token, **fields), tuple(record.problems))
        case Failed(reason) if show.key in stored.tokens:
            yield Unreadable(show.key, reason)
        case _:
            title, year = naming.title_and_year(show.name)
            item = Show(remote_id=show.key, title=title, year=year, images=show.images, path=show.path or ".")
            yield Found(item, failure=outcome.reason if isinstance(outcome, Failed) else "")


# Seasons


def _as_season(file: NfoFile) -> NfoFile:
    """Return the file of a season that was taken for an episode's."""
    named = season_name(naming.stem_of(file.path.rpartition("/")[2]))
    return replace(file, kind=MediaType.SEASON, season=named.number if named else file.season)


class _Seasons:
    """Collects the seasons of a show, each once, from their own files and from the episodes in them."""

    def __init__(self, show: ShowUnit, own: Outcome | None, stored: StoredTokens, reread: Reread) -> None:
        self._show = show
        self._own = own
        self._stored = stored
        self._reread = reread
        self._by_number: dict[int, Finding] = {}
        self._failures: dict[int, str] = {}
        self._others: list[Finding] = []

    def add(self, file: NfoFile, outcome: Outcome) -> None:
        """Add what became of the file of a season."""
        match outcome:
            case Same((key,)):
                self._put(int(key.rpartition("#s")[2]), Unchanged(key), file)
            case Failed(reason):
                if file.season is None:
                    self._others.append(Unreadable(naming.nfc(file.path), reason))
                else:
                    before = self._failures.get(file.season)
                    self._failures[file.season] = f"{before}; {reason}" if before else reason
            case Loaded(records, state):
                record = records[0]
                number = file.season if record.season is None else record.season
                if number is None:
                    reason = f"{naming.nfc(file.path)}: it names no season, and neither does its folder"
                    self._others.append(Unreadable(naming.nfc(file.path), reason))
                else:
                    record.kind = MediaType.SEASON
                    token = FileToken.of_file(file, state, 1, MediaType.SEASON)
                    self._put(number, self._found(number, file, record, token), file)

    def _put(self, number: int, finding: Finding, file: NfoFile) -> None:
        if number in self._by_number:
            text = f"another file already describes season {number}"
            self._others.append(Remark(naming.nfc(file.path), text))
        else:
            self._by_number[number] = finding

    def _found(self, number: int, file: NfoFile, record: NfoRecord, token: FileToken) -> Found:
        fields = item_fields(file, record)
        fields["title"] = record.title or self._title(number)
        item = Season(
            remote_id=season_key(self._show.key, number),
            parent_remote_id=self._show.key,
            season_number=number,
            change_token=token_text(token, record),
            **fields,
        )
        return Found(item, tuple(record.problems))

    def _title(self, number: int) -> str:
        """Return the title of a season in the show's file, else the usual one."""
        if isinstance(self._own, Same) and self._show.nfo:
            self._own = self._reread(self._show.nfo)
        names = self._own.records[0].season_names if isinstance(self._own, Loaded) else {}
        return names.get(number) or (f"Season {number}" if number else "Specials")

    def complete(self, numbers: set[int]) -> None:
        """Add the seasons that have no readable file, and the failures of files that cannot be read.

        Args:
            numbers: the seasons of all episodes.
        """
        for number in numbers - self._by_number.keys() - self._failures.keys():
            self._by_number[number] = self._made(number)
        for number, failure in self._failures.items():
            key = season_key(self._show.key, number)
            found = self._by_number.get(number)
            if found is None and key not in self._stored.tokens:
                found = self._made(number)
            self._by_number[number] = (
                replace(found, failure=failure) if isinstance(found, Found) else Unreadable(key, failure)
            )

    def _made(self, number: int) -> Found | Unchanged:
        """Make a season that has no file of its own.

        Its title is in the show's file. While that cannot be read, a stored season stays as it is.
        """
        key = season_key(self._show.key, number)
        images = self._show.season_images.get(number, {})
        path = self._show.season_folders.get(number)
        token = None
        if self._show.nfo and isinstance(self._own, Same | Loaded) and self._own.state:
            token = season_token(self._show.nfo, self._own.state, [path or "", *sorted(images.values())])
        is_unread = isinstance(self._own, Failed) and key in self._stored.tokens
        is_same = token and self._stored.tokens.get(key) == token and key not in self._stored.due
        if is_unread or is_same:
            return Unchanged(key)
        return Found(
            Season(
                remote_id=key,
                parent_remote_id=self._show.key,
                season_number=number,
                title=self._title(number),
                images=images,
                path=path,
                change_token=token,
            )
        )

    def findings(self) -> list[Finding]:
        """Return the findings for the seasons, in order, and for files that are not used."""
        return [*(self._by_number[number] for number in sorted(self._by_number)), *self._others]


def _season_numbers(findings: list[Finding]) -> Iterator[int]:
    for finding in findings:
        if isinstance(finding, Found) and isinstance(finding.item, Episode):
            if finding.item.season_number is not None:
                yield finding.item.season_number
        elif isinstance(finding, Unchanged | Unreadable) and (numbers := _numbers_in(finding.remote_id)):
            yield numbers[0]


def _numbers_in(key: str) -> tuple[int, int] | None:
    """Return the season and the episode in the key of an episode, None if there are none."""
    season, _, episode = key.rpartition("#s")[2].partition("e")
    return (int(season), int(episode)) if "#s" in key and season.isdecimal() and episode.isdecimal() else None


# Episodes


@dataclass(slots=True)
class _Described:
    """An episode in a file.

    Attributes:
        file: the file.
        key: the episode's key.
        record: what the file says of it; None if the file did not change.
        season: the number of its season.
        episode: its own number.
        token: its change token.
    """

    file: NfoFile
    key: str
    record: NfoRecord | None
    season: int | None
    episode: int | None
    token: FileToken | None = None


class _Episodes:
    """Collects the episodes of a show, each once, however many files describe it."""

    def __init__(self, show: ShowUnit, stored: StoredTokens, reread: Reread) -> None:
        self._show = show
        self._stored = stored
        self._reread = reread
        self._found: list[_Described | Finding] = []
        self._incomplete: set[str] = set()
        self._failed: dict[str, list[tuple[NfoFile, str]]] = {}

    def add(self, file: NfoFile, outcome: Outcome) -> None:
        """Add what became of a file."""
        match outcome:
            case Same(ids):
                self._found += [
                    _Described(file, key, None, *(_numbers_in(key) or (None, None))) for key in ids
                ]
            case Failed(reason, foreign):
                if file.first:
                    self._incomplete.add(file.first.path)
                if foreign:
                    self._found.append(foreign_remark(file, reason))
                else:
                    self._failed.setdefault((file.first or file).path, []).append((file, reason))
            case Loaded(records, state):
                named = _named(file)
                kind = records[0].kind
                if kind is MediaType.MOVIE and named is None:
                    token = FileToken.of_file(file, state, 1, MediaType.MOVIE)
                    self._found.append(found_movie(file, records, token))
                elif kind is not MediaType.EPISODE and named is None:
                    self._found.append(Unreadable(file.key, misplaced(file, kind)))
                else:
                    episodes = _numbered(file, records, named)
                    for episode in episodes:
                        episode.token = FileToken.of_file(file, state, len(episodes))
                    self._found += episodes

    def findings(self) -> Iterator[Finding]:
        """Yield the findings for the episodes, in the order of files, and for files that are not used."""
        twins: dict[tuple[int, int], list[_Described]] = {}
        for found in self._found:
            if isinstance(found, _Described) and found.season is not None and found.episode is not None:
                twins.setdefault((found.season, found.episode), []).append(found)
        for found in self._found:
            if isinstance(found, _Described) and found.file.path in self._incomplete:
                found.token = None  # its other file has to be read again
        dropped = {id(other) for same in twins.values() if len(same) > 1 for other in self._join(same)}
        for found in self._found:
            if not isinstance(found, _Described):
                yield found
            elif id(found) not in dropped:
                failure = "; ".join(reason for _, reason in self._failed.pop(found.file.path, ()))
                if found.record:
                    yield replace(_found_episode(self._show, found, found.record), failure=failure)
                else:
                    yield Unreadable(found.key, failure) if failure else Unchanged(found.key)
        for failed in self._failed.values():
            file = next((file for file, _ in failed if not file.first), failed[0][0])
            failure = "; ".join(reason for _, reason in failed)
            for key in self._stored.keys_of(file) or [file.key]:
                yield Unreadable(key, failure)

    def _join(self, episodes: list[_Described]) -> list[_Described]:
        """Merge what several files say of episodes with the same number, and return those to drop.

        Files describe one episode if their names agree on the number. Otherwise their contents must agree.
        """
        first, *others = sorted(episodes, key=_rank)
        joined: list[_Described] = []
        for other in others:
            if _agree(first.file, other.file):
                joined.append(other)
                continue
            mine, theirs = self._record(first), self._record(other)
            if mine is None or theirs is None or describes_same(mine, theirs, untitled=True):
                joined.append(other)
            else:
                text = f"{naming.nfc(first.file.path)} claims to be the same episode"
                theirs.problems.append(text)
        if first.record:
            read = [(naming.nfc(one.file.path), one.record) for one in joined if one.record]
            first.record = merge(first.record, read)
        return joined

    def _record(self, described: _Described) -> NfoRecord | None:
        """Return what a file says of an episode, also if the file did not change."""
        if described.record is None:
            outcome = self._reread(described.file)
            if isinstance(outcome, Loaded):
                numbered = _numbered(described.file, outcome.records, _named(described.file))
                return next((one.record for one in numbered if one.key == described.key), None)
        return described.record


def _rank(described: _Described) -> tuple[bool, bool]:
    """Return a key that sorts an episode's files: with a video first, then with the number in the name."""
    file = described.file
    return file.item_path == file.path, _named(file) is None


def _named(file: NfoFile) -> EpisodeName | None:
    return name_of_episode(file.name, file.season, file.show)


def _agree(one: NfoFile, other: NfoFile) -> bool:
    """Whether the names of two files state the same episodes of the same show."""
    first, second = _named(one), _named(other)
    if first is None or second is None:
        return False
    return same_episodes(first, one.show) == same_episodes(second, other.show)


def _numbered(file: NfoFile, records: list[NfoRecord], named: EpisodeName | None) -> list[_Described]:
    """Return the episodes in a file; numbers that it leaves out come from its name and folder."""
    episodes: dict[str, _Described] = {}
    of_name = named
    for place, record in enumerate(records):
        named = None if record.exported else of_name
        if record.kind is not MediaType.EPISODE:
            record.problems.append(
                f"the root element is that of {NOUNS[record.kind]}; it is read as an episode"
            )
            record.kind = MediaType.EPISODE
        season = record.season
        if season is None and not record.exported:
            season = named.season if named else file.season
        episode = record.episode
        if episode is None and named and place < len(named.episodes):
            episode = named.episodes[place]
        key = episode_key(file.key, season, episode)
        if key in episodes and (first := episodes[key].record):
            what = (
                f"episode {episode} of season {season}"
                if episode is not None
                else "an episode without a number"
            )
            first.problems.append(f"{what} is described more than once in the file: the first is used")
            continue
        if (
            len(records) == 1
            and named
            and record.episode_end is None
            and episode == named.episodes[0] != named.episodes[-1]
        ):
            record.episode_end = named.episodes[-1]
        episodes[key] = _Described(file, key, record, season, episode)
    return list(episodes.values())


def _found_episode(show: ShowUnit, described: _Described, record: NfoRecord) -> Found:
    fields = item_fields(described.file, record)
    fields["title"] = record.title or (
        f"Episode {described.episode}" if described.episode is not None else naming.nfc(described.file.name)
    )
    item = Episode(
        remote_id=described.key,
        parent_remote_id=(show.key if described.season is None else season_key(show.key, described.season)),
        season_number=described.season,
        episode_number=described.episode,
        episode_number_end=record.episode_end,
        change_token=token_text(described.token, record),
        **fields,
    )
    return Found(item, tuple(record.problems))
