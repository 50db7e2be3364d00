"""Reading a backend without a database, and looking at what it found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from mediasync.backends.base import (
    Backend,
    Enumerated,
    Finding,
    Found,
    FoundPerson,
    Remark,
    Unchanged,
    Unreadable,
    Watermark,
)
from mediasync.models import Library, MediaItem, Person

__all__ = ["RecordingSink"]

F = TypeVar("F", bound=Finding)


class RecordingSink:
    """A mirror in memory: it records what a backend finds, and remembers it for the next reading.

    Use it to test a backend of your own. `read` reads the whole source; the properties show what that reading
    found. The sink is a `mediasync.backends.base.Stored`, so a second `read` hands the backend what the first
    one recorded: change tokens, people and the watermark.

    Args:
        tokens: change tokens that count as stored before the first reading, by the source's own keys.
        watermark: the watermark that counts as stored.

    Attributes:
        libraries: the libraries of the last reading.
        findings: the findings of the last reading, in order.
        watermark: the newest watermark.

    Example:
        >>> import asyncio
        >>> from mediasync.testing import FakeBackend, make_movie
        >>> sink = RecordingSink()
        >>> asyncio.run(sink.read(FakeBackend({"films": [make_movie("1", change_token="a")]})))
        >>> list(sink.items), sink.tokens
        (['1'], {'1': 'a'})
    """

    def __init__(self, tokens: Mapping[str, str] | None = None, watermark: str = "") -> None:
        self.libraries: list[Library] = []
        self.findings: list[Finding] = []
        self.watermark = watermark
        self._tokens = dict(tokens or {})
        self._people: dict[str, Person] = {}
        self._credited: dict[str, set[str]] = {}

    async def read(self, backend: Backend, *, only: Collection[str] | None = None) -> None:
        """Read all libraries of a source. The results of an earlier reading are replaced.

        Args:
            backend: the backend; it is opened and closed.
            only: the source's own keys of the only items that are wanted; None for all.

        Raises:
            SourceError: if the source cannot be read. What was found before stays recorded.
        """
        self.libraries, self.findings = [], []
        try:
            async with backend.open():
                self.libraries = await backend.fetch_libraries()
                for library in self.libraries:
                    async for finding in backend.iter_items(library, self, only=only):
                        self.findings.append(finding)
        finally:
            self._remember()

    @property
    def items(self) -> dict[str, MediaItem]:
        """The items that were found, by key."""
        return {found.item.remote_id: found.item for found in self._of(Found)}

    @property
    def problems(self) -> dict[str, tuple[str, ...]]:
        """What could not be understood of items that were found, by key."""
        return {found.item.remote_id: found.problems for found in self._of(Found) if found.problems}

    @property
    def failures(self) -> dict[str, str]:
        """Why items could not be read, wholly or in part, by key or by file."""
        partly = {found.item.remote_id: found.failure for found in self._of(Found) if found.failure}
        return partly | {found.remote_id: found.reason for found in self._of(Unreadable)}

    @property
    def unchanged(self) -> list[str]:
        """The keys of the items that had not changed."""
        return [found.remote_id for found in self._of(Unchanged)]

    @property
    def remarks(self) -> list[tuple[str, str]]:
        """(subject, text) of each remark."""
        return [(found.subject, found.text) for found in self._of(Remark)]

    @property
    def people(self) -> dict[str, Person]:
        """The people who were reported apart from items, by key."""
        return {found.person.remote_id or "": found.person for found in self._of(FoundPerson)}

    @property
    def ends(self) -> list[Enumerated]:
        """How completely each library was listed."""
        return self._of(Enumerated)

    @property
    def tokens(self) -> Mapping[str, str]:
        """The change token of each item that was ever found, by key."""
        return self._tokens

    @property
    def due(self) -> Mapping[str, str]:
        """Nothing: no item has its turn."""
        return {}

    @property
    def just_read(self) -> Collection[str]:
        """Nothing: no reading broke off."""
        return ()

    async def find_people(self, remote_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of these people who were ever found, by key."""
        return {key: self._people[key] for key in remote_ids if key in self._people}

    async def find_items_crediting(self, remote_ids: Sequence[str]) -> set[str]:
        """Return the keys of the items that credit any of these people."""
        return {key for key, credited in self._credited.items() if not credited.isdisjoint(remote_ids)}

    def _of(self, kind: type[F]) -> list[F]:
        return [finding for finding in self.findings if isinstance(finding, kind)]

    def _remember(self) -> None:
        for item in self.items.values():
            self._tokens[item.remote_id] = item.change_token or ""
            if item.credits is not None:
                people = [credit.person for credit in item.credits if credit.person.remote_id]
                self._credited[item.remote_id] = {person.remote_id or "" for person in people}
                for person in people:
                    self._people.setdefault(person.remote_id or "", person)
        self._people |= self.people
        for mark in self._of(Watermark):
            self.watermark = mark.text
