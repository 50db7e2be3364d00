"""Short ways to make items, credits and people: only what a test is about has to be said."""

from __future__ import annotations

from typing import Any

from mediasync.models import Credit, Episode, Movie, Person, Season, Show

__all__ = [
    "make_cast",
    "make_credit",
    "make_episode",
    "make_movie",
    "make_person",
    "make_season",
    "make_show",
]


def make_person(key: str | None = None, name: str | None = None, **fields: Any) -> Person:
    """Return a person.

    Args:
        key: the source's own key. Without one it is derived from the name when the person is saved.
        name: without one it is ``Person {key}``.
        **fields: other fields of `mediasync.Person`.

    Example:
        >>> make_person("1").name
        'Person 1'
    """
    return Person(remote_id=key, name=name if name is not None else f"Person {key}", **fields)


def make_credit(
    key: str | None = None,
    name: str | None = None,
    *,
    kind: str = "actor",
    role: str | None = None,
    order: int | None = None,
    **fields: Any,
) -> Credit:
    """Return a credit of one person.

    Args:
        key: the person's key; see `make_person`.
        name: the person's name.
        kind: the person type.
        role: the character, or the words for the job.
        order: the place in the billing.
        **fields: other fields of the `mediasync.Person`.

    Example:
        >>> make_credit(name="Lana Wachowski", kind="director").person.name
        'Lana Wachowski'
    """
    return Credit(person=make_person(key, name, **fields), person_type=kind, role=role, sort_order=order)


def make_cast(*keys: str) -> list[Credit]:
    """Return actors with these keys in this order, each with a role.

    Example:
        >>> [credit.role for credit in make_cast("1", "2")]
        ['Role of 1', 'Role of 2']
    """
    return [make_credit(key, role=f"Role of {key}", order=order) for order, key in enumerate(keys)]


def make_movie(key: str = "1", **fields: Any) -> Movie:
    """Return a movie with this key and a title; other fields as given.

    Example:
        >>> make_movie("7", year=1999).title
        'Movie 7'
    """
    return Movie(**{"remote_id": key, "title": f"Movie {key}", **fields})


def make_show(key: str = "s", **fields: Any) -> Show:
    """Return a show with this key and a title; other fields as given."""
    return Show(**{"remote_id": key, "title": f"Show {key}", **fields})


def make_season(key: str = "s-1", parent: str | None = "s", number: int | None = 1, **fields: Any) -> Season:
    """Return a season of the show with the key *parent*; other fields as given."""
    named = {"remote_id": key, "title": f"Season {key}", "parent_remote_id": parent, "season_number": number}
    return Season(**{**named, **fields})


def make_episode(
    key: str = "s-1-1", parent: str | None = "s-1", number: int | None = 1, **fields: Any
) -> Episode:
    """Return an episode of the season or show with the key *parent*; other fields as given."""
    named = {
        "remote_id": key,
        "title": f"Episode {key}",
        "parent_remote_id": parent,
        "episode_number": number,
    }
    return Episode(**{**named, **fields})
