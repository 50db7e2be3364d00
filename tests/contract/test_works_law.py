"""A law: who worked on what, and with whom, is what plain Python computes from the items."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.items import credit, episode, movie, season, show

from mediasync import FindQuery, Library, MediaItem, MediaSync, Source, Who

PEOPLE = "abcde"
TYPES = ("actor", "guest_star", "director")
CAST = {"actor", "guest_star"}

CREDITS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TYPES), st.sampled_from([None, "Self", "Cop"])),
    max_size=5,
    unique=True,
)
DETAILS = st.fixed_dictionaries(
    {
        "credits": CREDITS,
        "year": st.sampled_from([None, 1989, 1990, 1999, 2000]),
        "title": st.sampled_from(["X", "x", "Ä"]),
        "genres": st.sampled_from([[], ["Talk"], ["Crime"], ["Crime", "News"]]),
        "provider_ids": st.sampled_from([{}, {}, {"imdb": "1"}, {"tmdb": "1"}, {"imdb": "2", "tmdb": "1"}]),
    }
)
KEYS = {
    "m1": (movie, None, {}),
    "m2": (movie, None, {}),
    "m3": (movie, None, {}),
    "s": (show, None, {}),
    "t": (show, None, {}),
    "s-1": (season, "s", {"number": 1}),
    "s-2": (season, "s", {"number": 2}),
    "t-1": (season, "t", {"number": 1}),
    "s-1-1": (episode, "s-1", {"number": 1, "season_number": 1}),
    "s-1-1b": (episode, "s-1", {"number": 1, "season_number": 1}),
    "s-1-2": (episode, "s-1", {"number": 2, "season_number": 1}),
    "s-2-1": (episode, "s-2", {"number": 1, "season_number": 2}),
    "t-1-1": (episode, "t-1", {"number": 1, "season_number": 1}),
    "t-x": (episode, "t", {"number": 9}),
}
LIBRARIES = st.fixed_dictionaries(dict.fromkeys(KEYS, DETAILS))
QUESTIONS = st.fixed_dictionaries(
    {
        "wanted": st.lists(
            st.tuples(
                st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2),
                st.lists(st.sampled_from(TYPES), max_size=1),
            ),
            min_size=1,
            max_size=2,
        ),
        "unwanted": st.lists(
            st.tuples(
                st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=1),
                st.lists(st.sampled_from(TYPES), max_size=1),
            ),
            max_size=1,
        ),
        "years": st.sampled_from([(None, None), (1990, None), (1989, 1999)]),
        "genres": st.sampled_from([[], ["crime"]]),
        "roll_up": st.booleans(),
    }
)


@dataclass
class World:
    """The items as plain Python has them.

    Attributes:
        items: the shown items, by key.
    """

    items: Mapping[str, dict[str, Any]]

    def line(self, key: str) -> list[str]:
        """Return an item and those above it, the lowest first."""
        found = [key]
        while parent := KEYS[found[-1]][1]:
            found.append(parent)
        return found

    def work(self, key: str) -> tuple[str, ...]:
        """Return what is equal for items of the same work."""
        top = self.line(key)[-1]
        ids = self.items[top]["provider_ids"]
        kind = KEYS[top][0].__name__
        return next(((kind, name, ids[name]) for name in ("imdb", "tmdb") if name in ids), (kind, "", top))

    def is_episode(self, key: str) -> bool:
        return KEYS[key][0] is episode

    def episode(self, key: str) -> tuple[Any, ...]:
        numbers = KEYS[key][2]
        if "season_number" not in numbers:
            return (key,)
        return (self.work(key), numbers["season_number"], numbers["number"])

    def credits(self, key: str) -> list[tuple[str, str, str | None]]:
        return self.items[key]["credits"]  # type: ignore[no-any-return]

    def credited(self, key: str) -> set[tuple[str, str]]:
        """Return whom an item credits, and whom those above it do except as guest stars."""
        own, *above = ({(person, kind) for person, kind, _ in self.credits(one)} for one in self.line(key))
        return own.union(*({one for one in found if one[1] != "guest_star"} for found in above))

    def year(self, key: str) -> int | None:
        line = self.line(key)
        years = (self.items[one]["year"] for one in (key, line[-1], *line[1:]))
        return next((year for year in years if year is not None), None)

    def genres(self, key: str) -> set[str]:
        return {genre.lower() for one in self.line(key) for genre in self.items[one]["genres"]}


def found(world: World, question: Mapping[str, Any]) -> list[str]:
    def has(key: str, who: tuple[list[str], list[str]]) -> bool:
        people, kinds = who
        return any(one in people and (not kinds or kind in kinds) for one, kind in world.credited(key))

    def fits(key: str) -> bool:
        first, last = question["years"]
        year = world.year(key)
        if (first, last) != (None, None) and year is None:
            return False
        return (
            all(has(key, who) for who in question["wanted"])
            and not any(has(key, who) for who in question["unwanted"])
            and (first is None or year >= first)  # type: ignore[operator]
            and (last is None or year <= last)  # type: ignore[operator]
            and world.genres(key) >= set(question["genres"])
        )

    keys = [key for key in world.items if fits(key)]
    if question["roll_up"]:
        keys = list({world.line(key)[-1] for key in keys})

    def order(key: str) -> tuple[Any, ...]:
        item = world.items[key]
        return (item["year"] is None, item["year"] or 0, item["title"].encode(), key)

    return sorted(keys, key=order)


def filmography(world: World, person: str) -> dict[str, Any]:
    """Return each title of each section with its episodes, and what was done in how many."""
    sections: dict[str, Any] = {"works": {}, "as_self": {}, "talk_shows": {}}
    episodes: Any = defaultdict(set)
    on_title: set[Any] = set()
    roles: Any = defaultdict(set)
    for key in world.items:
        for one, kind, role in world.credits(key):
            if one != person:
                continue
            top = world.line(key)[-1]
            talk = KEYS[top][0] is show and {"Talk", "News"} & set(world.items[top]["genres"])
            name = "works" if kind not in CAST else "talk_shows" if talk else ""
            place = (name or ("as_self" if role == "Self" else "works"), world.work(key), kind)
            (episodes[place].add(world.episode(key)) if world.is_episode(key) else on_title.add(place))
            roles[place] |= {role} - {None}
    for place in {*episodes, *on_title}:
        section, work, kind = place
        title = sections[section].setdefault(work, [set(), {}])
        title[0] |= episodes[place]
        title[1][kind] = (len(episodes[place]), place in on_title, roles[place])
    return {
        section: {work: (len(parts), done) for work, (parts, done) in titles.items()}
        for section, titles in sections.items()
    }


def together(world: World, person: str, own: set[str], others: set[str]) -> Counter[str]:
    works: set[tuple[str, Any]] = set()
    for key in world.items:
        credited = world.credited(key)
        if any(one == person and kind in own for one, kind in credited):
            works |= {(one, world.work(key)) for one, kind in credited if one != person and kind in others}
    return Counter(one for one, _ in works)


def paired(world: World, first: str, second: str) -> Counter[tuple[str, str]]:
    works = {
        ((one, other), world.work(key))
        for key in world.items
        for one, kind, _ in world.credits(key)
        for other, other_kind, _ in world.credits(key)
        if one != other and (kind, other_kind) == (first, second)
    }
    return Counter(pair for pair, _ in works)


def ranked(world: World, kind: str, *, by_episodes: bool) -> Counter[str]:
    return Counter(
        person
        for person, _ in {
            (person, world.episode(key) if by_episodes else world.work(key))
            for key in world.items
            if world.is_episode(key) or not by_episodes
            for person, one, _ in world.credits(key)
            if one == kind
        }
    )


def cast(world: World, top: str) -> dict[str, tuple[int, bool]]:
    """Return the number of episodes of each member of a show's cast, and whether they are main cast."""
    below = [key for key in world.items if world.line(key)[-1] == top]
    listed = {
        key: [(person, kind) for person, kind, _ in world.credits(key) if kind in CAST] for key in below
    }
    numbers = {key: world.episode(key) for key in below if world.is_episode(key)}
    total = len({numbers[key] for key in numbers if listed[key]})
    members = {}
    for person in {person for found in listed.values() for person, _ in found}:
        episodes = {numbers[key] for key in numbers if person in {one for one, _ in listed[key]}}
        leading = {numbers[key] for key in numbers if (person, "actor") in listed[key]}
        on_title = any((person, "actor") in listed[key] for key in below if key not in numbers)
        members[person] = (len(episodes), on_title or (bool(leading) and len(leading) >= total / 4))
    return members


