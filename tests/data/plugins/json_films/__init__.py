"""A backend of films in a JSON file: a plug-in of mediasync, as other people write one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from mediasync import Credit, Library, Movie, Person, Source, SourceConfig
from mediasync.backends.base import Enumerated, Finding, Found, Stored, Unchanged
from mediasync.errors import SourceUnreachable
from mediasync.settings.source_kinds import BackendContext, SourceKindSpec


class JsonBackend:
    """Reads a JSON file with a list of films."""

    def __init__(self, path: Path, source: Source) -> None:
        self.source = source
        self._path = path
        self._films: list[dict[str, str]] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        try:
            self._films = json.loads(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SourceUnreachable(self.source.id, f"{self._path.name}: {error.strerror}") from error
        yield

    async def fetch_libraries(self) -> list[Library]:
        return [Library(id="films", source_id=self.source.id, title="Films", kind="movies")]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        for film in self._films:
            if stored.tokens.get(film["id"]) == film["version"]:
                yield Unchanged(film["id"])
                continue
            director = Credit(person=Person(name=film["director"]), person_type="director")
            yield Found(
                Movie(
                    remote_id=film["id"],
                    title=film["title"],
                    change_token=film["version"],
                    credits=[director],
                )
            )
        yield Enumerated(len(self._films))


def make(config: SourceConfig, context: BackendContext) -> JsonBackend:
    """Return the backend of a source of the kind ``json``."""
    assert config.folder is not None
    return JsonBackend(config.folder, config.source)


KIND = SourceKindSpec("json", make, address="path")
