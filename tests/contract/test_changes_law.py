"""A law of the change log: what was before, put back from the newest change on, gives every earlier state."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.items import MOVIES, credit, movie, person
from support.mirror import prepared, rows

from mediasync import MediaSync
from mediasync.changes import Change
from mediasync.errors import PersonInUse, UnknownItem

KEYS = st.sampled_from("123")
PEOPLE = st.sampled_from("abc")
NAMES = st.sampled_from(["Ann", "Bo", "Cy"])
TITLES = st.sampled_from(["X", "Y"])
CREDITS = st.lists(st.builds(credit, PEOPLE, NAMES, role=st.sampled_from(["R", None])), max_size=3)
STEPS = st.one_of(
    st.tuples(st.just("save"), KEYS, TITLES, st.none() | CREDITS),
    st.tuples(st.just("list"), KEYS, CREDITS),
    st.tuples(st.just("empty"), KEYS),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("person"), PEOPLE, NAMES),
    st.tuples(st.just("forget"), PEOPLE),
)
State = dict[str, dict[str, Any]]


async def act(ms: MediaSync, step: Any) -> None:
    try:
        match step:
            case ("save", key, title, given_credits):
                fields = {"title": title, "credits": given_credits, "completeness": "full"}
                await ms.media.save_media_item(movie(key, **fields), **MOVIES)
            case ("list", key, given_credits):
                await ms.media.save_media_people(f"home:{key}", given_credits)
            case ("empty", key):
                await ms.media.delete_media_people(f"home:{key}")
            case ("delete", key):
                await ms.media.delete_media_item(f"home:{key}")
            case ("person", key, name):
                await ms.people.upsert(person(key, name), source_id="home")
            case ("forget", key):
                await ms.people.delete(f"home:{key}")
    except (UnknownItem, PersonInUse):
        pass


async def state_of(ms: MediaSync) -> State:
    items: dict[str, Any] = {
        item_id: {"title": title, "completeness": completeness, "credits": []}
        for item_id, title, completeness in await rows(ms, "SELECT id, title, completeness FROM media_items")
    }
    for item_id, *one in await rows(
        ms,
        "SELECT media_item_id, person_id, person_type, role FROM media_people "
        "ORDER BY media_item_id, sort_order",
    ):
        items[item_id]["credits"].append(one)
    return {"item": items, "person": dict(await rows(ms, "SELECT id, name FROM people"))}  # type: ignore[arg-type]


def undo(state: State, change: Change) -> None:
    """Put back what was before a change."""
    items, people = state["item"], state["person"]
    before = change.before or {}
    if change.entity == "item":
        if change.what == "added":
            del items[change.entity_id]
        else:
            known = {name: before[name] for name in ("title", "completeness", "credits") if name in before}
            items[change.entity_id] = items.get(change.entity_id, {}) | known
    elif change.entity == "person" and "name" in before:
        people[change.entity_id] = before["name"]


def shown(state: State, apart: set[str]) -> State:
    """Return a state with the people who are shown in it: those credited, and those saved apart."""
    credited = {one[0] for item in state["item"].values() for one in item["credits"]}
    people = {key: name for key, name in state["person"].items() if key in credited | apart}
    return {"item": state["item"], "person": people}


def apart_after(changes: list[Change], number: int) -> set[str]:
    found: set[str] = set()
    for change in changes:
        if change.entity == "person" and change.number <= number and change.what != "changed":
            (found.add if change.what == "added" else found.discard)(change.entity_id)
    return found


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=12))
def test_the_log_gives_every_earlier_state(steps: list[Any]) -> None:
    async def run() -> None:
        async with MediaSync("sqlite:///:memory:") as ms:
            await prepared(ms)
            states = {await ms.newest_change(): await state_of(ms)}
            for step in steps:
                await act(ms, step)
                number, state = await ms.newest_change(), await state_of(ms)
                assert states.setdefault(number, state) == state, "a change of the views is not logged"
            changes = [change async for change in ms.changes(follow=False)]
            present = deepcopy(await state_of(ms))
            for name in await rows(ms, "SELECT id, name FROM person"):
                present["person"].setdefault(*name)
            for number in range(len(changes), min(states) - 1, -1):
                if number in states:
                    assert shown(present, apart_after(changes, number)) == states[number], number
                if number > min(states):
                    undo(present, changes[number - 1])

    asyncio.run(run())