async def check(
    ms: MediaSync, source_id: str, world: World, question: Mapping[str, Any], removed: Iterable[str]
) -> None:
    await save(ms, source_id, world)
    gone = {key for key in KEYS if set(world.line(key)) & set(removed)}
    for key in removed:
        await ms.media.delete_media_item(f"{source_id}:{key}")
    world = World({key: item for key, item in world.items.items() if key not in gone})
    library = ms.library

    def full(people: Iterable[str]) -> list[str]:
        return [f"{source_id}:{person}" for person in people]

    def short(full_id: str) -> str:
        return full_id.removeprefix(f"{source_id}:")

    query = FindQuery(
        with_people=[
            Who(person_ids=full(people), person_types=kinds) for people, kinds in question["wanted"]
        ],
        without_people=[
            Who(person_ids=full(people), person_types=kinds) for people, kinds in question["unwanted"]
        ],
        first_year=question["years"][0],
        last_year=question["years"][1],
        genres=question["genres"],
        source_ids=[source_id],
        roll_up=question["roll_up"],
    )
    rows: list[str] = []
    after = None
    while not rows or after:
        page = await library.find(query, after=after, limit=3)
        rows += [short(item.id) for item in page.rows]
        after = page.next
        if not page.rows:
            break
    assert rows == found(world, question)

    for person in PEOPLE:
        answer = await library.filmography(f"{source_id}:{person}")
        told = {
            section: {
                world.work(short(title.media_item_id)): (
                    title.episodes,
                    {
                        one.person_type: (one.episodes, one.on_title, set(one.roles))
                        for one in title.functions
                    },
                )
                for title in getattr(answer, section)
            }
            for section in ("works", "as_self", "talk_shows")
        }
        assert told == filmography(world, person)
        for own, others in ((None, list(CAST)), (["actor"], None)):
            costars = await library.costars(f"{source_id}:{person}", person_types=others, own_types=own)
            wanted = together(world, person, set(own or TYPES), set(others or TYPES))
            assert {short(one.person.id): one.works for one in costars} == wanted
            assert all(len(one.titles) == min(one.works, 3) for one in costars)
            order = [(-one.works, one.person.id) for one in costars]
            assert order == sorted(order)

    for by in ("items", "episodes"):
        top = await library.top("actor", by=by, source_id=source_id)  # type: ignore[arg-type]
        wanted = ranked(world, "actor", by_episodes=by == "episodes")
        assert {short(one.person.id): one.count for one in top} == wanted
    pairs = await library.pairs("director", "actor", source_id=source_id, limit=100)
    told_pairs = {(short(pair.first.id), short(pair.second.id)): pair.works for pair in pairs}
    assert told_pairs == paired(world, "director", "actor")
    for top_key in ("s", "t"):
        members = await library.show_cast(f"{source_id}:{top_key}")
        assert {short(one.person.id): (one.episodes, one.is_main) for one in members} == cast(world, top_key)


