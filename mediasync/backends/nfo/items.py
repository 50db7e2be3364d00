"""From what a file says and where it lies to the items that are yielded. Pure, no files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mediasync.backends.base import Finding, Found, Remark, Unchanged, Unreadable
from mediasync.backends.nfo import naming
from mediasync.backends.nfo.parse import Record
from mediasync.backends.nfo.reading import Failed, Known, Loaded, Outcome, Same, make_token
from mediasync.backends.nfo.units import NfoFile, ShowUnit
from mediasync.models import Credit, Episode, Movie, Season, Show
from mediasync.vocabulary import MediaType

_NOUNS = {
    MediaType.MOVIE: "a film",
    MediaType.SHOW: "a show",
    MediaType.SEASON: "a season",
    MediaType.EPISODE: "an episode",
}


def season_key(show_key: str, number: int) -> str:
    """Return the key of a season.

    Example:
        >>> season_key("tvshows/Dark (2017)", 1)
        'tvshows/Dark (2017)#s01'
    """
    return f"{show_key}#s{number:02}"


def episode_key(stem_key: str, season: int | None, episode: int | None) -> str:
    """Return the key of an episode; without its numbers that of its file.

    Example:
        >>> episode_key("Dark/Dark S01E02", 1, 2), episode_key("Dark/Pilot", None, None)
        ('Dark/Dark S01E02#s01e02', 'Dark/Pilot')
    """
    return stem_key if season is None or episode is None else f"{stem_key}#s{season:02}e{episode:02}"


def film_findings(file: NfoFile, outcome: Outcome) -> Iterator[Finding]:
    """Yield what was found in the file of a film."""
    match outcome:
        case Same(ids):
            yield from map(Unchanged, ids)
        case Failed(reason, foreign):
            yield _foreign(file, reason) if foreign else Unreadable(file.key, reason)
        case Loaded(records, _) if records[0].kind is not MediaType.MOVIE:
            yield _misplaced(file, records[0].kind)
        case Loaded(records, state):
            yield _found_movie(file, records, make_token(file, state, 1))


def _foreign(file: NfoFile, text: str) -> Remark:
    return Remark(naming.nfc(file.path), text.removeprefix(f"{naming.nfc(file.path)}: "))


def _misplaced(file: NfoFile, kind: MediaType) -> Unreadable:
    return Unreadable(
        file.key, f"{naming.nfc(file.path)}: it describes {_NOUNS[kind]}, which has no place here"
    )


def _found_movie(file: NfoFile, records: list[Record], token: str) -> Found:
    record = records[0]
    if len(records) > 1:
        record.problems.append(f"{len(records)} films in one file: only the first is taken")
    return Found(
        Movie(remote_id=file.key, change_token=_kept(token, record), **_fields(file, record)),
        tuple(record.problems),
    )


def _kept(token: str, record: Record) -> str | None:
    """Return the change token of an item; one whose file is damaged is read again next time."""
    return None if record.damage else token


def _fields(file: NfoFile, record: Record) -> dict[str, Any]:
    """Return what all kinds of item have in common, completed from names and files beside it."""
    title, year = record.title, record.year
    if record.kind is not MediaType.EPISODE and record.kind is not MediaType.SEASON:
        named_title, named_year = naming.title_and_year(file.name)
        if not title:
            title = named_title
            if record.credits is not None:
                record.problems.append("no title: the name of the folder or file is taken")
        year = year or named_year
    return {
        "title": title,
        "original_title": record.original_title,
        "sort_title": record.sort_title,
        "overview": record.overview,
        "tagline": record.tagline,
        "year": year,
        "premiere_date": record.premiere_date,
        "runtime_seconds": record.runtime_seconds,
        "content_rating": record.content_rating,
        "ratings": record.ratings,
        "genres": record.genres,
        "provider_ids": record.provider_ids,
        "images": record.images | file.images,
        "path": file.item_path,
        "added_at": record.added_at,
        "credits": _with_local_pictures(record.credits, file.actors),
        "completeness": record.completeness,
    }


def _with_local_pictures(credits_: list[Credit] | None, actors: dict[str, str]) -> list[Credit] | None:
    for credit in credits_ or () if actors else ():
        person = credit.person
        person.image_path = person.image_path or actors.get(naming.actor_key(person.name))
    return credits_


@dataclass(slots=True)
class _NumberedEpisode:
    file: NfoFile
    record: Record
    season: int | None
    episode: int | None
    key: str


def show_findings(show: ShowUnit, outcomes: list[Outcome], known: Known) -> Iterator[Finding]:
    """Yield what was found of a show: the show, its seasons, its episodes.

    A show whose ``tvshow.nfo`` cannot be read is made from its folder's name, but only while it is not
    stored: what is stored of it stays. The same goes for its seasons.

    Args:
        show: the show.
        outcomes: what became of each of its files, in the order of `ShowUnit.files`.
        known: the stored change tokens.
    """
    remaining = iter(outcomes)
    own = next(remaining) if show.nfo else None
    season_outcomes = [(file, next(remaining)) for file in show.seasons]
    episode_outcomes = list(zip(show.episodes, remaining, strict=True))
    episodes: list[Finding] = []
    numbers: set[int] = set()
    for file, outcome in episode_outcomes:
        found = list(_episode_findings(show, file, outcome, known))
        episodes += found
        numbers.update(_season_numbers(found))
    seasons = _Seasons(show, known)
    for file, outcome in season_outcomes:
        seasons.add(file, outcome)
    seasons.complete(numbers)
    if own is None and not episodes and not seasons.findings:
        return
    yield from _own_findings(show, own, known)
    yield from seasons.in_order()
    yield from episodes


def _own_findings(show: ShowUnit, outcome: Outcome | None, known: Known) -> Iterator[Finding]:
    match outcome:
        case Same(ids):
            yield from map(Unchanged, ids)
        case Loaded(records, state) if show.nfo:
            record = records[0]
            if record.kind is not MediaType.SHOW:
                record.problems.append(f"the root element is that of {_NOUNS[record.kind]}: taken as a show")
                record.kind = MediaType.SHOW
            fields = _fields(show.nfo, record)
            token = _kept(make_token(show.nfo, state, 1), record)
            item = Show(remote_id=show.key, change_token=token, **fields)
            yield Found(item, tuple(record.problems))
        case _:
            if isinstance(outcome, Failed):
                yield Unreadable(show.key, outcome.reason)
            if not (isinstance(outcome, Failed) and show.key in known.tokens):
                title, year = naming.title_and_year(show.name)
                yield Found(
                    Show(
                        remote_id=show.key, title=title, year=year, images=show.images, path=show.path or "."
                    )
                )


class _Seasons:
    """The seasons of one show, each once, from their own files and from the episodes that name them."""

    def __init__(self, show: ShowUnit, known: Known) -> None:
        self._show = show
        self._known = known
        self._by_number: dict[int, Finding] = {}
        self._failed: set[int] = set()
        self.findings: list[Finding] = []

    def add(self, file: NfoFile, outcome: Outcome) -> None:
        match outcome:
            case Same((key,)):
                self._put(int(key.rpartition("#s")[2]), Unchanged(key), file)
            case Failed(reason):
                if file.season is None:
                    self.findings.append(Unreadable(naming.nfc(file.path), reason))
                else:
                    self._failed.add(file.season)
                    self.findings.append(Unreadable(season_key(self._show.key, file.season), reason))
            case Loaded(records, state):
                record = records[0]
                number = file.season if record.season is None else record.season
                if number is None:
                    reason = f"{naming.nfc(file.path)}: it names no season, and neither does its folder"
                    self.findings.append(Unreadable(naming.nfc(file.path), reason))
                else:
                    record.kind = MediaType.SEASON
                    self._put(number, self._found(number, file, record, make_token(file, state, 1)), file)

    def _put(self, number: int, finding: Finding, file: NfoFile) -> None:
        if number in self._by_number:
            self.findings.append(
                Remark(naming.nfc(file.path), f"another file describes season {number} already")
            )
        else:
            self._by_number[number] = finding

    def _found(self, number: int, file: NfoFile, record: Record, token: str) -> Found:
        fields = _fields(file, record)
        fields["title"] = record.title or _season_title(number)
        item = Season(
            remote_id=season_key(self._show.key, number),
            parent_remote_id=self._show.key,
            season_number=number,
            change_token=_kept(token, record),
            **fields,
        )
        return Found(item, tuple(record.problems))

    def complete(self, numbers: set[int]) -> None:
        """Add the seasons that only episodes, or a broken file, name."""
        for number in numbers | self._failed:
            key = season_key(self._show.key, number)
            if number in self._by_number or (number in self._failed and key in self._known.tokens):
                continue
            self._by_number[number] = Found(
                Season(
                    remote_id=key,
                    parent_remote_id=self._show.key,
                    season_number=number,
                    title=_season_title(number),
                    images=self._show.season_images.get(number, {}),
                    path=self._show.season_folders.get(number),
                )
            )

    def in_order(self) -> Iterator[Finding]:
        yield from (finding for _, finding in sorted(self._by_number.items(), key=lambda pair: pair[0]))
        yield from self.findings


def _season_title(number: int) -> str:
    return f"Season {number}" if number else "Specials"


def _season_numbers(findings: list[Finding]) -> Iterator[int]:
    for finding in findings:
        if isinstance(finding, Found) and isinstance(finding.item, Episode):
            if finding.item.season_number is not None:
                yield finding.item.season_number
        elif isinstance(finding, Unchanged | Unreadable):
            number = finding.remote_id.rpartition("#s")[2].partition("e")[0]
            if "#s" in finding.remote_id and number.isdecimal():
                yield int(number)


def _episode_findings(show: ShowUnit, file: NfoFile, outcome: Outcome, known: Known) -> Iterator[Finding]:
    match outcome:
        case Same(ids):
            yield from map(Unchanged, ids)
        case Failed(reason, foreign):
            if foreign:
                yield _foreign(file, reason)
            else:
                yield from (Unreadable(key, reason) for key in known.keys_of(file) or [file.key])
        case Loaded(records, state):
            named = naming.episode_name(file.name)
            kind = records[0].kind
            if kind is MediaType.MOVIE and named is None:
                yield _found_movie(file, records, make_token(file, state, 1))
                return
            if kind is not MediaType.EPISODE and named is None:
                yield _misplaced(file, kind)
                return
            episodes = _numbered(file, records, named)
            token = make_token(file, state, len(episodes))
            yield from (_found_episode(show, episode, token) for episode in episodes)


def _numbered(
    file: NfoFile, records: list[Record], named: naming.EpisodeName | None
) -> list[_NumberedEpisode]:
    """Number the episodes of one file; what the file leaves out is taken from its name and folder."""
    episodes: dict[str, _NumberedEpisode] = {}
    for place, record in enumerate(records):
        if record.kind is not MediaType.EPISODE:
            record.problems.append(f"the root element is that of {_NOUNS[record.kind]}: taken as an episode")
            record.kind = MediaType.EPISODE
        season = record.season if record.season is not None else named.season if named else file.season
        episode = record.episode
        if episode is None and named and place < len(named.episodes):
            episode = named.episodes[place]
        key = episode_key(file.key, season, episode)
        if key in episodes:
            what = (
                f"episode {episode} of season {season}"
                if episode is not None
                else "an episode without a number"
            )
            episodes[key].record.problems.append(
                f"{what} is described more than once in the file: the first is taken"
            )
            continue
        if (
            len(records) == 1
            and named
            and record.episode_end is None
            and episode == named.episodes[0] != named.episodes[-1]
        ):
            record.episode_end = named.episodes[-1]
        episodes[key] = _NumberedEpisode(file, record, season, episode, key)
    return list(episodes.values())


def _found_episode(show: ShowUnit, numbered: _NumberedEpisode, token: str) -> Found:
    record = numbered.record
    fields = _fields(numbered.file, record)
    fields["title"] = record.title or (
        f"Episode {numbered.episode}" if numbered.episode is not None else naming.nfc(numbered.file.name)
    )
    item = Episode(
        remote_id=numbered.key,
        parent_remote_id=show.key if numbered.season is None else season_key(show.key, numbered.season),
        season_number=numbered.season,
        episode_number=numbered.episode,
        episode_number_end=record.episode_end,
        change_token=_kept(token, record),
        **fields,
    )
    return Found(item, tuple(record.problems))
