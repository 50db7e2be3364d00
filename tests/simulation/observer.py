"""What must hold at every commit and after every run, looked up by a connection of its own."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Container, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from simulation.broken import Broken
from simulation.content import Content, Seen

FIELDS: Final = ("parent_id", "remote_id", "media_type", "title", "path", "library_id", "completeness")

_ITEMS: Final = f"SELECT id, {', '.join(FIELDS)} FROM media_items"
_PROVIDER_IDS: Final = "SELECT media_item_id, provider, value FROM external_ids"
_REMOVED: Final = "SELECT id, remote_id FROM removed_items ORDER BY id"
_CREDITS: Final = """
SELECT media_item_id, person_id, person_type, role FROM media_people ORDER BY media_item_id, sort_order
"""
_PEOPLE: Final = "SELECT id, name FROM people"
_ALL_PEOPLE: Final = "SELECT id, name FROM person"
_NEWEST: Final = "SELECT newest FROM change_counter"
_LEASES: Final = "SELECT source_id, fence, holder, expires_at FROM lease"
_WRITTEN: Final = """
SELECT DISTINCT r.run_key, r.fence, l.fence FROM change c
JOIN sync_run r ON r.run_key = c.run_key
JOIN source s ON s.source_key = r.source_key
JOIN lease l ON l.source_id = s.id
WHERE c.number > ?
"""
_FINISHED: Final = """
SELECT r.run_key, s.id FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE r.status = 'succeeded' ORDER BY r.run_key
"""
_FAILURES: Final = "SELECT subject FROM sync_run_problems WHERE run_id = ? AND kind = 'failure'"
_CHANGES: Final = "SELECT number, entity, entity_id, what, before FROM change ORDER BY number"


@dataclass
class State:
    """What the public views show at one time.

    Attributes:
        number: the newest change.
        items: the fields of each item, with its credits, by id.
        people: the names of the people who are shown, by id.
    """

    number: int
    items: dict[str, dict[str, Any]]
    people: dict[str, str]


@dataclass
class Observer:
    """Looks at the database from outside.

    Args:
        file: the database.
        now: returns the time of its clock, in milliseconds.
        has_ended: whether a holder of a lease has ended.
        ever: every full credit list that a work ever had.
    """

    file: Path
    now: Callable[[], int]
    has_ended: Callable[[str], bool]
    ever: Mapping[str, Mapping[str, Any]]
    states: list[State] = field(default_factory=list)
    leases: dict[str, tuple[int, str | None, int]] = field(default_factory=dict)
    _number: int = 0
    _finished: int = 0
    _full: set[str] = field(default_factory=set)
    broken: Broken | None = None
    is_over: bool = False

    def __post_init__(self) -> None:
        self.raw = sqlite3.connect(self.file, isolation_level=None)
        self.raw.execute("PRAGMA synchronous = OFF")
        [(self._number,)] = self.raw.execute(_NEWEST)

    def close(self) -> None:
        self.raw.close()

    def note(self, what: str, details: object = "") -> None:
        """Note what is broken, if nothing was before, and the history is not over."""
        if self.broken is None and not self.is_over:
            self.broken = Broken(what, details)

    # At every commit

    def committed(self, seen: Callable[[str], Seen | None]) -> None:
        """Check what has just been committed.

        Args:
            seen: returns what the committing worker's run of a source was shown.
        """
        self._check_leases()
        [(number,)] = self.raw.execute(_NEWEST)
        if number != self._number:
            for run, fence, newest in self.raw.execute(_WRITTEN, (self._number,)):
                if fence != newest:
                    self.note("a run wrote under an old lease", f"run {run}, lease {fence}, not {newest}")
            self._number = number
        for run, source_id in self.raw.execute(_FINISHED).fetchall():
            if run > self._finished:
                self._finished = run
                if (found := seen(source_id)) is not None:
                    failed = {subject for (subject,) in self.raw.execute(_FAILURES, (run,))}
                    self._check_finished(source_id, found, failed)

    def _check_leases(self) -> None:
        now = self.now()
        for source_id, fence, holder, expires_at in self.raw.execute(_LEASES):
            old_fence, old_holder, expired_at = self.leases.get(source_id, (0, None, 0))
            if fence != old_fence and old_holder and expired_at > now and not self.has_ended(old_holder):
                self.note("a lease had two holders", f"{source_id}: {old_holder!r} and {holder!r}")
            self.leases[source_id] = (fence, holder, expires_at)

    def _check_finished(self, source_id: str, seen: Seen, failed: set[str]) -> None:
        stored = self.by_key(source_id)
        whole = seen.whole and not failed
        shown = {**{key: (content, True) for key, content in seen.unchanged.items()}, **seen.shown}
        for key, (content, full) in shown.items():
            if f"{source_id}:{key}" in failed:
                continue
            if key in stored:
                self._compare(key, stored[key], content, full=full)
            elif whole:
                self.note("an item that a finished run has seen is not stored", key)

    def _compare(self, key: str, item: Mapping[str, Any], content: Content, *, full: bool) -> None:
        if (item["title"], item["work"], item["parent"]) != content.fields:
            self.note("an item is stored as it was before", f"{key}: {content} is stored as {item}")
        elif full and item["credits"] != list(content.credits):
            self.note("the credits of an item are not those that were read", f"{key}: {content}, {item}")
        elif not full and item["completeness"] == "preview":
            if item["credits"] != list(content.credits[:1]):
                self.note("the credits of an item are not those that were read", f"{key}: {content}, {item}")
        elif not full and tuple(item["credits"]) not in self.ever[item["source"]].get(content.work, ()):
            self.note("a credit list is stored that the source never had", f"{key}: {item}")

    # After every run

    def by_key(self, source_id: str) -> dict[str, dict[str, Any]]:
        """Return the items of a source, by the keys that they have now."""
        items = {
            item_id: {**item, "id": item_id, "source": source_id}
            for item_id, item in self._items().items()
            if item_id.startswith(f"{source_id}:")
        }
        for item in items.values():
            parent = items.get(item["parent_id"] or "")
            item["parent"] = parent["remote_id"] if parent else ""
            item["work"] = item["provider_ids"].get("tmdb")
            item["credits"] = [tuple(one) for one in item["credits"]]
        return {item["remote_id"]: item for item in items.values()}

    def _items(self) -> dict[str, dict[str, Any]]:
        items: dict[str, dict[str, Any]] = {
            item_id: {**dict(zip(FIELDS, values, strict=True)), "provider_ids": {}, "credits": []}
            for item_id, *values in self.raw.execute(_ITEMS)
        }
        for item_id, provider, value in self.raw.execute(_PROVIDER_IDS):
            items[item_id]["provider_ids"][provider] = value
        for item_id, *one in self.raw.execute(_CREDITS):
            items[item_id]["credits"].append(one)
        return items

    def snapshot(self) -> State:
        """Note what is shown now."""
        self.raw.execute("BEGIN")
        try:
            [(number,)] = self.raw.execute(_NEWEST)
            state = State(number, self._items(), dict(self.raw.execute(_PEOPLE).fetchall()))
        finally:
            self.raw.execute("COMMIT")
        self.states.append(state)
        credited = {one[0] for item in state.items.values() for one in item["credits"]}
        if strangers := state.people.keys() ^ credited:
            self.note("the people shown are not those who are credited", sorted(strangers))
        full = {item_id for item_id, item in state.items.items() if item["completeness"] == "full"}
        if cut := self._full & state.items.keys() - full:
            self.note("a full credit list was replaced by a part of one", sorted(cut))
        self._full |= full
        return state

    def removed(self) -> list[tuple[str, str]]:
        """Return the ids and keys of the items that are marked as missing."""
        return self.raw.execute(_REMOVED).fetchall()

    # At the end

    def check_ids(self, source_id: str, works: Container[str]) -> None:
        """Check that items of a source kept their ids, if they are the only ones of these works."""
        ids: dict[str, str] = {}
        for state in self.states:
            for item_id, item in state.items.items():
                work = item["provider_ids"].get("tmdb", "")
                is_one = item_id.startswith(f"{source_id}:") and work in works
                if is_one and ids.setdefault(work, item_id) != item_id:
                    self.note("an item got another id", f"{ids[work]} is now {item_id}")

    def check_log(self) -> None:
        """Check that the log, put back from its newest change on, gives every state that was noted."""
        changes = self.raw.execute(_CHANGES).fetchall()
        items, names = deepcopy(self._items()), dict(self.raw.execute(_ALL_PEOPLE).fetchall())
        states: defaultdict[int, list[State]] = defaultdict(list)
        for state in self.states:
            states[state.number].append(state)
        for number, entity, entity_id, what, before in reversed([*changes, (0, "", "", "", None)]):
            following = number
            for state in states.pop(following, ()):
                credited = {one[0] for item in items.values() for one in item["credits"]}
                if items != state.items or {key: names[key] for key in credited} != state.people:
                    self.note("the log does not lead back to an earlier state", f"at change {number}")
            if entity and not _undo(items, names, entity, entity_id, what, json.loads(before or "{}")):
                self.note("a change is logged that did not happen", f"{number}: {what} {entity} {entity_id}")
        if states:
            self.note("the log has gaps", sorted(states))
        if items:
            self.note("an item is stored that the log does not know", sorted(items))


def _undo(
    items: dict[str, dict[str, Any]],
    names: dict[str, str],
    entity: str,
    entity_id: str,
    what: str,
    before: dict[str, Any],
) -> bool:
    """Put back what was before a change, and return whether the change can have happened."""
    if entity == "person":
        is_new = "name" not in before or names.get(entity_id) != before["name"] or what != "changed"
        if "name" in before:
            names[entity_id] = before["name"]
        return is_new
    if entity != "item":
        return True
    if what in ("added", "back"):
        return items.pop(entity_id, None) is not None
    known = {name: before[name] for name in (*FIELDS, "provider_ids", "credits") if name in before}
    if what == "changed":
        if entity_id not in items:
            return False
        present = items[entity_id]
        differs = all(present[name] != value for name, value in known.items())
        present.update(known)
        return differs
    is_gone = entity_id not in items
    items[entity_id] = known
    return is_gone
