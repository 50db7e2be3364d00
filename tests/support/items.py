"""Short ways to make people, credits and items."""

from __future__ import annotations

from typing import Any

from mediasync import Credit, Episode, Movie, Person, Season, Show

MOVIES = {"library_id": "movies", "source_id": "home"}
SHOWS = {"library_id": "shows", "source_id": "home"}


def person(key: str | None = None, name: str | None = None, **fields: Any) -> Person:
    """Return a person with the source's key *key*, or, without one, with a key derived from the name."""
    return Person(remote_id=key, name=name if name is not None else f"Person {key}", **fields)


def credit(
    key: str | None = None,
    name: str | None = None,
    *,
    kind: str = "actor",
    role: str | None = None,
    order: int | None = None,
    **fields: Any,
) -> Credit:
    """Return one credit."""
    return Credit(person=person(key, name, **fields), person_type=kind, role=role, sort_order=order)


def cast(*keys: str) -> list[Credit]:
    """Return actors with these keys, in this order, each with a role."""
    return [credit(key, role=f"Role of {key}", order=order) for order, key in enumerate(keys)]


def movie(key: str = "1", **fields: Any) -> Movie:
    return Movie(**{"remote_id": key, "title": f"Movie {key}", **fields})


def show(key: str = "s", **fields: Any) -> Show:
    return Show(**{"remote_id": key, "title": f"Show {key}", **fields})


def season(key: str = "s-1", parent: str | None = "s", number: int | None = 1, **fields: Any) -> Season:
    return Season(
        **{
            "remote_id": key,
            "title": f"Season {key}",
            "parent_remote_id": parent,
            "season_number": number,
            **fields,
        }
    )


def episode(key: str = "s-1-1", parent: str | None = "s-1", number: int | None = 1, **fields: Any) -> Episode:
    return Episode(
        **{
            "remote_id": key,
            "title": f"Episode {key}",
            "parent_remote_id": parent,
            "episode_number": number,
            **fields,
        }
    )