async def save(ms: MediaSync, source_id: str, world: World) -> None:
    await ms.media.save_source(Source(id=source_id, kind="nfo"))
    await ms.media.save_library(Library(id="all", source_id=source_id, kind="mixed"))
    items: list[MediaItem] = []
    for key, (make, parent, numbers) in KEYS.items():
        fields = dict(world.items[key])
        listed = [credit(person, kind=kind, role=role) for person, kind, role in fields.pop("credits")]
        above = [] if parent is None else [parent]
        items.append(make(key, *above, **fields, **numbers, credits=listed))  # type: ignore[operator]
    report = await ms.media.save_media_items(items, library_id="all", source_id=source_id)
    assert report.saved == len(KEYS)


def test_answers_are_what_plain_python_computes(url: str) -> None:
    numbers = count()
    with asyncio.Runner() as runner:
        ms = MediaSync(url)
        runner.run(ms.open())

        @settings(max_examples=max(settings.default.max_examples // 2, 1))
        @given(
            items=LIBRARIES, question=QUESTIONS, removed=st.sets(st.sampled_from(sorted(KEYS)), max_size=2)
        )
        def law(items: dict[str, Any], question: dict[str, Any], removed: set[str]) -> None:
            # A show is removed with everything below it, so what is below is not removed again.
            world = World(items)
            tops = {key for key in removed if not set(world.line(key)[1:]) & removed}
            runner.run(check(ms, f"home{next(numbers)}", world, question, tops))

        try:
            law()
        finally:
            runner.run(ms.close())
