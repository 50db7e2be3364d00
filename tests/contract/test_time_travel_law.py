"""A law of time travel: what was shown after each step of a history can be read again at its end."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, person, season, show
from support.mirror import Clock, rows

from mediasync import AnyMediaItem, FilmographyCredit, MediaSync, Person
from mediasync.errors import InvalidItem, PersonInUse, UnknownItem

KEYS = ("1", "2", "3", "s", "s-1", "s-1-1")
PEOPLE = (
    "home:a",
    "home:b",
    "home:name:ed",
    *(f"home:{key}{n}" for key in ("tmdb:", "imdb:nm") for n in range(2)),
)
NAMES = ("Ann", "Bo", "Cy")
STEPS = 40


def some_credits(chance: random.Random) -> list[Any]:
    """Return credits of people with ids, and of people whom only names and provider ids identify."""
    made = []
    for _ in range(chance.randrange(5)):
        kind, role = chance.choice(["actor", "writer"]), chance.choice(["R", "S", None])
        if chance.random() < 0.5:
            image = chance.choice([None, "/a", "/b"])
            made.append(credit(chance.choice("ab"), chance.choice(NAMES), kind=kind, role=role, image_path=image))
        else:
            n = chance.randrange(2)
            tmdb, imdb = {"tmdb": f"{n}"}, {"imdb": f"nm{n}"}
            name, ids = chance.choice([(f"Cy {n}", tmdb), (f"Dee {n}", imdb), (f"Cy {n}", tmdb | imdb), ("Ed", {})])
            made.append(credit(None, name, kind=kind, role=role, provider_ids=ids))
    return made


async def act(ms: MediaSync, chance: random.Random) -> None:
    """Do one random thing to a mirror."""
    title, year = chance.choice(["X", "Y"]), chance.choice([None, 1995, 1996])
    fields: dict[str, Any] = {
        "title": title,
        "year": year,
        "genres": chance.sample(["Crime", "Drama"], chance.randrange(3)),
        "provider_ids": chance.choice([{}, {"imdb": "tt1"}]),
        "added_at": chance.choice([None, datetime(2020, 1, 2, 3, 4, 5, 678_000, UTC), "2020-01-02 03:04"]),
        "ratings": chance.choice([[], [{"name": "imdb", "value": 8.5, "votes": 3}]]),
        "credits": chance.choice([None, some_credits(chance)]),
        "completeness": chance.choice([None, "full"]),
    }
    key = chance.choice(KEYS)
    try:
        match chance.choice(["save", "save", "save", "list", "empty", "delete", "person", "forget"]):
            case "save" if key in "123":
                await ms.media.save_media_item(movie(key, **fields), **chance.choice([MOVIES, SHOWS]))
            case "save":
                await ms.media.save_media_items([show(), season(), episode(**fields)], **SHOWS)
            case "list":
                await ms.media.save_media_people(f"home:{key}", some_credits(chance))
            case "empty":
                await ms.media.delete_media_people(f"home:{key}")
            case "delete":
                await ms.media.delete_media_item(f"home:{key}")
            case "person":
                await ms.people.upsert(person(chance.choice("ab"), chance.choice(NAMES)), source_id="home")
            case _:
                await ms.people.delete(chance.choice(PEOPLE))
    except (UnknownItem, PersonInUse, InvalidItem):
        pass


Shown = tuple[list[AnyMediaItem], dict[str, Person | None], dict[str, list[FilmographyCredit]]]


async def shown(ms: MediaSync, as_of: datetime | None = None) -> Shown:
    """Return all items, people and filmographies, without what the log does not tell.

    Times of people are not in the log. An id that now is another person's alias is left out.
    """
    items = await ms.media.find_media_items([f"home:{key}" for key in KEYS], as_of=as_of)
    for item in items:
        item.change_token = None
        for one in item.credits or ():
            one.person = without_times(one.person)
    people = {}
    for person_id in PEOPLE:
        found = await ms.people.find_by_id(person_id, as_of=as_of)
        people[person_id] = without_times(found) if found and found.id == person_id else None
    films = {person_id: await ms.people.filmography(person_id, as_of=as_of) for person_id in PEOPLE}
    return items, people, films


def without_times(found: Person) -> Person:
    return found.model_copy(update={"created_at": None, "updated_at": None})


@pytest.mark.parametrize("seed", [3, 8, 19])
async def test_what_was_shown_after_each_step_is_read_again(ms: MediaSync, clock: Clock, seed: int) -> None:
    chance = random.Random(seed)
    snapshots: list[tuple[datetime, Shown]] = []
    for _ in range(STEPS):
        clock.tick(1_000)
        await act(ms, chance)
        snapshots.append((datetime.fromtimestamp(clock.now / 1000, UTC), await shown(ms)))
    for number, (moment, then) in enumerate(snapshots):
        assert await shown(ms, as_of=moment) == then, f"after step {number} of {seed}"
    kinds = await rows(ms, "SELECT DISTINCT what FROM changes")
    assert {what for (what,) in kinds} == {"added", "changed", "removed", "merged"}, "all kinds are tried"
