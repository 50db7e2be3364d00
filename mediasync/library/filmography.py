"""Filmographies by title: all credits of a person in a movie, or in a show and its episodes, are one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final

from mediasync.models import FilmographyCredit
from mediasync.repositories.works import TitleFacts
from mediasync.vocabulary import CAST_TYPES, MediaType
from mediasync.works import FilmographyTitle, WorkFunction

_SELF: Final = re.compile(
    r"(?:self|himself|herself|itself|themself|themselves|ourselves|er selbst|sie selbst|sich selbst|selbst|"
    r"lui-même|elle-même|eux-mêmes|soi-même|él mismo|ella misma|sí mismo|sé stesso|se stesso|se stessa)"
    r"(?:$|\s*[(,/:;|]|\s+(?:[-–—&]|and |as |\.\.\.))"
)
_ARCHIVE: Final = re.compile(r"\barchiv(?:e|al) (?:footage|sound|audio|material)\b")
TALK_GENRES: Final = ("talk", "talkshow", "news", "reality", "realitytv", "game", "gameshow")
"""The genres of talk shows, news, reality and game shows, in lower case, without spaces and hyphens."""


class Section(Enum):
    """A section of a filmography."""

    WORKS = "works"
    SELF = "as_self"
    TALK = "talk_shows"


def is_self(role: str | None) -> bool:
    """Return whether a role is the person themselves, or archive footage.

    Example:
        >>> [is_self(role) for role in ("Self - Host", "Himself (uncredited)", "Neo (archive footage)")]
        [True, True, True]
        >>> [is_self(role) for role in ("Selfish Man", "The Self-Made Man", None)]
        [False, False, False]
    """
    words = (role or "").strip().lower()
    return bool(_SELF.match(words) or _ARCHIVE.search(words))


def title_id(credit: FilmographyCredit) -> str:
    """Return the id of the movie or show that a credit belongs to."""
    return credit.show_id or credit.media_item_id


def title_type(credit: FilmographyCredit) -> MediaType:
    """Return the type of the movie or show that a credit belongs to."""
    return MediaType.SHOW if credit.show_id else credit.media_type


def section_of(credit: FilmographyCredit, facts: TitleFacts | None) -> Section:
    """Return the section of a filmography in which a credit is shown."""
    if credit.person_type not in CAST_TYPES:
        return Section.WORKS
    if facts is not None and facts.is_talk_show:
        return Section.TALK
    return Section.SELF if is_self(credit.role) else Section.WORKS


def in_sections(
    filmography: Iterable[FilmographyCredit], facts: Mapping[str, TitleFacts]
) -> dict[Section, list[FilmographyCredit]]:
    """Return the credits of a filmography by section, each in their order."""
    sections: dict[Section, list[FilmographyCredit]] = {section: [] for section in Section}
    for credit in filmography:
        sections[section_of(credit, facts.get(title_id(credit)))].append(credit)
    return sections


def fold(
    filmography: Iterable[FilmographyCredit], facts: Mapping[str, TitleFacts] | None = None
) -> list[FilmographyTitle]:
    """Return the movies and shows of a filmography, the oldest first, each with all its credits.

    Args:
        filmography: credits of one person, as ``ms.people.filmography`` returns them.
        facts: what is known of the movies and shows, by id. Two of the same work are one title.

    Example:
        >>> dark = {"media_type": "episode", "show_id": "home:1", "show_title": "Dark", "season_number": 1,
        ...         "person_type": "director", "sort_order": 0}
        >>> [title] = fold([
        ...     FilmographyCredit(media_item_id="home:2", title="A", episode_number=1, year=2017, **dark),
        ...     FilmographyCredit(media_item_id="home:3", title="B", episode_number=2, year=2018, **dark)])
        >>> title.title, title.episodes, title.first_year, title.last_year
        ('Dark', 2, 2017, 2018)
    """
    known = facts or {}
    groups: dict[str, list[FilmographyCredit]] = {}
    for credit in filmography:
        key = title_id(credit)
        groups.setdefault(known[key].same_work if key in known else key, []).append(credit)
    titles = [_title(group, known) for group in groups.values()]
    return sorted(titles, key=_oldest_first)


def by_item(filmography: Iterable[FilmographyCredit]) -> list[list[FilmographyCredit]]:
    """Return the credits of each item of a filmography, in its order."""
    items: dict[str, list[FilmographyCredit]] = {}
    for credit in filmography:
        items.setdefault(credit.media_item_id, []).append(credit)
    return list(items.values())


def titles(filmography: Iterable[FilmographyCredit]) -> list[str]:
    """Return the titles of a filmography in its order, once each; all episodes of a show are its title."""
    return list(dict.fromkeys(credit.show_title or credit.title for credit in filmography))


def _title(group: Sequence[FilmographyCredit], known: Mapping[str, TitleFacts]) -> FilmographyTitle:
    first = group[0]
    key = title_id(first)
    own = next((credit.year for credit in group if credit.media_item_id == key), None)
    years = [credit.year for credit in group if credit.year is not None]
    return FilmographyTitle(
        media_item_id=key,
        media_type=title_type(first),
        title=first.show_title or first.title,
        year=known[key].year if key in known else own,
        poster=known[key].poster if key in known else None,
        episodes=len(_episodes(group)),
        first_year=min(years, default=None),
        last_year=max(years, default=None),
        functions=_functions(group),
    )


def _functions(group: Sequence[FilmographyCredit]) -> list[WorkFunction]:
    by_type: dict[str, list[FilmographyCredit]] = {}
    for credit in sorted(group, key=lambda credit: credit.sort_order):
        by_type.setdefault(credit.person_type, []).append(credit)
    return [
        WorkFunction(
            person_type=person_type,
            roles=most_frequent(credit.role for credit in found),
            episodes=len(_episodes(found)),
            on_title=any(credit.media_type is not MediaType.EPISODE for credit in found),
        )
        for person_type, found in by_type.items()
    ]


def most_frequent(values: Iterable[str | None]) -> list[str]:
    """Return the texts that are not empty, without repetition, the most frequent first."""
    counts: dict[str, int] = {}
    for value in values:
        if value:
            counts[value] = counts.get(value, 0) + 1
    return sorted(counts, key=lambda value: -counts[value])


def episode_key(item_id: str, season_number: int | None, episode_number: int | None) -> object:
    """Return what is equal for two items of one show that are the same episode."""
    if season_number is None or episode_number is None:
        return item_id
    return (season_number, episode_number)


def _episodes(found: Iterable[FilmographyCredit]) -> set[object]:
    return {
        episode_key(credit.media_item_id, credit.season_number, credit.episode_number)
        for credit in found
        if credit.media_type is MediaType.EPISODE
    }


def _oldest_first(title: FilmographyTitle) -> tuple[bool, int, str, str]:
    return (title.first_year is None, title.first_year or 0, title.title, title.media_item_id)
