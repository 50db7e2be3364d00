"""``python -m benchmarks.jellyfin``: syncs of a Jellyfin against the bare reading of the same pages.

The server is a fake in a process of its own that takes as long as a real one was measured to take: half a
millisecond a credit, 41 µs an item, 60 µs a person, one answer at a time. The client is mediasync with a
SQLite file.

| figure | is | must |
|---|---|---|
| first | first sync ÷ bare reading of the same pages with their people | ≤ 1.15 |
| unchanged | resync of what has not changed ÷ first sync | ≤ 1/50 |
| changed | resync with 1 % of the films changed ÷ first sync | ≤ 1/25 |
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from mediasync import MediaSync, Source
from mediasync.backends.jellyfin import JellyfinBackend
from mediasync.testing import FakeJellyfin, Request, Response, make_catalogue

KEY = "bench"
CREDITS = 18
PAGE = 100
MUST = {"first": 1.15, "unchanged": 1 / 50, "changed": 1 / 25}


class _Server(FakeJellyfin):
    """A fake that changes 1 % of its films when it is told to."""

    async def handle(self, request: Request) -> Response:
        if request.path == "/change":
            for film in self.catalogue.libraries[0].items[::100]:
                self.catalogue.edit_cast(film.remote_id, list(reversed(film.credits or [])))
            return Response.json({})
        return await super().handle(request)


async def serve(films: int, people: int) -> None:
    """Run the server until standard input is closed."""
    catalogue = make_catalogue(films=films, shows=0, credits_each=CREDITS, people=people)
    del catalogue.libraries[1]
    server = _Server(catalogue, api_key=KEY)
    server.seconds_per_credit, server.seconds_per_item, server.seconds_per_person = 500e-6, 41e-6, 60e-6
    async with server:
        server.persons()
        # Its library was scanned the day before.
        catalogue.now += timedelta(days=1)
        told = {"url": server.url, "library": server.library_id("1"), "people": len(catalogue.people())}
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def read_bare(url: str, library: str, films: int) -> float:
    """Return the seconds that it takes to ask for all pages with people and to decode them."""
    headers = {"Authorization": f'MediaBrowser Token="{KEY}"'}
    query = {"parentId": library, "recursive": "true", "includeItemTypes": "Movie", "limit": PAGE}
    query["fields"] = (
        "People,ProviderIds,Etag,Path,OriginalTitle,SortName,Overview,Genres,Taglines,DateCreated"
    )
    begun = time.perf_counter()
    read = 0
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        while read < films:
            answer = await client.get("/Items", params={**query, "startIndex": read})
            read += len(answer.json()["Items"])
    return time.perf_counter() - begun


async def measure(server: dict[str, Any], films: int, file: Path) -> dict[str, float]:
    """Return the seconds of one round."""
    seconds = {"bare": await read_bare(server["url"], server["library"], films)}
    backend = JellyfinBackend(server["url"], source=Source(id="bench", kind="jellyfin"), token=KEY)
    async with MediaSync(f"sqlite:///{file}") as ms:
        for name, expected in (("first", films), ("unchanged", 0), ("changed", -(-films // 100))):
            if name == "changed":
                async with httpx.AsyncClient(base_url=server["url"]) as client:
                    (await client.get("/change")).raise_for_status()
            begun = time.perf_counter()
            report = await ms.sync(backend)
            seconds[name] = time.perf_counter() - begun
            if (report.saved, report.failed) != (expected, ()):
                raise RuntimeError(f"{name}: {report.saved} items were saved instead of {expected}")
    return seconds


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jellyfin", description=__doc__)
    parser.add_argument("--films", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.films, given.people))
        return
    command = [sys.executable, "-m", "benchmarks.jellyfin", "--serve"]
    command += ["--films", str(given.films), "--people", str(given.people)]
    root = Path(__file__).resolve().parent.parent
    rounds: list[dict[str, float]] = []
    with (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
        ) as child,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        server = json.loads(child.stdout.readline())
        for number in range(given.rounds):
            rounds.append(asyncio.run(measure(server, given.films, Path(folder) / f"{number}.db")))
        child.stdin.close()
    seconds = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    figures = {
        "first": seconds["first"] / seconds["bare"],
        "unchanged": seconds["unchanged"] / seconds["first"],
        "changed": seconds["changed"] / seconds["first"],
    }
    if given.json:
        print(json.dumps({"people": server["people"], "seconds": seconds, "figures": figures}))
        return
    print(f"{given.films} films x {CREDITS} credits, {server['people']} people, median of {given.rounds}")
    print(", ".join(f"{name} {value:.2f} s" for name, value in seconds.items()))
    for name, figure in figures.items():
        print(f"{name:10} {figure:7.3f}  must be {MUST[name]:.3f} or less")


if __name__ == "__main__":
    main()
