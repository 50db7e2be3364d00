"""The server time of each page of the website, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from benchmarks.clock import WrongResultError, percentile
from benchmarks.data import LIBRARY_ID, SOURCE_ID
from benchmarks.product import url_of
from mediasync import MediaSync

_BEGINNINGS = ("jo", "kar", "the la", "mar", "s", "night of", "dene", "lo", "tomi", "ri va")


async def time_site(path: str, movies: int, calls: int = 40) -> dict[str, Any]:
    """Ask for each page several times, and report the 95th percentiles in milliseconds.

    The app is called without a server: what is measured is all that happens between a request and its answer.

    Returns:
        by page, the wall time (``p95_ms``) and the CPU time of all threads (``cpu_p95_ms``), and of both the
        slowest.
    """
    from mediasync.web import create_app

    async with MediaSync(url_of(path), read_only=True) as ms:
        app = create_app(ms)
        walls: dict[str, float] = {}
        cpus: dict[str, float] = {}
        for name, address in (await _pages(ms, movies)).items():
            took, used = [], []
            for number in range(calls):
                wall, cpu = time.perf_counter(), time.process_time()
                status = await _ask(app, address(number))
                took.append(1000 * (time.perf_counter() - wall))
                used.append(1000 * (time.process_time() - cpu))
                if status != 200:
                    raise WrongResultError(f"{name}: {address(number)} answered {status}")
            walls[name], cpus[name] = percentile(took, 95), percentile(used, 95)
    slowest = max(walls, key=lambda name: walls[name])
    return {
        "p95_ms": walls,
        "cpu_p95_ms": cpus,
        "slowest": slowest,
        "slowest_ms": walls[slowest],
        "slowest_cpu_ms": max(cpus.values()),
    }


async def _pages(ms: MediaSync, movies: int) -> dict[str, Callable[[int], str]]:
    random = Random(movies)
    library = quote(f"{SOURCE_ID}:{LIBRARY_ID}")
    some = [random.randrange(movies) for _ in range(50)]
    page = await ms.library.list_items(limit=60)
    after = f"&after={page.next}" if page.next else ""
    [best] = await ms.library.top("actor", limit=1)
    item = await ms.media.get_media_item(f"{SOURCE_ID}:{some[0]}")
    usual = [credit.person.id or "" for credit in item.credits or ()]

    def asked(address: str) -> Callable[[int], str]:
        return lambda _: address

    return {
        "home": asked("/"),
        "items": asked("/items"),
        "items, a later page": asked(f"/items?type=all{after}"),
        "items, by year as a list": asked("/items?sort=newest&view=list&type=movie"),
        "items, by rating": asked("/items?sort=rating"),
        "items, filtered": lambda n: f"/items?type=movie&from={1930 + n}&to={1940 + n}&library={library}",
        "items, of a person": asked(f"/items?with={quote(best.person.id)}"),
        "an item": lambda n: f"/items/{SOURCE_ID}:{some[n % 50]}",
        "an item as JSON": lambda n: f"/items/{SOURCE_ID}:{some[n % 50]}.json",
        "people": asked("/people"),
        "people, filtered": lambda n: f"/people?name={'abdefgijklmnoprstuv'[n % 19]}&function=director",
        "a person": lambda n: f"/people/{quote(usual[n % len(usual)])}",
        "the person with most films": asked(f"/people/{quote(best.person.id)}"),
        "search": lambda n: f"/search?q={quote(_BEGINNINGS[n % len(_BEGINNINGS)])}",
        "suggestions": lambda n: f"/search.json?limit=6&q={quote(_BEGINNINGS[n % len(_BEGINNINGS)])}",
    }


async def _ask(app: Any, address: str) -> int:
    """Call the app as a server does, and return the status."""
    parts = urlsplit(address)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return int(statuses[0])
