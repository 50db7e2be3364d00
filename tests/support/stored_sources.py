"""A source of which everything is stored that holds ids."""

from __future__ import annotations

from typing import Any

from support.items import credit, episode, movie, season, show

from mediasync import MediaSync, Source
from mediasync.backends.base import Enumerated, Remark, Unreadable
from mediasync.hints import Hint, HintKind
from mediasync.testing import FakeBackend


def steps(*, year: int = 1995) -> dict[str, list[Any]]:
    """Return a source with everything that holds ids: what was rekeyed, merged, listed twice, and failed."""

    def told(item: Any) -> Any:
        item.change_token = f"of {year}"
        return item

    people = [credit("p1", "Old: Ann", role="fake:1"), credit(None, "Bo", provider_ids={"imdb": "nm1"})]
    films = [
        told(movie("1", title="fake:1", year=year, path="/films/1", credits=people)),
        told(movie("2", credits=[credit(None, "Cy", provider_ids={"imdb": "nm2", "tmdb": "2"})])),
    ]
    family = [
        told(show("s", credits=[credit("p1", "Old: Ann")])),
        told(season("s1", parent="s")),
        told(episode("e1", parent="s1")),
    ]
    rekeyed = told(movie("9" if year == 1994 else "9b", path="/films/9"))
    flaws = [
        Unreadable("3", "it cannot be read"),
        Remark("fake", "about all"),
        Remark("films/3.nfo", "a file"),
    ]
    return {
        "films": [*films, rekeyed, *flaws, Enumerated(4)],
        "more": [films[0], Enumerated(1)],
        "shows": [*family, Enumerated(3)],
    }


def source(source_id: str = "fake", script: dict[str, list[Any]] | None = None) -> FakeBackend:
    return FakeBackend(script or steps(), Source(id=source_id, kind="plex"))


async def filled(ms: MediaSync, source_id: str = "fake") -> None:
    """Store a source with all that has ids, its history included."""
    await ms.sync(source(source_id, steps(year=1994)))
    await ms.sync(source(source_id))
    of_films = {"library_id": "films", "source_id": source_id}
    await ms.media.save_media_item(movie("gone", credits=[credit("p1", "Old: Ann")]), **of_films)
    await ms.media.delete_media_item(f"{source_id}:gone")
    await ms.hint(
        source_id, [Hint(HintKind.CHANGED, remote_ids=("1",), provider_ids=("tmdb:2",), seconds=60)]
    )
    for known in ({"imdb": "nm8"}, {"tmdb": "8"}, {"imdb": "nm8", "tmdb": "8"}):
        doe = credit(None, "Doe", provider_ids=known)
        await ms.media.save_media_item(movie(f"doe{len(known)}{min(known)}", credits=[doe]), **of_films)
