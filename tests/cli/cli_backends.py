"""Backends for special tests, in this process or in a separate one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from typing import Any, Final

from mediasync import Library, Source, SourceConfig
from mediasync.backends.base import Finding, Stored
from mediasync.testing import FakeBackend, Step, make_movie

FILMS: Final = tuple(make_movie(str(number), title=f"Film {number}") for number in range(3))


def films(source_id: str, *steps: Step, error: BaseException | None = None) -> FakeBackend:
    """Return a source with one library of films.

    Args:
        source_id: its id.
        *steps: what is found in the library; without any three films are.
        error: how the reading of the library ends, if it does not end well.
    """
    found = [*(steps or FILMS), *([error] if error else [])]
    return FakeBackend({"movies": found}, Source(id=source_id, kind="nfo"), kind="movies")


class StuckBackend(FakeBackend):
    """A source that goes silent after its first films, and says so on standard error.

    Args:
        source_id: its id.
        stubborn: whether it does not end when it is told to.
    """

    def __init__(self, source_id: str, *, stubborn: bool = False) -> None:
        super().__init__({"movies": FILMS}, Source(id=source_id, kind="nfo"), kind="movies")
        self.stubborn = stubborn

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        async for finding in super().iter_items(library, stored, only=only):
            yield finding
        print("STUCK", file=sys.stderr, flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            if self.stubborn:
                print("STUBBORN", file=sys.stderr, flush=True)
                await asyncio.Event().wait()


def stand_in(replace: Callable[[object, str, object], None], backends: Mapping[str, FakeBackend]) -> None:
    """Use these backends for sources that are given by a bare name.

    Args:
        replace: puts a value in the place of an attribute.
        backends: by name.
    """
    import mediasync.cli.jobs as command
    from mediasync import source_syncs

    choose, make = command.choose_source, source_syncs.make_backend

    def choose_source(text: str, *rest: Any) -> SourceConfig:
        if text in backends:
            return SourceConfig(id=text, kind="nfo", folder=text)
        return choose(text, *rest)

    def make_backend(source: SourceConfig, **options: Any) -> object:
        return backends.get(source.id) or make(source, **options)

    replace(command, "choose_source", choose_source)
    replace(source_syncs, "make_backend", make_backend)


def stuck_main() -> int:
    """Run the command line with sources named ``stuck`` and ``stubborn`` that do not end."""
    from mediasync.cli import main

    stand_in(
        setattr, {name: StuckBackend(name, stubborn=name == "stubborn") for name in ("stuck", "stubborn")}
    )
    return main()
