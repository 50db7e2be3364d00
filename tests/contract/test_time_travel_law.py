"""A law of time travel: what was shown after each step of a history can be read again at its end."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, person, season, show
from support.mirror import Clock, rows

from mediasync import AnyMediaItem, ChangeKind, Difference, FilmographyCredit, MediaSync, Person
from mediasync.backends.base import Enumerated
from mediasync.errors import InvalidItem, PersonInUse, UnknownItem
from mediasync.testing import FakeBackend

KEYS = ("1", "2", "3", "s", "s-1", "s-1-1")
ITEMS = (*(f"home:{key}" for key in KEYS), *(f"fake:{key}" for key in "123"))
PEOPLE = (
    "home:a",
    "home:b",
    "fake:a",
    "home:name:ed",
    *(f"home:{key}{n}" for key in ("tmdb:", "imdb:nm") for n in range(2)),
)
NAMES = ("Ann", "Bo", "Cy")
STEPS = 25
DEEDS = ("list", "empty", "delete", "person", "forget", "undo", "restore")


def some_credits(chance: random.Random) -> list[Any]:
    """Return credits of people with ids, and of people whom only names and provider ids identify."""
    made = []
    for _ in range(chance.randrange(5)):
        kind, role = chance.choice(["actor", "writer"]), chance.choice(["R", "S", None])
        if chance.random() < 0.5:
            given = {"role": role, "image_path": chance.choice([None, "/a", "/b"])}
            made.append(credit(chance.choice("ab"), chance.choice(NAMES), kind=kind, **given))
        else:
            n = chance.randrange(2)
            tmdb, imdb = {"tmdb": f"{n}"}, {"imdb": f"nm{n}"}
            known = [(f"Cy {n}", tmdb), (f"Dee {n}", imdb), (f"Cy {n}", tmdb | imdb), ("Ed", {})]
            name, ids = chance.choice(known)
            made.append(credit(None, name, kind=kind, role=role, provider_ids=ids))
    return made


async def act(ms: MediaSync, chance: random.Random) -> int | None:
    """Do one random thing to a mirror. Return the number of the run, if it was a sync."""
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
        match chance.choice([*["save"] * 3, *["sync"] * 2, *DEEDS]):
            case "save" if key in "123":
                await ms.media.save_media_item(movie(key, **fields), **chance.choice([MOVIES, SHOWS]))
            case "save":
                await ms.media.save_media_items([show(), season(), episode(**fields)], **SHOWS)
            case "sync":
                films = [
                    movie(key, title=title, credits=[credit("a", chance.choice(NAMES))])
                    for key in chance.sample("123", chance.choice([1, 2, 3, 3]))
                ]
                report = await ms.sync(FakeBackend({"a": [*films, Enumerated(len(films))]}), full=True)
                return report.run.id
            case "undo":
                if runs := await ms.list_runs(limit=5):
                    await ms.undo(chance.choice(runs).id)
            case "restore":
                await ms.restore([f"fake:{chance.choice('123')}"])
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
    return None


Shown = tuple[list[AnyMediaItem], dict[str, Person | None], dict[str, list[FilmographyCredit]]]


async def shown(ms: MediaSync, as_of: int | datetime | None = None) -> Shown:
    """Return all items, people and filmographies, without what the log does not tell.

    Times of people are not in the log. An id that now is another person's alias is left out.
    """
    items = await ms.media.find_media_items(ITEMS, as_of=as_of)
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


Told = tuple[dict[str, str], dict[str, str]]


def told(differences: list[Difference], without: str) -> Told:
    """Return what happened to items and to people, except what no snapshot shows.

    Args:
        differences: between two points.
        without: what is left out of people. Those who came with an item are not told of.
    """
    items = {
        one.entity_id: str(one.what)
        for one in differences
        if one.entity == "item"
        and (one.what != "changed" or one.credits or {field.name for field in one.fields} != {"libraries"})
    }
    people = {
        one.entity_id: "removed" if one.what == "merged" else str(one.what)
        for one in differences
        if one.entity == "person" and one.what != without
    }
    return items, people


def expected(before: Shown, after: Shown, without: str) -> Told:
    """Return the same, from two snapshots."""
    old, new = ({item.id or "": compared(item) for item in one[0]} for one in (before, after))
    people = kinds_of_difference(
        *({key: found for key, found in one[1].items() if found is not None} for one in (before, after))
    )
    return kinds_of_difference(old, new), {key: what for key, what in people.items() if what != without}


def compared(item: AnyMediaItem) -> Any:
    left_out = {"credits", "cast", "crew", "created_at", "updated_at", "parent_remote_id"}
    listed = [(one.person.id, str(one.person_type), one.role) for one in item.credits or ()]
    return item.model_dump(exclude=left_out), listed


def kinds_of_difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    found = dict.fromkeys(new.keys() - old.keys(), "added") | dict.fromkeys(
        old.keys() - new.keys(), "removed"
    )
    return found | {key: "changed" for key in old.keys() & new.keys() if old[key] != new[key]}


@pytest.mark.parametrize("seed", [33, 96])
async def test_what_was_shown_after_each_step_is_read_again(ms: MediaSync, clock: Clock, seed: int) -> None:
    chance = random.Random(seed)
    snapshots: list[tuple[datetime, Shown]] = []
    runs: dict[int, Shown] = {}
    for _ in range(STEPS):
        clock.tick(chance.choice([1_000, 3 * 86_400_000]))
        run = await act(ms, chance)
        snapshots.append((datetime.fromtimestamp(clock.now / 1000, UTC), await shown(ms)))
        if run is not None:
            runs[run] = snapshots[-1][1]
    for number, (moment, then) in enumerate(snapshots):
        assert await shown(ms, as_of=moment) == then, f"after step {number} of {seed}"
    for run, then in runs.items():
        assert await shown(ms, as_of=run) == then, f"after run {run} of {seed}"
    for _ in range(10):
        (first, before), (second, after) = sorted(chance.sample(snapshots, k=2), key=lambda one: one[0])
        forth = [one async for one in ms.diff(first, second)]
        assert told(forth, without="added") == expected(before, after, without="added"), (first, second)
        back = [one async for one in ms.diff(second, first)]
        assert told(back, without="removed") == expected(after, before, without="removed"), (first, second)
    kinds = await rows(ms, "SELECT DISTINCT what FROM changes")
    assert {what for (what,) in kinds} == set(ChangeKind), "all kinds are tried"
