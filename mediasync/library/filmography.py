"""Filmographies by item: several credits of a person in one item are one entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mediasync.models import FilmographyCredit


@dataclass(frozen=True, slots=True)
class Work:
    """An item with all credits of one person in it.

    Attributes:
        credits: at least one, in billing order.
    """

    credits: tuple[FilmographyCredit, ...]

    @property
    def item(self) -> FilmographyCredit:
        """A credit, for the fields of the item, which are the same in all of them."""
        return self.credits[0]


def works(filmography: Iterable[FilmographyCredit]) -> list[Work]:
    """Return the items of a filmography in its order, each with all its credits.

    Args:
        filmography: the credits of one person, as ``ms.people.filmography`` returns them.

    Example:
        >>> heat = {"media_item_id": "home:1", "media_type": "movie", "title": "Heat", "sort_order": 0}
        >>> [work] = works([FilmographyCredit(**heat, person_type="director"),
        ...                 FilmographyCredit(**heat, person_type="writer")])
        >>> work.item.title, [str(credit.person_type) for credit in work.credits]
        ('Heat', ['director', 'writer'])
    """
    by_item: dict[str, list[FilmographyCredit]] = {}
    for credit in filmography:
        by_item.setdefault(credit.media_item_id, []).append(credit)
    return [Work(tuple(found)) for found in by_item.values()]


def titles(filmography: Iterable[FilmographyCredit]) -> list[str]:
    """Return the titles of a filmography in its order, once each; all episodes of a show are its title."""
    return list(dict.fromkeys(credit.show_title or credit.title for credit in filmography))
