"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from mediasync.summaries import ItemSummary, PersonSummary

S = TypeVar("S", ItemSummary, PersonSummary)


class Match(StrEnum):
    """How a name or a title fits what was searched for, the best first."""

    EXACT = "exact"
    """It has just these words, whatever their case, accents, punctuation, articles and kind of numerals."""
    BEGINNING = "beginning"
    """It begins with these words."""
    WORDS = "words"
    """It has these words, in any order."""
    PREFIXES = "prefixes"
    """It has words that begin with these."""
    SIMILAR = "similar"
    """It is spelt like this, or has most of these words."""


@dataclass(frozen=True, slots=True)
class SearchHit(Generic[S]):
    """A movie, show, season, episode or person that a search found.

    Attributes:
        summary: the item or the person.
        match: how the name or the title fits.
        other_ids: the full ids of the same film or human in other sources and libraries, as far as the search
            met them.
    """

    summary: S
    match: Match
    other_ids: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The full id of the item or the person."""
        return self.summary.id


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What a search found.

    Attributes:
        titles: movies, shows, seasons and episodes, the best first.
        people: people, the best first.
    """

    titles: list[SearchHit[ItemSummary]]
    people: list[SearchHit[PersonSummary]]
