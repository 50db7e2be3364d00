"""Backends that do what a test needs, in this process or in one of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mediasync import Library, Movie, Source, SourceConfig
from mediasync.backends.base import Finding, Found, Stored


class FakeBackend:
    """A source of so many films."""

    def __init__(self, source_id: str, *findings: Finding) -> None:
        self.source = Source(id=source_id, kind="nfo")
        self.findings = findings or tuple(
            Found(Movie(remote_id=str(number), title=f"Film {number}")) for number in range(3)
        )

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        yield

    async def fetch_libraries(self) -> list[Library]:
        return [Library(id="movies", source_id=self.source.id, kind="movies")]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        for finding in self.findings:
            yield finding


class BrokenBackend(FakeBackend):
    """A source that fails with the error it was given, after its first films."""

    def __init__(self, source_id: str, error: Exception) -> None:
        super().__init__(source_id)
        self.error = error

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        async for finding in super().iter_items(library, stored):
            yield finding
        raise self.error


class StuckBackend(FakeBackend):
    """A source that goes silent after its first films, and says so on standard error.

    Args:
        stubborn: whether it does not end when it is told to.
    """

    def __init__(self, source_id: str, *, stubborn: bool = False) -> None:
        super().__init__(source_id)
        self.stubborn = stubborn

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        async for finding in super().iter_items(library, stored):
            yield finding
        print("STUCK", file=sys.stderr, flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            if self.stubborn:
                print("STUBBORN", file=sys.stderr, flush=True)
                await asyncio.Event().wait()


def stand_in(replace: Callable[[object, str, object], None], backends: Mapping[str, FakeBackend]) -> None:
    """Let sources that are given by a bare name be these backends.

    Args:
        replace: puts a value in the place of an attribute.
        backends: by name.
    """
    import mediasync.app
    import mediasync.cli.sync as command

    choose, make = command.choose_source, mediasync.app.make_backend

    def choose_source(text: str, *rest: Any) -> SourceConfig:
        if text in backends:
            return SourceConfig(id=text, kind="nfo", folder=text)
        return choose(text, *rest)

    def make_backend(source: SourceConfig, **options: Any) -> object:
        return backends.get(source.id) or make(source, **options)

    replace(command, "choose_source", choose_source)
    replace(mediasync.app, "make_backend", make_backend)


def stuck_main() -> int:
    """Run the command line with sources named ``stuck`` and ``stubborn`` that do not end."""
    from mediasync.cli import main

    stand_in(
        setattr, {name: StuckBackend(name, stubborn=name == "stubborn") for name in ("stuck", "stubborn")}
    )
    return main()
